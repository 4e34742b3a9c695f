//! The attempts of a range in their order, for many who run them at once.
//!
//! A portfolio learns from each run which strategy pays. If it learnt from whichever run ends first, then the attempts
//! that are made would depend on how many run at once, and how quick each is. So an attempt is chosen by what was seen in
//! those that stand at least [`AHEAD`] places before it, no more and no less: the same attempts come out of it whatever
//! the number of workers, and after a break too.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::portfolio::Portfolio;
use super::strategy::Strategy;

/// So many attempts of a portfolio may be under way at once: several expeditions of guided ones are among them, each of which is
/// one worker's.
const AHEAD: u64 = 200;

/// An attempt by its name, and where it stands among all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stop {
    /// How many attempts stand before it.
    pub place: u64,
    /// The strategy; never a portfolio.
    pub strategy: Strategy,
    /// Which of its attempts.
    pub number: u64,
}

/// The attempts of a range, which are given in order and may end in any.
pub struct Itinerary {
    strategy: Strategy,
    count: u64,
    given: u64,
    portfolio: Portfolio,
    /// How many were learnt from, in order.
    learnt: u64,
    /// What was given and not learnt from yet, with what was seen once it has ended.
    open: BTreeMap<u64, (Strategy, Option<Vec<u64>>)>,
}

impl Itinerary {
    /// As many attempts as there are numbers here. Those of each strategy begin with the first one.
    pub fn new(strategy: Strategy, seeds: Range<u64>) -> Itinerary {
        Itinerary {
            strategy,
            count: seeds.end.saturating_sub(seeds.start),
            given: 0,
            portfolio: Portfolio::new(strategy, seeds.start),
            learnt: 0,
            open: BTreeMap::new(),
        }
    }

    /// The next attempt. `None`: all were given, or the next one depends on some that have not ended.
    pub fn give(&mut self) -> Option<Stop> {
        if self.given == self.count {
            return None;
        }
        if self.strategy == Strategy::Portfolio {
            let enough = (self.given + 1).saturating_sub(AHEAD);
            self.learn(enough);
            if self.learnt < enough {
                return None;
            }
        }
        let (strategy, number) = self.portfolio.next();
        let place = self.given;
        self.given += 1;
        self.open.insert(place, (strategy, None));
        Some(Stop { place, strategy, number })
    }

    /// Tells that the attempt at this place has ended, and what was seen in it. Gives what of that nobody has
    /// learnt yet: what has to be kept if all this is to be gone through again.
    pub fn ended(&mut self, place: u64, seen: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let Some((_, slot)) = self.open.get_mut(&place) else { return Vec::new() };
        let known = self.portfolio.seen();
        let new: Vec<u64> = seen.into_iter().filter(|step| !known.contains(step)).collect();
        *slot = Some(new.clone());
        // Only a portfolio chooses by it; else it may be learnt at once.
        if self.strategy != Strategy::Portfolio {
            self.learn(u64::MAX);
        }
        new
    }

    /// Learns from attempts in order, up to so many in all.
    fn learn(&mut self, count: u64) {
        while self.learnt < count {
            match self.open.first_entry() {
                Some(entry) if *entry.key() == self.learnt && entry.get().1.is_some() => {
                    let (strategy, seen) = entry.remove();
                    self.portfolio.learn(strategy, seen.unwrap_or_default());
                    self.learnt += 1;
                }
                _ => return,
            }
        }
    }

    /// Whether all were given, and all have ended.
    pub fn is_over(&self) -> bool {
        self.given == self.count && self.open.values().all(|(_, seen)| seen.is_some())
    }

    /// What was seen in those that were learnt from.
    pub fn seen(&self) -> &BTreeSet<u64> {
        self.portfolio.seen()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::prop;
    use proptest::{prop_assert_eq, proptest};

    use super::*;

    /// What an attempt would show: those of one strategy go on to show new things, others soon do not.
    fn shows(stop: Stop) -> Vec<u64> {
        match stop.strategy {
            Strategy::Pos => vec![stop.number, stop.number / 2, 7],
            _ => vec![stop.number % 3, 7],
        }
    }

    /// Goes through all attempts while `workers` are at work, of which `pick` says who is ready first.
    fn travel(
        strategy: Strategy,
        count: u64,
        workers: usize,
        mut pick: impl FnMut(usize) -> usize,
    ) -> Vec<Stop> {
        let mut itinerary = Itinerary::new(strategy, 40..40 + count);
        let (mut stops, mut at_work) = (Vec::new(), Vec::new());
        while !itinerary.is_over() {
            while at_work.len() < workers
                && let Some(stop) = itinerary.give()
            {
                stops.push(stop);
                at_work.push(stop);
            }
            let stop = at_work.swap_remove(pick(at_work.len()));
            itinerary.ended(stop.place, shows(stop));
        }
        stops
    }

    proptest! {
        #[test]
        fn the_attempts_are_the_same_whoever_is_ready_first(workers in 1usize..130, picks in prop::collection::vec(0usize..1000, 50)) {
            let alone = travel(Strategy::Portfolio, 1500, 1, |_| 0);
            let mut at = 0;
            let together = travel(Strategy::Portfolio, 1500, workers, |n| { at += 1; picks[at % picks.len()] % n });
            prop_assert_eq!(alone, together);
        }
    }

    #[test]
    fn the_strategy_that_shows_more_gets_more_attempts() {
        let stops = travel(Strategy::Portfolio, 2072, 3, |n| n - 1);
        let of = |strategy| stops.iter().filter(|stop| stop.strategy == strategy).count();
        // Two of three are uniform, and in the long run five of seven. Of eight others six are guided, and the two that are
        // left are what this is about.
        assert_eq!(of(Strategy::Uniform), 1475);
        assert_eq!(of(Strategy::Guided), 457);
        assert_eq!([of(Strategy::Swarm), of(Strategy::Pct(2))], [25, 25]);
        assert_eq!(of(Strategy::Pos), 25 + 65);
    }

    #[test]
    fn one_slow_attempt_holds_up_a_portfolio_only_far_ahead() {
        let mut itinerary = Itinerary::new(Strategy::Portfolio, 0..2000);
        let slow = itinerary.give().unwrap();
        for _ in 1..AHEAD {
            let stop = itinerary.give().unwrap();
            itinerary.ended(stop.place, shows(stop));
        }
        assert_eq!(itinerary.give(), None);
        itinerary.ended(slow.place, shows(slow));
        assert!(itinerary.give().is_some());
    }

    #[test]
    fn what_is_kept_is_what_was_not_learnt_before() {
        let mut itinerary = Itinerary::new(Strategy::Swarm, 5..8);
        let numbers: Vec<u64> = std::iter::from_fn(|| itinerary.give()).map(|stop| stop.number).collect();
        assert_eq!(numbers, [5, 6, 7]);
        assert_eq!(itinerary.ended(0, [1, 2]), [1, 2]);
        assert_eq!(itinerary.ended(1, [2, 3]), [3]);
        assert!(!itinerary.is_over());
        itinerary.ended(2, []);
        assert!(itinerary.is_over());
    }
}
