//! What to try next, given what was seen so far.

use super::attempt::Attempt;
use super::baselines::Baselines;
use super::portfolio::Portfolio;
use super::strategy::Strategy;
use crate::experiment::Experiment;
use crate::report::Report;
use crate::run::{Run, RunOptions};

/// Gives one attempt after the other.
pub struct Explorer {
    baselines: Baselines,
    portfolio: Portfolio,
}

impl Explorer {
    /// Attempts of this strategy from this number on.
    pub fn new(strategy: Strategy, first: u64) -> Explorer {
        Explorer { baselines: Baselines::default(), portfolio: Portfolio::new(strategy, first) }
    }

    /// The attempt of this strategy, which is no portfolio, with this number.
    pub fn attempt(&mut self, experiment: &Experiment, strategy: Strategy, number: u64) -> Attempt {
        Attempt::new(experiment, strategy, number, &mut self.baselines)
    }

    /// The next attempt.
    pub fn next(&mut self, experiment: &Experiment) -> Attempt {
        let (strategy, number) = self.portfolio.next();
        self.attempt(experiment, strategy, number)
    }

    /// Learns from a run of an attempt that it gave.
    pub fn learn(&mut self, experiment: &Experiment, attempt: &Attempt, run: Run) {
        self.portfolio.learn(attempt.strategy, run.seen.keys().copied());
        self.baselines.learn(experiment, attempt, run);
    }

    /// How many runs were made besides the attempts, for strategies to build on.
    pub fn runs_besides(&self) -> u64 {
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
            explorer.learn(self, &attempt, run);
        }
        None
    }
}
