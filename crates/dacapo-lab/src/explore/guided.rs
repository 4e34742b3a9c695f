//! Guided search: what has shown something new is run again up to there, and goes on in another way.
//!
//! A bug that takes three coincidences in a row is found by one who notices the first and the second (importance splitting,
//! Kahn and Harris 1951; coverage-guided fuzzing, AFL). What is *new* is what [`crate::run::Run::seen`] tells: steps of nodes,
//! how often each was made, functions and branches of services, and above all the states that guests name by `coverage(key)`.
//! Most code is reached in every attempt, so of functions and branches those that few have shown come first (AFLFast,
//! Böhme, Pham and Roychoudhury 2016).
//!
//! Attempts of so many numbers in a row are an *expedition*: each knows what those before it have seen, and nothing else. So a
//! number repeats an attempt anywhere, by making those of its expedition that stand before it.

use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_core::{Random, Script, Seed};

use super::attempt::Attempt;
use super::points::{Given, Points, complete};
use super::strategy::Strategy;
use crate::experiment::Experiment;
use crate::run::Run;
use crate::seen::{is_code, is_named};

/// So many of a hundred attempts build on nothing but a calm run, as those of `sparse`.
const FRESH: u64 = 40;
/// So many of a hundred begin where a guest has named a state, if one has.
const NAMED: u64 = 50;
/// So many of a hundred of the others begin where a function or a branch was reached, if programs tell of those.
const CODE: u64 = 60;
/// Of so many such places the one that fewest attempts have shown: most places are reached in every run.
const RAREST: u64 = 16;
/// Half of all go on from where it was new, the others from up to two to the power of a number below this deliveries before.
const BACK: u64 = 6;
/// So many clusters at most are new in an attempt: two to the power of a number below this.
const DENSE: u64 = 6;

/// Where it goes on from an attempt.
struct Place {
    parent: Rc<Parent>,
    /// What was new there, and at which delivery.
    sight: u64,
    event: u64,
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
    /// How many attempts have shown each sight.
    known: BTreeMap<u64, u32>,
    /// Where something was new: first what a guest has named, or what was seen at the door, then what was seen in code.
    places: Vec<Place>,
    code: Vec<Place>,
}

impl Expedition {
    pub(super) fn new(attempt: u64) -> Expedition {
        let number = attempt / Strategy::EXPEDITION;
        Expedition { number, learnt: 0, known: BTreeMap::new(), places: Vec::new(), code: Vec::new() }
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
        let place = self.place(&mut random);
        Attempt {
            number,
            script: place.parent.goes_on(place.event, &mut random),
            ..place.parent.attempt.clone()
        }
    }

    /// Where to go on from.
    fn place(&self, random: &mut Random) -> &Place {
        fn any<'p, P>(places: &'p [P], random: &mut Random) -> &'p P {
            &places[random.below(places.len() as u64) as usize]
        }
        let named: Vec<&Place> = self.places.iter().filter(|place| is_named(place.sight)).collect();
        if !named.is_empty() && random.below(100) < NAMED {
            return any::<&Place>(&named, random);
        }
        if !self.code.is_empty() && random.below(100) < CODE {
            let drawn = (0..RAREST).map(|_| any(&self.code, random));
            return drawn.min_by_key(|place| self.known.get(&place.sight)).expect("there are some");
        }
        any(&self.places, random)
    }

    /// Learns from the attempt that was to be made next; of any other, there is nothing to learn.
    pub(super) fn learn(&mut self, experiment: &Experiment, attempt: &Attempt, run: Run) {
        if attempt.number != self.next() {
            return;
        }
        self.learnt += 1;
        let mut new = Vec::new();
        for (sight, event) in run.seen {
            let count = self.known.entry(sight).or_default();
            *count += 1;
            if *count == 1 {
                new.push((sight, event));
            }
        }
        if new.is_empty() {
            return;
        }
        let points = Points::new(experiment, run.decisions);
        let parent = Rc::new(Parent { attempt: attempt.clone(), points });
        for (sight, event) in new {
            let places = if is_code(sight) { &mut self.code } else { &mut self.places };
            places.push(Place { parent: Rc::clone(&parent), sight, event });
        }
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
