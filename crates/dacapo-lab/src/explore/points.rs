//! Points: where in a run something could have gone wrong, to choose a few of them for the next one.

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;
use dacapo_core::{Decision, DecisionKey, DecisionKind, Random};

use crate::experiment::Experiment;
use crate::run::{is_of_fault, uses};

/// The fault whose limit messages that are late keep to.
const DELAY: &str = "net.delay";
/// How late a message is, in nanoseconds: from one millisecond in steps of the factor four.
const LATE_MIN: u64 = 1_000_000;
const LATE_STEPS: u64 = 7;
/// Faults of one cluster are at most so many deliveries apart: two to the power of a number below this.
const CLOSE: u64 = 6;

/// What is to go wrong: decisions and their values.
pub(super) type Given = BTreeMap<DecisionKey, u64>;

/// Where something could have gone wrong in a run, in order.
pub(super) struct Points {
    all: Vec<Point>,
    kinds: Vec<Kind>,
    /// In alphabetical order.
    causes: Vec<ByteString>,
}

/// One kind of fault.
struct Kind {
    lane: ByteString,
    what: ByteString,
    is_noise: bool,
    /// Indices into all points, in order.
    points: Vec<u32>,
    by_cause: BTreeMap<u32, Vec<u32>>,
}

/// One of many thousands in a run, so its texts are kept once for all.
struct Point {
    kind: u32,
    cause: u32,
    nth: u32,
    event: u64,
}

impl Points {
    /// Those of a run in which these decisions were made.
    pub(super) fn new(experiment: &Experiment, decisions: Vec<Decision>) -> Points {
        // Nothing goes wrong before the drivers begin, or after they are done: then no fault is asked.
        let mut events =
            decisions.iter().filter(|decision| is_of_fault(decision)).map(|decision| decision.event);
        let first = events.next().unwrap_or(u64::MAX);
        let last = events.next_back().unwrap_or(first);
        // Messages are late where the scenario says that they may be.
        let is_late = experiment.options().faults.iter().any(|fault| fault.name == DELAY);
        let is_point = |decision: &Decision| {
            (first..=last).contains(&decision.event)
                && match decision.kind {
                    DecisionKind::Trigger => decision.range == 2 && is_of_fault(decision),
                    DecisionKind::Noise => {
                        is_late && decision.range == u64::MAX && decision.key.lane.starts_with("net.")
                    }
                    DecisionKind::Detail | DecisionKind::Input => false,
                }
        };
        let decisions: Vec<Decision> = decisions.into_iter().filter(is_point).collect();
        let causes: BTreeSet<&ByteString> = decisions.iter().map(|decision| &decision.key.cause).collect();
        let causes: Vec<ByteString> = causes.into_iter().cloned().collect();
        let mut all = Vec::with_capacity(decisions.len());
        let mut kinds: Vec<Kind> = Vec::new();
        for (index, Decision { key, kind, event, .. }) in (0..).zip(decisions) {
            let cause = causes.partition_point(|cause| *cause < key.cause) as u32;
            let known = kinds.iter().position(|kind| kind.lane == key.lane && kind.what == key.what);
            let known = known.unwrap_or_else(|| {
                kinds.push(Kind {
                    lane: key.lane,
                    what: key.what,
                    is_noise: kind == DecisionKind::Noise,
                    points: Vec::new(),
                    by_cause: BTreeMap::new(),
                });
                kinds.len() - 1
            });
            let kind = &mut kinds[known];
            kind.points.push(index);
            kind.by_cause.entry(cause).or_default().push(index);
            all.push(Point { kind: 0, cause, nth: key.nth, event });
        }
        kinds.sort_by_cached_key(|kind| format!("{}/{}", kind.lane, kind.what));
        for (kind, number) in kinds.iter().zip(0..) {
            kind.points.iter().for_each(|point| all[*point as usize].kind = number);
        }
        Points { all, kinds, causes }
    }

    /// Whether nothing could have gone wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The name of a point's decision.
    fn key(&self, point: usize) -> DecisionKey {
        let Point { kind, cause, nth, .. } = self.all[point];
        let Kind { lane, what, .. } = &self.kinds[kind as usize];
        let cause = self.causes[cause as usize].clone();
        DecisionKey { lane: lane.clone(), what: what.clone(), cause, nth }
    }

    /// The delivery at which a decision was made; `None` if it was not, or is none of a point.
    pub(super) fn event_of(&self, key: &DecisionKey) -> Option<u64> {
        let kind = self.kinds.iter().find(|kind| kind.lane == key.lane && kind.what == key.what)?;
        let cause = self.causes.binary_search(&key.cause).ok()?;
        let points = kind.by_cause.get(&(cause as u32))?;
        let at = points.binary_search_by_key(&key.nth, |point| self.all[*point as usize].nth).ok()?;
        Some(self.all[points[at] as usize].event)
    }

    /// One of any time.
    pub(super) fn draw(&self, random: &mut Random) -> usize {
        let kind = &self.kinds[random.below(self.kinds.len() as u64) as usize];
        let cause = random.below(kind.by_cause.len() as u64) as usize;
        let (_, of_cause) = kind.by_cause.iter().nth(cause).expect("below their number");
        // Rare kinds of messages matter as much as frequent ones, and sometimes less.
        let points = if random.below(2) == 0 { of_cause } else { &kind.points };
        let count = points.len() as u64;
        let scale = 1 << random.below(u64::from(64 - count.leading_zeros()) + 1);
        let end = random.below(scale).min(count - 1);
        // One of the first, one of the last, or any of them.
        let at = match random.below(3) {
            0 => end,
            1 => count - 1 - end,
            _ => random.below(count),
        };
        points[at as usize] as usize
    }

    /// One close to it, if there is one.
    pub(super) fn draw_near(&self, point: usize, random: &mut Random) -> Option<usize> {
        let event = self.all[point].event;
        self.draw_among(random, |close| (event.saturating_sub(close), event + close))
    }

    /// One soon after this delivery, or of it, if there is one.
    pub(super) fn draw_after(&self, event: u64, random: &mut Random) -> Option<usize> {
        self.draw_among(random, |close| (event.saturating_sub(1), event + close))
    }

    fn draw_among(&self, random: &mut Random, between: impl FnOnce(u64) -> (u64, u64)) -> Option<usize> {
        let kind = &self.kinds[random.below(self.kinds.len() as u64) as usize];
        let (first, last) = between(1 << random.below(CLOSE));
        let event = |point: &u32| self.all[*point as usize].event;
        let from = kind.points.partition_point(|point| event(point) < first);
        let to = kind.points.partition_point(|point| event(point) <= last);
        (to > from).then(|| kind.points[from + random.below((to - from) as u64) as usize] as usize)
    }

    /// Lets it go wrong here, and perhaps at up to two points close by.
    pub(super) fn give_cluster(&self, first: usize, random: &mut Random, given: &mut Given) {
        given.extend([self.give(first, random)]);
        for _ in 0..random.below(3) {
            if let Some(near) = self.draw_near(first, random) {
                given.extend([self.give(near, random)]);
            }
        }
    }

    /// So many messages that are late.
    pub(super) fn late(&self, count: u32, random: &mut Random) -> Given {
        let is_message = |point: &usize| self.kinds[self.all[*point].kind as usize].is_noise;
        let messages: Vec<usize> = (0..self.all.len()).filter(is_message).collect();
        if messages.is_empty() {
            return Given::new();
        }
        let draw = |random: &mut Random| messages[random.below(messages.len() as u64) as usize];
        let late: Vec<usize> = (0..count).map(|_| draw(random)).collect();
        late.into_iter().map(|point| self.give(point, random)).collect()
    }

    fn give(&self, point: usize, random: &mut Random) -> (DecisionKey, u64) {
        let is_noise = self.kinds[self.all[point].kind as usize].is_noise;
        let value = if is_noise { LATE_MIN << (2 * random.below(LATE_STEPS)) } else { 1 };
        (self.key(point), value)
    }
}

/// Messages that are late say that messages may be.
pub(super) fn complete(given: &mut Given) {
    if given.keys().any(|key| key.lane == "net.latency") {
        given.extend([uses(DELAY)]);
    }
}
