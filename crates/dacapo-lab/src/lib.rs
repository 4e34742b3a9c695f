//! The laboratory: run a scenario under a seed, and say what came of it.
//!
//! It names no engine and touches no file: programs come in loaded, recordings go to a writer.
//! `dacapo` (the command line and the facade) does both.

#![forbid(unsafe_code)]

mod branch;
mod coverage;
mod crash;
mod exhaust;
mod experiment;
mod explore;
mod report;
mod run;
mod seeds;
mod seen;
mod shrink;
mod signature;
mod states;
mod watch;

pub use coverage::{Coverage, Share};
pub use crash::CrashReport;
pub use exhaust::{Bounds, Exhausted};
pub use experiment::{Experiment, ExperimentBuilder, Setup};
pub use explore::{Attempt, Explorer, Found, Itinerary, Stop, Strategy, StrategyError};
pub use report::{Failure, Report};
pub use run::{Run, RunOptions, rerun};
pub use seeds::{Campaign, CampaignResult};
pub use shrink::{Progress, ShrinkError, Shrunk};
pub use states::{SharedStates, States};

/// The words that scenarios in Rust are written with.
pub mod prelude {
    pub use dacapo_native::{Driver, FetchError, Guest, Request, Response, Service, Workload};

    pub use crate::Experiment;
}
