//! The state of one object: its database, its alarm, its transactions.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::{
    Changes, Entropy, Image, ListOptions, Random, SqlRows, SqlValue, Storage, StorageError, StorageErrorKind,
    Turn, WallTime,
};
use rusqlite::Connection;

use super::bookmark;
use super::connect::connect;
use super::error::{from_sqlite, guest};
use super::file::{File, PAGE};
use super::guard::Guard;
use super::history::{HEADER, History, NoState, State};
use super::{kv, name, query};

/// Free pages are given back once there are so many of them, and more of them than of others.
const FREE_PAGES_MIN: usize = 16;

/// How many transactions may be open within each other.
const DEPTH_MAX: usize = 1000;

/// The storage of one object.
pub(super) struct Object {
    pub(super) file: Rc<RefCell<File>>,
    /// Made by the first call that needs it: many objects never touch their storage.
    connection: Option<Connection>,
    pub(super) guard: Arc<Guard>,
    pub(super) random: Random,
    pub(super) now: WallTime,
    /// Whether the table of keys is there, if that is known.
    pub(super) has_keys: Option<bool>,
    alarm: Option<WallTime>,
    /// The alarm at the last take.
    alarm_taken: Option<WallTime>,
    /// The alarm at the last state that can be gone back to.
    alarm_sealed: Option<WallTime>,
    history: History,
    /// What the object is called, until that is stored.
    name: Option<ByteString>,
    /// For each open transaction, the alarm when it began.
    transactions: Vec<Option<WallTime>>,
    /// SQLite has rolled back all open transactions on its own; what made it do so.
    undone: Option<ByteString>,
}

impl Object {
    pub(super) fn open(image: Option<&Image>, entropy: Entropy) -> Result<Object, StorageError> {
        let empty = Image::default();
        let image = image.unwrap_or(&empty);
        let corrupt = |message| StorageError::new(StorageErrorKind::Corrupt, message);
        let (mut history, mut file) = History::load(&image.bytes).ok_or_else(|| {
            let len = image.bytes.len();
            corrupt(format!(
                "the state of an object has {len} bytes, which are neither whole pages of {PAGE} nor {HEADER} more \
                 with a history: it was cut, or it was never one"
            ))
        })?;
        let mut alarm = image.alarm;
        if !history.go_back(&mut file, &mut alarm) {
            return Err(corrupt("the history of an object cannot be read".to_owned()));
        }
        Ok(Object {
            file: Rc::new(RefCell::new(file)),
            connection: None,
            guard: Arc::default(),
            random: entropy.derive("sql", 0).random(),
            now: WallTime(0),
            has_keys: None,
            alarm,
            alarm_taken: image.alarm,
            alarm_sealed: image.alarm,
            history,
            name: None,
            transactions: Vec::new(),
            undone: None,
        })
    }

    /// Whether there is nothing at all, so that reading needs no database.
    pub(super) fn is_empty(&self) -> bool {
        self.file.borrow().size() == 0 && self.transactions.is_empty()
    }

    /// The connection. Call [`Object::settle`] with what comes of its use.
    pub(super) fn connection(&mut self) -> Result<&Connection, StorageError> {
        if let Some(why) = &self.undone {
            return Err(guest(format!("the transaction was rolled back because of an earlier error: {why}")));
        }
        if self.connection.is_none() {
            self.connection = Some(connect(&self.file, &self.guard).map_err(from_sqlite)?);
        }
        Ok(self.connection.as_ref().expect("it was made above"))
    }

    /// Looks after a call whether SQLite has rolled back more than the call: `OR ROLLBACK`, a full
    /// database and an endless query take all open transactions with them.
    pub(super) fn settle<T>(&mut self, result: Result<T, StorageError>) -> Result<T, StorageError> {
        let Some(connection) = &self.connection else { return result };
        if connection.is_autocommit() && !self.transactions.is_empty() && self.undone.is_none() {
            let why = result.as_ref().err().map(|error| error.message.clone());
            self.undone = Some(why.unwrap_or_else(|| ByteString::from_static("ROLLBACK")));
            self.has_keys = None;
        }
        result
    }

    /// Runs a statement of our own.
    pub(super) fn run(&mut self, statement: &str) -> Result<(), StorageError> {
        let done =
            self.connection()?.prepare_cached(statement).and_then(|mut statement| statement.raw_execute());
        done.map(drop).map_err(from_sqlite)
    }

    /// Makes what has changed a state that can be gone back to.
    fn seal(&mut self) {
        let alarm = (self.alarm != self.alarm_sealed).then_some(self.alarm_sealed);
        self.history.seal(&mut self.file.borrow_mut(), alarm, self.now);
        self.alarm_sealed = self.alarm;
    }

    /// Before anything is done with states of before.
    fn require_history(&mut self) -> Result<(), StorageError> {
        if self.history.is_off {
            return Err(guest("the platform keeps no earlier states of this object"));
        }
        if !self.transactions.is_empty() {
            return Err(guest("bookmarks cannot be used within a transaction"));
        }
        self.seal();
        Ok(())
    }

    /// Gives back free pages if they are most of the file.
    fn shrink(&mut self) {
        let (pages, free) = self.file.borrow().free_pages();
        if free < FREE_PAGES_MIN || free * 2 < pages || !self.file.borrow().is_touched() {
            return;
        }
        if let Ok(connection) = self.connection() {
            // Each step gives back one page. If it fails nothing has changed but what it costs.
            let _ = connection.prepare_cached("PRAGMA incremental_vacuum").and_then(|mut statement| {
                let mut rows = statement.raw_query();
                while rows.next()?.is_some() {}
                Ok(())
            });
        }
    }
}

impl Storage for Object {
    fn begin_turn(&mut self, turn: &Turn) {
        self.now = turn.wall;
        if self.history.is_back() {
            self.seal();
        }
    }

    fn take_changes(&mut self) -> Option<Changes> {
        if !self.transactions.is_empty() {
            return None;
        }
        self.shrink();
        self.seal();
        let written = self.history.take(&mut self.file.borrow_mut(), self.now);
        let alarm = (self.alarm != self.alarm_taken).then_some(self.alarm);
        if written.is_none() && alarm.is_none() {
            return None;
        }
        self.alarm_taken = self.alarm;
        let (len, writes) = written.unwrap_or_else(|| (self.history.len(), Vec::new()));
        Some(Changes { len, writes, alarm })
    }

    fn get(&mut self, key: &str) -> Result<Option<Bytes>, StorageError> {
        kv::get(self, key)
    }

    fn put(&mut self, key: &str, value: &[u8]) -> Result<(), StorageError> {
        kv::put(self, key, value)
    }

    fn delete(&mut self, key: &str) -> Result<bool, StorageError> {
        kv::delete(self, key)
    }

    fn list(&mut self, options: &ListOptions) -> Result<Vec<(ByteString, Bytes)>, StorageError> {
        kv::list(self, options)
    }

    fn delete_all(&mut self) -> Result<(), StorageError> {
        if !self.transactions.is_empty() {
            return Err(guest("Cannot call deleteAll() within a transaction"));
        }
        self.connection = None;
        self.has_keys = None;
        self.file.borrow_mut().truncate(0);
        self.history.forget(&mut self.file.borrow_mut(), self.now);
        Ok(())
    }

    fn sql(&mut self, query: &str, bindings: &[SqlValue]) -> Result<SqlRows, StorageError> {
        query::run(self, query, bindings)
    }

    fn size(&mut self) -> u64 {
        // What an open transaction wrote is not in the file yet.
        if !self.transactions.is_empty()
            && let Ok(connection) = self.connection()
            && let Ok(pages) = connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0))
        {
            return pages.unsigned_abs() * PAGE as u64;
        }
        self.file.borrow().size()
    }

    fn begin(&mut self) -> Result<(), StorageError> {
        if self.transactions.len() >= DEPTH_MAX {
            return Err(guest(format!("transactions can be nested {DEPTH_MAX} deep at most")));
        }
        self.run("SAVEPOINT transaction_")?;
        self.transactions.push(self.alarm);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        if self.transactions.is_empty() {
            return Err(guest("no transaction is open"));
        }
        // On an error (a deferred foreign key that holds nothing) the transaction stays open.
        let released = self.run("RELEASE transaction_");
        if released.is_ok() {
            self.transactions.pop();
        }
        self.settle(released)
    }

    fn rollback(&mut self) -> Result<(), StorageError> {
        let Some(&alarm) = self.transactions.last() else {
            return Err(guest("no transaction is open"));
        };
        if self.undone.is_none() {
            self.run("ROLLBACK TO transaction_")?;
            self.run("RELEASE transaction_")?;
        }
        self.transactions.pop();
        if self.transactions.is_empty() {
            self.undone = None;
        }
        self.alarm = alarm;
        self.has_keys = None;
        Ok(())
    }

    fn depth(&self) -> u32 {
        self.transactions.len() as u32
    }

    fn alarm(&mut self) -> Result<Option<WallTime>, StorageError> {
        Ok(self.alarm)
    }

    fn set_alarm(&mut self, at: Option<WallTime>) -> Result<(), StorageError> {
        if at.is_some()
            && let Some(name) = self.name.take()
        {
            name::put(self, &name)?;
        }
        self.alarm = at;
        Ok(())
    }

    fn set_name(&mut self, name: ByteString) -> Result<(), StorageError> {
        // Whether it is stored already, `put` finds out: most objects never get so far.
        self.name = Some(name);
        Ok(())
    }

    fn name(&mut self) -> Result<Option<ByteString>, StorageError> {
        name::get(self)
    }

    fn keep_no_history(&mut self) {
        self.history.is_off = true;
    }

    fn bookmark(&mut self) -> Result<ByteString, StorageError> {
        self.require_history()?;
        Ok(bookmark::text(self.history.pin_newest()))
    }

    fn bookmark_for(&mut self, time: WallTime) -> Result<ByteString, StorageError> {
        self.require_history()?;
        if time > self.now {
            return Err(guest("this time is yet to come, and there is no bookmark for it"));
        }
        let found = self.history.pin_at(time, self.now);
        found.map(bookmark::text).map_err(|why| no_state("this time", why))
    }

    fn restore_next(&mut self, bookmark: &str) -> Result<ByteString, StorageError> {
        self.require_history()?;
        let state = bookmark::parse(bookmark).ok_or_else(|| {
            guest(format!(
                "\"{bookmark}\" is no bookmark: getCurrentBookmark() and getBookmarkForTime() give them"
            ))
        })?;
        let before = self.history.restore(state).map_err(|why| no_state("this bookmark", why))?;
        Ok(bookmark::text(before))
    }
}

/// Why nobody can go back to what this names.
fn no_state(what: &str, why: NoState) -> StorageError {
    guest(match why {
        NoState::Unknown => {
            format!("{what} is of no state of this object: was it another object that gave it out?")
        }
        NoState::Gone(State { time, .. }) => format!(
            "the state of {what} is no longer kept: states are kept for 30 days, fewer of them the older they are, \
             and none from before a deleteAll(). The oldest that is there is of {} ms since 1970",
            time.as_millis(),
        ),
    })
}
