//! The cleaner: when most of the log is of no use any more, what is left of its oldest segment moves
//! to its head, and the file goes. A little with each commit, so that no commit waits for long.

use std::ops::Bound;

use dacapo_core::StorageError;

use super::record::{Kind, Record};
use super::{Store, file, storage};

/// At most so many states move with one commit, and so many are looked at.
const MOVED_MAX: usize = 16;
const SEEN_MAX: usize = 1024;

impl Store {
    /// Does a bit of cleaning, if there is enough to clean.
    pub(super) fn clean(&mut self) -> Result<(), StorageError> {
        let total: u64 = self.segments.values().map(|segment| segment.end).sum();
        if self.segments.len() < 3 || total <= 2 * self.live + 2 * self.segment_max {
            return Ok(());
        }
        let (&oldest, segment) = self.segments.first_key_value().expect("there are three");
        if segment.is_damaged {
            // What was lost there may be found by people; it is not for us to throw away.
            return Ok(());
        }
        let from = self.cleaned_to.take().map_or(Bound::Unbounded, Bound::Excluded);
        let mut to_move = Vec::new();
        let mut seen = None;
        for (key, entry) in self.objects.range((from, Bound::Unbounded)).take(SEEN_MAX) {
            seen = Some(key.clone());
            if entry.places().any(|place| place.segment == oldest) {
                to_move.push(key.clone());
                if to_move.len() == MOVED_MAX {
                    break;
                }
            }
        }
        let mut records = Vec::new();
        for key in to_move {
            let seq = self.objects[&key].seq;
            match self.load(&key) {
                Ok(image) => {
                    let kind = Kind::Image(image.unwrap_or_default());
                    records.push(Record { key, seq, kind });
                }
                Err(error) => {
                    self.segments.get_mut(&oldest).expect("just seen").is_damaged = true;
                    return Err(error);
                }
            }
        }
        if !records.is_empty() {
            self.append(records)?;
        }
        self.cleaned_to = seen;
        if self.cleaned_to.is_none() {
            // The round is over, and no object has a record in this segment any more.
            self.segments.remove(&oldest);
            let name = file::name(oldest);
            self.disk.remove(&name).map_err(storage)?;
            self.sync(&name)?;
        }
        Ok(())
    }
}
