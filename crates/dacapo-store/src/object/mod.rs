//! The storage of one durable object: SQLite in memory, which knows what a turn has changed.
//!
//! The state of an object is a SQLite database, kept as one piece of bytes. After a turn that wrote,
//! the bytes are compared with what they were; the differences leave as [`Changes`]. That costs a
//! pass over the state for each turn that writes (10 µs for 100 KiB), and needs none of SQLite's
//! own files: journals, locks and syncs are the business of the log that keeps the changes.

mod clock;
mod diff;
mod guard;
mod kv;
mod sql;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::{
    Changes, Entropy, Image, ListOptions, SqlRows, SqlValue, Storage, StorageEngine, StorageError,
    StorageErrorKind, Turn, WallTime,
};
use rusqlite::{Connection, MAIN_DB};

use guard::Guard;

/// Opens the storage of objects on SQLite.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sqlite;

impl StorageEngine for Sqlite {
    fn open(&self, image: Option<&Image>, entropy: Entropy) -> Result<Box<dyn Storage>, StorageError> {
        let image = image.cloned().unwrap_or_default();
        Ok(Box::new(Database {
            base: image.bytes.to_vec(),
            open: None,
            entropy,
            wall: WallTime::default(),
            alarm: image.alarm,
            alarm_taken: image.alarm,
            alarms_before: Vec::new(),
        }))
    }
}

/// The storage of one object.
struct Database {
    /// The state as it was when changes were taken last.
    base: Vec<u8>,
    /// SQLite, once the guest has asked for something.
    open: Option<Open>,
    entropy: Entropy,
    wall: WallTime,
    alarm: Option<WallTime>,
    alarm_taken: Option<WallTime>,
    /// The alarm before each transaction that is open.
    alarms_before: Vec<Option<WallTime>>,
}

/// A database that is open.
struct Open {
    connection: Connection,
    guard: Guard,
    /// Whether something was written since changes were taken last.
    has_written: Arc<AtomicBool>,
}

impl Database {
    fn open(&mut self) -> Result<&mut Open, StorageError> {
        if self.open.is_none() {
            self.open = Some(Open::new(&self.base, &self.entropy)?);
        }
        clock::set(self.wall);
        Ok(self.open.as_mut().expect("just opened"))
    }

    fn savepoint(&mut self, verb: &str, depth: usize) -> Result<(), StorageError> {
        let open = self.open()?;
        open.connection.execute_batch(&format!("{verb} dacapo_{depth}")).map_err(error)
    }

    fn innermost(&self) -> Result<usize, StorageError> {
        self.alarms_before
            .len()
            .checked_sub(1)
            .ok_or_else(|| StorageError::new(StorageErrorKind::Guest, "no transaction is open"))
    }
}

impl Open {
    fn new(state: &[u8], entropy: &Entropy) -> Result<Open, StorageError> {
        let mut connection = clock::open().map_err(error)?;
        if !state.is_empty() {
            connection.deserialize_read_exact(MAIN_DB, state, state.len(), false).map_err(error)?;
        }
        let guard = Guard::install(&mut connection, entropy).map_err(error)?;
        let has_written = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&has_written);
        let note = move || {
            flag.store(true, Ordering::Relaxed);
            // The commit goes ahead.
            false
        };
        connection.commit_hook(Some(note)).map_err(error)?;
        Ok(Open { connection, guard, has_written })
    }
}

impl Storage for Database {
    fn begin_turn(&mut self, turn: &Turn) {
        self.wall = turn.wall;
    }

    fn take_changes(&mut self) -> Option<Changes> {
        if self.depth() > 0 {
            return None;
        }
        let alarm = (self.alarm != self.alarm_taken).then_some(self.alarm);
        let has_written = match &self.open {
            Some(open) => open.has_written.swap(false, Ordering::Relaxed),
            // Everything was deleted.
            None => false,
        };
        let mut changes = Changes { len: self.base.len() as u64, writes: Vec::new(), alarm };
        if has_written {
            let open = self.open.as_mut().expect("something was written");
            // In memory this fails only where there is no memory left.
            let now = open.connection.serialize(MAIN_DB).expect("a database in memory has its bytes");
            changes.writes = diff::update(&mut self.base, &now);
            changes.len = self.base.len() as u64;
        }
        if !has_written && changes.alarm.is_none() {
            return None;
        }
        self.alarm_taken = self.alarm;
        Some(changes)
    }

    fn get(&mut self, key: &str) -> Result<Option<Bytes>, StorageError> {
        kv::get(self.open()?, key)
    }

    fn put(&mut self, key: &str, value: &[u8]) -> Result<(), StorageError> {
        kv::put(self.open()?, key, value)
    }

    fn delete(&mut self, key: &str) -> Result<bool, StorageError> {
        kv::delete(self.open()?, key)
    }

    fn list(&mut self, options: &ListOptions) -> Result<Vec<(ByteString, Bytes)>, StorageError> {
        kv::list(self.open()?, options)
    }

    fn delete_all(&mut self) -> Result<(), StorageError> {
        sql::drop_all(self.open()?)
    }

    fn sql(&mut self, query: &str, bindings: &[SqlValue]) -> Result<SqlRows, StorageError> {
        sql::run(self.open()?, query, bindings)
    }

    fn size(&mut self) -> u64 {
        let pages =
            |connection: &Connection| connection.pragma_query_value(None, "page_count", |row| row.get(0));
        match &self.open {
            Some(open) => pages(&open.connection).map_or(0, |count: i64| count as u64 * guard::PAGE),
            None => self.base.len() as u64,
        }
    }

    fn begin(&mut self) -> Result<(), StorageError> {
        self.savepoint("SAVEPOINT", self.alarms_before.len())?;
        self.alarms_before.push(self.alarm);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        let depth = self.innermost()?;
        self.savepoint("RELEASE", depth)?;
        self.alarms_before.pop();
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), StorageError> {
        let depth = self.innermost()?;
        self.savepoint("ROLLBACK TO", depth)?;
        self.savepoint("RELEASE", depth)?;
        if let Some(before) = self.alarms_before.pop() {
            self.alarm = before;
        }
        Ok(())
    }

    fn depth(&self) -> u32 {
        self.alarms_before.len() as u32
    }

    fn alarm(&mut self) -> Result<Option<WallTime>, StorageError> {
        Ok(self.alarm)
    }

    fn set_alarm(&mut self, at: Option<WallTime>) -> Result<(), StorageError> {
        self.alarm = at;
        Ok(())
    }
}

/// An error of SQLite, with its code behind the text as at workerd.
fn error(error: rusqlite::Error) -> StorageError {
    use rusqlite::Error as E;
    let (code, text) = match &error {
        E::SqliteFailure(failure, text) => (failure.extended_code, text.clone()),
        E::SqlInputError { error, msg, .. } => (error.extended_code, Some(msg.clone())),
        _ => return StorageError::new(StorageErrorKind::Guest, error.to_string()),
    };
    let name = match code & 0xff {
        1 => "SQLITE_ERROR",
        3 => "SQLITE_PERM",
        4 => "SQLITE_ABORT",
        5 => "SQLITE_BUSY",
        7 => "SQLITE_NOMEM",
        8 => "SQLITE_READONLY",
        9 => "SQLITE_INTERRUPT",
        11 => "SQLITE_CORRUPT",
        13 => "SQLITE_FULL",
        18 => "SQLITE_TOOBIG",
        19 => "SQLITE_CONSTRAINT",
        20 => "SQLITE_MISMATCH",
        23 => "SQLITE_AUTH",
        25 => "SQLITE_RANGE",
        26 => "SQLITE_NOTADB",
        _ => "SQLITE_FAILURE",
    };
    let kind =
        if matches!(code & 0xff, 11 | 26) { StorageErrorKind::Corrupt } else { StorageErrorKind::Guest };
    let text = text.unwrap_or_else(|| error.to_string());
    StorageError::new(kind, format!("{text}: {name}"))
}

fn mistake(text: impl Into<ByteString>) -> StorageError {
    StorageError::new(StorageErrorKind::Guest, text)
}
