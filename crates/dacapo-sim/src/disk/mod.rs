//! The simulated disk of a node: files of sectors, a cache in front of them, what each operation
//! costs, and what goes wrong.
//!
//! Every operation returns at once and has a time at which it takes effect; the disk adds the
//! times up. Who uses it (`store.rs`) lets that much time pass before anybody hears of the
//! result. So a crash at any moment is a matter of looking at the list: what had taken effect by
//! then, and what of it a sync had made durable.

mod atlas;
mod crash;
mod drive;
mod latency;
mod pending;
mod volume;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::{Decisions, Disk, DiskError, NoteKind, Time};

pub(crate) use self::drive::{DiskLanes, Drive};
pub(crate) use self::latency::no_decisions;

/// What the disks of a run are like.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskOptions {
    /// What is written whole or not at all, in bytes.
    pub sector: u32,
    /// How much fits on a disk, in bytes.
    pub space: u64,
    /// What a read costs, on top of its bytes.
    pub read: Duration,
    /// What a write costs, on top of its bytes: it goes to a cache.
    pub write: Duration,
    /// What an operation on names costs.
    pub name: Duration,
    /// What a sync costs at least; as much again comes on top on average, and one in a hundred
    /// takes [`DiskOptions::sync_tail`] more on average.
    pub sync: Duration,
    /// How slow a slow sync is.
    pub sync_tail: Duration,
    /// How fast bytes come and go.
    pub bytes_per_second: u64,
}

impl Default for DiskOptions {
    fn default() -> DiskOptions {
        DiskOptions {
            sector: 512,
            space: 1 << 30,
            read: Duration::from_micros(80),
            write: Duration::from_micros(5),
            name: Duration::from_micros(20),
            sync: Duration::from_micros(250),
            sync_tail: Duration::from_millis(10),
            bytes_per_second: 1_000_000_000,
        }
    }
}

impl DiskOptions {
    /// The same disk, as quick as can be.
    pub(crate) fn without_costs(&self) -> DiskOptions {
        let none = Duration::ZERO;
        DiskOptions {
            read: none,
            write: none,
            name: none,
            sync: none,
            sync_tail: none,
            bytes_per_second: u64::MAX,
            ..self.clone()
        }
    }
}

/// A disk as its owner sees it: the owner lets time pass and nodes crash.
#[derive(Clone)]
pub(crate) struct SimDisk(pub(crate) Rc<RefCell<Drive>>);

/// The part of a session that its user needs afterwards.
pub(crate) struct Spent {
    /// When everything that was asked for has taken effect.
    pub(crate) until: Time,
    /// The operation before which the node crashes was among them: when that is.
    pub(crate) crash: Option<Time>,
    /// What went wrong, for people.
    pub(crate) notes: Vec<(NoteKind, String)>,
}

impl SimDisk {
    pub(crate) fn new(drive: Drive) -> SimDisk {
        SimDisk(Rc::new(RefCell::new(drive)))
    }

    /// The disk for whoever runs on the node now. It stops working when the node crashes.
    pub(crate) fn handle(&self) -> Box<dyn Disk> {
        Box::new(Handle { drive: Rc::clone(&self.0), number: self.0.borrow().handles })
    }

    /// From `now` on the disk may be used, until [`SimDisk::end`]. It draws from the decisions, which are
    /// given back then.
    pub(crate) fn begin(&self, decisions: Decisions, now: Time, fails: bool, is_opening: bool) {
        self.0.borrow_mut().begin(decisions, now, fails, is_opening);
    }

    /// When what was asked for so far has taken effect.
    pub(crate) fn clock(&self) -> Time {
        self.0.borrow().clock()
    }

    /// The disk is used no more.
    pub(crate) fn end(&self) -> (Decisions, Spent) {
        self.0.borrow_mut().end()
    }
}

struct Handle {
    drive: Rc<RefCell<Drive>>,
    number: u64,
}

impl Handle {
    fn with<T>(
        &mut self,
        file: &str,
        run: impl FnOnce(&mut Drive) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let mut drive = self.drive.borrow_mut();
        if drive.handles != self.number || !drive.is_in_use() {
            return Err(drive.error(dacapo_core::DiskErrorKind::Gone, file, 0, "its process has ended"));
        }
        run(&mut drive)
    }
}

impl Disk for Handle {
    fn len(&mut self, file: &str) -> Result<Option<u64>, DiskError> {
        self.with(file, |drive| drive.len(file))
    }

    fn read_at(&mut self, file: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        self.with(file, |drive| drive.read_at(file, offset, buffer))
    }

    fn write_at(&mut self, file: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.with(file, |drive| drive.write_at(file, offset, bytes))
    }

    fn sync(&mut self, file: &str) -> Result<(), DiskError> {
        self.with(file, |drive| drive.sync(file))
    }

    fn truncate(&mut self, file: &str, len: u64) -> Result<(), DiskError> {
        self.with(file, |drive| drive.truncate(file, len))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.with(from, |drive| drive.rename(from, to))
    }

    fn remove(&mut self, file: &str) -> Result<(), DiskError> {
        self.with(file, |drive| drive.remove(file))
    }

    fn list(&mut self) -> Result<Vec<String>, DiskError> {
        self.with("", Drive::list)
    }
}
