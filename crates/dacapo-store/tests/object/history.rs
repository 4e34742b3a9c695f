//! Going back to earlier states of an object.

use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::{Entropy, Image, SqlValue, Storage, StorageEngine, Time, Turn, WallTime};
use dacapo_store::Sqlite;
use proptest::prelude::*;

use crate::{apply, empty, one, run};

const DAY: Duration = Duration::from_hours(24);

fn at(storage: &mut dyn Storage, wall: WallTime) {
    storage.begin_turn(&Turn { now: Time(0), wall });
}

/// What a guest sees of everything.
fn content(storage: &mut dyn Storage) -> (Vec<(ByteString, bytes::Bytes)>, String, Option<WallTime>) {
    let rows = run(storage, "SELECT name FROM sqlite_master WHERE name = 't'").rows.len();
    let table = match rows {
        0 => String::new(),
        _ => format!("{:?}", run(storage, "SELECT id, hex(b) FROM t ORDER BY id").rows),
    };
    (storage.list(&dacapo_core::ListOptions::default()).unwrap(), table, storage.alarm().unwrap())
}

/// A disk and the object on it.
struct Life {
    image: Image,
    storage: Box<dyn Storage>,
    now: WallTime,
}

impl Life {
    fn new() -> Life {
        Life { image: Image::default(), storage: empty(), now: WallTime::SIM_START }
    }

    fn commit(&mut self) {
        if let Some(changes) = self.storage.take_changes() {
            apply(&mut self.image, &changes);
        }
    }

    fn turn(&mut self, later: Duration) {
        self.now = self.now.later(later);
        at(&mut *self.storage, self.now);
    }

    /// A crash, and the next life.
    fn reopen(&mut self) {
        self.storage = Sqlite.open(Some(&self.image), Entropy([4; 32])).unwrap();
        at(&mut *self.storage, self.now);
    }

    fn put(&mut self, value: &str) {
        self.storage.put("k", value.as_bytes()).unwrap();
        self.commit();
    }

    fn get(&mut self) -> String {
        let value = self.storage.get("k").unwrap();
        value.map_or("nothing".into(), |value| String::from_utf8(value.to_vec()).unwrap())
    }

    fn go_back(&mut self, bookmark: &str) -> ByteString {
        let before = self.storage.restore_next(bookmark).unwrap();
        self.commit();
        self.reopen();
        before
    }
}

#[test]
fn an_object_goes_back_to_a_bookmark_when_it_begins_anew_and_can_undo_that() {
    let mut life = Life::new();
    let nothing = life.storage.bookmark().unwrap();
    life.put("one");
    let one = life.storage.bookmark().unwrap();
    life.put("two");
    let before = life.storage.restore_next(&one).unwrap();
    life.put("three");
    assert_eq!(life.get(), "three", "nothing happens before it begins anew");
    life.reopen();
    assert_eq!(life.get(), "one");
    life.commit();
    life.reopen();
    assert_eq!(life.get(), "one", "and it happens once");
    life.put("four");
    let undone = life.go_back(&before);
    assert_eq!(life.get(), "three");
    assert!(nothing < one && one < before && before < undone);
    life.go_back(&nothing);
    assert_eq!(life.get(), "nothing");
    life.go_back(&undone);
    assert_eq!(life.get(), "four");
}

#[test]
fn who_crashes_before_the_restored_state_is_durable_restores_it_again() {
    let mut life = Life::new();
    life.put("one");
    let one = life.storage.bookmark().unwrap();
    life.put("two");
    life.storage.restore_next(&one).unwrap();
    life.reopen();
    assert_eq!(life.get(), "two", "what is not durable was never asked for");
    life.go_back(&one);
    for _ in 0..3 {
        life.storage.put("k", b"never durable").unwrap();
        life.reopen();
        assert_eq!(life.get(), "one");
    }
}

#[test]
fn a_bookmark_in_the_middle_of_a_turn_names_what_was_written_up_to_there() {
    let mut life = Life::new();
    life.storage.put("k", b"one").unwrap();
    let one = life.storage.bookmark().unwrap();
    life.storage.put("k", b"two").unwrap();
    let two = life.storage.bookmark().unwrap();
    life.put("three");
    assert_eq!(life.storage.bookmark().unwrap(), life.storage.bookmark().unwrap());
    life.go_back(&one);
    assert_eq!(life.get(), "one");
    life.go_back(&two);
    assert_eq!(life.get(), "two");
}

#[test]
fn a_time_names_the_state_that_was_then() {
    let mut life = Life::new();
    let start = life.now;
    for n in 0..10 {
        life.turn(DAY);
        life.put(&n.to_string());
    }
    for n in [3, 7, 0] {
        let time = start.later(DAY * (n + 1) + DAY / 2);
        let bookmark = life.storage.bookmark_for(time).unwrap();
        life.go_back(&bookmark);
        assert_eq!(life.get(), n.to_string());
    }
    let bookmark = life.storage.bookmark_for(start).unwrap();
    life.go_back(&bookmark);
    assert_eq!(life.get(), "nothing", "before it was first written");
    let error = life.storage.bookmark_for(life.now.later(DAY)).unwrap_err();
    insta::assert_snapshot!(error, @"this time is yet to come, and there is no bookmark for it");
}

#[test]
fn states_are_kept_for_thirty_days() {
    let mut life = Life::new();
    life.put("zero");
    let zero = life.storage.bookmark().unwrap();
    let mut early = None;
    for n in 1..=60 {
        life.turn(DAY);
        life.put(&n.to_string());
        early = early.or_else(|| (n == 40).then(|| life.storage.bookmark().unwrap()));
    }
    let error = life.storage.restore_next(&zero).unwrap_err();
    insta::assert_snapshot!(error, @"the state of this bookmark is no longer kept: states are kept for 30 days, fewer of them the older they are, and none from before a deleteAll(). The oldest that is there is of 1738195200000 ms since 1970");
    let time = life.now;
    for (days, n) in [(29, 31), (30, 30)] {
        let time = WallTime(time.0 - (DAY * days).as_nanos() as i64);
        let bookmark = life.storage.bookmark_for(time).unwrap();
        life.go_back(&bookmark);
        assert_eq!(life.get(), n.to_string());
    }
    assert!(life.storage.bookmark_for(WallTime(time.0 - (DAY * 31).as_nanos() as i64)).is_err());
    life.go_back(&early.unwrap());
    assert_eq!(life.get(), "40");
}

#[test]
fn a_hot_object_keeps_fewer_of_its_older_states_and_takes_no_more_room_than_it_may() {
    let mut life = Life::new();
    let second = Duration::from_secs(1);
    let mut written = 0;
    let mut pinned = None;
    for n in 0..20_000 {
        life.turn(second);
        life.storage.put("k", n.to_string().as_bytes()).unwrap();
        let changes = life.storage.take_changes().unwrap();
        written += changes.writes.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        apply(&mut life.image, &changes);
        if n == 10_000 {
            pinned = Some(life.storage.bookmark().unwrap());
        }
        assert!(life.image.bytes.len() < 256 << 10, "{}", life.image.bytes.len());
    }
    assert!(written / 20_000 < 1500, "{} bytes for each increment", written / 20_000);
    let mut far = 0;
    for seconds in [1, 10, 100, 1_000, 10_000] {
        let time = WallTime(life.now.0 - (second * seconds).as_nanos() as i64);
        let bookmark = life.storage.bookmark_for(time).unwrap();
        life.go_back(&bookmark);
        let exact = 19_999 - i64::from(seconds);
        let off = exact - life.get().parse::<i64>().unwrap_or(-1);
        assert!((0..=i64::from(seconds) / 8).contains(&off), "{seconds} s ago: off by {off}");
        far += i64::from(off > 0);
        life.commit();
    }
    assert!(far > 0, "some were left out, or nothing was tested");
    life.go_back(&pinned.unwrap());
    assert_eq!(life.get(), "10000", "what was named by a bookmark is not left out");
}

#[test]
fn a_turn_that_changes_everything_can_be_undone() {
    let mut life = Life::new();
    let fill = |life: &mut Life, byte: u8| {
        for n in 0..300 {
            life.storage.put(&format!("big{n:03}"), &[byte; 8000]).unwrap();
        }
        life.commit();
    };
    fill(&mut life, 1);
    let ones = life.storage.bookmark().unwrap();
    fill(&mut life, 2);
    run(&mut *life.storage, "CREATE TABLE t (id INTEGER PRIMARY KEY, b)");
    for n in 0..300 {
        life.storage.delete(&format!("big{n:03}")).unwrap();
    }
    life.commit();
    life.put("small");
    assert!(life.storage.size() < 100_000);
    life.go_back(&ones);
    assert_eq!(life.storage.get("big299").unwrap().unwrap(), vec![1; 8000]);
    let check = one(&mut *life.storage, "PRAGMA quick_check");
    assert_eq!(check, SqlValue::Text("ok".into()));
}

#[test]
fn delete_all_ends_the_history_and_leaves_nothing() {
    let mut life = Life::new();
    life.put("one");
    let one = life.storage.bookmark().unwrap();
    life.storage.delete_all().unwrap();
    life.commit();
    assert_eq!(life.image.bytes.len(), 0);
    assert!(life.storage.restore_next(&one).is_err());
    life.put("two");
    let two = life.storage.bookmark().unwrap();
    life.storage.delete_all().unwrap();
    life.put("three");
    assert!(life.storage.restore_next(&two).is_err());
    life.reopen();
    assert_eq!(life.get(), "three");
}

#[test]
fn an_alarm_comes_back_with_its_state() {
    let mut life = Life::new();
    life.put("one");
    life.storage.set_alarm(Some(WallTime(7))).unwrap();
    life.commit();
    let seven = life.storage.bookmark().unwrap();
    life.storage.set_alarm(None).unwrap();
    life.commit();
    life.go_back(&seven);
    assert_eq!(life.storage.alarm().unwrap(), Some(WallTime(7)));
    life.commit();
    assert_eq!(life.image.alarm, Some(WallTime(7)));
}

#[test]
fn bookmarks_that_are_none_are_told() {
    let mut life = Life::new();
    life.put("one");
    let mut refused = |bookmark: &str| life.storage.restore_next(bookmark).unwrap_err().message;
    insta::assert_snapshot!(refused("yesterday"), @r#""yesterday" is no bookmark: getCurrentBookmark() and getBookmarkForTime() give them"#);
    insta::assert_snapshot!(refused("0000000000000009-0000000000000009"), @"this bookmark is of no state of this object: was it another object that gave it out?");
    life.storage.begin().unwrap();
    insta::assert_snapshot!(life.storage.bookmark().unwrap_err(), @"bookmarks cannot be used within a transaction");
    life.storage.rollback().unwrap();
    life.storage.keep_no_history();
    insta::assert_snapshot!(life.storage.bookmark().unwrap_err(), @"the platform keeps no earlier states of this object");
}

#[test]
fn a_state_without_a_history_gets_one_and_loses_it_again() {
    let mut life = Life::new();
    life.storage.keep_no_history();
    life.put("one");
    assert_eq!(life.image.bytes.len() as u64, life.storage.size());
    life.reopen();
    let one = life.storage.bookmark().unwrap();
    life.put("two");
    assert!(life.image.bytes.len() as u64 > life.storage.size());
    life.go_back(&one);
    assert_eq!(life.get(), "one");
    life.storage.keep_no_history();
    life.put("three");
    assert_eq!(life.image.bytes.len() as u64, life.storage.size());
    life.reopen();
    assert_eq!(life.get(), "three");
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u16),
    Delete(u8),
    Insert(u8, u16),
    Drop(u8),
    Alarm(u8),
    Bookmark,
    Commit,
    Crash,
    GoBack(prop::sample::Index),
    Pass(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..20, 0u16..9000).prop_map(|(key, len)| Step::Put(key, len)),
        4 => (0u8..20).prop_map(Step::Delete),
        4 => (0u8..10, 0u16..20_000).prop_map(|(id, len)| Step::Insert(id, len)),
        2 => (0u8..10).prop_map(Step::Drop),
        1 => any::<u8>().prop_map(Step::Alarm),
        3 => Just(Step::Bookmark),
        5 => Just(Step::Commit),
        1 => Just(Step::Crash),
        2 => any::<prop::sample::Index>().prop_map(Step::GoBack),
        1 => (0u16..100).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn each_bookmark_that_is_not_refused_leads_to_what_it_named(steps in prop::collection::vec(step(), 1..120)) {
        let mut life = Life::new();
        let mut durable = Vec::new();
        let mut fresh = Vec::new();
        let mut last = content(&mut *life.storage);
        for step in steps {
            match step {
                Step::Put(key, len) => life.storage.put(&format!("{key}"), &vec![key; len.into()]).unwrap(),
                Step::Delete(key) => drop(life.storage.delete(&format!("{key}")).unwrap()),
                Step::Insert(id, len) => {
                    let values = [SqlValue::Integer(id.into()), SqlValue::Integer(len.into())];
                    run(&mut *life.storage, "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, b)");
                    life.storage.sql("REPLACE INTO t VALUES (?, zeroblob(?))", &values).unwrap();
                }
                Step::Drop(id) => {
                    run(&mut *life.storage, "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, b)");
                    life.storage.sql("DELETE FROM t WHERE id >= ?", &[SqlValue::Integer(id.into())]).unwrap();
                }
                Step::Alarm(at) => {
                    let at = (at > 99).then_some(WallTime(at.into()));
                    life.storage.set_alarm(at).unwrap();
                }
                Step::Bookmark => {
                    fresh.push((life.storage.bookmark().unwrap(), content(&mut *life.storage)));
                }
                Step::Commit => {
                    life.commit();
                    durable.append(&mut fresh);
                    last = content(&mut *life.storage);
                }
                Step::Crash => {
                    fresh.clear();
                    life.reopen();
                    prop_assert_eq!(content(&mut *life.storage), last.clone());
                }
                Step::GoBack(index) => {
                    if durable.is_empty() { continue }
                    let (bookmark, then) = index.get(&durable).clone();
                    if let Ok(before) = life.storage.restore_next(&bookmark) {
                        life.commit();
                        durable.append(&mut fresh);
                        durable.push((before, content(&mut *life.storage)));
                        life.reopen();
                        // An object that has nothing but an alarm has no history of it.
                        let now = content(&mut *life.storage);
                        prop_assert_eq!((now.0, now.1), (then.0, then.1));
                        life.commit();
                        last = content(&mut *life.storage);
                    }
                }
                Step::Pass(hours) => life.turn(Duration::from_hours(hours.into())),
            }
        }
    }
}

#[test]
fn an_object_of_an_image_without_its_end_is_told() {
    let mut life = Life::new();
    life.put("one");
    life.image.bytes.truncate(4096 * 2 + 512);
    let error = Sqlite.open(Some(&life.image), Entropy([4; 32])).err().unwrap();
    insta::assert_snapshot!(error, @"the state of an object has 8704 bytes, which are neither whole pages of 4096 nor 512 more with a history: it was cut, or it was never one");
}
