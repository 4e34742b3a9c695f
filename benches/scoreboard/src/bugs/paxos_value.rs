//! Paxos that takes over the wrong value: of the values that acceptors tell it, the proposer keeps the first to arrive,
//! not that of the highest ballot.
//!
//! Chandra, Griesemer and Redstone, "Paxos Made Live" (2007), tell how often such lines are wrong. Found when one acceptor has an
//! older value that was never chosen, the other a chosen one, and the older arrives first; no fault is needed, only order.

use crate::bug::Bug;
use crate::protocols::paxos::{Correct, Flavor, ONE_VALUE, experiment};

pub(crate) const BUG: Bug = Bug {
    name: "paxos-wrong-value",
    rule: ONE_VALUE,
    needs: "three ballots that meet in a certain order",
    budget: 2000,
    broken: || experiment::<Broken>(BUG.name),
    correct: || experiment::<Correct>(BUG.name),
};

struct Broken;

impl Flavor for Broken {
    const TAKES_FIRST: bool = true;
}
