//! Raft that always truncates: a follower cuts its log behind the entries that it was sent, also if they are an older,
//! shorter piece of the same log.
//!
//! "Students' Guide to Raft" (2016) has it among the most common mistakes. Found by an append that was overtaken by a longer one,
//! after which the leader believes what is gone, commits it, and is lost before it sends it again.

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{millis, span};
use crate::protocols::raft::{Clients, Correct, Flavor, Replica, SAME_ENTRIES};

pub(crate) const BUG: Bug = Bug {
    name: "raft-truncates",
    rule: SAME_ENTRIES,
    needs: "an append overtaken by a longer one, and the loss of the leader right then",
    budget: 200,
    broken: experiment::<Broken>,
    correct: experiment::<Correct>,
};

struct Broken;

impl Flavor for Broken {
    const ALWAYS_TRUNCATES: bool = true;
}

fn experiment<F: Flavor>() -> Experiment {
    Experiment::native(BUG.name)
        .objects::<(), Replica<F>>("raft", "Replica", &[])
        .workload::<Clients>()
        .fault("process.crash", &[("every", span(500)), ("down", span(500))], &[])
        .fault("net.delay", &[("max", span(100))], &[])
        .lasts(millis(3000))
        .settles(millis(500))
        .build()
}
