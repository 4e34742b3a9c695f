//! Dacapo for Rust users: run the scenarios of a project from `cargo test`.
//!
//! ```no_run
//! dacapo::scenario("examples/bank").seeds(0..100).check();
//! ```
//!
//! Scenarios with native guests are written against [`lab`].

#![forbid(unsafe_code)]

pub mod engines;
pub mod error;
pub mod project;
#[cfg(feature = "js")]
mod watchdog;
pub mod workflows;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use dacapo_lab as lab;
pub use dacapo_native as native;

use crate::project::Project;

/// The scenario of the project in this folder (if it has several, [`Scenario::named`] chooses).
///
/// A relative path counts from the current folder or, as `cargo test` runs in the folder of the
/// crate, from the nearest folder above it in which it exists.
pub fn scenario(path: impl AsRef<Path>) -> Scenario {
    Scenario { path: path.as_ref().to_owned(), name: None, seeds: 0..1 }
}

/// A scenario to be checked; made by [`scenario`].
pub struct Scenario {
    path: PathBuf,
    name: Option<String>,
    seeds: Range<u64>,
}

impl Scenario {
    /// The scenario of this name.
    pub fn named(mut self, name: &str) -> Scenario {
        self.name = Some(name.to_owned());
        self
    }

    /// The seeds to run.
    pub fn seeds(mut self, seeds: Range<u64>) -> Scenario {
        self.seeds = seeds;
        self
    }

    /// Runs all seeds.
    ///
    /// # Panics
    /// With the failure and the line that repeats it, if a run fails, if a run is not
    /// deterministic, or if the project cannot be loaded.
    pub fn check(self) {
        self.with(|campaign| campaign.check());
    }

    /// Runs until a failure, which it returns; for planted bugs.
    ///
    /// # Panics
    /// If all seeds pass, or if the project cannot be loaded.
    pub fn finds(self) -> lab::Report {
        self.with(|campaign| campaign.finds())
    }

    fn with<T>(self, f: impl FnOnce(lab::Campaign<'_>) -> T) -> T {
        let folder = find_up(&self.path);
        let loaded = Project::open(&folder).and_then(|project| {
            let scenario = project.scenario(self.name.as_deref())?.clone();
            Ok((project.experiment(&scenario)?, scenario.name))
        });
        match loaded {
            Ok((experiment, name)) => {
                let line = format!("dacapo sim {} --scenario {name} --seed SEED", self.path.display());
                f(experiment.seeds(self.seeds).repeated_by(&line))
            }
            Err(report) => panic!("\n{report:?}"),
        }
    }
}

fn find_up(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let found = here.ancestors().map(|folder| folder.join(path)).find(|candidate| candidate.exists());
    found.unwrap_or_else(|| path.to_owned())
}
