//! What all attempts of a campaign come to: how many, which bugs, which checks, how much was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use dacapo_check::Table;
use dacapo_lab::Strategy;
use serde_json::{Value, json};

use super::intervals::Intervals;
use super::record::{Finished, Lost, Name};
use crate::output::grouped;

/// Attempts that failed with one signature.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bug {
    pub(crate) signature: String,
    pub(crate) count: u64,
    /// The one that is told of: with the fewest events, and among those the first.
    pub(crate) example: Finished,
}

/// Attempts, counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) attempts: u64,
    /// Attempts that were made again, by another machine or in another run; they count once.
    pub(crate) again: u64,
    pub(crate) failures: u64,
    pub(crate) virtual_ns: u128,
    pub(crate) events: u128,
    pub(crate) checks: Table,
    pub(crate) lost: BTreeMap<Name, String>,
    seen: BTreeSet<u64>,
    bugs: BTreeMap<String, Bug>,
    done: BTreeMap<Strategy, Intervals>,
}

impl Summary {
    /// Adds an attempt; one that is there already changes nothing.
    pub(crate) fn add(&mut self, finished: &Finished) {
        self.seen.extend(finished.seen.0.iter().copied());
        for count in &finished.checks {
            count.add_to(&mut self.checks);
        }
        let Name { strategy, number } = finished.name;
        if !self.done.entry(strategy).or_default().insert(number) {
            self.again += 1;
            return;
        }
        self.lost.remove(&finished.name);
        self.attempts += 1;
        self.virtual_ns += u128::from(finished.virtual_ns);
        self.events += u128::from(finished.events);
        let Some(failure) = &finished.failure else { return };
        self.failures += 1;
        let new = || Bug { signature: failure.signature.clone(), count: 0, example: finished.clone() };
        let bug = self.bugs.entry(failure.signature.clone()).or_insert_with(new);
        bug.count += 1;
        let rank = |it: &Finished| (it.events, it.name);
        if rank(finished) < rank(&bug.example) {
            bug.example = finished.clone();
        }
    }

    /// Adds an attempt whose worker has died.
    pub(crate) fn lose(&mut self, lost: &Lost) {
        if !self.has(lost.name) {
            self.lost.insert(lost.name, lost.lost.clone());
        }
    }

    /// Whether this attempt has come to an end.
    pub(crate) fn has(&self, name: Name) -> bool {
        self.done.get(&name.strategy).is_some_and(|done| done.contains(name.number))
    }

    /// How many different steps were seen.
    pub(crate) fn coverage(&self) -> usize {
        self.seen.len()
    }

    /// Whether this was seen in one of them.
    pub(crate) fn has_seen(&self, sight: u64) -> bool {
        self.seen.contains(&sight)
    }

    /// The bugs, the most frequent one first.
    pub(crate) fn bugs(&self) -> Vec<&Bug> {
        let mut bugs: Vec<&Bug> = self.bugs.values().collect();
        bugs.sort_by_key(|bug| std::cmp::Reverse(bug.count));
        bugs
    }

    /// A line that counts the bugs, and one for each: how many, the one to begin with, the signature.
    pub(crate) fn table(&self) -> String {
        let bugs = self.bugs();
        let plural =
            |n: u64, word: &str| if n == 1 { format!("1 {word}") } else { format!("{} {word}s", grouped(n)) };
        let mut text =
            format!("{} in {}\n", plural(bugs.len() as u64, "bug"), plural(self.failures, "failing run"));
        let count = bugs.iter().map(|bug| grouped(bug.count).len()).max().unwrap_or(0);
        let width = bugs.iter().map(|bug| bug.example.name.to_string().len()).max().unwrap_or(0);
        for Bug { signature, count: n, example } in bugs {
            let name = example.name.to_string();
            text.push_str(&format!("  {:>count$} ×  {name:<width$}  {signature}\n", grouped(*n)));
        }
        text
    }

    /// All of it for programs.
    pub(crate) fn to_json(&self) -> Value {
        let bugs = self.bugs().into_iter().map(|bug| {
            let Name { strategy, number } = bug.example.name;
            json!({
                "signature": bug.signature,
                "count": bug.count,
                "strategy": strategy.to_string(),
                "attempt": number,
                "events": bug.example.events,
                "text": bug.example.failure.as_ref().map(|failure| &failure.text),
            })
        });
        let lost = self.lost.iter().map(|(name, lost)| {
            json!({ "strategy": name.strategy.to_string(), "attempt": name.number, "lost": lost })
        });
        json!({
            "attempts": self.attempts,
            "failures": self.failures,
            "again": self.again,
            "virtual_s": Simulated(self.virtual_ns).seconds(),
            "events": u64::try_from(self.events).unwrap_or(u64::MAX),
            "coverage": self.coverage(),
            "bugs": bugs.collect::<Vec<_>>(),
            "lost": lost.collect::<Vec<_>>(),
            "checks": super::record::Count::of(&self.checks),
            "never_held": self.checks.vacuous().collect::<Vec<_>>(),
        })
    }
}

/// Virtual time as a person says it.
pub(crate) struct Simulated(pub(crate) u128);

impl Simulated {
    fn seconds(&self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl fmt::Display for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds() {
            s if s >= 7200.0 => write!(f, "{:.1} h simulated", s / 3600.0),
            s if s >= 120.0 => write!(f, "{:.1} min simulated", s / 60.0),
            s => write!(f, "{s:.1} s simulated"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Failed, Steps};
    use super::*;

    fn finished(number: u64, events: u64, signature: Option<&str>) -> Finished {
        let failure = signature.map(|signature| Failed {
            signature: signature.into(),
            rule: "rule".into(),
            text: format!("text of {number}"),
            event: None,
        });
        Finished {
            name: Name { strategy: Strategy::Swarm, number },
            seed: number,
            digest: String::new(),
            events,
            virtual_ns: 1,
            ms: 1,
            failure,
            faults: Vec::new(),
            checks: Vec::new(),
            seen: Steps(vec![number % 7]),
        }
    }

    fn attempts() -> Vec<Finished> {
        let signature = |seed| match seed {
            0..1000 => Some("no account is overdrawn (bank.ts:12)"),
            1000..1200 => Some("no account is overdrawn (bank.ts:40)"),
            1200..1203 => Some("stuck in heal"),
            _ => None,
        };
        (0..1210).map(|seed| finished(seed, 5000 - seed % 700, signature(seed))).collect()
    }

    #[test]
    fn a_thousand_failing_seeds_read_as_three_bugs() {
        let mut summary = Summary::default();
        attempts().iter().for_each(|it| summary.add(it));
        assert_eq!((summary.attempts, summary.failures, summary.coverage()), (1210, 1203, 7));
        insta::assert_snapshot!(summary.table(), @"
        3 bugs in 1 203 failing runs
          1 000 ×  seed 699   no account is overdrawn (bank.ts:12)
            200 ×  seed 1199  no account is overdrawn (bank.ts:40)
              3 ×  seed 1202  stuck in heal
        ");
    }

    #[test]
    fn the_order_of_attempts_does_not_matter_and_one_that_comes_twice_counts_once() {
        let (mut one, mut other) = (Summary::default(), Summary::default());
        attempts().iter().for_each(|it| one.add(it));
        attempts().iter().rev().for_each(|it| other.add(it));
        assert_eq!(one, other);
        attempts().iter().take(10).for_each(|it| other.add(it));
        assert_eq!((other.attempts, other.failures, other.again), (1210, 1203, 10));
    }

    #[test]
    fn an_attempt_that_was_lost_and_then_made_is_not_lost() {
        let mut summary = Summary::default();
        let lost = |number| Lost { name: Name { strategy: Strategy::Swarm, number }, lost: "killed".into() };
        summary.lose(&lost(1));
        summary.lose(&lost(2));
        summary.add(&finished(1, 1, None));
        summary.lose(&lost(1));
        assert_eq!(summary.lost.keys().map(|name| name.number).collect::<Vec<_>>(), [2]);
    }
}
