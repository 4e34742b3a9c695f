//! Paxos whose acceptor breaks its promise: it compares a ballot with the last one that it accepted, not with the last
//! one that it promised.
//!
//! Found when a proposer that was overtaken between its two phases goes on; no fault is needed, only order.

use crate::bug::Bug;
use crate::protocols::paxos::{Correct, Flavor, ONE_VALUE, experiment};

pub(crate) const BUG: Bug = Bug {
    name: "paxos-broken-promise",
    rule: ONE_VALUE,
    needs: "a proposer overtaken between its phases",
    budget: 40,
    broken: || experiment::<Broken>(BUG.name),
    correct: || experiment::<Correct>(BUG.name),
};

struct Broken;

impl Flavor for Broken {
    const FORGETS_PROMISE: bool = true;
}
