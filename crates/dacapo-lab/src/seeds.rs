//! Many seeds of one experiment: what `cargo test` calls.

use std::ops::Range;

use dacapo_check::Table;

use crate::experiment::Experiment;
use crate::report::Report;
use crate::run::rerun;

/// A range of seeds of an experiment.
pub struct Campaign<'a> {
    experiment: &'a Experiment,
    seeds: Range<u64>,
    repeat: String,
}

/// What came of a campaign.
#[derive(Clone, Debug)]
pub struct CampaignResult {
    /// How many seeds ran.
    pub seeds: u64,
    /// The first that failed.
    pub failed: Option<Report>,
    /// All assertions, over all seeds.
    pub checks: Table,
}

impl Experiment {
    /// These seeds.
    pub fn seeds(&self, seeds: Range<u64>) -> Campaign<'_> {
        let repeat = format!("experiment \"{}\" with .seeds(SEED..SEED + 1)", self.name());
        Campaign { experiment: self, seeds, repeat }
    }
}

impl Campaign<'_> {
    /// The line that repeats a failing seed; `SEED` in it is replaced.
    pub fn repeated_by(mut self, line: &str) -> Self {
        self.repeat = line.to_owned();
        self
    }

    /// Runs until the first failure. The first seed runs twice; if its digests differ, this panics:
    /// nothing else can be trusted then.
    pub fn run(&self) -> CampaignResult {
        let mut result = CampaignResult { seeds: 0, failed: None, checks: Table::default() };
        for seed in self.seeds.clone() {
            let report = self.experiment.run(seed);
            if result.seeds == 0
                && let Err(divergence) = rerun(self.experiment, &report)
            {
                panic!("{divergence}");
            }
            result.seeds += 1;
            result.checks.merge(&report.checks);
            if !report.passed() {
                result.failed = Some(report);
                break;
            }
        }
        result
    }

    /// Runs, and panics with the failure and the line that repeats it.
    ///
    /// A `sometimes` that never held in at least 20 seeds is a failure too: what a test never
    /// reaches, it does not test.
    pub fn check(&self) {
        let result = self.run();
        if let Some(report) = &result.failed {
            let failure = report.failure.as_ref().expect("a failed run has a failure");
            let repeat = self.repeat.replace("SEED", &report.seed.to_string());
            let faults = report.faults.join(", ");
            panic!("\nseed {} failed\n\n{failure}\n\nfaults: {faults}\nrepeat: {repeat}\n", report.seed);
        }
        let vacuous: Vec<&str> = result.checks.vacuous().collect();
        if result.seeds >= 20 && !vacuous.is_empty() {
            panic!("in {} seeds this never held: sometimes: {}", result.seeds, vacuous.join("; "));
        }
    }

    /// Runs until a failure and gives it; panics if all seeds pass. For planted bugs.
    pub fn finds(&self) -> Report {
        let result = self.run();
        result.failed.unwrap_or_else(|| panic!("{} seeds passed, but a bug is planted", result.seeds))
    }
}
