//! The states of all objects of a node, as a log of changes.
//!
//! The disk holds *segments*, files that only grow. A record is a change of one object's state, or
//! a whole state; the records of one commit form a *batch*, which counts if all of it is there. In
//! memory there is only where the records of each object stand. Whoever wants a state reads the last
//! whole one and makes the changes that follow; once those cost as much as the whole, a whole one is
//! written again.
//!
//! Why not an engine that exists: `docs/decisions/0003-log-of-objects.md`.

mod clean;
mod file;
mod loss;
mod open;
mod read;
mod record;
mod scan;
mod segment;
mod trail;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use dacapo_core::{
    Alarms, Changes, Disk, DiskError, DiskErrorKind, Image, ObjectKey, ObjectStore, StorageError,
    StorageErrorKind, WallTime,
};

use record::{Kind, Place, Record};
pub(crate) use record::{put_alarm, take_alarm};
use segment::{HEADER, Segment};
use trail::Recent;

/// A change costs its bytes and this much, for finding it, whenever a state is read.
const CHANGE_COST: u64 = 1024;

/// Changes that cost less than that together are no reason to write a whole state again.
const CHANGES_MIN: u64 = 64 << 10;

/// A segment that has become so long is closed. Small ones are opened and removed all the time, large
/// ones are read for long after a crash.
const SEGMENT_MAX: u64 = 4 << 20;

/// The states of the objects of a node.
pub struct Store {
    disk: Box<dyn Disk>,
    objects: BTreeMap<ObjectKey, Entry>,
    /// The segments by their numbers.
    segments: BTreeMap<u32, Segment>,
    /// The one that is written to. A full disk may have had no room for it yet.
    head: u32,
    /// The number of the next batch. Never used twice, so that what is left of a batch that failed
    /// is not taken for part of a later one.
    next_batch: u64,
    /// Records of this many bytes are still of use.
    live: u64,
    /// After a sync that failed nobody knows what the disk has, and no second sync can tell.
    poisoned: Option<StorageError>,
    /// Damage of which it is not known whose records it hit.
    anonymous: Option<Damage>,
    /// Damage to records of objects of which nothing else is there, by the digests of their keys.
    strangers: BTreeMap<u32, Damage>,
    /// While opening: damage of which it is not known yet whether records are lost by it.
    pending: Option<Damage>,
    /// The end of the log.
    recent: Recent,
    /// Where the cleaner goes on: in which segment, after which object.
    cleaned_to: Option<(u32, ObjectKey)>,
    segment_max: u64,
}

/// Where the records of an object are.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// The last whole state, which the first record is, too; `None`: it is lost.
    image: Option<Place>,
    /// The changes since.
    changes: Vec<Place>,
    /// The bytes of those.
    changed: u64,
    /// The number of the last record of this object.
    seq: u64,
    alarm: Option<WallTime>,
    /// A record of it is lost.
    damage: Option<Damage>,
}

impl Entry {
    fn places(&self) -> impl Iterator<Item = &Place> {
        self.image.iter().chain(&self.changes)
    }

    fn size(&self) -> u64 {
        self.image.map_or(0, |image| image.size()) + self.changed
    }

    /// Whether reading the changes costs more than the whole state would.
    fn is_worn(&self) -> bool {
        let cost = self.changes.len() as u64 * CHANGE_COST + self.changed;
        cost >= self.image.map_or(0, |image| image.size()).max(CHANGES_MIN)
    }
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// In which file.
    pub file: String,
    /// Where in it, in bytes.
    pub offset: u64,
    /// The object whose state it was, if that can be told.
    pub object: Option<ObjectKey>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged at byte {}", self.file, self.offset)?;
        match &self.object {
            Some(key) => write!(f, ": part of the state of {key}"),
            None => f.write_str(": it cannot be told which object that was"),
        }
    }
}

impl Store {
    /// Opens the store on a disk, which may be empty, and says which alarms are set.
    ///
    /// # Errors
    /// `Newer` if a newer version wrote it; `Disk` or `Full` if the disk fails. Damage is no error
    /// here: the objects that it hit cannot be loaded, the others can.
    pub fn open(disk: Box<dyn Disk>) -> Result<(Store, Vec<(ObjectKey, WallTime)>), StorageError> {
        Store::open_with(disk, SEGMENT_MAX)
    }

    /// The same with segments of another length, for tests.
    pub fn open_with(
        disk: Box<dyn Disk>,
        segment_max: u64,
    ) -> Result<(Store, Vec<(ObjectKey, WallTime)>), StorageError> {
        let mut store = Store {
            disk,
            objects: BTreeMap::new(),
            segments: BTreeMap::new(),
            head: 1,
            next_batch: 1,
            live: 0,
            poisoned: None,
            anonymous: None,
            strangers: BTreeMap::new(),
            pending: None,
            recent: Recent::default(),
            cleaned_to: None,
            segment_max,
        };
        store.recover()?;
        let alarms = store.objects.iter().filter_map(|(key, entry)| Some((key.clone(), entry.alarm?)));
        let alarms = alarms.collect();
        Ok((store, alarms))
    }

    /// The state of an object; `None` if nothing was ever stored of it.
    ///
    /// # Errors
    /// `Corrupt` if what is read back is not what was written, `Disk` if it cannot be read.
    pub fn load(&mut self, key: &ObjectKey) -> Result<Option<Image>, StorageError> {
        if let Some(damage) = self.damage_of(key) {
            return Err(corrupt(damage));
        }
        let Some(entry) = self.objects.get(key) else { return Ok(None) };
        let (places, alarm): (Vec<Place>, _) = (entry.places().copied().collect(), entry.alarm);
        let bytes = self.read_state(key, &places)?;
        Ok(Some(Image { bytes: bytes.into(), alarm }))
    }

    /// Makes changes durable: all of them or none, with one sync.
    ///
    /// # Errors
    /// `Full`: nothing was changed, and it can be tried again. `Disk`: the disk failed; after a
    /// failed sync every later commit is refused, and the store must be opened again. `Guest` and
    /// `Corrupt`: what the changes make could not be read back.
    pub fn commit(&mut self, batch: &[(ObjectKey, Changes)]) -> Result<(), StorageError> {
        if batch.is_empty() {
            return Ok(());
        }
        let records = self.records_of(batch)?;
        self.append(records)?;
        // What follows is upkeep: it fails without harm to this commit, and is tried again with the
        // next one.
        let _ = self.keep_up();
        Ok(())
    }

    /// Removes the states of these objects: all of them or none, with one sync.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn remove(&mut self, keys: &[ObjectKey]) -> Result<(), StorageError> {
        let keys: BTreeSet<&ObjectKey> = keys.iter().collect();
        let gone = |key: &ObjectKey| {
            let seq = self.objects.get(key)?.seq + 1;
            Some(Record { key: key.clone(), seq, kind: Kind::Gone })
        };
        let records: Vec<Record> = keys.into_iter().filter_map(gone).collect();
        if records.is_empty() {
            return Ok(());
        }
        self.append(records)?;
        // As after a commit: what becomes free is upkeep.
        let _ = self.keep_up();
        Ok(())
    }

    /// How many objects have a state.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether no object has a state.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The objects that have a state, in order.
    pub fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.objects.keys()
    }

    /// Reads everything, and tells what is not as it was written.
    ///
    /// # Errors
    /// `Disk` if the disk cannot be read.
    pub fn check(&mut self) -> Result<Vec<Damage>, StorageError> {
        let numbers: Vec<u32> = self.segments.keys().copied().collect();
        let mut found = Vec::new();
        let mut before = None;
        for &number in &numbers {
            if let Some(before) = before.filter(|before| before + 1 != number) {
                found.push(Damage { file: file::name(before + 1), offset: 0, object: None });
            }
            before = Some(number);
            let file = file::name(number);
            let end = self.segments[&number].end;
            let len = self.disk.len(&file).map_err(storage)?.unwrap_or(0);
            let scan = self.scan(number)?;
            found.extend(scan.damages().filter(|damage| damage.offset < end));
            let is_closed = len > end && number != self.head;
            if is_closed && self.read_index(number, len)?.is_none() {
                found.push(Damage { file, offset: end, object: None });
            }
        }
        Ok(found)
    }
}

impl ObjectStore for Store {
    fn load(&mut self, key: &ObjectKey) -> Result<Option<Image>, StorageError> {
        Store::load(self, key)
    }

    fn commit(&mut self, changes: &[(ObjectKey, Changes)]) -> Result<(), StorageError> {
        Store::commit(self, changes)
    }
}

/// Opens the store on a disk: what a world calls when a node boots.
///
/// # Errors
/// As [`Store::open`].
pub fn open_store(disk: Box<dyn Disk>) -> Result<(Box<dyn ObjectStore>, Alarms), StorageError> {
    Store::open(disk).map(|(store, alarms)| (Box::new(store) as Box<dyn ObjectStore>, alarms))
}

fn corrupt(damage: &Damage) -> StorageError {
    StorageError::new(StorageErrorKind::Corrupt, damage.to_string())
}

/// What a failure of the disk is for whoever uses the store.
fn storage(error: DiskError) -> StorageError {
    let kind = match error.kind {
        DiskErrorKind::Full => StorageErrorKind::Full,
        DiskErrorKind::Io | DiskErrorKind::Missing | DiskErrorKind::Gone => StorageErrorKind::Disk,
    };
    StorageError::new(kind, error.to_string())
}

/// The end of the header of a segment: where its first record stands.
const FIRST: u64 = HEADER as u64;
