//! What fuzzers look for is not there in what they begin with, in what is made of it by chance, and in random bytes.

use dacapo_core::{Seed, decisions_to_bytes};
use dacapo_fuzz_targets::{TARGETS, Target, planted, root};
use dacapo_lab::{RunOptions, Strategy as Search};
use dacapo_scoreboard::{BUGS, Bug};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).expect("a target of this name")
}

/// A change to bytes, as fuzzers make them.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Cut(Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = prop_oneof![
        4 => (any::<Index>(), prop_oneof![any::<u8>(), Just(0), Just(255)]).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (any::<Index>(), proptest::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, more)| Change::Insert(at, more)),
        1 => (any::<Index>(), 1..9usize).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => any::<Index>().prop_map(Change::Cut),
    ];
    proptest::collection::vec(one, 0..12)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let at = |index: &Index| index.index(bytes.len() + 1);
        match change {
            Change::Set(index, byte) => {
                let at = at(index);
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Change::Insert(index, more) => drop(bytes.splice(at(index)..at(index), more.iter().copied())),
            Change::Remove(index, count) => {
                drop(bytes.drain(at(index)..(at(index) + count).min(bytes.len())))
            }
            Change::Cut(index) => bytes.truncate(at(index)),
        }
    }
    bytes
}

fn holds(name: &str, cases: u32) {
    let target = target(name);
    let seeds = (target.seeds)(&root());
    seeds.iter().for_each(|seed| (target.run)(seed));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let near =
        (proptest::sample::select(seeds), changes()).prop_map(|(seed, changes)| changed(seed, &changes));
    let far = proptest::collection::vec(any::<u8>(), 0..400);
    let result = TestRunner::new(config).run(&prop_oneof![3 => near, 1 => far], |bytes| {
        (target.run)(&bytes);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn any_text_is_a_project_or_tells_its_mistakes() {
    holds("config", 300);
}

#[test]
fn any_head_of_a_request_is_what_guests_see_or_is_refused() {
    holds("http", 3000);
}

#[test]
fn any_text_is_a_history_that_can_be_judged_or_is_refused() {
    holds("judges", 1000);
}

#[test]
fn small_histories_are_judged_as_by_brute_force() {
    holds("linear", 2000);
}

#[test]
fn correct_systems_survive_any_schedule() {
    holds("schedule", 400);
}

#[test]
fn any_bytes_are_a_recording_or_an_error() {
    holds("trace", 1000);
}

#[test]
fn a_bug_that_a_seed_finds_is_found_by_its_bytes() {
    for (number, name) in
        [(0, "lost-update"), (1, "retry-without-idempotency"), (2, "saga-without-compensation")]
    {
        let bug = Bug::named(name).expect("a bug of this name");
        assert_eq!(BUGS[number].name, name);
        let experiment = (bug.broken)();
        let found = experiment.hunt(Search::Swarm, 0, 1000).expect("it is planted");
        let options = RunOptions { remember: true, ..RunOptions::default() };
        let run = experiment.run_fully(found.report.seed, options);
        let bytes = decisions_to_bytes(&run.decisions);
        let again = experiment
            .run_with(Seed(0), RunOptions { bytes: Some(bytes.clone()), ..RunOptions::default() })
            .0;
        // Guests draw from the seed, not from the bytes.
        assert!(again.failure.is_some() || found.report.seed != Seed(0), "{name}");
        let same = experiment
            .run_with(found.report.seed, RunOptions { bytes: Some(bytes), ..RunOptions::default() })
            .0;
        assert_eq!(same.digest, run.report.digest, "{name}: the same run, told in bytes");
        assert_eq!(same.failure, run.report.failure);
    }
}

#[test]
fn the_target_with_planted_bugs_can_fail() {
    // All that can happen, happens: an update is lost.
    let found = std::panic::catch_unwind(|| {
        for byte in 0..=255 {
            planted::run(&[&[0][..], &[byte; 400]].concat());
        }
    });
    let message = found.expect_err("a bug is planted");
    let message = message.downcast_ref::<String>().expect("a panic says why");
    assert!(message.contains("no increment is lost"), "{message}");
}
