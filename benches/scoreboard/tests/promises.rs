//! What the scoreboard promises, bug by bug: it is found within its budget, and its twin is never accused.

use std::collections::BTreeSet;

use dacapo_lab::Strategy;
use dacapo_scoreboard::{BUGS, Bug, STRATEGIES, campaign, shrinkage, twin};

fn is_found(name: &str) {
    let bug = Bug::named(name).expect("a bug of this name");
    let outcome = campaign(bug, Strategy::Portfolio, 0, bug.budget);
    assert!(
        outcome.executions.is_some(),
        "a portfolio does not find {name} within {} executions",
        bug.budget
    );
}

fn is_innocent(name: &str) {
    let bug = Bug::named(name).expect("a bug of this name");
    // A portfolio has no attempts of its own.
    let strategies = STRATEGIES.iter().filter(|strategy| **strategy != Strategy::Portfolio);
    let accused: Vec<String> = strategies.filter_map(|strategy| twin(bug, *strategy, 0..20)).collect();
    assert!(accused.is_empty(), "{}", accused.join("\n"));
}

#[test]
fn what_is_found_soon_fails_again_when_it_is_told_by_its_decisions() {
    const SOON: u64 = 20;
    let found = STRATEGIES
        .into_iter()
        .flat_map(|strategy| BUGS.iter().map(move |bug| (strategy, bug)))
        .filter(|(strategy, bug)| {
            // The first run after the one that was found is the same, told in another way. (Not the same: it panics.)
            shrinkage(bug, *strategy, 4, SOON, |runs, _| runs < 2).is_some()
        });
    let found: BTreeSet<&str> = found.map(|(_, bug)| bug.name).collect();
    assert!(found.len() > 15, "{found:?}");
}

macro_rules! promises {
    ($($test:ident: $name:literal,)*) => {
        $(mod $test {
            #[test]
            fn is_found_within_its_budget() {
                super::is_found($name);
            }

            #[test]
            fn has_a_twin_that_is_not_accused() {
                super::is_innocent($name);
            }
        })*

        #[test]
        fn every_bug_has_its_promises() {
            let names: Vec<&str> = BUGS.iter().map(|bug| bug.name).collect();
            assert_eq!(names, [$($name,)*]);
        }
    };
}

promises! {
    lost_update: "lost-update",
    retry_without_idempotency: "retry-without-idempotency",
    saga_without_compensation: "saga-without-compensation",
    two_phase_commit_alone: "two-phase-commit-alone",
    lease_without_fencing: "lease-without-fencing",
    stale_read_after_failover: "stale-read-after-failover",
    cache_stampede: "cache-stampede",
    write_skew: "write-skew",
    clock_skewed_lease: "clock-skewed-lease",
    double_cron: "double-cron",
    early_ack: "early-ack",
    retry_storm: "retry-storm",
    two_objects: "two-objects",
    watch_reconnect: "watch-reconnect",
    paxos_wrong_value: "paxos-wrong-value",
    paxos_broken_promise: "paxos-broken-promise",
    read_without_write_back: "read-without-write-back",
    vote_not_synced: "vote-not-synced",
    old_term_commit: "old-term-commit",
    raft_truncates: "raft-truncates",
    raft_blind_vote: "raft-blind-vote",
    dual_write: "dual-write",
    stale_fill: "stale-fill",
    zombie_delete: "zombie-delete",
    dedupe_window: "dedupe-window",
    hints_overflow: "hints-overflow",
    last_attempt: "last-attempt",
    pool_leak: "pool-leak",
    reorder_buffer: "reorder-buffer",
    recovery_twice: "recovery-twice",
}
