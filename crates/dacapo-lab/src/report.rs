//! What came of a run.

use std::fmt;

use dacapo_check::Table;
use dacapo_core::{Check, Digest, Fault, NodeId, Seed, Time};
use dacapo_sim::Ending;

/// One run, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The seed that it grew from.
    pub seed: Seed,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// The digest over every delivery and effect.
    pub digest: Digest,
    /// How many deliveries there were.
    pub events: u64,
    /// How much virtual time passed.
    pub time: Time,
    /// The faults that this seed used.
    pub faults: Vec<String>,
    /// All assertions that were reached.
    pub checks: Table,
}

impl Report {
    /// Whether nothing was found wrong.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An `always` did not hold, or an `unreachable` was reached.
    Check {
        /// The assertion.
        check: Check,
        /// The delivery in whose turn it was evaluated.
        event: u64,
        /// When.
        at: Time,
        /// On which node.
        node: NodeId,
        /// The name of that node.
        node_name: String,
    },
    /// A program could not be started, or broke in a way that no fault explains.
    Guest {
        /// What broke.
        fault: Fault,
        /// The service.
        service: String,
        /// The delivery.
        event: u64,
        /// When.
        at: Time,
    },
    /// The run did not come to its end.
    Ending(Ending),
}

impl Failure {
    /// The delivery at which it failed, if it was one.
    pub fn event(&self) -> Option<u64> {
        match self {
            Failure::Check { event, .. } | Failure::Guest { event, .. } => Some(*event),
            Failure::Ending(_) => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Check { check, event, at, node_name, .. } => {
                write!(f, "{}: {}", check.kind.name(), check.message)?;
                if let Some(location) = &check.location {
                    write!(f, " ({location})")?;
                }
                write!(f, "\n  at #{event}, {at}, on {node_name}")?;
                if let Some(details) = &check.details {
                    write!(f, "\n  {}", details.replace('\n', "\n  "))?;
                }
                Ok(())
            }
            Failure::Guest { fault, service, event, at } => {
                write!(f, "service \"{service}\" broke: {fault}\n  at #{event}, {at}")
            }
            Failure::Ending(ending) => ending.fmt(f),
        }
    }
}
