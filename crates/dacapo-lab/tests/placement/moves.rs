//! What a recording tells of slices: they go where there is less to do, a few at a time, and away from nodes
//! that stop; and who does not know that it is no longer the owner is told.

use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_core::{Effect, InstanceId, Seed, Time};

use dacapo_lab::{Experiment, Report, RunOptions};
use dacapo_trace::{Memory, Part, Reader, ReplayEnd};

use crate::faults::millis;
use crate::history::{lists, longest_silence};

/// A run that must pass, and its recording.
fn recorded(experiment: &Experiment, seed: u64) -> (Report, Vec<u8>) {
    let memory = Memory::new();
    let identity = experiment.identity(Seed(seed), None);
    let record: (_, Box<dyn std::io::Write>) = (identity, Box::new(memory.clone()));
    let options = RunOptions { record: Some(record), ..RunOptions::default() };
    let (report, written) = experiment.run_with(Seed(seed), options);
    assert!(report.passed(), "seed {seed}: {:?}", report.failure);
    written.expect("memory takes everything");
    (report, memory.take())
}

/// What runtimes say in a run that must pass, and when.
fn told(experiment: &Experiment, seed: u64) -> Vec<(Time, String)> {
    let (_, recording) = recorded(experiment, seed);
    let mut now = Time::ZERO;
    let mut all = Vec::new();
    for record in Reader::open(recording.as_slice()).expect("a whole recording") {
        match record.expect("a whole recording").part {
            Part::Delivery(delivery) => now = delivery.now,
            Part::Effect(from, Effect::Log(_, text)) if from.instance == InstanceId::RUNTIME => {
                all.push((now, text.to_string()));
            }
            _ => {}
        }
    }
    all
}

fn long_lists(seconds: u64, faults: &[(&str, &[(&str, Param)])]) -> Experiment {
    let mut experiment = lists(3, 3, faults);
    experiment.options_mut().lasts = Duration::from_secs(seconds);
    experiment
}

#[test]
fn load_moves_to_where_there_is_less_of_it_and_then_stays() {
    let experiment = long_lists(150, &[]);
    let mut moves = 0;
    for seed in 0..2 {
        let told = told(&experiment, seed);
        let times: Vec<Time> =
            told.iter().filter(|(_, t)| t.contains(" moves to ")).map(|(at, _)| *at).collect();
        moves += times.len();
        // Six lists are hot, and a slice moves once in half a minute at most.
        assert!(times.len() <= 6, "seed {seed}: {told:#?}");
        let late = times.iter().filter(|at| **at > Time::ZERO + Duration::from_secs(90));
        assert_eq!(late.count(), 0, "seed {seed}: it goes on and on: {told:#?}");
    }
    assert!(moves > 0, "nothing ever moved");
}

#[test]
fn a_node_that_comes_back_gets_something_to_do() {
    let crash = [("every", millis(40_000)), ("down", millis(6000))];
    let experiment = long_lists(120, &[("process.crash", &crash)]);
    let mut moves = 0;
    for seed in 0..3 {
        let told = told(&experiment, seed);
        let count = told.iter().filter(|(_, text)| text.contains(" moves to ")).count();
        // Each node at most one in each round of five seconds, and far fewer than that.
        assert!(count <= 40, "seed {seed}: {count} moves");
        moves += count;
    }
    assert!(moves > 3, "{moves} moves");
}

#[test]
fn a_node_that_stops_hands_over_before_it_ends() {
    let stop = [("every", millis(20_000)), ("grace", millis(10_000)), ("down", millis(5000))];
    let experiment = long_lists(60, &[("process.stop", &stop)]);
    let mut handed = 0;
    for seed in 0..3 {
        let told = told(&experiment, seed);
        handed += told.iter().filter(|(_, text)| text.contains("goes to n")).count();
        let silence = longest_silence();
        assert!(silence < Duration::from_millis(1500), "seed {seed}: {silence:?} {told:#?}");
    }
    assert!(handed > 0, "no slice was handed over");
}

#[test]
fn a_run_on_several_nodes_is_the_same_again_and_replays_without_a_world() {
    let early = [("every", millis(1000))];
    let faults: &[(&str, &[(&str, Param)])] =
        &[("lease.early", &early), ("process.crash", &[]), ("net.partition", &[]), ("disk.torn", &[])];
    let experiment = lists(3, 3, faults);
    for seed in 0..3 {
        let (report, recording) = recorded(&experiment, seed);
        assert_eq!(report, experiment.run(seed));
        let end = experiment.replay(Reader::open(recording.as_slice()).expect("a whole recording"));
        assert!(matches!(end, ReplayEnd::Same { digest, .. } if digest == report.digest), "{end:?}");
    }
}

#[test]
fn two_nodes_take_themselves_for_the_owner_and_the_older_one_is_refused() {
    let (early, pause) = ([("every", millis(300))], [("every", millis(2000)), ("lasts", millis(6000))]);
    let experiment = lists(3, 3, &[("lease.early", &early), ("process.pause", &pause)]);
    let (mut refused, mut stepped_down) = (0, 0);
    for seed in 0..3 {
        let (_, recording) = recorded(&experiment, seed);
        for record in Reader::open(recording.as_slice()).expect("a whole recording") {
            match record.expect("a whole recording").part {
                Part::Effect(_, Effect::Send(_, message)) if message.name == "refused" => refused += 1,
                Part::Effect(_, Effect::Log(_, text)) if text.contains("no longer owned here") => {
                    stepped_down += 1;
                }
                _ => {}
            }
        }
    }
    assert!(refused > 0, "nobody was refused");
    assert!(stepped_down > 0, "nobody gave up");
}
