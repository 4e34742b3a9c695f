//! Raft without the election restriction: a vote is given to whoever asks first, also to a candidate that lacks entries
//! which are committed.
//!
//! Section 5.4.1 of the Raft paper. Found by a replica that missed entries and wins the next election.

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{millis, span};
use crate::protocols::raft::{Clients, Correct, Flavor, Replica, SAME_ENTRIES};

pub(crate) const BUG: Bug = Bug {
    name: "raft-blind-vote",
    rule: SAME_ENTRIES,
    needs: "a replica that missed entries and stands first for election",
    budget: 100,
    broken: experiment::<Broken>,
    correct: experiment::<Correct>,
};

struct Broken;

impl Flavor for Broken {
    const VOTES_BLINDLY: bool = true;
}

fn experiment<F: Flavor>() -> Experiment {
    Experiment::native(BUG.name)
        .objects::<(), Replica<F>>("raft", "Replica", &[])
        .workload::<Clients>()
        .fault("process.crash", &[("every", span(700)), ("down", span(700))], &[])
        .faults(&["net.delay", "net.loss"])
        .lasts(millis(2500))
        .settles(millis(500))
        .build()
}
