//! A script: decisions that are given, and a rule for the rest.
//!
//! Decisions are given by what they are about and not by their place in the run. So a script still
//! means something after others of its decisions were taken out, and after the program has changed
//! a little: a decision that is never asked for is passed over, and one that is not given follows
//! the rule. What the rule draws depends on the decision's key alone, so one decision more or less
//! moves no other.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use bytestring::ByteString;

use super::{DecisionKey, DecisionKind, KeyError, nanos};
use crate::IdMap;
use crate::digest::DigestHasher;

/// Decisions that are given, and a rule for the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    given: BTreeMap<DecisionKey, u64>,
    /// What becomes of decisions that are not given.
    pub rest: Rest,
    index: IdMap<(u64, u32), u64>,
}

/// What becomes of decisions that a script does not give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rest {
    /// What is left to chance is drawn under this number. (The random numbers of guests come from
    /// the seed of the run and do not depend on it.)
    pub seed: u64,
    /// How the noise is.
    pub noise: Noise,
    /// Whether anything goes wrong by itself.
    pub triggers: Triggers,
    /// Which rounds the clients of a workload make.
    pub rounds: Rounds,
}

/// Which rounds of a workload's clients happen that a script does not give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rounds {
    /// All, as in a run from a seed.
    #[default]
    All,
    /// None. Clients wait for the mean time before each round, made or not, if nothing else is given.
    Given,
}

/// How noise is that a script does not give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Noise {
    /// As quick as can be, in the order in which things were asked for.
    #[default]
    Calm,
    /// As in a run from a seed.
    Natural,
    /// Every message takes a time of its own below this, each equally likely: any order of what is
    /// under way within that time is as likely as any other (partial order sampling; Yuan, Yang and Gu,
    /// "Partial Order Aware Concurrency Sampling", CAV 2018).
    Each(Duration),
    /// Messages of the same cause take the same time below this: some are always quicker than
    /// others, as threads with fixed priorities are (Burckhardt et al., "A Randomized Scheduler with
    /// Probabilistic Guarantees of Finding Bugs", ASPLOS 2010).
    PerCause(Duration),
    /// Messages and disks take no time, so whatever is under way can come next. The script says what does; what it does
    /// not say comes in the order in which it was sent. Timers go off when nothing is under way; those that are
    /// due within this of each other go off together.
    Instant(Duration),
    /// The same, but whatever is under way is as likely to come next as anything else.
    Shuffled(Duration),
}

/// What a decision is about, as far as the rule for the rest treats it in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// How long a message takes between two nodes.
    Message,
    /// What comes first.
    Order,
    /// Anything else.
    Other,
}

/// What goes wrong that a script does not give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Triggers {
    /// Nothing.
    #[default]
    Calm,
    /// As in a run from a seed.
    Natural,
}

impl Script {
    /// These decisions, and this rule for the rest.
    pub fn new(given: impl IntoIterator<Item = (DecisionKey, u64)>, rest: Rest) -> Script {
        let mut script = Script { rest, ..Script::default() };
        given.into_iter().for_each(|(key, value)| script.give(key, value));
        script
    }

    /// Gives a decision, or gives it another value.
    pub fn give(&mut self, key: DecisionKey, value: u64) {
        self.index.insert((key.hash(), key.nth), value);
        self.given.insert(key, value);
    }

    /// The decisions that are given.
    pub fn decisions(&self) -> &BTreeMap<DecisionKey, u64> {
        &self.given
    }

    pub(super) fn has_lane(&self, lane: &str) -> bool {
        let first =
            DecisionKey { lane: lane.into(), what: ByteString::new(), cause: ByteString::new(), nth: 0 };
        self.given.range(first..).next().is_some_and(|(key, _)| key.lane == lane)
    }

    pub(super) fn given(&self, about: u64, nth: u32) -> Option<u64> {
        self.index.get(&(about, nth)).copied()
    }

    /// The value of a decision that is not given.
    pub(super) fn rest(
        &self,
        about: u64,
        nth: u32,
        kind: DecisionKind,
        uniform: u64,
        topic: Topic,
        shape: impl FnOnce(u64) -> u64,
    ) -> u64 {
        let is_calm = match kind {
            DecisionKind::Noise => match self.rest.noise {
                Noise::Calm | Noise::Instant(_) => true,
                Noise::Shuffled(_) => topic != Topic::Order,
                Noise::Natural | Noise::Each(_) | Noise::PerCause(_) => false,
            },
            DecisionKind::Trigger => self.rest.triggers == Triggers::Calm,
            // (The workload draws its own.)
            DecisionKind::Detail | DecisionKind::Input => false,
        };
        if is_calm {
            return 0;
        }
        match self.rest.noise {
            Noise::Each(window) if topic == Topic::Message => self.below(about, nth, nanos(window).max(1)),
            Noise::PerCause(window) if topic == Topic::Message => self.below(about, 0, nanos(window).max(1)),
            _ => shape(self.below(about, nth, uniform)),
        }
    }

    /// A number below `range` that depends on the rule's seed and the decision's key only.
    fn below(&self, about: u64, nth: u32, range: u64) -> u64 {
        below(self.rest.seed, about, nth, range)
    }

    /// The script as lists of numbers under names, as recordings and saved seeds hold it.
    pub fn to_lists(&self) -> BTreeMap<String, Vec<u64>> {
        let Rest { seed, noise, triggers, rounds } = self.rest;
        let (how, window) = match noise {
            Noise::Calm => (0, Duration::ZERO),
            Noise::Natural => (1, Duration::ZERO),
            Noise::Each(window) => (2, window),
            Noise::PerCause(window) => (3, window),
            Noise::Instant(window) => (4, window),
            Noise::Shuffled(window) => (5, window),
        };
        let mut rest = vec![seed, how, nanos(window), u64::from(triggers == Triggers::Natural)];
        rest.extend((rounds == Rounds::Given).then_some(1));
        let given = self.given.iter().map(|(key, value)| (key.to_string(), vec![*value]));
        given.chain([(REST.to_owned(), rest)]).collect()
    }

    /// The script that [`Script::to_lists`] gave.
    pub fn from_lists(lists: &BTreeMap<String, Vec<u64>>) -> Result<Script, KeyError> {
        let mut script = Script::default();
        for (name, values) in lists {
            match (name.as_str(), values.as_slice()) {
                (REST, [seed, how, window, triggers, rounds @ ..]) if rounds.len() < 2 => {
                    let window = Duration::from_nanos(*window);
                    script.rest = Rest {
                        seed: *seed,
                        noise: match how {
                            0 => Noise::Calm,
                            1 => Noise::Natural,
                            2 => Noise::Each(window),
                            3 => Noise::PerCause(window),
                            4 => Noise::Instant(window),
                            5 => Noise::Shuffled(window),
                            _ => return Err(KeyError(format!("{REST} = {values:?}"))),
                        },
                        triggers: if *triggers == 0 { Triggers::Calm } else { Triggers::Natural },
                        rounds: if rounds == [1] { Rounds::Given } else { Rounds::All },
                    };
                }
                // How large the run is is no decision within it.
                ("setup", _) => {}
                (name, [value]) => script.give(name.parse()?, *value),
                _ => return Err(KeyError(format!("{name} = {values:?}"))),
            }
        }
        Ok(script)
    }
}

/// A number below `range` that depends on `seed` and a decision's key only.
pub(super) fn below(seed: u64, about: u64, nth: u32, range: u64) -> u64 {
    let mut hasher = DigestHasher::default();
    (seed, about, nth).hash(&mut hasher);
    ((u128::from(hasher.finish()) * u128::from(range)) >> 64) as u64
}

/// The name under which the rule for the rest stands among the decisions.
const REST: &str = "rest";
