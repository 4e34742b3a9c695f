//! Slices go where there is less to do, a few at a time, and away from nodes that stop.

use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_core::{Effect, InstanceId, Seed, Time};

use dacapo_lab::{Experiment, RunOptions};
use dacapo_trace::{Memory, Part, Reader};

use crate::faults::millis;
use crate::history::{lists, longest_silence};

/// What runtimes say in a run that must pass, and when.
fn told(experiment: &Experiment, seed: u64) -> Vec<(Time, String)> {
    let memory = Memory::new();
    let identity = experiment.identity(Seed(seed), &Default::default());
    let record = Some((identity, Box::new(memory.clone()) as Box<dyn std::io::Write>));
    let (report, written) = experiment.run_with(Seed(seed), RunOptions { record, ..RunOptions::default() });
    assert!(report.passed(), "seed {seed}: {:?}", report.failure);
    written.expect("memory takes everything");
    let recording = memory.take();
    let mut now = Time(0);
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
    let experiment = long_lists(240, &[]);
    let mut moves = 0;
    for seed in 0..4 {
        let told = told(&experiment, seed);
        let times: Vec<Time> =
            told.iter().filter(|(_, t)| t.contains(" moves to ")).map(|(at, _)| *at).collect();
        moves += times.len();
        // Six lists are hot, and a slice moves once in half a minute at most.
        assert!(times.len() <= 6, "seed {seed}: {told:#?}");
        let late = times.iter().filter(|at| **at > Time::ZERO + Duration::from_secs(150));
        assert_eq!(late.count(), 0, "seed {seed}: it goes on and on: {told:#?}");
    }
    assert!(moves > 0, "nothing ever moved");
}

#[test]
fn a_node_that_comes_back_gets_something_to_do() {
    let crash = [("every", millis(60_000)), ("down", millis(10_000))];
    let experiment = long_lists(240, &[("process.crash", &crash)]);
    let mut moves = 0;
    for seed in 0..6 {
        let told = told(&experiment, seed);
        let count = told.iter().filter(|(_, text)| text.contains(" moves to ")).count();
        // Each node at most one in each round of five seconds, and far fewer than that.
        assert!(count <= 40, "seed {seed}: {count} moves");
        moves += count;
    }
    assert!(moves > 6, "{moves} moves");
}

#[test]
fn a_node_that_stops_hands_over_before_it_ends() {
    let stop = [("every", millis(20_000)), ("grace", millis(10_000)), ("down", millis(5000))];
    let experiment = long_lists(60, &[("process.stop", &stop)]);
    let mut handed = 0;
    for seed in 0..6 {
        let told = told(&experiment, seed);
        handed += told.iter().filter(|(_, text)| text.contains("goes to n")).count();
        let silence = longest_silence();
        assert!(silence < Duration::from_millis(1500), "seed {seed}: {silence:?} {told:#?}");
    }
    assert!(handed > 0, "no slice was handed over");
}
