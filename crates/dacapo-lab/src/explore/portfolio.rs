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
/// Most bugs fall to faults at full strength within a few attempts, and no other strategy finds those sooner: three of the
/// first four attempts are uniform.
const FIRST: u64 = 84;
/// What they have not found by then, others are more likely to find soon: up to this attempt, every second one is theirs. What nobody
/// has found by then takes patience, and the patient one is uniform: five of six.
const SECOND: u64 = 400;
/// The others in turn. Many bugs that uniform does not find in a thousand attempts, one of these finds in less than a hundred.
const OTHERS: [Strategy; 8] = [
    Strategy::Guided,
    Strategy::Swarm,
    Strategy::Guided,
    Strategy::Pos,
    Strategy::Guided,
    Strategy::Swarm,
    Strategy::Guided,
    Strategy::Pct(2),
];

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
        // So many of the attempts before this one, and with it, were given to others.
        let others = |given: u64| {
            let (first, second) = (given.min(FIRST), given.min(SECOND).saturating_sub(FIRST));
            first / 4 + second / 2 + given.saturating_sub(SECOND) / 6
        };
        let (others, with_this) = (others(self.given), others(self.given + 1));
        if with_this == others {
            return Strategy::Uniform;
        }
        let count = OTHERS.len() as u64;
        // First each has its turn, and then every second one.
        if others >= 2 * count && others % 2 == 1 {
            return self.most_rewarding();
        }
        let turn = if others < 2 * count { others } else { others / 2 };
        OTHERS[(turn % count) as usize]
    }

    /// The one, beside uniform, that has shown most that is new.
    fn most_rewarding(&self) -> Strategy {
        let gain = |strategy: &Strategy| {
            let arm = self.arms.get(strategy).copied().unwrap_or_default();
            arm.gain / arm.weight.max(1.0)
        };
        // Of equals the first: while nothing is known yet, that is the one that pays most often.
        OTHERS.into_iter().rev().max_by(|a, b| gain(a).total_cmp(&gain(b))).expect("there are some")
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
