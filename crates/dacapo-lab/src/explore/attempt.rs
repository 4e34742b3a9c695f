//! One attempt of a strategy: what is run.

use std::time::Duration;

use dacapo_core::{Noise, Rest, Script, Seed, Triggers};
use dacapo_sim::Swarm;

use super::baselines::Baselines;
use super::sparse::pick;
use super::strategy::Strategy;
use crate::exhaust::Bounds;
use crate::experiment::Experiment;
use crate::run::{Run, RunOptions};

/// Messages overtake each other within one of these, in milliseconds.
const WINDOWS: [u64; 5] = [1, 10, 50, 300, 2_000];

/// Runs are shorter than the scenario says by one of these factors, but not shorter than this.
const SHORTER: [u32; 5] = [1, 4, 16, 64, 256];
const LASTS_MIN: Duration = Duration::from_millis(100);

/// What is run: a seed, and what is decided otherwise than by it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The strategy that it comes from; never a portfolio.
    pub strategy: Strategy,
    /// Which of its attempts.
    pub number: u64,
    /// The seed.
    pub seed: Seed,
    /// How long faults happen and drivers run.
    pub lasts: Duration,
    /// The script, if it has one.
    pub script: Option<Script>,
}

impl Attempt {
    /// The attempt of this number. `baselines` keeps what attempts build on, and may be empty.
    ///
    /// Panics if the strategy is a portfolio, which has no attempts of its own.
    pub(super) fn new(
        experiment: &Experiment,
        strategy: Strategy,
        number: u64,
        baselines: &mut Baselines,
    ) -> Attempt {
        let window = Duration::from_millis(WINDOWS[(number % WINDOWS.len() as u64) as usize]);
        let natural = |noise| Rest { seed: number, noise, triggers: Triggers::Natural, ..Rest::default() };
        let lasts = experiment.options().lasts;
        let shorter = shorter(lasts, number / WINDOWS.len() as u64);
        let (seed, lasts, script) = match strategy {
            Strategy::Portfolio => panic!("a portfolio has attempts of other strategies"),
            Strategy::Guided => return baselines.guided(experiment, number),
            Strategy::Exhaustive(lasts) => {
                let search = baselines.search(experiment, Bounds::lasting(lasts), number);
                return Attempt::of_search(search, number);
            }
            Strategy::Uniform | Strategy::Swarm => (number, lasts, None),
            Strategy::Pos => (number, shorter, Some(Script::new([], natural(Noise::Each(window))))),
            Strategy::Pct(depth) => {
                let baseline = baselines.calm(experiment, number / Strategy::CALM_SHARE);
                let given = baseline.points.late(depth, &mut Seed(number).stream("pct"));
                (baseline.seed, baseline.lasts, Some(Script::new(given, natural(Noise::PerCause(window)))))
            }
            Strategy::Sparse => {
                let baseline = baselines.calm(experiment, number / Strategy::CALM_SHARE);
                // In some runs messages keep their order, in others they do not.
                let noise = if number.is_multiple_of(2) { Noise::Calm } else { Noise::Each(window) };
                let given = pick(&baseline.points, &mut Seed(number).stream("sparse"));
                let rest = Rest { seed: number, noise, triggers: Triggers::Calm, ..Rest::default() };
                (baseline.seed, baseline.lasts, Some(Script::new(given, rest)))
            }
        };
        Attempt { strategy, number, seed: Seed(seed), lasts, script }
    }
}

/// One of several lengths for a run: what goes wrong early in a long run is often made good again before it
/// ends, and a short one takes less time.
pub(super) fn shorter(lasts: Duration, number: u64) -> Duration {
    (lasts / SHORTER[(number % SHORTER.len() as u64) as usize]).max(LASTS_MIN.min(lasts))
}

impl Experiment {
    /// Runs an attempt. Seed and script are the attempt's; of the options the rest counts.
    pub fn run_attempt(&self, attempt: &Attempt, options: RunOptions) -> Run {
        // The next attempt of an expedition builds on what was seen in this one.
        let is_guided = attempt.strategy == Strategy::Guided;
        let options = RunOptions {
            script: attempt.script.clone(),
            remember: options.remember || is_guided,
            coverage: options.coverage || is_guided,
            ..options
        };
        self.for_attempt(attempt).run_fully(attempt.seed, options)
    }

    /// The experiment as this attempt runs it.
    pub fn for_attempt(&self, attempt: &Attempt) -> Experiment {
        let mut experiment = self.clone();
        experiment.options_mut().lasts = attempt.lasts;
        match attempt.strategy {
            Strategy::Uniform => experiment.options_mut().swarm = Swarm::All,
            Strategy::Swarm | Strategy::Pos | Strategy::Pct(_) => {
                experiment.options_mut().swarm = Swarm::Wide;
            }
            Strategy::Sparse | Strategy::Guided | Strategy::Exhaustive(_) | Strategy::Portfolio => {}
        }
        experiment
    }
}
