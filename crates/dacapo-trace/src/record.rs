//! What a recording consists of, as its readers see it.

use dacapo_core::{Address, Delivery, Digest, Effect, Note, Time};

use crate::ReadError;

/// One entry of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The event that it is or belongs to, counted from 1: the first part of a moment, `#1042`.
    /// 0 for what stands before the first one. A note belongs to the event before it.
    pub event: u64,
    /// When, on the world's clock: of a delivery and its effects the time of the delivery.
    pub at: Time,
    /// What.
    pub part: Part,
}

/// The kinds of entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Something entered a turn.
    Delivery(Delivery),
    /// Something left it.
    Effect(Address, Effect),
    /// Something about the world that no node is told.
    Note(Note),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It came to its end, and no check broke.
    Passed,
    /// A check broke; the text names it.
    Failed(String),
    /// It was ended from outside, for this reason: no verdict.
    Stopped(String),
}

/// What is known of a run at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How it ended.
    pub outcome: Outcome,
    /// The digest over all deliveries and effects.
    pub digest: Digest,
    /// How many deliveries there were.
    pub events: u64,
    /// How many effects.
    pub effects: u64,
    /// How many notes were written.
    pub notes: u64,
    /// The time of the last delivery.
    pub end: Time,
}

/// How a recording ends.
#[derive(Debug)]
pub enum Ending {
    /// As it should.
    Finished(Summary),
    /// Without a footer: who wrote it stopped before the run did.
    Cut {
        /// The last event that can be read.
        event: u64,
        /// Where the last whole part of the file ends.
        offset: u64,
    },
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ending::Finished(summary) => {
                match &summary.outcome {
                    Outcome::Passed => f.write_str("passed")?,
                    Outcome::Failed(why) => write!(f, "failed: {why}")?,
                    Outcome::Stopped(why) => write!(f, "stopped: {why}")?,
                }
                write!(f, " after event #{} at {}", summary.events, summary.end)?;
                write!(f, ", digest {}", summary.digest)
            }
            Ending::Cut { event, offset } => write!(
                f,
                "the recording ends after event #{event}, at byte {offset} \
                 (no footer: the tool or the machine stopped)"
            ),
        }
    }
}

/// A whole recording in memory.
#[derive(Debug)]
pub struct Trace {
    /// Whose it is.
    pub identity: crate::Identity,
    /// Its entries in order.
    pub records: Vec<Record>,
    /// How it ends.
    pub ending: Ending,
}

impl Trace {
    /// Reads a recording in full. Who wants the part before a damaged place uses
    /// [`crate::Reader`], which gives entry after entry.
    pub fn read(input: impl std::io::Read) -> Result<Trace, ReadError> {
        let mut reader = crate::Reader::open(input)?;
        let records = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
        let (identity, ending) = reader.into_parts();
        let ending = ending.expect("a reader that has come to its end without an error knows how");
        Ok(Trace { identity, records, ending })
    }
}
