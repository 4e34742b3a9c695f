//! What a planted bug is.

use dacapo_lab::{Attempt, Experiment, Failure, Report};

/// A system with a bug, and its twin without it.
pub struct Bug {
    /// Its name.
    pub name: &'static str,
    /// The check that it breaks.
    pub rule: &'static str,
    /// What has to come together.
    pub needs: &'static str,
    /// After how many executions a portfolio must have found it, from attempt 0 on.
    pub budget: u64,
    /// The system with the bug.
    pub broken: fn() -> Experiment,
    /// The same without it.
    pub correct: fn() -> Experiment,
}

impl Bug {
    /// The bug of this name.
    pub fn named(name: &str) -> Option<&'static Bug> {
        crate::BUGS.iter().find(|bug| bug.name == name)
    }

    /// Whether this run found it.
    ///
    /// Panics if the run found something else: then the system has a second bug, and what is counted means nothing.
    pub fn is_found_by(&self, attempt: &Attempt, report: &Report) -> bool {
        let Some(failure) = &report.failure else { return false };
        let is_it = matches!(failure, Failure::Check { check, .. } if check.message == self.rule);
        let Attempt { strategy, number, .. } = attempt;
        assert!(is_it, "{}, {strategy} {number}: another failure than the planted one: {failure}", self.name);
        true
    }
}
