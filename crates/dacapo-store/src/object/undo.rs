//! How to come back from one state of an object to an earlier one, as bytes that stand in the object's own state.
//!
//! An undo says how many pages there were, what stood in them where it was another, and when the alarm was due if
//! that was another. Two that follow each other can be made one, which forgets the state between them.

use bytes::{BufMut, Bytes, BytesMut};
use dacapo_core::WallTime;

use super::file::PAGE;
use crate::store::{put_alarm, take_alarm};

/// The bytes before the alarm: length, flags, number, time, and the two counts of pages.
const HEAD: usize = 4 + 1 + 8 + 8 + 4 + 4;

/// More pages than the largest database has, and a greater number than any state has: what is beyond is damage.
const PAGES_MAX: usize = 1 << 16;
pub(super) const NUMBER_MAX: u64 = 1 << 62;

const PINNED: u8 = 1;
const RESTORED: u8 = 2;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Undo {
    /// The number of the state that it leads away from.
    pub(super) number: u64,
    /// When that state began to be.
    pub(super) time: WallTime,
    flags: u8,
    /// How many pages there were before.
    pub(super) pages: usize,
    /// The fewest that there have been meanwhile: what is beyond is forgotten first.
    low: usize,
    /// As it stands on the disk.
    raw: Bytes,
}

/// What an undo makes of a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    /// See [`Undo`].
    pub(super) low: usize,
    /// See [`Undo`].
    pub(super) pages: usize,
    /// Where and what stood there, in the order of the places; they do not overlap.
    pub(super) writes: Vec<(u64, Bytes)>,
    /// The alarm, if it was another.
    pub(super) alarm: Option<Option<WallTime>>,
}

impl Undo {
    pub(super) fn new(number: u64, time: WallTime, before: &Before) -> Undo {
        Undo::with_flags(number, time, 0, before)
    }

    fn with_flags(number: u64, time: WallTime, flags: u8, before: &Before) -> Undo {
        let mut raw = BytesMut::new();
        raw.put_u32_le(0);
        raw.put_u8(flags);
        raw.put_u64_le(number);
        raw.put_i64_le(time.0);
        raw.put_u32_le(before.low as u32);
        raw.put_u32_le(before.pages as u32);
        let mut alarm = Vec::new();
        put_alarm(&mut alarm, before.alarm);
        raw.put_slice(&alarm);
        for (at, bytes) in &before.writes {
            raw.put_u32_le(*at as u32);
            raw.put_u32_le(bytes.len() as u32);
            raw.put_slice(bytes);
        }
        let len = raw.len() as u32;
        raw[..4].copy_from_slice(&len.to_le_bytes());
        Undo { number, time, flags, pages: before.pages, low: before.low, raw: raw.freeze() }
    }

    /// The undo at the start of `bytes`.
    pub(super) fn decode(bytes: &Bytes) -> Option<Undo> {
        let head = bytes.get(..HEAD)?;
        let u32_at = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
        let u64_at = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        let len = u32_at(0) as usize;
        let (number, low, pages) = (u64_at(5), u32_at(21) as usize, u32_at(25) as usize);
        if len < HEAD || len > bytes.len() || low > pages || pages > PAGES_MAX || number > NUMBER_MAX {
            return None;
        }
        Some(Undo {
            number,
            time: WallTime(u64_at(13) as i64),
            flags: head[4],
            pages,
            low,
            raw: bytes.slice(..len),
        })
    }

    pub(super) fn raw(&self) -> &Bytes {
        &self.raw
    }

    pub(super) fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether somebody was told of the state that it leads away from.
    pub(super) fn is_pinned(&self) -> bool {
        self.flags & PINNED != 0
    }

    /// Whether the state that it leads away from was made by going back.
    pub(super) fn is_restored(&self) -> bool {
        self.flags & RESTORED != 0
    }

    pub(super) fn pin(&mut self) {
        self.flag(PINNED);
    }

    pub(super) fn set_restored(&mut self) {
        self.flag(RESTORED);
    }

    fn flag(&mut self, flag: u8) {
        self.flags |= flag;
        let mut raw = BytesMut::from(&self.raw[..]);
        raw[4] = self.flags;
        self.raw = raw.freeze();
    }

    /// `None`: these are no bytes that [`Undo::new`] has made.
    pub(super) fn before(&self) -> Option<Before> {
        let tail = &self.raw[HEAD..];
        let (alarm, rest) = take_alarm(tail)?;
        let mut at = HEAD + tail.len() - rest.len();
        let mut writes = Vec::new();
        while at < self.raw.len() {
            let head = self.raw.get(at..at + 8)?;
            let place = u32::from_le_bytes(head[..4].try_into().ok()?);
            let len = u32::from_le_bytes(head[4..].try_into().ok()?) as usize;
            at += 8;
            if len > self.raw.len() - at || place as usize + len > self.pages * PAGE {
                return None;
            }
            writes.push((u64::from(place), self.raw.slice(at..at + len)));
            at += len;
        }
        Some(Before { low: self.low, pages: self.pages, writes, alarm })
    }

    /// One that leads from the state of `self` to the state before `older`, which is the one just before.
    pub(super) fn after(&self, older: &Undo) -> Option<Undo> {
        let (old, new) = (older.before()?, self.before()?);
        let mut writes = uncovered(&old.writes, &new.writes);
        // What is beyond begins as zeros before the older one is made.
        let end = (old.low * PAGE) as u64;
        writes.retain(|(at, _)| *at < end);
        if let Some((at, bytes)) = writes.last_mut() {
            bytes.truncate((end - *at).min(bytes.len() as u64) as usize);
        }
        writes.extend(old.writes);
        writes.sort_by_key(|(at, _)| *at);
        let before =
            Before { low: old.low.min(new.low), pages: old.pages, writes, alarm: old.alarm.or(new.alarm) };
        Some(Undo::with_flags(self.number, self.time, self.flags, &before))
    }
}

/// The parts of `of` where `by` has nothing. Both are sorted, and so is what comes out.
fn uncovered(by: &[(u64, Bytes)], of: &[(u64, Bytes)]) -> Vec<(u64, Bytes)> {
    let mut parts = Vec::new();
    let mut first = 0;
    for (at, bytes) in of {
        let (start, end) = (*at, at + bytes.len() as u64);
        while by.get(first).is_some_and(|(at, bytes)| at + bytes.len() as u64 <= start) {
            first += 1;
        }
        let mut from = start;
        for (at, over) in &by[first..] {
            if *at >= end {
                break;
            }
            if from < *at {
                parts.push((from, bytes.slice((from - start) as usize..(at - start) as usize)));
            }
            from = from.max(at + over.len() as u64);
        }
        if from < end {
            parts.push((from, bytes.slice((from - start) as usize..)));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_an_undo_are_that_undo_again() {
        let before = Before {
            low: 1,
            pages: 3,
            writes: vec![(5, "abc".into()), (100, "z".into())],
            alarm: Some(Some(WallTime(7))),
        };
        let mut undo = Undo::new(9, WallTime(-3), &before);
        undo.pin();
        let mut bytes = undo.raw().to_vec();
        bytes.extend_from_slice(b"more");
        let again = Undo::decode(&bytes.into()).unwrap();
        assert_eq!(again, undo);
        assert_eq!(again.before(), Some(before));
        assert!(again.is_pinned() && !again.is_restored());
    }

    #[test]
    fn what_an_older_undo_says_of_a_place_counts() {
        let by = [(2, "BB".into()), (6, "C".into())];
        let of = [(0, "aaaaaaaa".into()), (20, "x".into())];
        let parts: Vec<(u64, Bytes)> =
            vec![(0, "aa".into()), (4, "aa".into()), (7, "a".into()), (20, "x".into())];
        assert_eq!(uncovered(&by, &of), parts);
    }
}
