//! Which strategy is to make the next attempt, given what all of them have shown so far.

use std::collections::{BTreeMap, BTreeSet};

use super::strategy::Strategy;

/// What the strategies of a portfolio have brought so far. Of a single strategy it only keeps count.
pub(super) struct Portfolio {
    strategy: Strategy,
    first: u64,
    arms: BTreeMap<Strategy, Arm>,
    /// Attempts that were given.
    given: u64,
    /// What was ever seen in a run.
    seen: BTreeSet<u64>,
}

/// What a strategy has brought so far.
#[derive(Clone, Copy, Debug, Default)]
struct Arm {
    attempts: u64,
    /// Attempts that showed something new, of late ones more than of early ones.
    gain: f64,
    weight: f64,
}

/// Each further attempt of a strategy makes what it brought before count this much.
const FADES: f64 = 0.9;
/// Many bugs that uniform does not find in a thousand attempts, guided finds in less than a hundred: of so many of the rest, all but two
/// are guided. One of the two goes to the others in turn, and one to whichever has lately shown most that is new.
const ROUND: u64 = 8;
const OTHERS: [Strategy; 3] = [Strategy::Swarm, Strategy::Pos, Strategy::Pct(2)];

/// So many of the first attempts are not uniform. Most bugs fall to faults at full strength within a few attempts, and no other
/// strategy finds those sooner: at first it is one of four. Never is it more than one of three, and in the long run less, since
/// guided ones take runs of their own to learn from: whatever the others are good for, a bug is found after half as many more
/// executions at the latest as uniform alone takes.
fn given_to_others(attempts: u64) -> u64 {
    const FIRST: u64 = 20;
    const LATER: u64 = 120;
    let at_first = (2 * attempts + attempts.saturating_sub(FIRST)) / 8;
    let later = LATER / 3 + 2 * attempts.saturating_sub(LATER) / 7;
    at_first.min(attempts / 3).min(later)
}

impl Portfolio {
    /// The attempts of this strategy from this number on.
    pub(super) fn new(strategy: Strategy, first: u64) -> Portfolio {
        Portfolio { strategy, first, arms: BTreeMap::new(), given: 0, seen: BTreeSet::new() }
    }

    /// The strategy and the number of the next attempt.
    pub(super) fn next(&mut self) -> (Strategy, u64) {
        let strategy = match self.strategy {
            Strategy::Portfolio => self.arm(),
            strategy => strategy,
        };
        let arm = self.arms.entry(strategy).or_default();
        let number = self.first + arm.attempts;
        arm.attempts += 1;
        self.given += 1;
        (strategy, number)
    }

    fn arm(&self) -> Strategy {
        let others = given_to_others(self.given);
        if others == given_to_others(self.given + 1) {
            return Strategy::Uniform;
        }
        let (round, place) = (others / ROUND, others % ROUND);
        match place {
            2 => OTHERS[(round % OTHERS.len() as u64) as usize],
            5 if round > 0 => self.most_rewarding(),
            _ => Strategy::Guided,
        }
    }

    /// The one, beside uniform, that has shown most that is new.
    fn most_rewarding(&self) -> Strategy {
        let gain = |strategy: &Strategy| {
            let arm = self.arms.get(strategy).copied().unwrap_or_default();
            arm.gain / arm.weight.max(1.0)
        };
        let all = OTHERS.into_iter().rev().chain([Strategy::Guided]);
        // Of equals the last: while nothing is known yet, that is the one that pays most often.
        all.max_by(|a, b| gain(a).total_cmp(&gain(b))).expect("there are some")
    }

    /// Learns what was seen in an attempt of this strategy.
    pub(super) fn learn(&mut self, strategy: Strategy, seen: impl IntoIterator<Item = u64>) {
        let before = self.seen.len();
        self.seen.extend(seen);
        let new = self.seen.len() - before;
        let arm = self.arms.entry(strategy).or_default();
        arm.gain = arm.gain * FADES + (new as f64).min(10.0);
        arm.weight = arm.weight * FADES + 1.0;
    }

    /// What was ever seen in a run that was learnt from.
    pub(super) fn seen(&self) -> &BTreeSet<u64> {
        &self.seen
    }
}
