//! How far a run is, and how it can end.

use std::fmt;

use bytestring::ByteString;
use dacapo_core::Phase;

/// How a run ended, as far as the world can tell. Checks are judged elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Through all phases.
    Done,
    /// The workload did not finish a phase in time; the text says what was still open.
    Stuck(Phase, ByteString),
    /// The workload's own instance broke.
    WorkloadBroke(ByteString),
    /// More deliveries than a run may have: something answers itself without end.
    Endless(u64),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Done => f.write_str("done"),
            Ending::Stuck(Phase::Heal, open) => write!(
                f,
                "the system did not become quiet after all faults had stopped: {open}. \
                 (`settles` in the scenario says how long it may take.)"
            ),
            Ending::Stuck(phase, open) => {
                write!(f, "the workload did not finish its {phase} phase in time: {open}")
            }
            Ending::WorkloadBroke(why) => write!(f, "the workload itself broke: {why}"),
            Ending::Endless(n) => write!(
                f,
                "{n} deliveries and no end: probably a guest that re-arms a very short timer, \
                 or two that answer each other without end"
            ),
        }
    }
}
