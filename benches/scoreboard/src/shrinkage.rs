//! How small a failing run gets.

use std::time::{Duration, Instant};

use dacapo_core::RoundKey;
use dacapo_lab::Strategy;

use crate::bug::Bug;
use crate::campaign::hunt;

/// What is left of a failing run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrinkage {
    /// Decisions, those on the rounds of the workload included.
    pub decisions: usize,
    /// Those of them that are no round, and nothing drawn in one: what goes wrong, and how.
    pub wrong: usize,
    /// Whether there is one without which the run passes.
    pub has_pivot: bool,
    /// Runs that it took.
    pub runs: u64,
    /// Time that it took.
    pub time: Duration,
}

/// Lets a strategy find the bug, in at most so many executions, and shrinks what it has found as long as `goes_on` says,
/// which hears how many runs there were and how long they took. `None` if it was not found.
///
/// Panics if the run that was found is another one when it is told by its decisions.
pub fn shrinkage(
    bug: &Bug,
    strategy: Strategy,
    campaign: u64,
    max: u64,
    goes_on: impl Fn(u64, Duration) -> bool,
) -> Option<Shrinkage> {
    let experiment = (bug.broken)();
    let attempt = hunt(bug, &experiment, strategy, campaign, max).0?;
    let begin = Instant::now();
    let shrunk = experiment
        .for_attempt(&attempt)
        .shrink(attempt.seed, attempt.script.as_ref(), &mut |progress| {
            goes_on(progress.runs, begin.elapsed())
        })
        .unwrap_or_else(|error| panic!("{}, {} {}: {error}", bug.name, attempt.strategy, attempt.number));
    let keys = || shrunk.script.decisions().keys();
    let is_of_workload = |key: &&_| RoundKey::of_round(key).or_else(|| RoundKey::of_detail(key)).is_some();
    Some(Shrinkage {
        decisions: keys().count(),
        wrong: keys().filter(|key| !is_of_workload(key)).count(),
        has_pivot: shrunk.pivot.is_some(),
        runs: shrunk.runs,
        time: begin.elapsed(),
    })
}
