//! One disk: its cache, its platter, and the operations of core's `Disk` with their faults.

use std::time::Duration;

use dacapo_core::{Decisions, DiskError, DiskErrorKind, Lane, NoteKind, Time};

use super::pending::{Pending, What};
use super::volume::{Change, FileId, Volume};
use super::{DiskOptions, Spent};
use crate::fault::{DiskFaults, DiskStrike};

/// The lanes of what happens on a disk without any fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskLanes {
    /// How long operations take.
    pub(crate) time: Lane,
    /// What a crash takes with it.
    pub(crate) crash: Lane,
}

impl DiskLanes {
    pub(crate) fn new(decisions: &mut Decisions) -> DiskLanes {
        DiskLanes { time: decisions.lane("disk.time"), crash: decisions.lane("disk.crash") }
    }
}

/// A disk.
pub(crate) struct Drive {
    pub(crate) name: String,
    pub(crate) options: DiskOptions,
    pub(crate) lanes: DiskLanes,
    pub(crate) faults: DiskFaults,
    /// What reads see.
    pub(crate) cache: Volume,
    /// What survives when the power fails.
    pub(crate) platter: Volume,
    /// What lies between the two.
    pub(crate) pending: Pending,
    /// How many lives of the node it has served: tells a handle from one of a process that is gone.
    pub(crate) handles: u64,
    /// How many operations it has done that change something.
    pub(crate) operations: u64,
    /// Its node crashes before the operation of this number takes effect, counted from 1.
    pub(crate) crash_before: Option<u64>,
    /// How much slower it is at present.
    pub(crate) slowness: f64,
    /// While it is full: what may be used.
    pub(crate) space_left_until: Option<u64>,
    /// It is lost until the next boot.
    pub(crate) is_gone: bool,
    /// Somebody was told that something on it is durable.
    pub(crate) is_relied_on: bool,
    pub(crate) notes: Vec<(NoteKind, String)>,
    files: u64,
    /// What each operation takes at least.
    pub(crate) moment: Duration,
    session: Option<Session>,
}

struct Session {
    decisions: Decisions,
    /// When everything so far has taken effect.
    clock: Time,
    /// When the present operation began.
    begun: Time,
    fails: bool,
    is_opening: bool,
    crash: Option<Time>,
}

impl Drive {
    pub(crate) fn new(name: &str, options: DiskOptions, lanes: DiskLanes, faults: DiskFaults) -> Drive {
        let volume = Volume::new(u64::from(options.sector.max(1)));
        Drive {
            name: name.to_owned(),
            options,
            lanes,
            faults,
            cache: volume.clone(),
            platter: volume,
            pending: Pending::default(),
            handles: 0,
            operations: 0,
            crash_before: None,
            slowness: 1.0,
            space_left_until: None,
            is_gone: false,
            is_relied_on: false,
            notes: Vec::new(),
            files: 0,
            moment: Duration::from_micros(1),
            session: None,
        }
    }

    pub(crate) fn begin(&mut self, decisions: Decisions, now: Time, fails: bool, is_opening: bool) {
        self.pending.settle(now, &mut self.platter);
        self.session = Some(Session { decisions, clock: now, begun: now, fails, is_opening, crash: None });
    }

    pub(crate) fn end(&mut self) -> (Decisions, Spent) {
        let session = self.session.take().expect("the disk was in use");
        let notes = std::mem::take(&mut self.notes);
        (session.decisions, Spent { until: session.clock, crash: session.crash, notes })
    }

    pub(crate) fn is_in_use(&self) -> bool {
        self.session.is_some()
    }

    pub(crate) fn clock(&self) -> Time {
        self.session.as_ref().map_or(Time::ZERO, |session| session.clock)
    }

    fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("a disk is used within a session")
    }

    pub(crate) fn decisions(&mut self) -> &mut Decisions {
        &mut self.session().decisions
    }

    pub(crate) fn choose(&mut self, lane: Lane, what: &'static str, range: u64) -> u64 {
        self.decisions().choose(lane, what, range)
    }

    /// Whether a fault strikes now; one that `spares_opening` does not while a store opens.
    pub(crate) fn hits(&mut self, strike: &DiskStrike, spares_opening: bool) -> bool {
        let session = self.session();
        if !session.fails || spares_opening && session.is_opening {
            return false;
        }
        session.decisions.chance(strike.lane, "hit", strike.rate)
    }

    pub(crate) fn note(&mut self, text: String) {
        self.notes.push((NoteKind::Fault, text));
    }

    /// Lets so much time pass: the operation that now begins takes effect at its end.
    pub(crate) fn pass(&mut self, cost: Duration) {
        let session = self.session();
        session.begun = session.clock;
        session.clock = session.clock + cost;
    }

    pub(crate) fn error(&self, kind: DiskErrorKind, file: &str, offset: u64, why: &str) -> DiskError {
        let message = if why.is_empty() { String::new() } else { format!("disk of {}: {why}", self.name) };
        DiskError { kind, file: file.into(), offset, message: message.into() }
    }

    /// The disk has a crash point here: its owner learns when.
    fn count(&mut self) {
        self.operations += 1;
        if self.crash_before == Some(self.operations) {
            let session = self.session();
            session.crash = Some(session.clock - Duration::from_nanos(1));
        }
    }

    fn check_there(&self, file: &str, offset: u64) -> Result<(), DiskError> {
        match self.is_gone {
            true => Err(self.error(DiskErrorKind::Gone, file, offset, "it is lost")),
            false => Ok(()),
        }
    }

    /// Does something to the cache, and remembers it.
    fn make(&mut self, change: Change) {
        self.cache.apply(&change);
        let frees = matches!(change, Change::Rename(..) | Change::Remove(..));
        let session = self.session();
        let (begun, at) = (session.begun, session.clock);
        self.pending.push(begun, at, What::Change(change));
        if frees {
            self.cache.forget_nameless();
        }
    }

    fn find_or_create(&mut self, file: &str) -> FileId {
        if let Some(found) = self.cache.find(file) {
            return found;
        }
        self.files += 1;
        let id = FileId(self.files);
        self.make(Change::Create(file.to_owned(), id));
        id
    }

    /// Whether a read or write fails (EIO).
    fn fails(&mut self, what: &str, file: &str, offset: u64) -> bool {
        let Some(eio) = self.faults.eio.clone() else { return false };
        let fails = self.hits(&eio, false);
        if fails {
            self.note(format!("disk.eio {} {what} {file} at {offset}", self.name));
        }
        fails
    }

    /// How long a file of `len` bytes may become.
    fn room(&self, len: u64) -> u64 {
        let size = u64::from(self.options.sector);
        let limit = self.space_left_until.unwrap_or(u64::MAX).min(self.options.space);
        let allocated = len.div_ceil(size) * size;
        allocated + limit.saturating_sub(self.cache.used()) / size * size
    }

    fn full(&mut self, file: &str, offset: u64) -> DiskError {
        if self.space_left_until.is_some() {
            self.note(format!("disk.full {} write {file} at {offset}", self.name));
        }
        self.error(DiskErrorKind::Full, file, offset, "")
    }

    pub(crate) fn len(&mut self, file: &str) -> Result<Option<u64>, DiskError> {
        self.spend("len", self.options.name);
        self.check_there(file, 0)?;
        Ok(self.cache.find(file).map(|id| self.cache.len(id)))
    }

    pub(crate) fn list(&mut self) -> Result<Vec<String>, DiskError> {
        self.spend("list", self.options.name);
        self.check_there("", 0)?;
        Ok(self.cache.names.keys().cloned().collect())
    }

    pub(crate) fn read_at(&mut self, file: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let cost = self.read_cost(buffer.len() as u64);
        self.spend("read", cost);
        self.check_there(file, offset)?;
        let Some(id) = self.cache.find(file) else {
            return Err(self.error(DiskErrorKind::Missing, file, offset, ""));
        };
        if self.fails("read", file, offset) {
            return Err(self.error(DiskErrorKind::Io, file, offset, "read"));
        }
        let mut got = self.cache.read(id, offset, buffer);
        if got > 1
            && let Some(short) = self.faults.short_read.clone()
            && self.hits(&short, false)
        {
            let all = got;
            got -= 1 + self.choose(short.lane, "missing", got as u64 - 1) as usize;
            self.note(format!("disk.short_read {} {file} at {offset}: {got} of {all} bytes", self.name));
        }
        self.damage_read(file, id, offset, &mut buffer[..got]);
        Ok(got)
    }

    pub(crate) fn write_at(&mut self, file: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let cost = self.options.write + self.transfer(bytes.len() as u64);
        self.spend("write", cost);
        self.count();
        self.check_there(file, offset)?;
        let end = offset.checked_add(bytes.len() as u64);
        let id = self.find_or_create(file);
        let offset = self.misdirect_write(file, id, offset);
        if self.fails("write", file, offset) {
            // A part of it may have been written: low choices mean most of it.
            let eio = self.faults.eio.as_ref().map_or(self.lanes.crash, |eio| eio.lane);
            let part = bytes.len() as u64 - self.choose(eio, "missing", bytes.len() as u64 + 1);
            self.write_part(id, offset, &bytes[..part as usize]);
            return Err(self.error(DiskErrorKind::Io, file, offset, "write"));
        }
        let room = self.room(self.cache.len(id));
        if end.is_none_or(|end| end > room) {
            let fits = room.saturating_sub(offset).min(bytes.len() as u64);
            self.write_part(id, offset, &bytes[..fits as usize]);
            return Err(self.full(file, offset));
        }
        self.write_part(id, offset, bytes);
        Ok(())
    }

    fn write_part(&mut self, id: FileId, offset: u64, bytes: &[u8]) {
        let room = self.room(self.cache.len(id)).saturating_sub(offset).min(bytes.len() as u64);
        if room > 0 {
            let change = self.cache.write(id, offset, &bytes[..room as usize]);
            self.make(change);
        }
    }

    pub(crate) fn sync(&mut self, file: &str) -> Result<(), DiskError> {
        let id = self.cache.find(file);
        let bytes = id.map_or(0, |id| self.pending.dirty_bytes(id, u64::from(self.options.sector)));
        let lie = self.faults.lying_sync.clone().filter(|_| !self.is_gone);
        let lie = lie.filter(|lie| self.hits(lie, false));
        let cost = if lie.is_some() { self.options.name } else { self.sync_cost(bytes) };
        self.spend("sync", cost);
        self.count();
        self.check_there(file, 0)?;
        if let Some(lie) = lie {
            self.note(format!("disk.lying_sync {} {file}, {bytes} bytes", self.name));
            if lie.is_beyond {
                return Ok(());
            }
        } else if let Some(eio) = self.faults.eio_sync.clone()
            && self.hits(&eio, false)
        {
            self.note(format!("disk.eio {} sync {file}", self.name));
            self.fail_sync(file, id, eio.lane);
            return Err(self.error(DiskErrorKind::Io, file, 0, "sync"));
        }
        let session = self.session();
        let (begun, at) = (session.begun, session.clock);
        self.pending.push(begun, at, What::Sync(file.to_owned(), id));
        Ok(())
    }

    /// A sync fails: everything was written all the same, or only the first of it; the cache
    /// counts the rest as clean, and no later sync writes it.
    fn fail_sync(&mut self, file: &str, id: Option<FileId>, lane: Lane) {
        let now = self.clock();
        let Some(id) = id else { return };
        let count = self.pending.dirty(id).count() as u64;
        let lost = self.choose(lane, "missing", count + 1);
        for op in self.pending.dirty(id).skip((count - lost) as usize) {
            op.is_orphan = true;
        }
        self.pending.push(now, now, What::Sync(file.to_owned(), Some(id)));
    }

    pub(crate) fn truncate(&mut self, file: &str, len: u64) -> Result<(), DiskError> {
        self.spend("truncate", self.options.name);
        self.count();
        self.check_there(file, len)?;
        let Some(id) = self.cache.find(file) else {
            return Err(self.error(DiskErrorKind::Missing, file, len, ""));
        };
        if len > self.room(self.cache.len(id)) {
            return Err(self.full(file, len));
        }
        self.make(Change::Truncate { file: id, len });
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.spend("rename", self.options.name);
        self.count();
        self.check_there(from, 0)?;
        let Some(id) = self.cache.find(from) else {
            return Err(self.error(DiskErrorKind::Missing, from, 0, ""));
        };
        if from != to {
            self.make(Change::Rename(from.to_owned(), to.to_owned(), id));
        }
        Ok(())
    }

    pub(crate) fn remove(&mut self, file: &str) -> Result<(), DiskError> {
        self.spend("remove", self.options.name);
        self.count();
        self.check_there(file, 0)?;
        if let Some(id) = self.cache.find(file) {
            self.make(Change::Remove(file.to_owned(), id));
        }
        Ok(())
    }

    /// The whole disk is gone, with everything on it.
    pub(crate) fn lose(&mut self) {
        self.is_gone = true;
    }

    /// The node boots: a disk that was lost has been replaced by an empty one.
    pub(crate) fn replace_if_lost(&mut self) -> bool {
        if !self.is_gone {
            return false;
        }
        let volume = Volume::new(u64::from(self.options.sector));
        self.cache = volume.clone();
        self.platter = volume;
        self.pending = Pending::default();
        self.is_gone = false;
        self.is_relied_on = false;
        true
    }
}
