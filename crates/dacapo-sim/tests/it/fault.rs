//! Each fault of disks fires, and whoever uses the store can see it.

use std::time::Duration;

use dacapo_core::StorageErrorKind;
use dacapo_core::fault::{CATALOGUE, Param};
use dacapo_sim::{SimFault, SimOptions};

use crate::counter::{Seen, options, run};
use crate::log_store;

fn with(faults: Vec<SimFault>) -> SimOptions {
    SimOptions { faults, ..options() }
}

fn named(name: &str) -> SimFault {
    SimFault::named(name)
}

fn share(n: f64) -> Param {
    Param::Number(n)
}

fn often(name: &str, seconds: u64) -> SimFault {
    named(name).with("every", Param::Duration(Duration::from_secs(seconds)))
}

/// The process crashes often, and is soon there again.
fn crashes(seconds: u64) -> SimFault {
    often("process.crash", seconds).with("down", Param::Duration(Duration::from_millis(300)))
}

fn beyond(fault: SimFault) -> SimFault {
    fault.with("beyond", Param::Flag(true))
}

/// What is seen under these faults at full strength, twice the same, and nothing is lost.
fn under(faults: Vec<SimFault>) -> Seen {
    under_options(&with(faults))
}

fn under_options(options: &SimOptions) -> Seen {
    let seen = run(options, 1, log_store::open);
    assert_eq!(seen.digest, run(options, 1, log_store::open).digest, "the same seed gives the same run");
    assert_eq!(seen.lost(), None);
    seen
}

fn errors(seen: &Seen, kind: StorageErrorKind) -> usize {
    seen.errors.iter().filter(|error| error.kind == kind).count()
}

#[test]
fn without_faults_every_increment_is_durable_soon() {
    let seen = under(vec![]);
    assert!(seen.errors.is_empty());
    assert_eq!(seen.acknowledged, seen.sent);
    assert_eq!(seen.finals, seen.sent);
    assert!(seen.total() > 900);
    assert!(seen.slowest > Duration::from_micros(250), "a sync takes its time: {:?}", seen.slowest);
    assert!(seen.slowest < Duration::from_millis(100), "{:?}", seen.slowest);
    assert_eq!(seen.boots, 1);
}

#[test]
fn crashes_lose_nothing_that_was_acknowledged_and_the_alarms_come_back() {
    let mut options = with(vec![crashes(1), named("disk.torn")]);
    // So slow that crashes meet writes that are not synced.
    options.disk.sync = Duration::from_millis(5);
    let seen = under_options(&options);
    assert!(seen.boots > 10, "{}", seen.boots);
    assert!(seen.has_note("disk.torn n0"));
    assert_eq!(seen.alarms.len(), 3, "after the last boot");
    assert!(seen.total() > 100);
}

#[test]
fn a_stop_waits_for_nothing_and_loses_nothing() {
    let seen = under(vec![often("process.stop", 2)]);
    assert!(seen.boots > 3, "{}", seen.boots);
}

#[test]
fn a_failed_sync_ends_the_process_and_the_next_one_recovers() {
    let seen = under(vec![named("disk.eio").with("rate", share(0.0)).with("sync", share(0.05))]);
    assert!(seen.has_note("disk.eio n0 sync log"));
    assert!(seen.has_note("n0 ends itself: its store takes no more writes"));
    assert!(errors(&seen, StorageErrorKind::Disk) > 5);
    assert!(seen.boots > 5, "{}", seen.boots);
}

#[test]
fn failed_reads_and_writes_are_seen() {
    let seen = under(vec![named("disk.eio").with("rate", share(0.02)).with("sync", share(0.0))]);
    assert!(seen.has_note("disk.eio n0 write log"));
    assert!(seen.has_note("disk.eio n0 read log"));
    assert!(errors(&seen, StorageErrorKind::Disk) > 5);
}

#[test]
fn a_store_that_cannot_be_opened_is_tried_again() {
    let crash = crashes(1);
    let seen = under(vec![crash, named("disk.eio").with("rate", share(0.02)).with("sync", share(0.02))]);
    assert!(seen.has_note("n0 ends itself: its store cannot be opened"));
    assert!(seen.failed_opens > 0);
    assert!(seen.total() > 0);
}

#[test]
fn a_full_disk_refuses_and_space_returns() {
    let seen = under(vec![often("disk.full", 4)]);
    assert!(seen.has_note("disk.full n0"));
    assert!(errors(&seen, StorageErrorKind::Full) > 10);
    assert_eq!(seen.boots, 1, "a full disk is no reason to end");
    assert!(seen.total() > 100);
    assert!(seen.total() < seen.sent.values().sum());
}

#[test]
fn short_reads_are_read_on() {
    let seen = under(vec![named("disk.short_read").with("rate", share(0.5)), crashes(5)]);
    assert!(seen.has_note("disk.short_read n0 log"));
    assert!(seen.errors.is_empty());
}

#[test]
fn a_slow_disk_makes_commits_slow() {
    let seen = under(vec![often("disk.latency", 3)]);
    assert!(seen.has_note("disk.latency n0"));
    assert!(seen.slowest > Duration::from_millis(10), "{:?}", seen.slowest);
    assert!(seen.errors.is_empty());
}

#[test]
fn a_disk_that_stalls_holds_everything_up() {
    let seen = under(vec![named("disk.stall").with("rate", share(0.01))]);
    assert!(seen.has_note("disk.stall n0 for"));
    assert!(seen.slowest > Duration::from_millis(500), "{:?}", seen.slowest);
    assert!(seen.errors.is_empty());
}

#[test]
fn rot_is_noticed_and_by_default_nothing_is_lost_by_it() {
    let seen = under(vec![named("disk.bitrot").with("rate", share(0.02)), crashes(2)]);
    assert!(seen.has_note("disk.bitrot n0"));
    assert!(errors(&seen, StorageErrorKind::Corrupt) > 0);
}

#[test]
fn misdirection_is_noticed_and_by_default_nothing_is_lost_by_it() {
    let seen = under(vec![named("disk.misdirected").with("rate", share(0.02)), crashes(2)]);
    assert!(seen.has_note("disk.misdirected n0"));
    assert!(errors(&seen, StorageErrorKind::Corrupt) > 0);
}

#[test]
fn a_sync_that_lies_is_a_fast_one_by_default() {
    let seen = under(vec![named("disk.lying_sync").with("rate", share(1.0)), crashes(2)]);
    assert!(seen.has_note("disk.lying_sync n0 log"));
    assert!(seen.boots > 3);
}

#[test]
fn a_disk_is_lost_by_default_only_before_anybody_relies_on_it() {
    let often = named("disk.lost").with("every", Param::Duration(Duration::from_millis(10)));
    let options = with(vec![often]);
    let runs: Vec<Seen> = (0..20).map(|seed| run(&options, seed, log_store::open)).collect();
    for (seed, seen) in runs.iter().enumerate() {
        assert_eq!(seen.lost(), None, "seed {seed}");
        assert!(seen.total() > 500, "after the first commit a disk is not lost any more");
    }
    let lost = runs.iter().filter(|seen| seen.has_note("disk.lost n0")).collect::<Vec<_>>();
    assert!(lost.len() > 5, "{}", lost.len());
    assert!(lost.iter().all(|seen| seen.boots > 1 && seen.has_note("disk.lost n0: a new disk is there")));
}

#[test]
fn what_goes_beyond_a_single_copy_can_lose_what_was_acknowledged() {
    let crash = || crashes(2);
    let faults = [
        vec![beyond(named("disk.lying_sync").with("rate", share(0.5))), crash()],
        vec![beyond(often("disk.lost", 5))],
        vec![beyond(named("disk.bitrot").with("rate", share(0.05))), crash()],
        vec![beyond(named("disk.misdirected").with("rate", share(0.05))), crash()],
    ];
    for faults in faults {
        let name = faults[0].name.clone();
        let mut options = with(faults);
        options.settles = Duration::from_secs(5);
        let is_lost = |seed| run_to_any_end(&options, seed).is_none_or(|seen| seen.lost().is_some());
        assert!((0..10).any(is_lost), "{name} loses nothing");
    }
}

/// `None`: it does not come to its end, because a counter cannot be read any more.
fn run_to_any_end(options: &SimOptions, seed: u64) -> Option<Seen> {
    crate::counter::try_run(options, seed, log_store::open).ok()
}

#[test]
fn the_group_disk_is_what_a_store_with_one_copy_survives() {
    let group: Vec<SimFault> = dacapo_core::fault::group("disk").map(|kind| named(kind.name)).collect();
    let names: Vec<&str> = group.iter().map(|fault| fault.name.as_str()).collect();
    insta::assert_snapshot!(
        names.join(" "),
        @"disk.torn disk.eio disk.full disk.short_read disk.latency disk.stall"
    );
    let damage: Vec<SimFault> =
        CATALOGUE.iter().filter(|kind| kind.group == "damage").map(|kind| named(kind.name)).collect();
    assert_eq!(damage.len(), 4);
    for seed in 0..30 {
        let mut options = with(group.clone());
        options.faults.push(crashes(2));
        options.swarm = dacapo_sim::Swarm::Subset;
        if seed % 2 == 1 {
            options.faults.extend(damage.iter().cloned());
        }
        assert_eq!(run(&options, seed, log_store::open).lost(), None, "seed {seed}");
    }
}
