//! Whose the last records of the log are.
//!
//! A head that is damaged cannot say whose record it began. The next record can: it carries a short
//! digest of the owners of those before it, as many as one bad sector can hit.

use std::collections::VecDeque;

use dacapo_core::ObjectKey;
use xxhash_rust::xxh3::Xxh3;

use super::record::Place;

/// The most owners that a record names.
pub(super) const TRAIL_MAX: usize = 15;

/// A record names the owners of those that begin at most so many bytes before it, and always of the
/// one before it: more than the sector of any disk that writes 512 bytes at once.
pub(super) const REACH: u64 = 1024;

/// The owners of the records before one, the nearest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trail(Vec<u32>);

impl Trail {
    pub(super) fn as_slice(&self) -> &[u32] {
        &self.0
    }
}

impl FromIterator<u32> for Trail {
    fn from_iter<I: IntoIterator<Item = u32>>(owners: I) -> Trail {
        Trail(owners.into_iter().collect())
    }
}

/// The end of the log: what the next record needs to know of those before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    /// The number that the next record gets; `None`: the log has no records yet that were read.
    next: Option<u64>,
    /// Where the last records begin, and whose they are; the newest last.
    records: VecDeque<(u32, u64, u32)>,
}

impl Recent {
    /// The number of the next record.
    pub(super) fn next(&self) -> u64 {
        self.next.unwrap_or(1)
    }

    /// The trail of a record that will stand there in its segment.
    pub(super) fn trail(&self, offset: u64) -> Trail {
        let Some(&(last, ..)) = self.records.back() else { return Trail::default() };
        // The first record of a segment names as many as it can of the one before: those share their
        // sectors with its index.
        let is_near = |(at, record): &(usize, &(u32, u64, u32))| {
            *at == 0 || record.0 == last && record.1 + REACH >= offset
        };
        let near = self.records.iter().rev().enumerate().take_while(is_near);
        near.map(|(_, (.., owner))| *owner).collect()
    }

    /// The next record stands there.
    pub(super) fn push(&mut self, key: &ObjectKey, place: &Place) {
        self.next = Some(self.next() + 1);
        if self.records.len() == TRAIL_MAX {
            self.records.pop_front();
        }
        self.records.push_back((place.segment, place.offset, owner(key)));
    }

    /// The oldest segment begins with the record of this number.
    pub(super) fn begin(&mut self, number: u64) {
        self.next.get_or_insert(number);
    }

    /// What comes next has this number, and stands there. How many records are missing before it.
    pub(super) fn skip_to(&mut self, number: u64, trail: &[u32], segment: u32, offset: u64) -> u64 {
        let missing = number.saturating_sub(self.next.unwrap_or(number));
        if missing > 0 || self.next.is_none() {
            // Whoever writes next says again whose the missing ones were.
            self.records = trail.iter().rev().map(|&owner| (segment, offset, owner)).collect();
            self.next = Some(number);
        }
        missing
    }
}

/// The digest of an object's key in a trail. Two objects may share one.
pub(super) fn owner(key: &ObjectKey) -> u32 {
    let mut hasher = Xxh3::new();
    hasher.update(&key.id.0);
    hasher.update(key.namespace.as_bytes());
    hasher.digest() as u32
}
