//! Vote not synced before the reply: a replica votes, crashes before the vote is on its disk, and votes again in the
//! same term for somebody else.
//!
//! Raft persists `votedFor` before it answers (figure 2 of the paper). Found by a crash in the milliseconds after a vote,
//! a quick boot, and a second candidate of that term that was late.

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{millis, span};
use crate::protocols::raft::{Clients, Correct, Flavor, ONE_LEADER, Replica};

pub(crate) const BUG: Bug = Bug {
    name: "vote-not-synced",
    rule: ONE_LEADER,
    needs: "a crash right after a vote, and a second candidate of the same term",
    budget: 1500,
    broken: experiment::<Broken>,
    correct: experiment::<Correct>,
};

struct Broken;

impl Flavor for Broken {
    const VOTES_UNSYNCED: bool = true;
}

fn experiment<F: Flavor>() -> Experiment {
    Experiment::native(BUG.name)
        .objects::<(), Replica<F>>("raft", "Replica", &[])
        .workload::<Clients>()
        .fault("process.crash", &[("every", span(150)), ("down", span(60))], &[])
        .faults(&["net.delay", "net.loss"])
        .lasts(millis(2000))
        .settles(millis(500))
        .build()
}
