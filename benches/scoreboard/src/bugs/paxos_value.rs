//! Paxos that takes over the wrong value: of the values that acceptors tell it, the proposer keeps the first to arrive,
//! not that of the highest ballot.
//!
//! Chandra, Griesemer and Redstone, "Paxos Made Live" (2007), tell how often such lines are wrong. Found when one acceptor has an
//! older value that was never chosen, the other a chosen one, and the older arrives first; no fault is needed, only order.

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::protocols::paxos::{self, Flavor};

pub(crate) const BUG: Bug = Bug {
    name: "paxos-wrong-value",
    rule: Correct::RULE,
    needs: "three ballots that meet in a certain order",
    budget: 8000,
    broken: || experiment::<Broken>(),
    correct: || experiment::<Correct>(),
};

struct Broken;
struct Correct;

impl Flavor for Broken {
    const RULE: &'static str = Correct::RULE;
    const TAKES_FIRST: bool = true;
}

impl Flavor for Correct {
    const RULE: &'static str = "one value is chosen";
}

fn experiment<F: Flavor>() -> Experiment {
    paxos::experiment::<F>(BUG.name)
}
