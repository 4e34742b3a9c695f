//! Decisions: every choice that a simulated run makes, drawn through one interface.
//!
//! A decision has a name and a range, so it can be printed, recorded, fed back, changed and
//! shrunk. Its value comes from a seed, from a recorded list or from a fuzzer's bytes.

use std::collections::BTreeMap;

use crate::{Random, Seed};

/// One choice: the value `chosen` out of `0..range`, for the purpose `name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// The lane it was drawn from.
    pub name: String,
    /// How many choices there were.
    pub range: u64,
    /// Which one was taken.
    pub chosen: u64,
}

/// Where decisions come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// From the seed alone: one random stream per lane.
    Seed,
    /// For each lane its recorded values in order; past its end, the seed.
    ///
    /// Values are kept per lane, so that a choice that is no longer asked for in one lane does
    /// not shift the others. A value outside of the range it meets is taken modulo the range.
    List(BTreeMap<String, Vec<u64>>),
    /// From a fuzzer: eight bytes a decision, fewer for small ranges; past the end, always 0.
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
    log: Option<Vec<Decision>>,
    bytes_used: usize,
}

#[derive(Clone, Debug)]
struct LaneState {
    name: String,
    random: Random,
    drawn: usize,
}

impl Decisions {
    /// Decisions under `seed`, from `source`.
    pub fn new(seed: Seed, source: Source) -> Decisions {
        Decisions { seed, source, lanes: Vec::new(), by_name: BTreeMap::new(), log: None, bytes_used: 0 }
    }

    /// From now on, remember every decision for [`Decisions::log`].
    pub fn remember(&mut self) {
        self.log.get_or_insert_default();
    }

    /// The decisions since [`Decisions::remember`].
    pub fn log(&self) -> &[Decision] {
        self.log.as_deref().unwrap_or_default()
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
        self.lanes.push(LaneState { name: name.to_owned(), random: self.seed.stream(name), drawn: 0 });
        self.by_name.insert(name.to_owned(), lane);
        lane
    }

    /// Chooses a number in `0..range`. A range of 0 or 1 leaves no choice, and draws nothing.
    pub fn choose(&mut self, lane: Lane, range: u64) -> u64 {
        if range <= 1 {
            return 0;
        }
        let state = &mut self.lanes[lane.0];
        let chosen = match &self.source {
            Source::Seed => state.random.below(range),
            Source::List(list) => match list.get(&state.name).and_then(|values| values.get(state.drawn)) {
                Some(value) => value % range,
                None => state.random.below(range),
            },
            Source::Bytes(bytes) => {
                let width = (64 - (range - 1).leading_zeros()).div_ceil(8) as usize;
                let end = (self.bytes_used + width).min(bytes.len());
                let taken = &bytes[self.bytes_used.min(end)..end];
                self.bytes_used = end;
                taken.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte)) % range
            }
        };
        state.drawn += 1;
        if let Some(log) = &mut self.log {
            log.push(Decision { name: state.name.clone(), range, chosen });
        }
        chosen
    }

    /// True with this probability (0 to 1), in steps of one millionth.
    pub fn chance(&mut self, lane: Lane, probability: f64) -> bool {
        let millionths = (probability.clamp(0.0, 1.0) * 1e6).round() as u64;
        // The lowest values mean "no", so a shrinker that lowers numbers removes faults.
        millionths > 0 && self.choose(lane, 1_000_000) >= 1_000_000 - millionths
    }

    /// A number from 0 (inclusive) to 1 (exclusive), in steps of 2^-32.
    pub fn unit(&mut self, lane: Lane) -> f64 {
        self.choose(lane, 1 << 32) as f64 / (1u64 << 32) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(decisions: &mut Decisions, name: &str, n: usize, range: u64) -> Vec<u64> {
        let lane = decisions.lane(name);
        (0..n).map(|_| decisions.choose(lane, range)).collect()
    }

    #[test]
    fn a_draw_in_one_lane_moves_nothing_in_another() {
        let mut alone = Decisions::new(Seed(1), Source::Seed);
        let mut mixed = Decisions::new(Seed(1), Source::Seed);
        draw(&mut mixed, "net.loss", 17, 100);
        assert_eq!(draw(&mut alone, "net.delay", 5, 100), draw(&mut mixed, "net.delay", 5, 100));
    }

    #[test]
    fn a_recorded_list_gives_the_recorded_run() {
        let mut first = Decisions::new(Seed(1), Source::Seed);
        first.remember();
        let drawn = draw(&mut first, "net.delay", 9, 1000);
        let list =
            Source::List([("net.delay".to_owned(), first.log().iter().map(|d| d.chosen).collect())].into());
        assert_eq!(drawn, draw(&mut Decisions::new(Seed(2), list), "net.delay", 9, 1000));
    }

    #[test]
    fn bytes_of_a_fuzzer_decide_until_they_run_out() {
        let mut decisions = Decisions::new(Seed(0), Source::Bytes(vec![7, 1, 2]));
        assert_eq!(draw(&mut decisions, "a", 1, 10), [7]);
        assert_eq!(draw(&mut decisions, "b", 1, 1000), [258]);
        assert_eq!(draw(&mut decisions, "b", 3, 1000), [0, 0, 0]);
    }

    #[test]
    fn a_choice_among_one_draws_nothing() {
        let mut decisions = Decisions::new(Seed(3), Source::Seed);
        decisions.remember();
        assert_eq!(draw(&mut decisions, "a", 4, 1), [0, 0, 0, 0]);
        assert_eq!(decisions.log(), []);
    }
}
