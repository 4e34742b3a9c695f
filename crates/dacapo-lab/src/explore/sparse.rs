//! Few coincidences: a calm run is looked at, and then run again with a few things that go wrong in it.
//!
//! A fault that strikes a share of all messages hits the one that matters seldom, and rarely together with the other
//! fault that it takes. Most bugs need two or three faults close to each other, at the right moments. So what is
//! drawn here are small *clusters*: a moment, by first drawing a kind of fault, then a kind of message or turn, then which
//! of those; and up to two faults more within a few deliveries of it. In between the system is left in peace.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_core::{Decision, DecisionKey, DecisionKind, Random, Rest, Script, Seed};

use super::attempt::shorter;
use crate::experiment::Experiment;
use crate::run::{RunOptions, uses};

/// The fault whose limit messages that are late keep to.
const DELAY: &str = "net.delay";
/// How late a message is, in nanoseconds: from one millisecond in steps of the factor four.
const LATE_MIN: u64 = 1_000_000;
const LATE_STEPS: u64 = 7;
/// Faults of one cluster are at most so many deliveries apart: two to the power of a number below this.
const CLOSE: u64 = 6;
/// Clusters of one run: two to the power of a number below this.
const DENSE: u64 = 7;

/// What can go wrong in a calm run.
pub(super) struct Baseline {
    pub(super) seed: u64,
    pub(super) lasts: Duration,
    /// All of it in order.
    points: Vec<Point>,
    /// The same by what goes wrong, as indices into `points`.
    kinds: Vec<Kind>,
}

/// One kind of fault.
#[derive(Default)]
struct Kind {
    all: Vec<usize>,
    by_cause: BTreeMap<String, Vec<usize>>,
}

struct Point {
    key: DecisionKey,
    kind: DecisionKind,
    event: u64,
}

/// Calm runs that were looked at.
#[derive(Default)]
pub(crate) struct Baselines {
    last: Option<Baseline>,
    /// How many runs they took.
    pub(super) runs: u64,
}

impl Baselines {
    /// The calm run of this seed.
    pub(super) fn of(&mut self, experiment: &Experiment, seed: u64) -> &Baseline {
        match self.last.take().filter(|last| last.seed == seed) {
            Some(last) => self.last.insert(last),
            None => {
                self.runs += 1;
                self.last.insert(Baseline::new(experiment, seed))
            }
        }
    }
}

impl Baseline {
    fn new(experiment: &Experiment, seed: u64) -> Baseline {
        // Each fault is in use, so that it is asked where it could strike; it never does.
        let uses = experiment.options().faults.iter().map(|fault| uses(&fault.name));
        let script = Some(Script::new(uses, Rest::default()));
        let options = RunOptions { script, remember: true, ..RunOptions::default() };
        let mut experiment = experiment.clone();
        let lasts = shorter(experiment.options().lasts, seed);
        experiment.options_mut().lasts = lasts;
        let run = experiment.run_fully(Seed(seed), options);
        let mut points = Vec::new();
        let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
        // Nothing goes wrong before the drivers begin, or after they are done: then no fault is asked.
        let is_fault = |d: &&Decision| d.kind == DecisionKind::Trigger && d.key.lane != "swarm";
        let mut events = run.decisions.iter().filter(is_fault).map(|decision| decision.event);
        let first = events.next().unwrap_or(u64::MAX);
        let last = events.next_back().unwrap_or(first);
        // Messages are late where the scenario says that they may be.
        let is_late = experiment.options().faults.iter().any(|fault| fault.name == DELAY);
        let during = run.decisions.into_iter().filter(|d| (first..=last).contains(&d.event));
        for Decision { key, kind, range, event, .. } in during {
            let is_choice = match kind {
                DecisionKind::Trigger => range == 2 && key.lane != "swarm",
                DecisionKind::Noise => is_late && range == u64::MAX && key.lane.starts_with("net."),
                DecisionKind::Detail => false,
            };
            if is_choice {
                let of = kinds.entry(format!("{}/{}", key.lane, key.what)).or_default();
                of.all.push(points.len());
                of.by_cause.entry(key.cause.clone()).or_default().push(points.len());
                points.push(Point { key, kind, event });
            }
        }
        Baseline { seed, lasts, points, kinds: kinds.into_values().collect() }
    }

    /// A moment at which something can go wrong.
    fn draw(&self, random: &mut Random) -> usize {
        let kind = &self.kinds[random.below(self.kinds.len() as u64) as usize];
        let cause = random.below(kind.by_cause.len() as u64) as usize;
        let (_, of_cause) = kind.by_cause.iter().nth(cause).expect("below their number");
        // Rare kinds of messages matter as much as frequent ones, and sometimes less.
        let points = if random.below(2) == 0 { of_cause } else { &kind.all };
        let count = points.len() as u64;
        let scale = 1 << random.below(u64::from(64 - count.leading_zeros()) + 1);
        let end = random.below(scale).min(count - 1);
        // One of the first, one of the last, or any of them.
        let at = match random.below(3) {
            0 => end,
            1 => count - 1 - end,
            _ => random.below(count),
        };
        points[at as usize]
    }

    /// One close to it, if there is one.
    fn draw_near(&self, point: usize, random: &mut Random) -> Option<usize> {
        let kind = &self.kinds[random.below(self.kinds.len() as u64) as usize];
        let (event, close) = (self.points[point].event, 1 << random.below(CLOSE));
        let from = kind.all.partition_point(|p| self.points[*p].event + close < event);
        let to = kind.all.partition_point(|p| self.points[*p].event <= event + close);
        (to > from).then(|| kind.all[from + random.below((to - from) as u64) as usize])
    }

    fn give(&self, point: usize, random: &mut Random) -> (DecisionKey, u64) {
        let Point { key, kind, .. } = &self.points[point];
        let value = match kind {
            DecisionKind::Noise => LATE_MIN << (2 * random.below(LATE_STEPS)),
            _ => 1,
        };
        (key.clone(), value)
    }
}

/// A few things that go wrong.
pub(super) fn pick(baseline: &Baseline, seed: Seed) -> BTreeMap<DecisionKey, u64> {
    let mut random = seed.stream("sparse");
    let mut given = BTreeMap::new();
    if baseline.kinds.is_empty() {
        return given;
    }
    for _ in 0..1u64 << random.below(DENSE) {
        let first = baseline.draw(&mut random);
        given.extend([baseline.give(first, &mut random)]);
        for _ in 0..random.below(3) {
            if let Some(near) = baseline.draw_near(first, &mut random) {
                given.extend([baseline.give(near, &mut random)]);
            }
        }
    }
    if given.keys().any(|key| key.lane == "net.latency") {
        given.extend([uses(DELAY)]);
    }
    given
}

/// So many messages that are late.
pub(super) fn late(baseline: &Baseline, seed: Seed, count: u32) -> BTreeMap<DecisionKey, u64> {
    let mut random = seed.stream("pct");
    let is_message = |at: &usize| baseline.points[*at].kind == DecisionKind::Noise;
    let messages: Vec<usize> = (0..baseline.points.len()).filter(is_message).collect();
    if messages.is_empty() {
        return BTreeMap::new();
    }
    let draw = |random: &mut Random| messages[random.below(messages.len() as u64) as usize];
    (0..count)
        .map(|_| draw(&mut random))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|p| baseline.give(p, &mut random))
        .collect()
}
