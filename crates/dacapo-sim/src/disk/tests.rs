//! The promises of a simulated disk.

use std::collections::BTreeSet;
use std::time::Duration;

use dacapo_core::{Decisions, Disk, DiskErrorKind, Seed, Source, Time};
use proptest::prelude::*;

use super::{DiskLanes, DiskOptions, Drive, SimDisk, no_decisions};
use crate::fault::{DiskFaults, DiskStrike};

const SECTOR: u64 = 16;

/// A disk with somebody who lets it work and crash.
struct Bench {
    disk: SimDisk,
    handle: Box<dyn Disk>,
    decisions: Decisions,
    now: Time,
}

/// A fault of the disk that hits with this rate.
fn strike(decisions: &mut Decisions, name: &str, rate: f64, is_beyond: bool) -> Option<DiskStrike> {
    let lane = decisions.lane(name);
    Some(DiskStrike { lane, rate, at_crash: rate, lasts: Duration::from_secs(1), is_beyond })
}

impl Bench {
    fn new(seed: u64, faults: impl FnOnce(&mut Decisions) -> DiskFaults) -> Bench {
        let mut decisions = Decisions::new(Seed(seed), Source::Seed);
        let lanes = DiskLanes::new(&mut decisions);
        let options = DiskOptions { sector: SECTOR as u32, space: 4096, ..DiskOptions::default() };
        let faults = faults(&mut decisions);
        let disk = SimDisk::new(Drive::new("n0", options, lanes, faults));
        let mut bench = Bench { handle: disk.handle(), disk, decisions, now: Time(1_000) };
        bench.begin();
        bench
    }

    fn torn(seed: u64) -> Bench {
        Bench::new(seed, |d| DiskFaults { torn: strike(d, "disk.torn", 1.0, false), ..DiskFaults::default() })
    }

    fn begin(&mut self) {
        let decisions = std::mem::replace(&mut self.decisions, no_decisions());
        self.disk.begin(decisions, self.now, true, false);
    }

    /// Ends the work that is under way: all of it has taken effect.
    fn rest(&mut self) {
        let (decisions, spent) = self.disk.end();
        (self.decisions, self.now) = (decisions, spent.until);
        self.begin();
    }

    /// Crashes at this moment, and begins again.
    fn crash(&mut self, at: Time, may_lose_power: bool) {
        (self.decisions, _) = self.disk.end();
        self.disk.0.borrow_mut().crash(&mut self.decisions, at, may_lose_power);
        self.now = at;
        self.handle = self.disk.handle();
        self.begin();
    }

    fn clock(&self) -> Time {
        self.disk.clock()
    }

    fn write(&mut self, file: &str, at: u64, bytes: &[u8]) {
        self.handle.write_at(file, at, bytes).unwrap();
    }

    fn read(&mut self, file: &str) -> Option<Vec<u8>> {
        let len = self.handle.len(file).unwrap()?;
        let mut bytes = vec![0; len as usize];
        let mut done = 0;
        while done < bytes.len() {
            let n = self.handle.read_at(file, done as u64, &mut bytes[done..]).unwrap();
            assert!(n > 0, "a read gives nothing only at the end");
            done += n;
        }
        Some(bytes)
    }
}

/// One step of a test.
#[derive(Clone, Debug)]
enum Step {
    Write(u64, usize, u8),
    Truncate(u64),
    Sync,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..100u64, 1..50usize, 1..=255u8).prop_map(|(at, len, fill)| Step::Write(at, len, fill)),
        1 => (0..120u64).prop_map(Step::Truncate),
        1 => Just(Step::Sync),
    ]
}

/// What was in the file after a step, and when the step began and took effect.
struct Moment {
    begun: Time,
    at: Time,
    step: Option<Step>,
    content: Vec<u8>,
}

fn play(bench: &mut Bench, steps: &[Step]) -> Vec<Moment> {
    bench.write("a", 0, b"in the beginning");
    bench.handle.sync("a").unwrap();
    let mut content = b"in the beginning".to_vec();
    let at = bench.clock();
    let mut moments = vec![Moment { begun: at, at, step: None, content: content.clone() }];
    for step in steps {
        let begun = bench.clock();
        match step {
            Step::Write(at, len, fill) => {
                bench.write("a", *at, &vec![*fill; *len]);
                let end = *at as usize + len;
                content.resize(content.len().max(end), 0);
                content[*at as usize..end].fill(*fill);
            }
            Step::Truncate(len) => {
                bench.handle.truncate("a", *len).unwrap();
                content.resize(*len as usize, 0);
            }
            Step::Sync => bench.handle.sync("a").unwrap(),
        }
        moments.push(Moment { begun, at: bench.clock(), step: Some(step.clone()), content: content.clone() });
    }
    moments
}

/// Whether `content` is what some subset of what was not synced by `at` makes of what was.
fn is_explained(moments: &[Moment], at: Time, content: &[u8]) -> Result<(), String> {
    let synced = moments
        .iter()
        .rposition(|m| m.at <= at && matches!(m.step, None | Some(Step::Sync)))
        .expect("the beginning is synced");
    let possible: Vec<&Moment> =
        moments[synced..].iter().filter(|m| m.begun < at || m.step.is_none()).collect();
    let mut lens: BTreeSet<usize> = [moments[synced].content.len()].into();
    let mut cuts: BTreeSet<usize> = BTreeSet::new();
    for moment in &possible[1..] {
        match moment.step {
            Some(Step::Write(at, len, _)) => _ = lens.insert(at as usize + len),
            Some(Step::Truncate(len)) => _ = (lens.insert(len as usize), cuts.insert(len as usize)),
            _ => {}
        }
    }
    if !lens.contains(&content.len()) {
        return Err(format!("the length {} is none of {lens:?}", content.len()));
    }
    cuts.insert(usize::MAX);
    let size = SECTOR as usize;
    for (number, sector) in content.chunks(size).enumerate() {
        let start = number * size;
        let is_version = |moment: &&Moment, cut: usize| {
            sector.iter().enumerate().all(|(i, byte)| {
                let there = moment.content.get(start + i).copied().unwrap_or(0);
                *byte == if start + i < cut { there } else { 0 }
            })
        };
        if !possible.iter().any(|moment| cuts.iter().any(|cut| is_version(moment, *cut))) {
            return Err(format!("sector {number} was never so: {sector:?}"));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_survives_a_crash_is_what_was_synced_and_any_subset_of_the_rest(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 0..25),
        share in 0.0..1.2f64,
    ) {
        let mut bench = Bench::torn(seed);
        let moments = play(&mut bench, &steps);
        prop_assert_eq!(bench.read("a").unwrap(), moments.last().unwrap().content.clone(), "reads see the cache");
        let (from, to) = (moments[0].at.0, bench.clock().0);
        let at = Time(from + ((to - from) as f64 * share) as u64);
        bench.crash(at, true);
        let content = bench.read("a").expect("a file that was synced is there");
        if let Err(why) = is_explained(&moments, at, &content) {
            return Err(TestCaseError::fail(why));
        }
        // What survived stays: it is on the platter now.
        bench.rest();
        bench.crash(bench.now, true);
        prop_assert_eq!(bench.read("a").unwrap(), content);
    }

    #[test]
    fn without_torn_writes_a_crash_keeps_all_of_the_rest_or_nothing(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 0..25),
        share in 0.0..1.2f64,
    ) {
        let mut bench = Bench::new(seed, |_| DiskFaults::default());
        let moments = play(&mut bench, &steps);
        let (from, to) = (moments[0].at.0, bench.clock().0);
        let at = Time(from + ((to - from) as f64 * share) as u64);
        bench.crash(at, true);
        let content = bench.read("a").unwrap();
        let done = moments.iter().rfind(|m| m.at <= at).unwrap();
        let synced =
            moments.iter().rfind(|m| m.at <= at && matches!(m.step, None | Some(Step::Sync))).unwrap();
        prop_assert!(content == done.content || content == synced.content);
    }
}

#[test]
fn a_crash_can_keep_every_part_of_a_write_without_the_others() {
    let survivors: BTreeSet<Vec<u8>> = (0..200)
        .map(|seed| {
            let mut bench = Bench::torn(seed);
            bench.write("a", 0, &[1; 48]);
            bench.handle.sync("a").unwrap();
            bench.write("a", 0, &[2; 48]);
            let at = bench.clock();
            bench.crash(at, true);
            bench.read("a").unwrap().iter().step_by(16).copied().collect()
        })
        .collect();
    assert_eq!(survivors.len(), 8, "{survivors:?}");
}

#[test]
fn a_file_that_replaces_another_is_the_old_one_or_the_new_one_at_every_moment() {
    let mut seen = BTreeSet::new();
    for seed in 0..300 {
        let mut bench = Bench::torn(seed);
        bench.write("a", 0, &[1; 40]);
        bench.handle.sync("a").unwrap();
        let begun = bench.clock();
        bench.write("tmp", 0, &[2; 60]);
        bench.handle.sync("tmp").unwrap();
        let renames = bench.clock();
        bench.handle.rename("tmp", "a").unwrap();
        bench.handle.sync("a").unwrap();
        let end = bench.clock();
        let at = Time(begun.0 + (end.0 - begun.0) * (seed % 60) / 50);
        bench.crash(at, true);
        let content = bench.read("a").unwrap();
        let is_new = content == [2; 60];
        assert!(is_new || content == [1; 40], "{content:?}");
        assert!(at < end || is_new, "a rename that was synced survives");
        assert!(at > renames || !is_new, "what has not begun is not there");
        if is_new {
            assert_eq!(bench.handle.list().unwrap(), ["a"]);
        }
        seen.insert(is_new);
    }
    assert_eq!(seen.len(), 2, "both come up");
}

#[test]
fn a_removal_is_certain_after_a_sync_of_the_name_and_not_before() {
    let is_back = |seed, syncs: bool| {
        let mut bench = Bench::torn(seed);
        bench.write("a", 0, &[1; 40]);
        bench.handle.sync("a").unwrap();
        bench.handle.remove("a").unwrap();
        assert_eq!(bench.read("a"), None);
        if syncs {
            bench.handle.sync("a").unwrap();
        }
        let at = bench.clock();
        bench.crash(at, true);
        let content = bench.read("a");
        assert!(content.is_none() || content == Some(vec![1; 40]));
        content.is_some()
    };
    assert!((0..50).all(|seed| !is_back(seed, true)));
    assert!((0..50).any(|seed| is_back(seed, false)));
}

#[test]
fn what_a_dead_process_left_in_the_cache_can_still_be_lost_when_the_power_fails() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..50 {
        let mut bench = Bench::new(seed, |_| DiskFaults::default());
        bench.write("a", 0, b"first");
        bench.handle.sync("a").unwrap();
        bench.write("a", 0, b"after");
        let at = bench.clock();
        bench.crash(at, false);
        assert_eq!(bench.read("a").unwrap(), b"after", "the machine lives");
        bench.rest();
        bench.crash(bench.now, true);
        outcomes.insert(bench.read("a").unwrap());
    }
    assert_eq!(outcomes.len(), 2, "{outcomes:?}");
}

#[test]
fn after_a_failed_sync_a_second_one_makes_nothing_certain() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..100 {
        let mut bench = Bench::new(seed, |d| DiskFaults {
            torn: strike(d, "disk.torn", 1.0, false),
            eio_sync: strike(d, "disk.eio", 0.5, false),
            ..DiskFaults::default()
        });
        bench.write("a", 0, b"content");
        if bench.handle.sync("a").is_ok() || bench.handle.sync("a").is_err() {
            continue;
        }
        let at = bench.clock();
        bench.crash(at, true);
        outcomes.insert(bench.read("a"));
    }
    assert!(outcomes.contains(&Some(b"content".to_vec())), "{outcomes:?}");
    assert!(outcomes.len() > 1, "{outcomes:?}");
}

#[test]
fn a_sync_that_lies_loses_nothing_unless_it_may() {
    let loses = |seed, is_beyond| {
        let mut bench = Bench::new(seed, |d| DiskFaults {
            lying_sync: strike(d, "disk.lying_sync", 1.0, is_beyond),
            ..DiskFaults::default()
        });
        bench.write("a", 0, b"content");
        bench.handle.sync("a").unwrap();
        let at = bench.clock();
        bench.crash(at, true);
        bench.read("a").is_none()
    };
    assert!((0..50).all(|seed| !loses(seed, false)));
    assert!((0..50).any(|seed| loses(seed, true)));
}

/// What reads of a synced file of five sectors give under this damage: first, then again, then
/// after a crash.
fn reads_under(seed: u64, damage: impl Fn(&mut Decisions, &mut DiskFaults)) -> [bool; 3] {
    let content: Vec<u8> = (0..80).collect();
    let mut bench = Bench::new(seed, |d| {
        let mut faults = DiskFaults::default();
        damage(d, &mut faults);
        faults
    });
    bench.write("a", 0, &content[..40]);
    bench.write("a", 40, &content[40..]);
    bench.handle.sync("a").unwrap();
    let is_right = |bench: &mut Bench| bench.read("a").unwrap() == content;
    let (first, again) = (is_right(&mut bench), is_right(&mut bench));
    let at = bench.clock();
    bench.crash(at, true);
    [first, again, is_right(&mut bench)]
}

#[test]
fn rot_and_misdirection_spoil_what_is_read_and_not_what_is_stored_unless_they_may() {
    let rot = |is_beyond| {
        move |d: &mut Decisions, f: &mut DiskFaults| f.bitrot = strike(d, "disk.bitrot", 0.4, is_beyond)
    };
    let astray = |is_beyond| {
        move |d: &mut Decisions, f: &mut DiskFaults| {
            f.misdirected = strike(d, "disk.misdirected", 0.4, is_beyond);
        }
    };
    let any =
        |reads: &dyn Fn(u64) -> [bool; 3], wanted: [bool; 3]| (0..100).any(|seed| reads(seed) == wanted);
    assert!(any(&|seed| reads_under(seed, rot(false)), [false, true, true]), "only what is read");
    assert!(any(&|seed| reads_under(seed, astray(false)), [false, true, true]), "only what is read");
    assert!(any(&|seed| reads_under(seed, rot(true)), [true, false, false]), "for good");
    // A write that went elsewhere is wrong from the first read on.
    assert!(any(&|seed| reads_under(seed, astray(true)), [false, false, false]));
    // Without the right to it nothing is wrong for good: somebody who asks often enough reads it.
    for seed in 0..50 {
        let content: Vec<u8> = (0..80).collect();
        let mut bench = Bench::new(seed, |d| {
            let mut faults = DiskFaults::default();
            rot(false)(d, &mut faults);
            astray(false)(d, &mut faults);
            faults
        });
        bench.write("a", 0, &content);
        bench.handle.sync("a").unwrap();
        assert!((0..100).any(|_| bench.read("a").unwrap() == content));
    }
}

#[test]
fn a_power_failure_spoils_only_sectors_that_were_never_synced() {
    let mut was_spoiled = false;
    for seed in 0..200 {
        let mut bench = Bench::new(seed, |d| DiskFaults {
            torn: strike(d, "disk.torn", 1.0, false),
            bitrot: strike(d, "disk.bitrot", 1.0, false),
            ..DiskFaults::default()
        });
        bench.write("a", 0, &[1; 40]);
        bench.handle.sync("a").unwrap();
        bench.write("a", 40, &[1; 60]);
        let at = bench.clock();
        (bench.decisions, _) = bench.disk.end();
        bench.disk.0.borrow_mut().crash(&mut bench.decisions, at, true);
        let drive = bench.disk.0.borrow();
        let file = drive.platter.find("a").unwrap();
        let mut content = vec![0; drive.platter.len(file) as usize];
        drive.platter.read(file, 0, &mut content);
        assert_eq!(content[..40], [1; 40]);
        was_spoiled |= content[40..].iter().any(|byte| !matches!(byte, 0 | 1));
    }
    assert!(was_spoiled);
}

#[test]
fn a_full_disk_refuses_growth_and_still_reads_and_overwrites() {
    let mut bench = Bench::new(1, |_| DiskFaults::default());
    bench.write("a", 0, &[1; 4000]);
    bench.write("a", 4000, &[1; 96]);
    let error = bench.handle.write_at("b", 0, &[2; 20]).unwrap_err();
    assert_eq!((error.kind, error.file.as_ref()), (DiskErrorKind::Full, "b"));
    assert_eq!(bench.handle.truncate("a", 4097).unwrap_err().kind, DiskErrorKind::Full);
    assert_eq!(bench.handle.write_at("a", u64::MAX, &[2; 20]).unwrap_err().kind, DiskErrorKind::Full);
    bench.write("a", 10, &[3; 30]);
    assert_eq!(bench.read("a").unwrap()[8..12], [1, 1, 3, 3]);
    bench.handle.remove("a").unwrap();
    bench.write("b", 0, &[2; 20]);
}

#[test]
fn a_spell_without_space_ends() {
    let mut bench = Bench::new(1, |_| DiskFaults::default());
    bench.write("a", 0, &[1; 10]);
    let used = bench.disk.0.borrow().cache.used();
    bench.disk.0.borrow_mut().space_left_until = Some(used);
    bench.write("a", 10, &[1; 6]);
    assert_eq!(bench.handle.write_at("a", 16, &[1]).unwrap_err().kind, DiskErrorKind::Full);
    bench.disk.0.borrow_mut().space_left_until = None;
    bench.write("a", 16, &[1]);
}

#[test]
fn a_lost_disk_comes_back_empty_and_a_dead_process_reaches_no_disk() {
    let mut bench = Bench::new(1, |_| DiskFaults::default());
    bench.write("a", 0, &[1; 10]);
    bench.handle.sync("a").unwrap();
    bench.disk.0.borrow_mut().lose();
    assert_eq!(bench.handle.len("a").unwrap_err().kind, DiskErrorKind::Gone);
    let mut old = bench.disk.handle();
    let at = bench.clock();
    bench.crash(at, true);
    assert!(bench.disk.0.borrow_mut().replace_if_lost());
    assert_eq!(bench.handle.list().unwrap(), Vec::<String>::new());
    assert_eq!(old.write_at("a", 0, b"late").unwrap_err().kind, DiskErrorKind::Gone);
    assert_eq!(bench.handle.list().unwrap(), Vec::<String>::new());
}

#[test]
fn errors_short_reads_and_stalls_strike_and_pass() {
    let mut bench = Bench::new(3, |d| DiskFaults {
        eio: strike(d, "disk.eio", 0.3, false),
        short_read: strike(d, "disk.short_read", 0.3, false),
        stall: strike(d, "disk.stall", 0.1, false),
        ..DiskFaults::default()
    });
    let (mut failed, mut short, mut slow) = (0, 0, 0);
    for _ in 0..200 {
        let begun = bench.clock();
        failed += u32::from(bench.handle.write_at("a", 0, &[1; 20]).is_err());
        let mut buffer = [0; 20];
        match bench.handle.read_at("a", 0, &mut buffer) {
            Ok(n) => short += u32::from((1..20).contains(&n)),
            Err(error) => {
                assert!(matches!(error.kind, DiskErrorKind::Io | DiskErrorKind::Missing), "{error}");
                failed += 1;
            }
        }
        slow += u32::from(bench.clock().since(begun) > Duration::from_millis(10));
    }
    assert!(failed > 50 && short > 20 && slow > 10, "{failed} failed, {short} were short, {slow} slow");
    let (_, spent) = bench.disk.end();
    for name in ["disk.eio n0 read a at 0", "disk.short_read n0 a at 0", "disk.stall n0 for"] {
        assert!(spent.notes.iter().any(|(_, text)| text.starts_with(name)), "no note of {name}");
    }
}

#[test]
fn a_cache_is_written_back_after_a_while() {
    let mut bench = Bench::new(1, |_| DiskFaults::default());
    bench.write("a", 0, b"content");
    bench.rest();
    let later = bench.now + Duration::from_secs(31);
    bench.crash(later, true);
    assert_eq!(bench.read("a").unwrap(), b"content");
}
