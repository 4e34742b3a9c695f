//! Commit of an entry of an old term: the leader counts the replicas of an entry that an earlier leader began, calls it
//! committed, and a third leader, whose last entry is newer, overwrites it.
//!
//! Figure 8 of the Raft paper. Found by three leaders that follow each other, two of which keep an entry to themselves at
//! first, and the second of which comes back in time.

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{millis, span};
use crate::protocols::raft::{Clients, Correct, Flavor, Replica, SAME_ENTRIES};

pub(crate) const BUG: Bug = Bug {
    name: "old-term-commit",
    rule: SAME_ENTRIES,
    needs: "three leaders in a row, two of which leave entries behind",
    budget: 1500,
    broken: experiment::<Broken>,
    correct: experiment::<Correct>,
};

struct Broken;

impl Flavor for Broken {
    const COMMITS_OLD_TERMS: bool = true;
}

fn experiment<F: Flavor>() -> Experiment {
    Experiment::native(BUG.name)
        .objects::<(), Replica<F>>("raft", "Replica", &[])
        .workload::<Clients>()
        .fault("process.crash", &[("every", span(250)), ("down", span(250))], &[])
        .fault("net.partition", &[("every", span(400)), ("lasts", span(400))], &[])
        .faults(&["net.delay", "net.loss"])
        .lasts(millis(4000))
        .settles(millis(500))
        .build()
}
