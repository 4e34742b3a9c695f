//! Liveness, as far as a finite run can tell: what is asked for comes to pass within a time that is said in
//! advance.

use std::fmt;
use std::time::Duration;

use dacapo_core::Time;

use crate::history::{History, Outcome};
use crate::verdict::Verdict;

/// How much must come to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The span of virtual time that is looked at, wherever it begins.
    pub within: Duration,
    /// With so many requests in a span, something must be done in it: otherwise it is a livelock.
    pub requests_min: u64,
    /// So many requests may there be in a span for each thing that is done: more is a retry storm. (0: any
    /// number.)
    pub requests_per_done_max: u64,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress { within: Duration::from_secs(1), requests_min: 10, requests_per_done_max: 0 }
    }
}

/// What came to pass, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progressed {
    /// When requests were made.
    pub requests: Vec<Time>,
    /// When something was done.
    pub done: Vec<Time>,
}

impl From<&History> for Progressed {
    /// Each invocation is a request, each operation that ended well is something done.
    fn from(history: &History) -> Progressed {
        let requests = history.operations().iter().map(|operation| operation.invoked.at).collect();
        let ended = history.operations().iter().filter(|operation| operation.outcome == Outcome::Ok);
        let mut done: Vec<Time> = ended.filter_map(|operation| Some(operation.ended?.at)).collect();
        done.sort_unstable();
        Progressed { requests, done }
    }
}

/// A span of time in which too little was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stall {
    /// When it begins.
    pub from: Time,
    /// How long it is.
    pub within: Duration,
    /// The requests in it.
    pub requests: u64,
    /// What was done in it.
    pub done: u64,
    /// How many requests for each thing done would have been allowed, if there is such a bound.
    pub requests_per_done_max: u64,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stall { from, within, requests, done, requests_per_done_max } = self;
        let until = *from + *within;
        if *done == 0 {
            return write!(
                f,
                "livelock: from {from} to {until} there were {requests} requests and nothing was done"
            );
        }
        write!(
            f,
            "retry storm: from {from} to {until} there were {requests} requests for {done} things that were done, \
             {} for each; at most {requests_per_done_max} were allowed",
            requests / done
        )
    }
}

/// Judges whether something was done as long as requests were made. Shows the worst span.
pub fn progresses(progressed: &Progressed, rule: &Progress) -> Verdict<Stall> {
    let (mut requests, mut done) = (progressed.requests.clone(), progressed.done.clone());
    requests.sort_unstable();
    done.sort_unstable();
    let last = requests.last().copied().max(done.last().copied()).unwrap_or_default();
    let mut worst: Option<Stall> = None;
    // A span is the worse the later it begins, up to its first request: so only those that begin with one
    // need to be looked at. One that the run cuts short says nothing.
    for from in requests.iter().copied().filter(|from| last.since(*from) >= rule.within) {
        let until = from + rule.within;
        let count = |times: &[Time]| {
            (times.partition_point(|at| *at < until) - times.partition_point(|at| *at < from)) as u64
        };
        let stall = Stall {
            from,
            within: rule.within,
            requests: count(&requests),
            done: count(&done),
            requests_per_done_max: rule.requests_per_done_max,
        };
        let is_livelock = stall.done == 0 && stall.requests >= rule.requests_min.max(1);
        let is_storm = rule.requests_per_done_max > 0
            && stall.done > 0
            && stall.requests > rule.requests_per_done_max.saturating_mul(stall.done);
        let is_worse = worst.as_ref().is_none_or(|worst| {
            (stall.requests as u128) * (u128::from(worst.done) + 1)
                > (worst.requests as u128) * (u128::from(stall.done) + 1)
        });
        if (is_livelock || is_storm) && is_worse {
            worst = Some(stall);
        }
    }
    worst.map_or(Verdict::Holds, Verdict::Broken)
}

/// What a system looked like at some time, and whether that is what it should come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Time,
    /// Whether it had come to it.
    pub has_converged: bool,
    /// What was seen, for people.
    pub seen: String,
}

/// A system that did not come to rest in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diverged {
    /// From when on it should have.
    pub healed: Time,
    /// Within which time.
    pub within: Duration,
    /// What was seen last, and when.
    pub last: Option<(Time, String)>,
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.within.as_secs_f64();
        match &self.last {
            Some((at, seen)) => {
                write!(f, "has not converged {seconds} s after {}; at {at}: {seen}", self.healed)
            }
            None => write!(f, "nobody looked within {seconds} s after {}", self.healed),
        }
    }
}

/// Judges whether a system came to what it should within a time after faults stopped, and stayed there.
pub fn converges(samples: &[Sample], healed: Time, within: Duration) -> Verdict<Diverged> {
    let deadline = healed + within;
    let told = |sample: &Sample| (sample.at, sample.seen.clone());
    let after: Vec<&Sample> = samples.iter().filter(|sample| sample.at >= healed).collect();
    // The first look at or after the deadline counts as one at the deadline.
    let at_deadline = after.iter().rposition(|sample| sample.at <= deadline);
    let settled = match at_deadline {
        Some(place) if after[place].has_converged => {
            after[place..].iter().find(|sample| !sample.has_converged)
        }
        Some(place) => Some(&after[place]),
        None => return Verdict::Broken(Diverged { healed, within, last: None }),
    };
    match settled {
        None => Verdict::Holds,
        Some(sample) => Verdict::Broken(Diverged { healed, within, last: Some(told(sample)) }),
    }
}
