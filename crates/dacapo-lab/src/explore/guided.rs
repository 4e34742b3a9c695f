//! Guided search: what has shown something new is run again up to there, and goes on in another way.
//!
//! A bug that takes three coincidences in a row is found by one who notices the first and the second (importance splitting,
//! Kahn and Harris 1951; coverage-guided fuzzing, AFL). What is *new* is what [`crate::run::Run::seen`] tells: steps of nodes,
//! how often each was made, and above all the states that guests name by `coverage(key)`.
//!
//! Attempts of so many numbers in a row are an *expedition*: each knows what those before it have seen, and nothing else. So a
//! number repeats an attempt anywhere, by making those of its expedition that stand before it.

use std::collections::BTreeSet;
use std::rc::Rc;

use dacapo_core::{Random, Script, Seed};

use super::attempt::Attempt;
use super::points::{Given, Points, complete};
use super::strategy::Strategy;
use crate::experiment::Experiment;
use crate::run::Run;
use crate::seen::is_named;

/// So many of a hundred attempts build on nothing but a calm run, as those of `sparse`.
const FRESH: u64 = 40;
/// So many of a hundred begin where a guest has named a state, if one has.
const NAMED: u64 = 50;
/// Half of all go on from where it was new, the others from up to two to the power of a number below this deliveries before.
const BACK: u64 = 6;
/// So many clusters at most are new in an attempt: two to the power of a number below this.
const DENSE: u64 = 6;

/// Where it goes on from an attempt.
struct Place {
    parent: Rc<Parent>,
    /// The delivery at which there was something new.
    event: u64,
    is_named: bool,
}

/// An attempt, and what can go wrong in it.
struct Parent {
    attempt: Attempt,
    points: Points,
}

/// What attempts in a row have found.
pub(super) struct Expedition {
    /// Which one.
    number: u64,
    /// How many attempts have been learnt from.
    learnt: u64,
    known: BTreeSet<u64>,
    places: Vec<Place>,
}

impl Expedition {
    pub(super) fn new(attempt: u64) -> Expedition {
        let number = attempt / Strategy::EXPEDITION;
        Expedition { number, learnt: 0, known: BTreeSet::new(), places: Vec::new() }
    }

    /// The next attempt of it to be learnt from.
    pub(super) fn next(&self) -> u64 {
        self.number * Strategy::EXPEDITION + self.learnt
    }

    /// Whether it can make this attempt, after others perhaps.
    pub(super) fn leads_to(&self, attempt: u64) -> bool {
        self.number == attempt / Strategy::EXPEDITION && self.next() <= attempt
    }

    /// The attempt to be made next; `fresh` gives the one that it is if it does not build on another.
    pub(super) fn attempt(&self, fresh: impl FnOnce(u64) -> Attempt) -> Attempt {
        let number = self.next();
        let mut random = Seed(number).stream("guided");
        if self.places.is_empty() || random.below(100) < FRESH {
            return Attempt { strategy: Strategy::Guided, ..fresh(number) };
        }
        let named: Vec<&Place> = self.places.iter().filter(|place| place.is_named).collect();
        let place = match named.is_empty() || random.below(100) >= NAMED {
            true => &self.places[random.below(self.places.len() as u64) as usize],
            false => named[random.below(named.len() as u64) as usize],
        };
        Attempt {
            number,
            script: place.parent.goes_on(place.event, &mut random),
            ..place.parent.attempt.clone()
        }
    }

    /// Learns from the attempt that was to be made next; of any other, there is nothing to learn.
    pub(super) fn learn(&mut self, experiment: &Experiment, attempt: &Attempt, run: Run) {
        if attempt.number != self.next() {
            return;
        }
        self.learnt += 1;
        let new: Vec<(u64, u64)> =
            run.seen.into_iter().filter(|(sight, _)| self.known.insert(*sight)).collect();
        if new.is_empty() {
            return;
        }
        let points = Points::new(experiment, run.decisions);
        let parent = Rc::new(Parent { attempt: attempt.clone(), points });
        let place = |(sight, event)| Place { parent: Rc::clone(&parent), event, is_named: is_named(sight) };
        self.places.extend(new.into_iter().map(place));
    }
}

impl Parent {
    /// The same up to about this delivery, and other things that go wrong from there on.
    fn goes_on(&self, event: u64, random: &mut Random) -> Option<Script> {
        let Parent { attempt, points } = self;
        let script = attempt.script.as_ref()?;
        let most = 1 << random.below(BACK);
        let back = if random.below(2) == 0 { 0 } else { random.below(most) };
        let event = event.saturating_sub(back).max(1);
        let is_before = |key| points.event_of(key).is_some_and(|at| at <= event);
        let before = script.decisions().iter().filter(|(key, _)| is_before(key));
        let mut given: Given = before.map(|(key, value)| (key.clone(), *value)).collect();
        if !points.is_empty() {
            for cluster in 0..1u64 << random.below(DENSE) {
                // The first of them here, the others here or anywhere.
                let is_here = cluster == 0 || random.below(2) == 0;
                let first =
                    if is_here { points.draw_after(event, random) } else { Some(points.draw(random)) };
                if let Some(first) = first {
                    points.give_cluster(first, random, &mut given);
                }
            }
        }
        complete(&mut given);
        Some(Script::new(given, script.rest))
    }
}
