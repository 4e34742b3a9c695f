//! What to try next, given what was seen so far.

use std::collections::{BTreeMap, BTreeSet};

use super::attempt::Attempt;
use super::sparse::Baselines;
use super::strategy::Strategy;
use crate::experiment::Experiment;
use crate::report::Report;
use crate::run::{Run, RunOptions};

/// Gives one attempt after the other.
pub struct Explorer {
    strategy: Strategy,
    baselines: Baselines,
    first: u64,
    arms: BTreeMap<Strategy, Arm>,
    attempts: u64,
    /// What was ever seen in a run.
    seen: BTreeSet<u64>,
}

/// What a strategy has brought so far.
#[derive(Clone, Copy, Debug, Default)]
struct Arm {
    attempts: u64,
    /// Attempts that showed something new, of late ones more than of early ones.
    gain: f64,
    weight: f64,
}

/// Each further attempt of a strategy makes what it brought before count this much.
const FADES: f64 = 0.9;
/// So many attempts go to each strategy before it counts what they brought, and half of all afterwards.
const FAIR: u64 = 10;

impl Explorer {
    /// Attempts of this strategy from this number on.
    pub fn new(strategy: Strategy, first: u64) -> Explorer {
        Explorer {
            strategy,
            baselines: Baselines::default(),
            first,
            arms: BTreeMap::new(),
            attempts: 0,
            seen: BTreeSet::new(),
        }
    }

    /// The attempt of this strategy, which is no portfolio, with this number.
    pub fn attempt(&mut self, experiment: &Experiment, strategy: Strategy, number: u64) -> Attempt {
        Attempt::new(experiment, strategy, number, &mut self.baselines)
    }

    /// The next attempt.
    pub fn next(&mut self, experiment: &Experiment) -> Attempt {
        let strategy = match self.strategy {
            Strategy::Portfolio => self.arm(),
            strategy => strategy,
        };
        let arm = self.arms.entry(strategy).or_default();
        let number = self.first + arm.attempts;
        arm.attempts += 1;
        self.attempts += 1;
        self.attempt(experiment, strategy, number)
    }

    /// Which strategy is to make the next attempt.
    fn arm(&self) -> Strategy {
        let arms = Strategy::ARMS;
        let fair = arms.len() as u64 * FAIR;
        if self.attempts < fair {
            return arms[self.attempts as usize % arms.len()];
        }
        if self.attempts.is_multiple_of(2) {
            return arms[(self.attempts / 2) as usize % arms.len()];
        }
        let gain = |strategy: &Strategy| {
            let arm = self.arms.get(strategy).copied().unwrap_or_default();
            arm.gain / arm.weight.max(1.0)
        };
        arms.into_iter().max_by(|a, b| gain(a).total_cmp(&gain(b))).expect("there are some")
    }

    /// Learns from a run.
    pub fn learn(&mut self, attempt: &Attempt, run: &Run) {
        let before = self.seen.len();
        self.seen.extend(run.seen.iter().copied());
        let new = self.seen.len() - before;
        let arm = self.arms.entry(attempt.strategy).or_default();
        arm.gain = arm.gain * FADES + (new as f64).min(10.0);
        arm.weight = arm.weight * FADES + 1.0;
    }

    /// How many calm runs were made besides the attempts, for strategies to build on.
    pub fn calm_runs(&self) -> u64 {
        self.baselines.runs
    }
}

/// A failure that a strategy found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The attempt that failed.
    pub attempt: Attempt,
    /// What came of it.
    pub report: Report,
    /// How many runs there were, this one included.
    pub executions: u64,
}

impl Experiment {
    /// Tries attempts of a strategy from this number on until one fails, `most` of them at most.
    pub fn hunt(&self, strategy: Strategy, first: u64, most: u64) -> Option<Found> {
        let mut explorer = Explorer::new(strategy, first);
        for executions in 1..=most {
            let attempt = explorer.next(self);
            let coverage = strategy == Strategy::Portfolio;
            let run = self.run_attempt(&attempt, RunOptions { coverage, ..RunOptions::default() });
            if !run.report.passed() {
                return Some(Found { attempt, report: run.report, executions });
            }
            explorer.learn(&attempt, &run);
        }
        None
    }
}
