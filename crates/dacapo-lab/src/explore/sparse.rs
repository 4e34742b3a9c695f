//! Few coincidences: a calm run is looked at, and then run again with a few things that go wrong in it.
//!
//! A fault that strikes a share of all messages hits the one that matters seldom, and rarely together with the other
//! fault that it takes. Most bugs need two or three faults close to each other, at the right moments. So what is
//! drawn here are small *clusters*: a moment, by first drawing a kind of fault, then a kind of message or turn, then which
//! of those; and up to two faults more within a few deliveries of it. In between the system is left in peace.

use std::time::Duration;

use dacapo_core::{Random, Script, Seed};

use super::attempt::shorter;
use super::points::{Given, Points, complete};
use crate::experiment::Experiment;
use crate::run::{RunOptions, uses};

/// Clusters of one run: two to the power of a number below this.
const DENSE: u64 = 7;

/// A calm run, and what can go wrong in it.
pub(super) struct Baseline {
    pub(super) seed: u64,
    pub(super) lasts: Duration,
    pub(super) points: Points,
}

impl Baseline {
    pub(super) fn new(experiment: &Experiment, seed: u64) -> Baseline {
        // Each fault is in use, so that it is asked where it could strike; it never does.
        let uses = experiment.options().faults.iter().map(|fault| uses(&fault.name));
        let script = Some(Script::new(uses, Default::default()));
        let options = RunOptions { script, remember: true, ..RunOptions::default() };
        let mut experiment = experiment.clone();
        let lasts = shorter(experiment.options().lasts, seed);
        experiment.options_mut().lasts = lasts;
        let run = experiment.run_fully(Seed(seed), options);
        Baseline { seed, lasts, points: Points::new(&experiment, run.decisions) }
    }
}

/// A few things that go wrong.
pub(super) fn pick(points: &Points, random: &mut Random) -> Given {
    let mut given = Given::new();
    if points.is_empty() {
        return given;
    }
    for _ in 0..1u64 << random.below(DENSE) {
        points.give_cluster(points.draw(random), random, &mut given);
    }
    complete(&mut given);
    given
}
