//! What a workload does, as decisions: which rounds its clients make, and with which values.
//!
//! A guest draws its random numbers itself, from the entropy that its node was told, so these decisions are made on the
//! other side of the door. What is decided for the workload goes in with the event that begins a run
//! ([`Inputs`]), the workload's library asks [`Draws`] about each round and each value, and what was drawn
//! comes out as an effect ([`Drawn`]) that is remembered among the other decisions. In an ordinary run there is
//! neither: a workload draws what it would draw by itself.

use std::collections::BTreeMap;

use bytestring::ByteString;

use super::key::hash_of;
use super::script::below;
use super::{DecisionKey, Decisions, Noise, Rounds, Source, Triggers};
use crate::{Effect, Effects, IdMap};

/// The lane of what a workload does.
pub(super) const WORKLOAD: &str = "workload";
/// The lane of what a run does without, and the question about drivers and alternatives.
const SWARM: &str = "swarm";
const LEAVES_OUT: &str = "leaves_out";
/// Whether the workload of a run does without anything.
const NARROWS: &str = "narrows";

/// Whether a client makes a round.
pub(super) const ROUND: &str = "round";
/// How long a client waits before a round, in nanoseconds.
pub(super) const PAUSE: &str = "pause";

/// Half of the seeds leave something out.
const NARROWS_RATE: f64 = 0.5;
/// Those leave out each driver and each alternative with this probability, as they do faults.
const LEAVES_OUT_RATE: f64 = 0.4;
/// Of more alternatives than this, none is left out: they are values rather than kinds of things.
const ALTERNATIVES_MAX: usize = 16;

/// What is decided for a workload before it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Inputs {
    /// Decisions that are given, in order.
    pub given: Vec<(DecisionKey, u64)>,
    /// Which rounds happen that are not given.
    pub rounds: Rounds,
    /// The workload does without some of its drivers and alternatives, which are drawn under this number.
    pub narrows: Option<u64>,
    /// Clients make their first round without a pause before it: messages take no time, so all of them begin together.
    pub at_once: bool,
    /// Whether each decision is to be told by an effect.
    pub tells: bool,
}

/// A decision that a workload has drawn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Drawn {
    /// What it was about.
    pub key: DecisionKey,
    /// What was chosen: a number below `range`.
    pub chosen: u64,
    /// How many choices there were.
    pub range: u64,
    /// What that is in words, if it is more than the number: `deposit`.
    pub says: Option<ByteString>,
}

impl Drawn {
    /// What was drawn, in words: `amount 1`.
    pub fn words(&self) -> String {
        let Drawn { key, chosen, says, .. } = self;
        says.as_ref().map_or_else(|| format!("{} {chosen}", key.what), |says| format!("{} {says}", key.what))
    }
}

impl Decisions {
    /// What a workload is to be told when a run begins; `None`: nothing, it does what it would do by itself.
    /// `narrows`: whether it does without some of its drivers and alternatives.
    pub fn inputs(&self, narrows: bool) -> Option<Inputs> {
        let remembers = self.tracing.as_ref().is_some_and(|tracing| tracing.hears_inputs);
        let inputs = match &self.source {
            Source::Seed => Inputs { narrows: narrows.then_some(self.seed.0), ..Inputs::default() },
            Source::Bytes(_) => Inputs::default(),
            Source::Script(script) => {
                let is_input = |key: &DecisionKey| {
                    key.lane == WORKLOAD || key.lane == SWARM && [LEAVES_OUT, NARROWS].contains(&&*key.what)
                };
                let given = script.decisions().iter().filter(|(key, _)| is_input(key));
                let is_natural = script.rest.triggers == Triggers::Natural;
                Inputs {
                    given: given.map(|(key, value)| (key.clone(), *value)).collect(),
                    rounds: script.rest.rounds,
                    narrows: (narrows && is_natural).then_some(script.rest.seed),
                    at_once: matches!(script.rest.noise, Noise::Instant(_) | Noise::Shuffled(_)),
                    tells: false,
                }
            }
        };
        let tells = remembers || !inputs.given.is_empty() || inputs.rounds == Rounds::Given;
        (tells || inputs.at_once || inputs.narrows.is_some()).then_some(Inputs { tells, ..inputs })
    }
}

/// What a workload chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The least number that it may be.
    pub least: u64,
    /// It is below this one.
    pub range: u64,
    /// What it is by itself.
    pub natural: u64,
}

/// The decisions of a workload, on its side of the door.
///
/// What is drawn is anchored to its cause: `transfer client 1` for a round of a client, `transfer client 1 round 3` for what
/// is drawn in it. Each question is asked with the value that it would have by itself.
#[derive(Clone, Debug, Default)]
pub struct Draws {
    given: IdMap<(u64, u32), u64>,
    rounds: Rounds,
    narrows: Option<u64>,
    at_once: bool,
    tells: bool,
    /// How many decisions there were about the same.
    counts: IdMap<u64, u32>,
    /// The last round of each client that is given to happen.
    last_round: BTreeMap<ByteString, u32>,
    /// What was left of alternatives, by where they stand.
    left: BTreeMap<String, Vec<usize>>,
    can_narrow: bool,
}

impl Draws {
    /// The decisions of a workload that was told these inputs.
    pub fn new(inputs: Inputs) -> Draws {
        let Inputs { given, rounds, narrows, at_once, tells } = inputs;
        let mut draws = Draws { rounds, narrows, at_once, tells, ..Draws::default() };
        for (key, value) in given {
            draws.given.insert((key.hash(), key.nth), value);
            draws.can_narrow |= key.what == LEAVES_OUT;
            if key.what == ROUND && value > 0 {
                let last = draws.last_round.entry(key.cause).or_default();
                *last = key.nth.max(*last);
            }
        }
        draws.can_narrow |= draws.toss(NARROWS, WORKLOAD, 1, NARROWS_RATE);
        draws
    }

    /// A number from `least` on and below `range`, which would be `natural`. `says` puts the choice into words.
    pub fn draw(
        &mut self,
        what: &str,
        cause: &str,
        Choice { least, range, natural }: Choice,
        says: impl FnOnce(u64) -> Option<ByteString>,
        out: &mut Effects,
    ) -> u64 {
        let (about, nth) = self.next(what, cause);
        let chosen = match self.given.get(&(about, nth)) {
            Some(given) => (*given).min(range.saturating_sub(1)).max(least),
            None => natural,
        };
        if self.tells {
            let key = key(WORKLOAD, what, cause, nth);
            out.push(Effect::Drawn(Box::new(Drawn { key, chosen, range, says: says(chosen) })));
        }
        chosen
    }

    /// Whether this client makes its next round.
    pub fn round(&mut self, client: &str, out: &mut Effects) -> bool {
        let (about, nth) = self.next(ROUND, client);
        let usual = u64::from(self.rounds == Rounds::All);
        let chosen = self.given.get(&(about, nth)).copied().unwrap_or(usual).min(1);
        self.tell(WORKLOAD, ROUND, client, nth, (chosen, 2), out);
        chosen == 1
    }

    /// Whether this client may make any round more.
    pub fn has_round(&self, client: &str) -> bool {
        let made = self.counts.get(&hash_of(WORKLOAD, ROUND, client)).copied().unwrap_or_default();
        self.rounds == Rounds::All || self.last_round.get(client).is_some_and(|last| *last > made)
    }

    /// Whether clients make their first round without a pause before it.
    pub fn are_at_once(&self) -> bool {
        self.at_once
    }

    /// How long this client waits before its next round, in nanoseconds: by itself `natural`, on average `mean`.
    pub fn pause(&mut self, client: &str, natural: u64, mean: u64, out: &mut Effects) -> u64 {
        let (about, nth) = self.next(PAUSE, client);
        let usual = if self.rounds == Rounds::All { natural } else { mean };
        let chosen = self.given.get(&(about, nth)).copied().unwrap_or(usual);
        self.tell(WORKLOAD, PAUSE, client, nth, (chosen, u64::MAX), out);
        chosen
    }

    /// Whether anything may be left out of so many alternatives: if not, there is no need to ask what is left.
    pub fn may_leave_out(&self, count: usize) -> bool {
        self.can_narrow && (2..=ALTERNATIVES_MAX).contains(&count)
    }

    /// The drivers that are not left out, as indices: never none.
    pub fn drivers_left(&mut self, names: &[String], out: &mut Effects) -> Vec<usize> {
        let about = |index: usize| (format!("driver {}", names[index]), 1);
        self.left_of(names.len(), about, out)
    }

    /// The alternatives that are not left out of so many, where `site` says which: never none.
    pub fn left(&mut self, site: &str, count: usize, out: &mut Effects) -> Vec<usize> {
        let cause = format!("one of {count}: {site}");
        if let Some(left) = self.left.get(&cause) {
            return left.clone();
        }
        let left = self.left_of(count, |index| (cause.clone(), index as u32 + 1), out);
        self.left.insert(cause, left.clone());
        left
    }

    fn left_of(
        &mut self,
        count: usize,
        about: impl Fn(usize) -> (String, u32),
        out: &mut Effects,
    ) -> Vec<usize> {
        if !self.may_leave_out(count) {
            return (0..count).collect();
        }
        let keys: Vec<(String, u32)> = (0..count).map(about).collect();
        let stays = |(cause, nth): &(String, u32)| !self.toss(LEAVES_OUT, cause, *nth, LEAVES_OUT_RATE);
        let mut left: Vec<usize> = (0..count).filter(|index| stays(&keys[*index])).collect();
        if left.is_empty() {
            let seed = self.narrows.unwrap_or_default();
            left.push(below(seed, hash_of(SWARM, LEAVES_OUT, &keys[0].0), 0, count as u64) as usize);
        }
        for (index, (cause, nth)) in keys.iter().enumerate() {
            let is_out = u64::from(!left.contains(&index));
            self.tell(SWARM, LEAVES_OUT, cause, *nth, (is_out, 2), out);
        }
        left
    }

    /// Whether something is left out that is with this probability. It depends on the key alone.
    fn toss(&self, what: &str, cause: &str, nth: u32, probability: f64) -> bool {
        let about = hash_of(SWARM, what, cause);
        let natural = |seed| below(seed, about, nth, 1_000_000) < (probability * 1e6) as u64;
        match self.given.get(&(about, nth)) {
            Some(given) => *given > 0,
            None => (what == NARROWS || self.can_narrow) && self.narrows.is_some_and(natural),
        }
    }

    /// What the next decision of this cause is called.
    fn next(&mut self, what: &str, cause: &str) -> (u64, u32) {
        let about = hash_of(WORKLOAD, what, cause);
        let count = self.counts.get_or_default(about);
        *count += 1;
        (about, *count)
    }

    fn tell(
        &self,
        lane: &str,
        what: &str,
        cause: &str,
        nth: u32,
        (chosen, range): (u64, u64),
        out: &mut Effects,
    ) {
        if self.tells {
            let key = key(lane, what, cause, nth);
            out.push(Effect::Drawn(Box::new(Drawn { key, chosen, range, says: None })));
        }
    }
}

fn key(lane: &str, what: &str, cause: &str, nth: u32) -> DecisionKey {
    DecisionKey { lane: lane.into(), what: what.into(), cause: cause.into(), nth }
}
