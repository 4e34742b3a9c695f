//! The states of all objects of a node, as a log of changes.
//!
//! The disk holds *segments*, files that only grow. A record is a change of one object's state, or
//! a whole state; the records of one commit form a *batch*, which counts if all of it is there. In
//! memory there is only where the records of each object stand. Whoever wants a state reads the last
//! whole one and makes the changes that follow; after many of them a whole one is written again.
//!
//! Why not an engine that exists: `docs/decisions/0003-log-of-objects.md`.

mod clean;
mod file;
mod open;
mod record;
mod segment;

use std::collections::BTreeMap;
use std::fmt;

use dacapo_core::{
    Alarms, Changes, Disk, DiskError, DiskErrorKind, Image, ObjectKey, ObjectStore, StorageError,
    StorageErrorKind, WallTime,
};

use record::{Kind, Place, Record};
use segment::{HEADER, Segment};

/// After so many changes the next commit of an object writes its whole state.
const CHANGES_MAX: usize = 64;

/// A segment that has become so long is closed. Small ones are opened and removed all the time, large
/// ones are read for long after a crash.
const SEGMENT_MAX: u64 = 4 << 20;

/// The states of the objects of a node.
pub struct Store {
    disk: Box<dyn Disk>,
    objects: BTreeMap<ObjectKey, Entry>,
    /// The segments by their numbers; the last one is written to.
    segments: BTreeMap<u32, Segment>,
    /// The number of the next batch. Never used twice, so that what is left of a batch that failed
    /// is not taken for part of a later one.
    next_batch: u64,
    /// Records of this many bytes are still of use.
    live: u64,
    /// After a sync that failed nobody knows what the disk has, and no second sync can tell.
    poisoned: Option<StorageError>,
    /// Damage that hit the name of an object, so that it is not known which.
    anonymous: Option<Damage>,
    /// Where the cleaner goes on.
    cleaned_to: Option<ObjectKey>,
    segment_max: u64,
}

/// Where the records of an object are.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// The last whole state; `None`: it began empty.
    image: Option<Place>,
    /// The changes since.
    changes: Vec<Place>,
    /// The number of the last record.
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
        self.places().map(|place| place.size()).sum()
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
            next_batch: 1,
            live: 0,
            poisoned: None,
            anonymous: None,
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
        let Some(entry) = self.objects.get(key) else {
            // It may have been this object's only record that was hit.
            return self.anonymous.as_ref().map_or(Ok(None), |damage| Err(corrupt(damage)));
        };
        let entry = entry.clone();
        if let Some(damage) = &entry.damage {
            return Err(corrupt(damage));
        }
        let mut bytes = Vec::new();
        for place in entry.places() {
            let record = self.read(key, place)?;
            record.apply(&mut bytes);
        }
        Ok(Some(Image { bytes: bytes.into(), alarm: entry.alarm }))
    }

    /// Makes changes durable: all of them or none, with one sync.
    ///
    /// # Errors
    /// `Full`: nothing was changed, and it can be tried again. `Disk`: the disk failed; after a
    /// failed sync every later commit is refused, and the store must be opened again.
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

    /// Removes the state of an object.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn remove(&mut self, key: &ObjectKey) -> Result<(), StorageError> {
        let Some(entry) = self.objects.get(key) else { return Ok(()) };
        let seq = entry.seq + 1;
        self.append(vec![Record { key: key.clone(), seq, kind: Kind::Gone }])
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
        for number in numbers {
            let scan = self.scan(number)?;
            let end = self.segments[&number].end;
            found.extend(scan.damages().filter(|damage| damage.offset < end));
        }
        Ok(found)
    }

    /// The records of a batch. An object with many changes gets a whole state again.
    fn records_of(&mut self, batch: &[(ObjectKey, Changes)]) -> Result<Vec<Record>, StorageError> {
        let mut records: Vec<Record> = Vec::with_capacity(batch.len());
        let mut seqs: BTreeMap<&ObjectKey, u64> = BTreeMap::new();
        for (key, changes) in batch {
            let entry = self.objects.get(key);
            let is_first = !seqs.contains_key(key);
            let seq = seqs.entry(key).or_insert_with(|| entry.map_or(0, |entry| entry.seq));
            *seq += 1;
            let seq = *seq;
            let has_many = entry.is_some_and(|entry| entry.changes.len() >= CHANGES_MAX);
            let kind = if is_first && has_many {
                // If it cannot be read, that is for the next load to tell.
                match self.load(key) {
                    Ok(image) => {
                        let image = image.unwrap_or_default();
                        let mut bytes = image.bytes.to_vec();
                        changes.apply(&mut bytes);
                        let alarm = changes.alarm.unwrap_or(image.alarm);
                        Kind::Image(Image { bytes: bytes.into(), alarm })
                    }
                    Err(_) => Kind::Changes(changes.clone()),
                }
            } else {
                Kind::Changes(changes.clone())
            };
            records.push(Record { key: key.clone(), seq, kind });
        }
        Ok(records)
    }

    /// Writes records as one batch, and waits until they are durable.
    fn append(&mut self, records: Vec<Record>) -> Result<(), StorageError> {
        if let Some(error) = &self.poisoned {
            return Err(error.clone());
        }
        let (&number, segment) = self.segments.last_key_value().expect("an open store has a segment");
        let (start, batch) = (segment.end, self.next_batch);
        let mut bytes = Vec::new();
        let mut places = Vec::with_capacity(records.len());
        for (at, record) in records.iter().enumerate() {
            let offset = start + bytes.len() as u64;
            let is_last = at + 1 == records.len();
            places.push(record.encode(number, offset, batch, is_last, &mut bytes));
        }
        self.next_batch += 1;
        let file = file::name(number);
        if let Err(error) = self.disk.write_at(&file, start, &bytes) {
            // What is left of it has a batch number that is never used again.
            let _ = self.disk.truncate(&file, start);
            return Err(storage(error));
        }
        self.sync(&file)?;
        self.segments.get_mut(&number).expect("just seen").end = start + bytes.len() as u64;
        for (record, place) in records.into_iter().zip(places) {
            self.note(record, place);
        }
        Ok(())
    }

    fn sync(&mut self, file: &str) -> Result<(), StorageError> {
        self.disk.sync(file).map_err(|error| {
            let message = format!("{error}; nothing more is written until the node has started anew");
            let error = StorageError::new(StorageErrorKind::Disk, message);
            self.poisoned = Some(error.clone());
            error
        })
    }

    /// A record counts from now on.
    fn note(&mut self, record: Record, place: Place) {
        let Record { key, seq, kind } = record;
        if let Some(segment) = self.segments.get_mut(&place.segment) {
            segment.index.push((key.clone(), kind.summary(seq), place));
        }
        self.take_in(key, kind.summary(seq), place);
    }

    /// Moves the head of the log on if it has become long, and makes room.
    fn keep_up(&mut self) -> Result<(), StorageError> {
        let (_, segment) = self.segments.last_key_value().expect("an open store has a segment");
        if segment.end >= self.segment_max {
            self.seal()?;
        }
        self.clean()
    }

    fn read(&mut self, key: &ObjectKey, place: &Place) -> Result<Record, StorageError> {
        let file = file::name(place.segment);
        let bytes = file::read_exact(&mut *self.disk, &file, place.offset, place.size() as usize)?;
        let found = bytes.as_deref().and_then(|bytes| Record::decode(place.segment, place.offset, bytes));
        match found {
            Some((record, _)) if record.key == *key => Ok(record),
            _ => Err(corrupt(&Damage { file, offset: place.offset, object: Some(key.clone()) })),
        }
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
