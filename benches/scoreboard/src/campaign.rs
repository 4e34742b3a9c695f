//! A campaign: executions until the bug is found. Many of them: a median and a 95th percentile.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cpu_time::ThreadTime;
use dacapo_lab::{Attempt, Experiment, Explorer, RunOptions, Strategy};
use serde_json::{Value, json};

use crate::bug::Bug;

/// Those that are compared.
pub const STRATEGIES: [Strategy; 8] = [
    Strategy::Uniform,
    Strategy::Swarm,
    Strategy::Pos,
    Strategy::Pct(2),
    Strategy::Pct(3),
    Strategy::Sparse,
    Strategy::Guided,
    Strategy::Portfolio,
];

/// Attempts of two campaigns are so far apart that they have none in common.
const APART: u64 = 1 << 32;

/// What came of one campaign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// How many executions it took, the one that found it included, and those that a strategy makes to learn of
    /// the system; `None` if it was not found.
    pub executions: Option<u64>,
    /// How many there were.
    pub tried: u64,
    /// Processor time of all of them.
    pub cpu: Duration,
}

/// Runs until the bug is found, in about `max` executions. `number` tells campaigns apart.
pub fn campaign(bug: &Bug, strategy: Strategy, number: u64, max: u64) -> Outcome {
    let begin = ThreadTime::now();
    let (found, tried) = hunt(bug, &(bug.broken)(), strategy, number, max);
    Outcome { executions: found.map(|_| tried), tried, cpu: begin.elapsed() }
}

/// The attempt that finds the bug, and how many executions there were.
pub(crate) fn hunt(
    bug: &Bug,
    experiment: &Experiment,
    strategy: Strategy,
    number: u64,
    max: u64,
) -> (Option<Attempt>, u64) {
    let mut explorer = Explorer::new(strategy, number * APART);
    let mut found = None;
    let mut attempts = 0;
    while found.is_none() && attempts + explorer.runs_besides() < max {
        let attempt = explorer.next(experiment);
        let options = RunOptions { coverage: strategy == Strategy::Portfolio, ..RunOptions::default() };
        let run = experiment.run_attempt(&attempt, options);
        attempts += 1;
        found = bug.is_found_by(&attempt, &run.report).then(|| attempt.clone());
        explorer.learn(experiment, &attempt, run);
    }
    (found, attempts + explorer.runs_besides())
}

/// Runs attempts of the twin; gives the first that fails, in words.
///
/// Panics if the strategy is a portfolio, which has no attempts of its own.
pub fn twin(bug: &Bug, strategy: Strategy, attempts: std::ops::Range<u64>) -> Option<String> {
    let experiment = (bug.correct)();
    let mut explorer = Explorer::new(strategy, attempts.start);
    attempts.into_iter().find_map(|number| {
        let attempt = explorer.attempt(&experiment, strategy, number);
        let run = experiment.run_attempt(&attempt, RunOptions::default());
        let failure = run.report.failure.clone();
        explorer.learn(&experiment, &attempt, run);
        Some(format!("{}, {strategy} {number}: {}", bug.name, failure?))
    })
}

/// A row of the scoreboard: campaigns of one bug with one strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The bug.
    pub bug: String,
    /// The strategy.
    pub strategy: String,
    /// How many campaigns there were.
    pub campaigns: u64,
    /// How many of them found it.
    pub found: u64,
    /// At most so many executions in each.
    pub max: u64,
    /// The median of executions to find it; `None` if more than half did not.
    pub median: Option<u64>,
    /// The 95th percentile; `None` if more than a twentieth did not find it.
    pub p95: Option<u64>,
    /// The median of processor time to find it, in milliseconds. (Of those that did not: the time until they gave up.)
    pub cpu_ms_median: f64,
    /// Its 95th percentile.
    pub cpu_ms_p95: f64,
    /// Processor time of one execution on average, in milliseconds.
    pub cpu_ms_each: f64,
}

impl Row {
    /// The row as it is kept.
    pub fn to_json(&self) -> Value {
        json!({
            "bug": self.bug,
            "strategy": self.strategy,
            "campaigns": self.campaigns,
            "found": self.found,
            "max": self.max,
            "executions": { "median": self.median, "p95": self.p95 },
            "cpu_ms": { "median": self.cpu_ms_median, "p95": self.cpu_ms_p95, "each": self.cpu_ms_each },
        })
    }

    /// A row that was kept; `None` if it is none.
    pub fn from_json(row: &Value) -> Option<Row> {
        let (executions, cpu_ms) = (&row["executions"], &row["cpu_ms"]);
        Some(Row {
            bug: row["bug"].as_str()?.to_owned(),
            strategy: row["strategy"].as_str()?.to_owned(),
            campaigns: row["campaigns"].as_u64()?,
            found: row["found"].as_u64()?,
            max: row["max"].as_u64()?,
            median: executions["median"].as_u64(),
            p95: executions["p95"].as_u64(),
            cpu_ms_median: cpu_ms["median"].as_f64()?,
            cpu_ms_p95: cpu_ms["p95"].as_f64()?,
            cpu_ms_each: cpu_ms["each"].as_f64()?,
        })
    }
}

/// Runs so many campaigns, on all cores.
pub fn row(bug: &'static Bug, strategy: Strategy, campaigns: u64, max: u64) -> Row {
    let mut outcomes = on_all_cores(campaigns, |number| campaign(bug, strategy, number, max));
    outcomes.sort_by_key(|outcome| outcome.executions.unwrap_or(u64::MAX));
    let executions: Vec<Option<u64>> = outcomes.iter().map(|outcome| outcome.executions).collect();
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let (tried, cpu): (u64, Duration) =
        outcomes.iter().fold((0, Duration::ZERO), |(n, time), o| (n + o.tried, time + o.cpu));
    let mut times: Vec<f64> = outcomes.iter().map(|outcome| millis(outcome.cpu)).collect();
    times.sort_by(f64::total_cmp);
    Row {
        bug: bug.name.to_owned(),
        strategy: strategy.to_string(),
        campaigns,
        found: executions.iter().flatten().count() as u64,
        max,
        median: *percentile(&executions, 50),
        p95: *percentile(&executions, 95),
        cpu_ms_median: *percentile(&times, 50),
        cpu_ms_p95: *percentile(&times, 95),
        cpu_ms_each: millis(cpu) / tried.max(1) as f64,
    }
}

/// The smallest value that is not below so many per cent of them. Panics if there are none.
pub fn percentile<T>(sorted: &[T], percent: usize) -> &T {
    &sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

/// Calls `work` with each number below `count`. Runs do not know of each other, so any order gives the same.
pub fn on_all_cores<T: Send>(count: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicU64::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return done;
            }
            done.push((number, work(number)));
        }
    };
    let mut done: Vec<(u64, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        workers.into_iter().flat_map(join).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_that_is_large_enough() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!((*percentile(&hundred, 50), *percentile(&hundred, 95)), (50, 95));
        let thirty: Vec<u64> = (1..=30).collect();
        assert_eq!((*percentile(&thirty, 50), *percentile(&thirty, 95)), (15, 29));
        assert_eq!(*percentile(&[7], 95), 7);
    }

    #[test]
    fn a_row_is_kept_as_it_was() {
        let row = Row {
            bug: "lost-update".into(),
            strategy: "pos".into(),
            campaigns: 30,
            found: 20,
            max: 100,
            median: Some(7),
            p95: None,
            cpu_ms_median: 1.5,
            cpu_ms_p95: 2.5,
            cpu_ms_each: 0.25,
        };
        assert_eq!(Row::from_json(&row.to_json()), Some(row));
        assert_eq!(Row::from_json(&json!({"bug": "lost-update"})), None);
    }

    #[test]
    fn work_on_all_cores_comes_back_in_order() {
        assert_eq!(on_all_cores(100, |n| n * n), (0..100).map(|n| n * n).collect::<Vec<_>>());
    }
}
