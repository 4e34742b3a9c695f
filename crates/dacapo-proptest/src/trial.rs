//! A trial: a system, an input and a rule.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::{Noise, Rest, Script, Seed, Triggers};
use dacapo_lab::{Experiment, ExperimentBuilder, Report, RunOptions};
use proptest::prelude::*;

use crate::ask::Ask;
use crate::faults::{FaultPlan, LASTS};
use crate::player::{Player, Score, Transcript};
use crate::story::story;

/// What a case of a test is made of.
#[derive(Clone, PartialEq)]
pub struct Input {
    /// What clients ask for.
    pub asks: Vec<Ask>,
    /// What may go wrong.
    pub faults: FaultPlan,
    /// What the schedule grows from. Proptest leaves it as it is when it shrinks.
    pub seed: u64,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ask in &self.asks {
            writeln!(f, "  {ask}")?;
        }
        write!(f, "faults: {}\nseed: {}", self.faults, self.seed)
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Inputs with requests and faults of these strategies.
pub fn inputs(
    asks: impl Strategy<Value = Vec<Ask>>,
    faults: impl Strategy<Value = FaultPlan>,
) -> impl Strategy<Value = Input> {
    (asks, faults, any::<u64>().no_shrink()).prop_map(|(asks, faults, seed)| Input { asks, faults, seed })
}

/// How long a client waits for an answer, if a test does not say otherwise.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many schedules are tried of each input, if a test does not say otherwise. More than one helps proptest: an
/// input that is a little smaller may need another schedule.
const SCHEDULES: u64 = 4;

/// An input on a system, and what must hold.
#[derive(Clone)]
pub struct Trial {
    system: Rc<dyn Fn() -> ExperimentBuilder>,
    input: Input,
    score: Score,
    lasts: Duration,
    schedules: u64,
}

impl Trial {
    /// A trial of this system, to which the workload and the faults of the input are added. Afterwards `judge` says
    /// whether what clients have seen is right, and if not, why.
    pub fn new(
        system: impl Fn() -> ExperimentBuilder + 'static,
        input: &Input,
        rule: &str,
        judge: impl Fn(&Transcript) -> Result<(), String> + 'static,
    ) -> Trial {
        let score = Score {
            asks: input.asks.as_slice().into(),
            patience: PATIENCE,
            rule: rule.into(),
            judge: Rc::new(judge),
        };
        Trial { system: Rc::new(system), input: input.clone(), score, lasts: LASTS, schedules: SCHEDULES }
    }

    /// How long a client waits for an answer.
    pub fn patience(mut self, patience: Duration) -> Trial {
        self.score.patience = patience;
        self
    }

    /// How long faults happen.
    pub fn lasts(mut self, lasts: Duration) -> Trial {
        self.lasts = lasts;
        self
    }

    /// How many schedules are tried.
    pub fn schedules(mut self, schedules: u64) -> Trial {
        self.schedules = schedules;
        self
    }

    /// The experiment that is run.
    pub fn experiment(&self) -> Experiment {
        let score = self.score.clone();
        let input = format!("{}", self.input);
        let system = (self.system)().lasts(self.lasts);
        let system = self.input.faults.apply(system);
        system.workload_with(&input, move |guest| Player::new(guest, score.clone())).build()
    }

    /// The schedules that are tried: what is decided depends on the seed and on what it is about.
    fn scripts(&self) -> impl Iterator<Item = (Seed, Script)> {
        let seed = self.input.seed;
        (0..self.schedules).map(move |number| {
            let seed = seed.wrapping_add(number);
            let rest = Rest { seed, noise: Noise::Natural, triggers: Triggers::Natural, ..Rest::default() };
            (Seed(seed), Script::new([], rest))
        })
    }

    /// The first schedule that breaks the rule, and its run.
    pub(crate) fn broken(&self) -> Option<(Seed, Script, Report)> {
        let experiment = self.experiment();
        self.scripts().find_map(|(seed, script)| {
            let options = RunOptions { script: Some(script.clone()), ..RunOptions::default() };
            let report = experiment.run_with(seed, options).0;
            (!report.passed()).then_some((seed, script, report))
        })
    }

    /// Runs it; for `?` in a test of proptest.
    ///
    /// # Errors
    /// With what went wrong, if something did.
    pub fn check(&self) -> Result<(), TestCaseError> {
        match self.broken() {
            None => Ok(()),
            Some((_, _, report)) => {
                let failure = report.failure.expect("a broken run has a failure");
                Err(TestCaseError::fail(format!("seed {}: {failure}", report.seed)))
            }
        }
    }

    /// If it fails, what happened, told in as few decisions as will do. That takes some hundred runs.
    pub fn story(&self) -> Option<String> {
        let (seed, script, report) = self.broken()?;
        Some(story(&self.experiment(), &self.input, seed, &script, &report))
    }
}

/// A trial shows what it is made of; one that fails tells its story. (Proptest prints the least input that fails, and that
/// only.)
impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.story() {
            Some(story) => f.write_str(&story),
            None => write!(f, "{}", self.input),
        }
    }
}
