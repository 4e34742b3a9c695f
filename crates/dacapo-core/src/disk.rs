//! The door to a node's disk.
//!
//! What stands behind it is simulated sectors (with faults) or a folder of the machine. Every call
//! returns at once; a simulated disk adds up what the calls cost, and whoever drives it lets that
//! much time pass before anybody hears of the result.

use std::fmt;

use bytestring::ByteString;

/// Named files in one flat folder that outlive the process.
///
/// What was written is certain to survive a crash only after a [`Disk::sync`] of that file. Until
/// then any part of it may survive, in any order. A new name, a new length, a rename and a removal
/// are part of what a sync of the file (for a rename: of the file under its new name) makes certain.
pub trait Disk {
    /// The length of a file in bytes, `None` if there is none of this name.
    fn len(&mut self, file: &str) -> Result<Option<u64>, DiskError>;

    /// Reads up to `buffer.len()` bytes from `offset`; gives how many. Zero only at the end.
    fn read_at(&mut self, file: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError>;

    /// Writes all of `bytes` at `offset`. Creates the file, and fills a gap before `offset` with zeros.
    fn write_at(&mut self, file: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError>;

    /// Returns once everything done to this file before survives a crash. After an error nobody
    /// knows what of it does, and a second sync cannot tell.
    fn sync(&mut self, file: &str) -> Result<(), DiskError>;

    /// Cuts a file to `len` bytes, or lengthens it with zeros.
    fn truncate(&mut self, file: &str, len: u64) -> Result<(), DiskError>;

    /// Gives a file another name; a file that had it is gone.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError>;

    /// Removes a file. None of this name: nothing happens.
    fn remove(&mut self, file: &str) -> Result<(), DiskError>;

    /// The names of all files, in order.
    fn list(&mut self) -> Result<Vec<String>, DiskError>;
}

/// Why a disk did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DiskError {
    /// What kind.
    pub kind: DiskErrorKind,
    /// Which file.
    pub file: ByteString,
    /// Where in it, in bytes.
    pub offset: u64,
    /// More, for people.
    pub message: ByteString,
}

/// The kinds of [`DiskError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskErrorKind {
    /// The device failed (EIO).
    Io,
    /// No space is left (ENOSPC).
    Full,
    /// There is no such file.
    Missing,
    /// The whole disk is gone.
    Gone,
}

impl fmt::Display for DiskErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DiskErrorKind::Io => "input/output error",
            DiskErrorKind::Full => "no space left on the disk",
            DiskErrorKind::Missing => "no such file",
            DiskErrorKind::Gone => "the disk is gone",
        })
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} at byte {})", self.kind, self.file, self.offset)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for DiskError {}
