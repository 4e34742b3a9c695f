//! What can be wrong with a recording: each with its code, its place and the next step.

use std::fmt;

use crate::frame::{RAW_MAX, VERSION_MAX, VERSION_MIN};

/// Why a recording cannot be read, or cannot be read further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The first bytes are not those of a recording.
    #[error(
        "DC0060: this is not a recording of Dacapo: its first bytes are {found}. \
         Recordings come from `dacapo sim` and `dacapo serve --record`."
    )]
    NotATrace {
        /// The first bytes, printable.
        found: String,
    },
    /// A later Dacapo wrote it.
    #[error(
        "DC0061: this recording has format {found}, this build reads {VERSION_MIN} to {VERSION_MAX}. \
         Read it with the Dacapo that wrote it, or a newer one."
    )]
    Newer {
        /// Its format.
        found: u32,
    },
    /// A Dacapo wrote it whose format is no longer read.
    #[error(
        "DC0062: this recording has format {found}, this build reads {VERSION_MIN} to {VERSION_MAX}. \
         Read it with the Dacapo that wrote it."
    )]
    Older {
        /// Its format.
        found: u32,
    },
    /// The file ends before it says whose run it is.
    #[error(
        "DC0063: the recording ends at byte {offset}, within its header: nothing in it can be read. \
         The tool or the machine stopped right after the start, or the file was not copied in full."
    )]
    Headless {
        /// Where the file ends.
        offset: u64,
    },
    /// Bytes have changed since they were written.
    #[error(
        "DC0064: the recording is damaged at byte {offset}, after event #{event}: {what}. \
         The file has changed since it was written; take another copy of it, or record the run again."
    )]
    Damaged {
        /// Where the damaged part starts.
        offset: u64,
        /// The last event before it.
        event: u64,
        /// What was seen.
        what: String,
    },
    /// The bytes are as they were written, and make no sense.
    #[error(
        "DC0065: the recording holds something at byte {offset}, after event #{event}, that this build does \
         not understand: {what}. The program that wrote it did not follow the format; record the run again."
    )]
    Senseless {
        /// Where the part with it starts.
        offset: u64,
        /// The last event before it.
        event: u64,
        /// What was seen.
        what: String,
    },
    /// The operating system could not read the file.
    #[error("DC0066: the recording cannot be read at byte {offset}: {source}.")]
    Io {
        /// Where.
        offset: u64,
        /// Why.
        source: std::io::Error,
    },
}

impl ReadError {
    /// The code under which `docs/errors` explains it.
    pub fn code(&self) -> &'static str {
        match self {
            ReadError::NotATrace { .. } => "DC0060",
            ReadError::Newer { .. } => "DC0061",
            ReadError::Older { .. } => "DC0062",
            ReadError::Headless { .. } => "DC0063",
            ReadError::Damaged { .. } => "DC0064",
            ReadError::Senseless { .. } => "DC0065",
            ReadError::Io { .. } => "DC0066",
        }
    }

    /// The byte at which reading stopped.
    pub fn offset(&self) -> u64 {
        match self {
            ReadError::NotATrace { .. } => 0,
            ReadError::Newer { .. } | ReadError::Older { .. } => 7,
            ReadError::Headless { offset }
            | ReadError::Damaged { offset, .. }
            | ReadError::Senseless { offset, .. }
            | ReadError::Io { offset, .. } => *offset,
        }
    }
}

/// Why a recording could not be written to its end. The run itself is not harmed.
#[derive(Debug)]
pub enum WriteError {
    /// The operating system could not write.
    Io(std::io::Error),
    /// One record, in bytes, is longer than the format takes.
    TooLong(usize),
}

impl WriteError {
    /// The code under which `docs/errors` explains it.
    pub fn code(&self) -> &'static str {
        "DC0067"
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DC0067: the recording is incomplete: ")?;
        match self {
            WriteError::Io(error) => {
                write!(f, "{error}. What was written before can be read; check the disk and record again.")
            }
            WriteError::TooLong(bytes) => write!(
                f,
                "one record has {bytes} bytes, the format takes {RAW_MAX}. \
                 A body so long is sent as a stream, an object so large is split into several; \
                 what was written before can be read."
            ),
        }
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            WriteError::Io(error) => Some(error),
            WriteError::TooLong(_) => None,
        }
    }
}
