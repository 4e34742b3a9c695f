//! Coverage of services: a search that is led by it, runs that are the same for it, and what people are told.

#![cfg(feature = "js")]

mod common;

use std::fs;
use std::path::Path;

use common::{PASSED, project, run};
use dacapo::engines::Use;
use dacapo::lab::{Experiment, RunOptions, Strategy};
use dacapo::project::Project;
use dacapo_core::{PointKind, Seed};
use serde_json::Value;

fn experiment(path: &str, usage: Use) -> Experiment {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let project = Project::open_for(&path, usage).unwrap();
    let scenario = project.plan().scenarios.first().unwrap().clone();
    project.experiment(&scenario).unwrap()
}

#[test]
fn a_run_is_the_same_whether_it_is_looked_at_or_not() {
    for path in ["../../examples/bank", "../../sim-scenarios/fast/workflow-crashes", "tests/breaker"] {
        let plain = experiment(path, Use::Simulate);
        let probed = experiment(path, Use::Explore);
        for seed in 0..6 {
            let looked = RunOptions { coverage: true, remember: true, ..RunOptions::default() };
            let remembered = RunOptions { remember: true, ..RunOptions::default() };
            let (one, other) =
                (plain.run_fully(Seed(seed), remembered), probed.run_fully(Seed(seed), looked));
            assert_eq!(one.report.digest, other.report.digest, "{path} {seed}");
            assert_eq!(one.decisions, other.decisions, "{path} {seed}");
            let coverage = probed.coverage(|sight| other.seen.contains_key(&sight)).unwrap();
            assert!(coverage.share(PointKind::Function).reached > 0, "{path} {seed}: {coverage}");
        }
        assert_eq!(plain.identity(Seed(0), None), probed.identity(Seed(0), None));
        assert!(plain.coverage(|_| true).is_none());
    }
}

#[test]
fn a_breaker_that_forgets_after_six_outcomes_in_a_row_is_found_by_a_guided_search() {
    let found =
        experiment("tests/breaker", Use::Explore).hunt(Strategy::Guided, 0, 400).expect("it is found");
    assert!(found.executions <= 250, "{}", found.executions);
    let failure = found.report.failure.expect("it fails").to_string();
    assert!(failure.contains("a price is above zero"), "{failure}");
}

#[test]
fn a_campaign_tells_what_it_has_reached_and_names_what_it_has_not() {
    let home = project();
    let text =
        run(home.path(), &["sim", "hello", "--seeds", "30", "--coverage", "--lcov", "hello.info"], PASSED);
    let line = text.lines().find(|line| line.starts_with("coverage")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains(" functions, ") && line.ends_with(" branches"), "{line}");
    let lcov = fs::read_to_string(home.path().join("hello.info")).unwrap();
    assert!(lcov.contains("SF:hello/greeter.ts\n") && lcov.contains("\nFN:"), "{lcov}");
    let is_missed =
        |line: &&str| line.starts_with("FNDA:0,") || line.starts_with("BRDA:") && line.ends_with(",0");
    let missed = lcov.lines().filter(is_missed).count();
    assert!(missed > 0, "{lcov}");
    assert_eq!(text.matches("  never reached  ").count(), missed, "{text}\n{lcov}");
}

#[test]
fn what_several_processes_have_reached_is_put_together() {
    let home = project();
    for seeds in ["0..40", "40..80"] {
        run(home.path(), &["sim", "hello", "--seeds", seeds, "--jobs", "2", "--results", "found"], PASSED);
    }
    let text = run(home.path(), &["campaign", "show", "found", "--coverage", "--json"], PASSED);
    let shown: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let functions = &shown["code"]["functions"];
    assert!(functions["reached"].as_u64() > Some(0), "{text}");
    assert!(functions["reached"].as_u64() <= functions["all"].as_u64(), "{text}");
    common::change(&home, "greeter.ts", "headers: { visit },", "headers: { visit  },");
    let refused = run(home.path(), &["campaign", "show", "found", "--coverage"], common::UNUSABLE);
    assert!(refused.contains("DC0080"), "{refused}");
}
