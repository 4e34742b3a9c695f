//! The storage of one durable object, as its guest sees it within a turn.
//!
//! An object's state is in memory while the object is active, so a guest reads and writes it
//! without waiting. What a turn changed leaves as one [`crate::Effect::Commit`], and whatever the
//! turn tells the world waits until that commit is durable (the *output gate*).

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use bytes::Bytes;
use bytestring::ByteString;

use crate::{Entropy, Turn, WallTime};

/// Opens the storage of objects. One for a whole run.
pub trait StorageEngine {
    /// The storage whose state is `image` (`None`: it is empty). What `random()` gives in SQL
    /// comes from `entropy`.
    fn open(&self, image: Option<&Image>, entropy: Entropy) -> Result<Box<dyn Storage>, StorageError>;
}

/// The storage of one object. Calls between [`Storage::begin_turn`] and [`Storage::take_changes`]
/// are one atomic change, whatever transactions the guest makes within.
pub trait Storage {
    /// A turn begins: `date('now')` reads its clock.
    fn begin_turn(&mut self, turn: &Turn);

    /// What was changed since the last call; `None` if nothing was. An open transaction must not be
    /// split: while [`Storage::depth`] is not zero nothing is given.
    fn take_changes(&mut self) -> Option<Changes>;

    /// The value of a key.
    fn get(&mut self, key: &str) -> Result<Option<Bytes>, StorageError>;
    /// Sets the value of a key.
    fn put(&mut self, key: &str, value: &[u8]) -> Result<(), StorageError>;
    /// Removes a key; whether it was there.
    fn delete(&mut self, key: &str) -> Result<bool, StorageError>;
    /// Keys with their values, by the order of the keys' UTF-8 bytes.
    fn list(&mut self, options: &ListOptions) -> Result<Vec<(ByteString, Bytes)>, StorageError>;
    /// Removes every key and every table. The alarm stays.
    fn delete_all(&mut self) -> Result<(), StorageError>;

    /// Runs SQL: all statements of `query`, the bindings for the last of them.
    fn sql(&mut self, query: &str, bindings: &[SqlValue]) -> Result<SqlRows, StorageError>;
    /// How large the state is, in bytes.
    fn size(&mut self) -> u64;

    /// Begins a transaction within the one that is open, if any.
    fn begin(&mut self) -> Result<(), StorageError>;
    /// Ends the innermost transaction; its changes become part of what is around it.
    fn commit(&mut self) -> Result<(), StorageError>;
    /// Ends the innermost transaction and undoes its changes.
    fn rollback(&mut self) -> Result<(), StorageError>;
    /// How many transactions are open.
    fn depth(&self) -> u32;

    /// When the alarm is due; `None` if there is none, or it is being handled now.
    fn alarm(&mut self) -> Result<Option<WallTime>, StorageError>;
    /// Sets or removes the alarm.
    fn set_alarm(&mut self, at: Option<WallTime>) -> Result<(), StorageError>;

    /// What the object is called. It is stored as soon as there is an alarm, which says no name.
    fn set_name(&mut self, name: ByteString) -> Result<(), StorageError>;
    /// What it is called, if that is stored.
    fn name(&mut self) -> Result<Option<ByteString>, StorageError>;

    /// Nobody will ask for earlier states of this object: call it right after the storage was opened.
    fn keep_no_history(&mut self);
    /// Names the state that is now, so that the object can go back to it.
    fn bookmark(&mut self) -> Result<ByteString, StorageError>;
    /// Names the state that was at this time.
    fn bookmark_for(&mut self, time: WallTime) -> Result<ByteString, StorageError>;
    /// Goes back to a state when the storage is opened the next time. Names the state just before that, which is
    /// yet to come: who goes back to it undoes this.
    fn restore_next(&mut self, bookmark: &str) -> Result<ByteString, StorageError>;
}

/// The storage of one object, shared by the runtime and the guest. Never borrowed by one while the
/// other runs.
#[derive(Clone)]
pub struct SharedStorage(pub Rc<RefCell<Box<dyn Storage>>>);

impl fmt::Debug for SharedStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedStorage")
    }
}

/// The whole state of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Image {
    /// The bytes of its database.
    pub bytes: Bytes,
    /// When its alarm is due.
    pub alarm: Option<WallTime>,
}

/// What one commit changes in the state of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Changes {
    /// How long the database is now, in bytes.
    pub len: u64,
    /// Where and what was written, in the order of the places; they do not overlap.
    pub writes: Vec<(u64, Bytes)>,
    /// The new alarm, if it changed.
    pub alarm: Option<Option<WallTime>>,
}

impl Changes {
    /// Makes these changes in an image.
    pub fn apply(&self, image: &mut Vec<u8>) {
        image.resize(self.len as usize, 0);
        for (at, bytes) in &self.writes {
            let at = *at as usize;
            image[at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
}

/// Which keys [`Storage::list`] gives. All bounds hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// From this key on.
    pub start: Option<ByteString>,
    /// Only after this key.
    pub start_after: Option<ByteString>,
    /// Only before this key.
    pub end: Option<ByteString>,
    /// Only keys that begin so.
    pub prefix: Option<ByteString>,
    /// From the last to the first.
    pub reverse: bool,
    /// At most so many.
    pub limit: Option<u64>,
}

/// A value in SQL.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// `NULL`
    Null,
    /// `INTEGER`
    Integer(i64),
    /// `REAL`
    Real(f64),
    /// `TEXT`
    Text(ByteString),
    /// `BLOB`
    Blob(Bytes),
}

/// What a query gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SqlRows {
    /// The names of the columns.
    pub columns: Vec<ByteString>,
    /// The rows.
    pub rows: Vec<Vec<SqlValue>>,
    /// Rows that were read.
    pub rows_read: u64,
    /// Rows that were written.
    pub rows_written: u64,
}

/// Why storage did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StorageError {
    /// What kind.
    pub kind: StorageErrorKind,
    /// What happened, for people: what, where (file and offset), what to do.
    pub message: ByteString,
}

/// The kinds of [`StorageError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StorageErrorKind {
    /// The guest's own mistake: bad SQL, a broken constraint, a key that is too long.
    Guest,
    /// The disk failed; what it was asked to make durable may or may not be so.
    Disk,
    /// The disk is full; what was already durable still is, and can be read.
    Full,
    /// What was read back is not what was written.
    Corrupt,
    /// The store was written by a newer version.
    Newer,
}

impl StorageError {
    /// An error of this kind.
    pub fn new(kind: StorageErrorKind, message: impl Into<ByteString>) -> StorageError {
        StorageError { kind, message: message.into() }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StorageError {}
