//! Paxos whose acceptor breaks its promise: it compares a ballot with the last one that it accepted, not with the last
//! one that it promised.
//!
//! Found when a proposer that was overtaken between its two phases goes on; no fault is needed, only order.

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::protocols::paxos::{self, Flavor};

pub(crate) const BUG: Bug = Bug {
    name: "paxos-broken-promise",
    rule: Correct::RULE,
    needs: "a proposer overtaken between its phases",
    budget: 40,
    broken: || experiment::<Broken>(),
    correct: || experiment::<Correct>(),
};

struct Broken;
struct Correct;

impl Flavor for Broken {
    const RULE: &'static str = Correct::RULE;
    const FORGETS_PROMISE: bool = true;
}

impl Flavor for Correct {
    const RULE: &'static str = "one value is chosen";
}

fn experiment<F: Flavor>() -> Experiment {
    paxos::experiment::<F>(BUG.name)
}
