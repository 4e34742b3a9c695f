//! Scenarios of real projects from `cargo test`, through the facade.

#![cfg(feature = "js")]

use dacapo::lab::Failure;

#[test]
fn the_bank_keeps_its_money() {
    dacapo::scenario("examples/bank").seeds(0..20).check();
}

#[test]
fn a_retry_without_an_idempotency_key_is_found() {
    let found = dacapo::scenario("sim-scenarios/negative/retry-without-idempotency").seeds(0..100).finds();
    assert!(matches!(found.failure, Some(Failure::Check { .. })), "{:?}", found.failure);
    assert!(!found.faults.is_empty(), "without faults nothing has to be tried again");
}

#[test]
fn a_lost_update_is_found_without_any_fault() {
    let found = dacapo::scenario("sim-scenarios/negative/lost-update").seeds(0..20).finds();
    assert_eq!(found.faults, Vec::<String>::new());
}

#[test]
fn a_scenario_that_does_not_exist_is_told_with_those_that_do() {
    let bank = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/bank");
    let project = dacapo::project::Project::open(&bank).expect("the bank is a project");
    let told = project.scenario(Some("no-such-one")).expect_err("there is no such scenario").to_string();
    assert!(told.contains("has no scenario \"no-such-one\"; it has: transfers"), "{told}");
}
