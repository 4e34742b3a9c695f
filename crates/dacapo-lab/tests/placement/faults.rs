//! Whatever happens to nodes, network, clocks, disks and leases, each object stays one.

use std::time::Duration;

use dacapo_core::fault::Param;

use crate::history::{answers, holds, lists, longest_silence};

pub(crate) fn millis(n: u64) -> Param {
    Param::Duration(Duration::from_millis(n))
}

#[test]
fn without_a_fault_everybody_is_answered_at_once() {
    let experiment = lists(3, 3, &[]);
    holds(&experiment, 0..3);
    assert!(answers() > 1000, "{}", answers());
    assert!(longest_silence() < Duration::from_secs(1), "{:?}", longest_silence());
}

#[test]
fn an_acknowledged_write_survives_the_loss_of_its_owner() {
    // Long enough that others have to take over.
    let crash = [("every", millis(3000)), ("down", millis(15_000))];
    holds(&lists(3, 3, &[("process.crash", &crash), ("disk.torn", &[])]), 0..40);
    holds(&lists(5, 3, &[("process.crash", &crash)]), 0..20);
}

#[test]
fn objects_move_when_a_node_is_cut_off() {
    let cut = [("every", millis(3000)), ("lasts", millis(8000)), ("oneway", Param::Number(0.4))];
    holds(&lists(3, 3, &[("net.partition", &cut), ("process.pause", &[])]), 0..40);
}

#[test]
fn clocks_that_are_wrong_harm_nothing() {
    let drift = [("max", Param::Number(0.5))];
    let jump = [("every", millis(1000)), ("max", millis(60_000))];
    let faults: &[(&str, &[(&str, Param)])] = &[
        ("clock.drift", &drift),
        ("clock.jump", &jump),
        ("clock.skew", &[]),
        ("process.pause", &[]),
        ("lease.early", &[]),
    ];
    holds(&lists(3, 3, faults), 0..40);
}

#[test]
fn a_stale_owner_is_refused_by_its_epoch() {
    // Leases end though their holders are well: two owners at a time, all the time.
    let early = [("every", millis(300))];
    holds(&lists(3, 3, &[("lease.early", &early)]), 0..30);
    let slow = [("rate", Param::Number(0.5)), ("max", millis(5000))];
    let away = [("every", millis(4000)), ("lasts", millis(8000))];
    holds(
        &lists(3, 3, &[("lease.early", &early), ("lease.slow", &slow), ("lease.unavailable", &away)]),
        0..30,
    );
}

#[test]
fn a_drained_node_hands_its_objects_over() {
    let stop = [("every", millis(3000)), ("grace", millis(5000)), ("down", millis(5000))];
    holds(&lists(3, 3, &[("process.stop", &stop)]), 0..30);
}

#[test]
fn disks_that_fail_and_fill_up_lose_nothing() {
    let eio = [("sync", Param::Number(0.01)), ("rate", Param::Number(0.01))];
    let full = [("every", millis(3000)), ("lasts", millis(4000))];
    holds(&lists(3, 3, &[("disk.eio", &eio), ("disk.full", &full), ("disk.stall", &[])]), 0..30);
}

#[test]
fn everything_at_once_harms_nothing() {
    let groups = ["net.delay", "net.loss", "net.duplicate", "net.partition", "net.clog", "net.reset"];
    let more =
        ["process.crash", "process.pause", "process.stop", "process.slow", "clock.skew", "clock.drift"];
    let last = ["clock.jump", "lease.slow", "lease.unavailable", "lease.early", "disk.torn", "disk.eio"];
    let names: Vec<&str> =
        groups.into_iter().chain(more).chain(last).chain(["disk.full", "disk.latency"]).collect();
    let faults: Vec<(&str, &[(&str, Param)])> = names.into_iter().map(|name| (name, &[][..])).collect();
    holds(&lists(4, 3, &faults), 0..100);
}
