//! Decisions: every choice that a simulated run makes, drawn through one interface.
//!
//! A decision has a name and a value in units that a person understands, so it can be printed,
//! recorded, given, changed and shrunk. Its value comes from a seed, from a [`Script`] or from a
//! fuzzer's bytes.

mod bytes;
mod inputs;
mod key;
mod round;
mod script;

use std::collections::BTreeMap;
use std::time::Duration;

pub use bytes::decisions_to_bytes;
pub use inputs::{Choice, Drawn, Draws, Inputs};
pub use key::{DecisionKey, KeyError};
pub use round::RoundKey;
use script::Topic;
pub use script::{Noise, Rest, Rounds, Script, Triggers};

use bytestring::ByteString;

use crate::IdMap;
use crate::exponential::exponential;
use crate::{Random, Seed};

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// What it was about.
    pub key: DecisionKey,
    /// What depends on it.
    pub kind: DecisionKind,
    /// What was chosen: a number below `range`; a length of time is in nanoseconds.
    pub chosen: u64,
    /// How many choices there were.
    pub range: u64,
    /// How many deliveries there had been.
    pub event: u64,
}

/// What depends on a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionKind {
    /// What differs from moment to moment in a healthy system: how long a message takes, what comes
    /// first. 0 is the quickest, and the order in which things were asked for.
    Noise,
    /// Whether, or after how long, something goes wrong. 0 is never.
    Trigger,
    /// How it goes wrong: who is hit, for how long. Drawn only if something does.
    Detail,
    /// What the workload does. It is drawn by the workload itself, and told ([`Drawn`]).
    Input,
}

/// Where decisions come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// From the seed alone: one random stream per lane.
    Seed,
    /// Some are given, and the rest follows a rule.
    Script(Script),
    /// From a fuzzer: a byte a decision, as a rule ([`decisions_to_bytes`] has the exceptions); past the end, always 0.
    Bytes(Vec<u8>),
}

/// A named stream of decisions; a handle that is cheap to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane(usize);

/// Draws decisions and, when asked, remembers them.
#[derive(Clone, Debug)]
pub struct Decisions {
    seed: Seed,
    source: Source,
    lanes: Vec<LaneState>,
    by_name: BTreeMap<String, Lane>,
    reader: bytes::Reader,
    /// Whatever is only needed if decisions are told apart by their causes. (In a box, and absent
    /// in an ordinary run, in which nobody asks.)
    tracing: Option<Box<Tracing>>,
    is_quick: bool,
}

/// While the system is quick, no length of noise is more than so many times its mean. By itself one in nine million is.
const QUICK: u64 = 16;

#[derive(Clone, Debug)]
struct LaneState {
    name: ByteString,
    random: Random,
}

/// What tells decisions of one lane apart.
#[derive(Clone, Debug, Default)]
struct Tracing {
    /// What is happening: the message, the timer, the strike that decisions are now drawn for.
    cause: String,
    /// The same as the log has it, once it was asked for.
    shared: Option<ByteString>,
    /// How many decisions there were about the same.
    counts: IdMap<u64, u32>,
    log: Option<Vec<Decision>>,
    hears_inputs: bool,
    event: u64,
    nth: u32,
}

impl Decisions {
    /// Decisions under `seed`, from `source`.
    pub fn new(seed: Seed, source: Source) -> Decisions {
        let tracing = matches!(source, Source::Script(_)).then(Box::default);
        Decisions {
            seed,
            source,
            lanes: Vec::new(),
            by_name: BTreeMap::new(),
            reader: bytes::Reader::default(),
            tracing,
            is_quick: false,
        }
    }

    /// From now on, remember every decision for [`Decisions::log`].
    pub fn remember(&mut self) {
        self.tracing.get_or_insert_default().log.get_or_insert_default();
    }

    /// From now on, remember what the workload draws as well. It has to be asked to tell, so to the digest it is another run.
    pub fn remember_inputs(&mut self) {
        self.remember();
        self.tracing.get_or_insert_default().hears_inputs = true;
    }

    /// Whether messages and disks are quick from now on, whatever a script says of them. It may let something be as
    /// late as it likes, but that is a fault like others: when faults have stopped, whoever waits for an answer with
    /// patience gets one.
    pub fn be_quick(&mut self, is_quick: bool) {
        self.is_quick = is_quick;
    }

    /// The decisions since [`Decisions::remember`].
    pub fn log(&self) -> &[Decision] {
        self.tracing.as_ref().and_then(|t| t.log.as_deref()).unwrap_or_default()
    }

    /// Takes them out.
    pub fn take_log(&mut self) -> Vec<Decision> {
        self.tracing.as_mut().and_then(|tracing| tracing.log.as_mut()).map(std::mem::take).unwrap_or_default()
    }

    /// Remembers a decision that the workload has drawn.
    pub fn told(&mut self, drawn: Drawn) {
        let Some(tracing) = &mut self.tracing else { return };
        if let Some(log) = &mut tracing.log {
            let Drawn { key, chosen, range, says: _ } = drawn;
            log.push(Decision { key, kind: DecisionKind::Input, chosen, range, event: tracing.event });
        }
    }

    /// The seed of the run.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// The lane called `name`.
    pub fn lane(&mut self, name: &str) -> Lane {
        if let Some(lane) = self.by_name.get(name) {
            return *lane;
        }
        let lane = Lane(self.lanes.len());
        self.lanes.push(LaneState { name: name.into(), random: self.seed.stream(name) });
        self.by_name.insert(name.to_owned(), lane);
        lane
    }

    /// What is decided from now on is about this: `write` puts its name into the text. It is part
    /// of the decisions' keys, so it should be a name that survives small changes of the program:
    /// "workload asks POST /deposits", not "message 1042". Not called when nobody needs it.
    #[inline]
    pub fn about(&mut self, write: impl FnOnce(&mut String)) {
        if let Some(tracing) = &mut self.tracing {
            tracing.cause.clear();
            tracing.shared = None;
            write(&mut tracing.cause);
        }
    }

    /// Whether decisions are told apart by their causes in this run.
    pub fn is_traced(&self) -> bool {
        self.tracing.is_some()
    }

    /// What decisions are about at present, and which of its like the last one was; empty in a run in
    /// which decisions are not told apart by their causes.
    pub fn last_cause(&self) -> (&str, u32) {
        self.tracing.as_ref().map_or(("", 0), |tracing| (&tracing.cause, tracing.nth))
    }

    /// Says how many deliveries there have been.
    #[inline]
    pub fn at_event(&mut self, event: u64) {
        if let Some(tracing) = &mut self.tracing {
            tracing.event = event;
        }
    }

    /// Whether a script gives a decision of this lane.
    pub fn is_scripted(&self, lane: &str) -> bool {
        matches!(&self.source, Source::Script(script) if script.has_lane(lane))
    }

    /// If messages take no time in this run ([`Noise::Instant`]): timers within this of each other go off together.
    pub fn instant(&self) -> Option<Duration> {
        let Source::Script(script) = &self.source else { return None };
        match script.rest.noise {
            Noise::Instant(window) | Noise::Shuffled(window) => Some(window),
            _ => None,
        }
    }

    /// Which of several goes first, when somebody else has chosen it: it is remembered as if it had been drawn.
    pub fn order_is(&mut self, lane: Lane, what: &'static str, range: u64, chosen: u64) {
        if range > 1 && self.tracing.is_some() {
            let (_, nth) = self.count(lane, what);
            self.write_down(lane, what, DecisionKind::Noise, nth, chosen, range);
        }
    }

    /// Which of several goes first: noise. 0 is the one that was asked for first.
    pub fn order(&mut self, lane: Lane, what: &'static str, range: u64) -> u64 {
        self.pick(lane, what, DecisionKind::Noise, range)
    }

    /// Whether something goes wrong, with this probability (0 to 1, in steps of one millionth).
    pub fn chance(&mut self, lane: Lane, what: &'static str, probability: f64) -> bool {
        self.toss(lane, what, DecisionKind::Trigger, probability)
    }

    /// When something goes wrong, on average after `mean`; at least a millisecond. `None`: never.
    pub fn wait(&mut self, lane: Lane, what: &'static str, mean: Duration) -> Option<Duration> {
        let shape = |uniform| match uniform {
            0 => 0,
            // At least a little time between two strikes, whatever the scenario says.
            n => exponential(nanos(mean), n as u32).max(1_000_000),
        };
        let wait = self.draw(lane, what, DecisionKind::Trigger, 1 << 32, u64::MAX, shape);
        (wait > 0).then(|| Duration::from_nanos(wait))
    }

    /// A number in `0..range`: a detail. A range of 0 or 1 leaves no choice, and draws nothing.
    pub fn choose(&mut self, lane: Lane, what: &'static str, range: u64) -> u64 {
        self.pick(lane, what, DecisionKind::Detail, range)
    }

    /// One of these numbers, which must not be none: a detail. The decision is the number itself; if a
    /// script gives another number, that stands for one of them.
    pub fn among(&mut self, lane: Lane, what: &'static str, numbers: &[u64]) -> u64 {
        let last = numbers.iter().max().copied().unwrap_or_default();
        if numbers.len() == 1 {
            return last;
        }
        let count = numbers.len() as u64;
        let chosen = self.draw(lane, what, DecisionKind::Detail, count, last + 1, |n| numbers[n as usize]);
        if numbers.contains(&chosen) { chosen } else { numbers[(chosen % count) as usize] }
    }

    /// True with this probability: a detail.
    pub fn either(&mut self, lane: Lane, what: &'static str, probability: f64) -> bool {
        self.toss(lane, what, DecisionKind::Detail, probability)
    }

    /// A number from 0 (inclusive) to 1 (exclusive), in steps of 2^-32: a detail.
    pub fn unit(&mut self, lane: Lane, what: &'static str) -> f64 {
        self.pick(lane, what, DecisionKind::Detail, 1 << 32) as f64 / (1u64 << 32) as f64
    }

    /// A length of time below `max`, each equally likely: a detail.
    pub fn up_to(&mut self, lane: Lane, what: &'static str, max: Duration) -> Duration {
        self.span(lane, what, DecisionKind::Detail, max)
    }

    /// A length of time below `max`, each equally likely: noise.
    pub fn jitter(&mut self, lane: Lane, what: &'static str, max: Duration) -> Duration {
        self.span(lane, what, DecisionKind::Noise, max)
    }

    /// A length of time with this mean, exponentially distributed: noise.
    pub fn exponential(&mut self, lane: Lane, what: &'static str, mean: Duration) -> Duration {
        Duration::from_nanos(self.exponential_nanos(lane, what, nanos(mean)))
    }

    /// The same in nanoseconds: each message of a network asks.
    #[inline(always)]
    pub fn exponential_nanos(&mut self, lane: Lane, what: &'static str, mean: u64) -> u64 {
        let shape = |uniform| exponential(mean, uniform as u32);
        let length = self.draw(lane, what, DecisionKind::Noise, 1 << 32, u64::MAX, shape);
        if self.is_quick { length.min(mean.saturating_mul(QUICK)) } else { length }
    }

    /// Noise that is rarely more than 0: true with this probability.
    pub fn rarely(&mut self, lane: Lane, what: &'static str, probability: f64) -> bool {
        self.toss(lane, what, DecisionKind::Noise, probability)
    }

    fn pick(&mut self, lane: Lane, what: &'static str, kind: DecisionKind, range: u64) -> u64 {
        if range <= 1 {
            return 0;
        }
        self.draw(lane, what, kind, range, range, |n| n)
    }

    fn span(&mut self, lane: Lane, what: &'static str, kind: DecisionKind, max: Duration) -> Duration {
        let max = nanos(max);
        let shape = |uniform| ((u128::from(max) * u128::from(uniform)) >> 32) as u64;
        Duration::from_nanos(self.draw(lane, what, kind, 1 << 32, max.saturating_add(1), shape))
    }

    fn toss(&mut self, lane: Lane, what: &'static str, kind: DecisionKind, probability: f64) -> bool {
        let millionths = (probability.clamp(0.0, 1.0) * 1e6).round() as u64;
        // The lowest values mean "no", so that a fuzzer's zeros remove faults.
        let shape = |n| u64::from(n >= 1_000_000 - millionths);
        // What never happens by itself is not asked for, but a script may say that it does.
        let is_asked = millionths > 0 || matches!(self.source, Source::Script(_));
        is_asked && self.draw(lane, what, kind, 1_000_000, 2, shape) == 1
    }

    /// Draws one of `uniform` numbers, of which `shape` makes a value below `range`.
    #[inline]
    fn draw(
        &mut self,
        lane: Lane,
        what: &'static str,
        kind: DecisionKind,
        uniform: u64,
        range: u64,
        shape: impl Fn(u64) -> u64,
    ) -> u64 {
        if self.tracing.is_some() {
            return self.draw_traced(lane, what, kind, uniform, range, shape);
        }
        match &self.source {
            Source::Bytes(bytes) => self.reader.take(bytes, uniform, range, shape),
            _ => shape(self.lanes[lane.0].random.below(uniform)),
        }
    }

    #[cold]
    fn draw_traced(
        &mut self,
        lane: Lane,
        what: &'static str,
        kind: DecisionKind,
        uniform: u64,
        range: u64,
        shape: impl Fn(u64) -> u64,
    ) -> u64 {
        let (about, nth) = self.count(lane, what);
        let state = &mut self.lanes[lane.0];
        let chosen = match &self.source {
            Source::Seed => shape(state.random.below(uniform)),
            Source::Bytes(bytes) => self.reader.take(bytes, uniform, range, shape),
            Source::Script(script) => match script.given(about, nth) {
                Some(value) => value.min(range - 1),
                None => {
                    let topic = match &*state.name {
                        MESSAGES if range == u64::MAX => Topic::Message,
                        ORDER => Topic::Order,
                        _ => Topic::Other,
                    };
                    script.rest(about, nth, kind, uniform, topic, shape).min(range - 1)
                }
            },
        };
        self.write_down(lane, what, kind, nth, chosen, range);
        chosen
    }

    /// The key of the next decision of this lane about the present cause, as a number, and which of its like it is.
    fn count(&mut self, lane: Lane, what: &'static str) -> (u64, u32) {
        let tracing = self.tracing.as_mut().expect("asked before");
        let about = key::hash_of(&self.lanes[lane.0].name, what, &tracing.cause);
        let count = tracing.counts.get_or_default(about);
        *count += 1;
        tracing.nth = *count;
        (about, *count)
    }

    fn write_down(
        &mut self,
        lane: Lane,
        what: &'static str,
        kind: DecisionKind,
        nth: u32,
        chosen: u64,
        range: u64,
    ) {
        let tracing = self.tracing.as_mut().expect("asked before");
        let Some(log) = &mut tracing.log else { return };
        let cause = tracing.shared.get_or_insert_with(|| tracing.cause.as_str().into()).clone();
        let what = ByteString::from_static(what);
        let key = DecisionKey { lane: self.lanes[lane.0].name.clone(), what, cause, nth };
        log.push(Decision { key, kind, chosen, range, event: tracing.event });
    }
}

/// The lane of how long messages take between nodes, which a script can order (see [`Noise`]).
const MESSAGES: &str = "net.latency";
/// The lane of what comes first.
const ORDER: &str = "schedule";

fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
