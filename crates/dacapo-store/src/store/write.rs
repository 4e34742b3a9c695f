//! Writing: changes become records, records a batch, and a batch one write and one sync.

use std::collections::BTreeMap;

use dacapo_core::{Changes, ObjectKey, StorageError, StorageErrorKind};

use super::record::{self, Kind, Place, Position, Record};
use super::{Entry, Store, corrupt, file, storage};

/// Whole states that one commit may write besides what it was asked for: so many, or one for so many
/// of its changes, and no more once they hold so many bytes.
const WHOLE_MAX: usize = 16;
const WHOLE_SHARE: usize = 32;
const WHOLE_BYTES: u64 = 1 << 20;

impl Store {
    /// The records of a batch. Some objects with many changes get a whole state again.
    pub(super) fn records_of(&mut self, batch: &[(ObjectKey, Changes)]) -> Result<Vec<Record>, StorageError> {
        let mut records: Vec<Record> = Vec::with_capacity(batch.len());
        let mut seqs: BTreeMap<&ObjectKey, u64> = BTreeMap::new();
        let mut whole_left = WHOLE_MAX.max(batch.len() / WHOLE_SHARE);
        let mut whole_bytes = 0;
        for (key, changes) in batch {
            self.require_readable(key, changes)?;
            let entry = self.objects.get(key);
            let is_first = !seqs.contains_key(key);
            let seq = seqs.entry(key).or_insert_with(|| entry.map_or(0, |entry| entry.seq));
            *seq += 1;
            let seq = *seq;
            let is_new = seq == 1;
            let is_worn = is_first && entry.is_some_and(Entry::is_worn);
            let mut kind = if is_new { Kind::first(changes) } else { Kind::Changes(changes.clone()) };
            if is_worn && whole_left > 0 && whole_bytes < WHOLE_BYTES {
                whole_left -= 1;
                // If it cannot be read, that is for the next load to tell.
                if let Ok(image) = self.load(key) {
                    let image = image.unwrap_or_default();
                    let mut bytes: Vec<u8> = image.bytes.into();
                    changes.apply(&mut bytes);
                    whole_bytes += bytes.len() as u64;
                    kind = Kind::whole(&bytes.into(), changes.alarm.unwrap_or(image.alarm));
                }
            }
            records.push(Record { key: key.clone(), seq, kind });
        }
        Ok(records)
    }

    /// Refuses what nobody could read back once it is acknowledged.
    fn require_readable(&self, key: &ObjectKey, changes: &Changes) -> Result<(), StorageError> {
        if let Some(why) = record::unreadable(key, changes) {
            let message = format!("a change of {key} cannot be stored: {why}");
            return Err(StorageError::new(StorageErrorKind::Guest, message));
        }
        self.damage_of(key).map_or(Ok(()), |damage| Err(corrupt(damage)))
    }

    /// Writes records as one batch, and waits until they are durable.
    pub(super) fn append(&mut self, records: Vec<Record>) -> Result<(), StorageError> {
        if let Some(error) = &self.poisoned {
            return Err(error.clone());
        }
        let (segment, start) = self.open_segment()?;
        let mut recent = self.recent.clone();
        let mut bytes = Vec::new();
        let mut places = Vec::with_capacity(records.len());
        for (at, record) in records.iter().enumerate() {
            let offset = start + bytes.len() as u64;
            let position = Position {
                batch: self.next_batch,
                is_first: at == 0,
                is_last: at + 1 == records.len(),
                number: recent.next(),
                trail: recent.trail(offset),
            };
            let place = record.encode(segment, offset, &position, &mut bytes);
            recent.push(&record.key, &place);
            places.push(place);
        }
        self.next_batch += 1;
        let file = file::name(segment);
        if let Err(error) = self.disk.write_at(&file, start, &bytes) {
            // What is left of it has a batch number that is never used again.
            let _ = self.disk.truncate(&file, start);
            return Err(storage(error));
        }
        self.sync(&file)?;
        self.segments.get_mut(&segment).expect("just seen").end = start + bytes.len() as u64;
        self.recent = recent;
        for (record, place) in records.into_iter().zip(places) {
            self.note(record, place);
        }
        Ok(())
    }

    pub(super) fn sync(&mut self, file: &str) -> Result<(), StorageError> {
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
    pub(super) fn keep_up(&mut self) -> Result<(), StorageError> {
        if self.segments.get(&self.head).is_some_and(|segment| segment.end >= self.segment_max) {
            self.seal()?;
        }
        self.clean()
    }
}
