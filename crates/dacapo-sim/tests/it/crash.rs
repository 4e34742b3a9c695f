//! A crash at every point, one after the other.

use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_core::{
    Alarms, Decisions, Disk, NodeId, ObjectStore, OpenStore, Rest, Script, Seed, Source, StorageError,
};
use dacapo_sim::{CrashPoint, SimFault, SimOptions};

use crate::counter::{Seen, options, run, try_run_as};
use crate::log_store;

fn small() -> SimOptions {
    let mut options = options();
    options.lasts = Duration::from_millis(500);
    options.faults = vec![SimFault::named("disk.torn")];
    options
}

/// What is lost in a run that crashes here.
fn crash_at(point: CrashPoint, seed: u64, open: OpenStore) -> (Seen, Option<String>) {
    let seen = run(&SimOptions { crash_at: Some(point), ..small() }, seed, open);
    let lost = seen.lost();
    (seen, lost)
}

#[test]
fn nothing_acknowledged_is_lost_whichever_operation_of_the_disk_is_the_last() {
    let whole = run(&small(), 1, log_store::open);
    assert_eq!(whole.boots, 1);
    assert!(whole.disk_operations > 30, "{}", whole.disk_operations);
    for operation in 1..=whole.disk_operations {
        for seed in 1..4 {
            let (seen, lost) = crash_at(CrashPoint::Disk(NodeId(0), operation), seed, log_store::open);
            assert_eq!(lost, None, "operation {operation}, seed {seed}");
            if seed == 1 {
                assert_eq!(seen.boots, 2, "operation {operation}");
                assert!(seen.has_note(&format!("crash of n0 before operation {operation} of its disk")));
            }
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_whichever_message_is_the_last() {
    let whole = run(&small(), 1, log_store::open);
    assert!(whole.messages > 40, "{}", whole.messages);
    for message in 1..=whole.messages {
        let (seen, lost) = crash_at(CrashPoint::Message(NodeId(0), message), 1, log_store::open);
        assert_eq!(lost, None, "message {message}");
        assert!(seen.has_note(&format!("crash of n0 before message {message} to or from it")));
    }
}

#[test]
fn a_crash_at_a_commit_keeps_what_nobody_has_heard_of() {
    let key = "process.crash/at_commit the disk of n0 answers #2".parse().expect("a decision");
    let decisions = |given| Decisions::new(Seed(1), Source::Script(Script::new(given, Rest::default())));
    let mut options = small();
    options.faults = vec![SimFault::named("process.crash")];
    let unheard = |seen: &Seen| {
        let acknowledged = |key| seen.acknowledged.get(key).copied().unwrap_or_default();
        seen.finals.iter().map(|(key, value)| value - acknowledged(key)).sum::<u64>()
    };
    let calm = try_run_as(&options, decisions(vec![]), log_store::open).expect("a good end");
    assert_eq!((calm.boots, unheard(&calm)), (1, 0));
    let seen = try_run_as(&options, decisions(vec![(key, 1)]), log_store::open).expect("a good end");
    assert_eq!((seen.boots, seen.lost(), unheard(&seen)), (2, None, 1));
    // A node that is spared goes on as if nothing had been said.
    options.faults[0].spare.push(NodeId(0));
    let key = "process.crash/at_commit the disk of n0 answers #2".parse().expect("a decision");
    let spared = try_run_as(&options, decisions(vec![(key, 1)]), log_store::open).expect("a good end");
    assert_eq!((spared.boots, unheard(&spared)), (1, 0));
}

/// A disk whose first syncs do nothing.
struct Forgetful(Box<dyn Disk>, u64);

impl Disk for Forgetful {
    fn len(&mut self, file: &str) -> Result<Option<u64>, dacapo_core::DiskError> {
        self.0.len(file)
    }
    fn read_at(&mut self, file: &str, at: u64, buffer: &mut [u8]) -> Result<usize, dacapo_core::DiskError> {
        self.0.read_at(file, at, buffer)
    }
    fn write_at(&mut self, file: &str, at: u64, bytes: &[u8]) -> Result<(), dacapo_core::DiskError> {
        self.0.write_at(file, at, bytes)
    }
    fn sync(&mut self, file: &str) -> Result<(), dacapo_core::DiskError> {
        match self.1.checked_sub(1) {
            Some(left) => self.1 = left,
            None => self.0.sync(file)?,
        }
        Ok(())
    }
    fn truncate(&mut self, file: &str, len: u64) -> Result<(), dacapo_core::DiskError> {
        self.0.truncate(file, len)
    }
    fn rename(&mut self, from: &str, to: &str) -> Result<(), dacapo_core::DiskError> {
        self.0.rename(from, to)
    }
    fn remove(&mut self, file: &str) -> Result<(), dacapo_core::DiskError> {
        self.0.remove(file)
    }
    fn list(&mut self) -> Result<Vec<String>, dacapo_core::DiskError> {
        self.0.list()
    }
}

fn open_forgetful(disk: Box<dyn Disk>) -> Result<(Box<dyn ObjectStore>, Alarms), StorageError> {
    log_store::open(Box::new(Forgetful(disk, u64::MAX)))
}

#[test]
fn a_store_that_forgets_to_sync_is_found() {
    let whole = run(&small(), 1, open_forgetful);
    let points = (1..=whole.disk_operations).map(|k| CrashPoint::Disk(NodeId(0), k));
    let lost = points.filter(|point| crash_at(*point, 1, open_forgetful).1.is_some()).count();
    assert!(lost > 5, "{lost} of {} crashes lost something", whole.disk_operations);
}

/// What it finds may stand in a cache only, and it tells the world of it all the same.
fn open_trusting(mut disk: Box<dyn Disk>) -> Result<(Box<dyn ObjectStore>, Alarms), StorageError> {
    let skips = u64::from(disk.len("log").is_ok_and(|len| len.is_some_and(|len| len > 0)));
    log_store::open(Box::new(Forgetful(disk, skips)))
}

#[test]
fn a_store_that_trusts_what_a_dead_process_left_in_the_cache_is_found() {
    let mut options = options();
    let crash = SimFault::named("process.crash").with("every", Param::Duration(Duration::from_millis(40)));
    options.faults = vec![crash.with("down", Param::Duration(Duration::ZERO))];
    options.disk.sync = Duration::from_millis(10);
    let lost = |open: OpenStore| (0..10).filter(|seed| run(&options, *seed, open).lost().is_some()).count();
    assert_eq!(lost(log_store::open), 0);
    assert!(lost(open_trusting) > 0);
}

#[test]
fn the_same_crash_is_the_same_run() {
    let point = CrashPoint::Disk(NodeId(0), 17);
    let (one, _) = crash_at(point, 7, log_store::open);
    let (two, _) = crash_at(point, 7, log_store::open);
    assert_eq!(one.digest, two.digest);
    assert_ne!(one.digest, crash_at(point, 8, log_store::open).0.digest);
}
