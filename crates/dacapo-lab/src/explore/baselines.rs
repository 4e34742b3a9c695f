//! What attempts build on: other runs. They are kept from one attempt to the next, and can be made again.

use super::attempt::Attempt;
use super::guided::Expedition;
use super::sparse::Baseline;
use super::strategy::Strategy;
use crate::exhaust::{Bounds, Search};
use crate::experiment::Experiment;
use crate::run::{Run, RunOptions};

/// The latest runs that attempts build on.
#[derive(Default)]
pub(crate) struct Baselines {
    calm: Option<Baseline>,
    expedition: Option<Expedition>,
    /// An exhaustive search, and where it stands.
    search: Option<Search>,
    /// How many runs were made for this alone.
    pub(super) runs: u64,
}

impl Baselines {
    /// The calm run of this seed.
    pub(super) fn calm(&mut self, experiment: &Experiment, seed: u64) -> &Baseline {
        match self.calm.take().filter(|calm| calm.seed == seed) {
            Some(calm) => self.calm.insert(calm),
            None => {
                self.runs += 1;
                self.calm.insert(Baseline::new(experiment, seed))
            }
        }
    }

    /// The guided attempt of this number. Those of its expedition that stand before it are made first, if nobody has learnt from
    /// them yet.
    pub(super) fn guided(&mut self, experiment: &Experiment, number: u64) -> Attempt {
        let known = self.expedition.take().filter(|expedition| expedition.leads_to(number));
        let mut expedition = known.unwrap_or_else(|| Expedition::new(number));
        loop {
            let attempt =
                expedition.attempt(|number| Attempt::new(experiment, Strategy::Sparse, number, self));
            if attempt.number == number {
                self.expedition = Some(expedition);
                return attempt;
            }
            let run = experiment.run_attempt(&attempt, RunOptions::default());
            self.runs += 1;
            expedition.learn(experiment, &attempt, run);
        }
    }

    /// An exhaustive search that has not gone beyond the attempt of this number.
    pub(super) fn search(&mut self, experiment: &Experiment, bounds: Bounds, number: u64) -> &mut Search {
        let bounds = Bounds { faults: usize::MAX, ..bounds };
        let is_it = |search: &Search| *search.bounds() == bounds && search.executions() <= number + 1;
        let known = self.search.take().filter(is_it);
        self.search.insert(known.unwrap_or_else(|| Search::new(experiment, bounds)))
    }

    /// Learns from a run, if the next attempt builds on it.
    pub(super) fn learn(&mut self, experiment: &Experiment, attempt: &Attempt, run: Run) {
        if let Some(expedition) = self.expedition.as_mut().filter(|_| attempt.strategy == Strategy::Guided) {
            expedition.learn(experiment, attempt, run);
        }
    }
}
