//! Exhaustive search: all orders in which messages can arrive, with up to so many faults, of a run that is small enough.
//!
//! Messages take no time, so whatever is under way can come next, and the search goes through all of that
//! ([`dacapo_core::Noise::Instant`], `tree.rs`); first without faults, then with each fault at each place, then with each
//! two (`coincidence.rs`). Where it comes to an end, there is no such run that breaks a rule.

mod coincidence;
mod race;
mod search;
mod tree;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use crate::experiment::Experiment;
use crate::explore::{Attempt, Found, Strategy};
use crate::report::Report;

pub(crate) use search::Search;

/// How far an exhaustive search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How long drivers run, and faults happen. With less than any pause of theirs, each client does one round.
    pub lasts: Duration,
    /// At most so many faults in one run.
    pub faults: usize,
    /// At most so many runs in all.
    pub executions: u64,
    /// A run ends after so many deliveries, and then not all was seen.
    pub deliveries: u64,
    /// Timers that are due within this of each other go off together, so that what they lead to meets.
    pub together: Duration,
    /// What guests draw comes from this seed, and what is drawn of a fault.
    pub seed: u64,
    /// Whether orders are left out that only repeat others. Where guests share more than messages (a variable of the
    /// process, say), they do not repeat others.
    pub reduces: bool,
}

/// How long drivers run, if nobody says: one round of each client.
const ONE_ROUND: Duration = Duration::from_nanos(1);

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            lasts: ONE_ROUND,
            faults: 1,
            executions: 10_000,
            deliveries: 10_000,
            together: Duration::ZERO,
            seed: 0,
            reduces: true,
        }
    }
}

impl Bounds {
    /// The bounds of a strategy that is an exhaustive search: within them it is found by its number what an attempt is.
    pub fn of_strategy(strategy: Strategy) -> Option<Bounds> {
        let Strategy::Exhaustive(lasts) = strategy else { return None };
        Some(Bounds::lasting(lasts))
    }

    /// Drivers run for so many milliseconds; with 0 each client does one round.
    pub(crate) fn lasting(millis: u32) -> Bounds {
        Bounds { lasts: Duration::from_millis(millis.into()).max(ONE_ROUND), ..Bounds::default() }
    }
}

/// What an exhaustive search has come to.
#[derive(Clone, Debug)]
pub struct Exhausted {
    /// The bounds that it kept to.
    pub bounds: Bounds,
    /// How many runs there were.
    pub executions: u64,
    /// How many orders were tried that do not fail, by the number of faults in them. (The runs beyond that were ended early, as
    /// they would have repeated others, or a fault in them had nothing to strike.)
    pub orders: Vec<u64>,
    /// All orders with at most so many faults were tried; `None`: not even those without faults.
    pub complete: Option<usize>,
    /// Runs that ended after as many deliveries as a run may have.
    pub cut: u64,
    /// The first run that failed.
    pub found: Option<Found>,
    /// Whether a run was not the same when it was made again: then the program is not deterministic.
    pub diverged: bool,
}

impl Exhausted {
    /// Whether no run within the bounds breaks a rule. `false` says that one does, or that it is not known.
    pub fn holds(&self) -> bool {
        self.found.is_none() && self.complete.is_some_and(|faults| faults >= self.bounds.faults)
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tried: u64 = self.orders.iter().sum();
        if self.diverged {
            return write!(
                f,
                "after {} the same run was not the same again: the program is not deterministic, so nothing is known",
                plural(self.executions, "run")
            );
        }
        if let Some(found) = &self.found {
            return write!(
                f,
                "{} {} fails, after {} that did not",
                found.attempt.strategy,
                found.attempt.number,
                plural(tried, "order")
            );
        }
        if let Some(faults) = self.complete.filter(|_| self.holds()) {
            let orders = plural(tried, "order");
            return match self.orders.len() {
                1 if faults > 0 => {
                    write!(f, "all {orders} were tried: none fails (and nothing else can go wrong)")
                }
                _ => write!(f, "all {orders} with {} were tried: none fails", at_most(faults)),
            };
        }
        write!(f, "none fails of the {} that were tried, but these are not all: ", plural(tried, "order"))?;
        match self.complete {
            _ if self.cut > 0 => {
                let cut = plural(self.cut, "run");
                write!(f, "{cut} ended after {}", plural(self.bounds.deliveries, "delivery"))?
            }
            Some(faults) => write!(f, "only those with {} are", at_most(faults))?,
            None => f.write_str("not even those without faults are")?,
        }
        write!(f, " ({})", plural(self.executions, "run"))
    }
}

fn plural(n: u64, word: &str) -> String {
    match (n, word.strip_suffix('y')) {
        (1, _) => format!("1 {word}"),
        (_, Some(stem)) => format!("{n} {stem}ies"),
        (_, None) => format!("{n} {word}s"),
    }
}

fn at_most(faults: usize) -> String {
    match faults {
        0 => "no fault".to_owned(),
        n => format!("at most {}", plural(n as u64, "fault")),
    }
}

impl Experiment {
    /// Tries all orders of messages within these bounds, until one fails. `goes_on` is told of each order, and asked
    /// whether to go on.
    pub fn exhaust(&self, bounds: &Bounds, goes_on: &mut dyn FnMut(&Report) -> bool) -> Exhausted {
        let mut search = Search::new(self, *bounds);
        let mut found = None;
        while found.is_none() && search.executions() < bounds.executions {
            let Some(walked) = search.next() else { break };
            if !walked.report.passed() && !walked.is_cut {
                found = Some(Found {
                    attempt: walked.attempt(search.executions() - 1),
                    executions: search.executions(),
                    report: walked.report,
                });
            } else if walked.is_new && !goes_on(&walked.report) {
                break;
            }
        }
        search.finish(found)
    }
}

impl Attempt {
    /// The attempt of this number of an exhaustive search, whose run may have been the last that was made; beyond the end of
    /// the search its last one.
    pub(crate) fn of_search(search: &mut Search, number: u64) -> Attempt {
        let mut last = None;
        while search.executions() <= number {
            let Some(walked) = search.next() else { break };
            last = Some(walked);
        }
        last.or_else(|| search.again()).expect("a search has at least one run").attempt(number)
    }
}
