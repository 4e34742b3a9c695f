//! The cleaner: when most of the log is of no use any more, what is left of its oldest segment moves
//! to its head, and the file goes. A little with each commit, so that no commit waits for long.
//!
//! A segment with damage stays: what was lost there may be found by people, and as long as it is
//! there the damage is not forgotten. The cleaner goes on behind it.

use std::ops::Bound;

use dacapo_core::{ObjectKey, StorageError, StorageErrorKind};

use super::record::{Kind, Record, What};
use super::{Store, file, storage};

/// At most so many states move with one commit, none after so many bytes, and so many are looked at.
const MOVED_MAX: usize = 16;
const MOVED_BYTES: u64 = 1 << 20;
const SEEN_MAX: usize = 1024;

impl Store {
    /// Does a bit of cleaning, if there is enough to clean.
    pub(super) fn clean(&mut self) -> Result<(), StorageError> {
        // What cannot be cleaned is no reason to clean.
        let ends = self.segments.values().filter(|segment| !segment.is_damaged).map(|segment| segment.end);
        let total: u64 = ends.sum();
        if self.segments.len() < 3 || total <= 2 * self.live + 2 * self.segment_max {
            return Ok(());
        }
        let Some(number) = self.to_clean() else { return Ok(()) };
        let cleaned = self.clean_segment(number);
        if cleaned.as_ref().is_err_and(|error| error.kind == StorageErrorKind::Corrupt)
            && let Some(segment) = self.segments.get_mut(&number)
        {
            segment.is_damaged = true;
        }
        cleaned
    }

    fn clean_segment(&mut self, number: u32) -> Result<(), StorageError> {
        let from = match self.cleaned_to.take() {
            Some((of, key)) if of == number => Bound::Excluded(key),
            _ => Bound::Unbounded,
        };
        let mut to_move = Vec::new();
        let mut bytes = 0;
        let mut seen = None;
        for (key, entry) in self.objects.range((from, Bound::Unbounded)).take(SEEN_MAX) {
            seen = Some(key.clone());
            if entry.places().any(|place| place.segment == number) {
                bytes += entry.size();
                to_move.push(key.clone());
                if to_move.len() == MOVED_MAX || bytes >= MOVED_BYTES {
                    break;
                }
            }
        }
        if seen.is_none() {
            // The round is over, and no object has a record in this segment any more.
            return self.drop_segment(number);
        }
        let mut records = Vec::new();
        for key in to_move {
            let seq = self.objects[&key].seq;
            let image = self.load(&key)?.unwrap_or_default();
            records.push(Record { key, seq, kind: Kind::whole(&image.bytes, image.alarm) });
        }
        if !records.is_empty() {
            self.append(records)?;
        }
        self.cleaned_to = seen.map(|key| (number, key));
        Ok(())
    }

    /// The oldest segment with something to clean, but for the one that is written to.
    fn to_clean(&self) -> Option<u32> {
        let mut older = self.segments.range(..self.head);
        let is_first =
            |number: u32| self.segments.first_key_value().is_some_and(|(first, _)| *first == number);
        older
            .find(|(number, segment)| {
                !segment.is_damaged && (segment.end > super::FIRST || is_first(**number))
            })
            .map(|(number, _)| *number)
    }

    fn drop_segment(&mut self, number: u32) -> Result<(), StorageError> {
        if self.segments.first_key_value().is_some_and(|(first, _)| *first == number) {
            let name = file::name(number);
            self.disk.remove(&name).map_err(storage)?;
            self.segments.remove(&number);
            return self.sync(&name);
        }
        // An older one stays, which may have records of objects that were removed later.
        let gone: Vec<Record> = self
            .removed_in(number)?
            .into_iter()
            .map(|(key, seq)| Record { key, seq, kind: Kind::Gone })
            .collect();
        if !gone.is_empty() {
            self.append(gone)?;
        }
        self.hollow(number)
    }

    /// The objects that do not exist since a record of this closed segment.
    fn removed_in(&mut self, number: u32) -> Result<Vec<(ObjectKey, u64)>, StorageError> {
        let len = self.disk.len(&file::name(number)).map_err(storage)?.unwrap_or(0);
        let records = match self.read_index(number, len)? {
            Some(index) => index.records,
            None => self.scan(number)?.summaries(),
        };
        let gone = records
            .into_iter()
            .filter(|(key, summary, _)| summary.what == What::Gone && !self.objects.contains_key(key));
        Ok(gone.map(|(key, summary, _)| (key, summary.seq)).collect())
    }
}
