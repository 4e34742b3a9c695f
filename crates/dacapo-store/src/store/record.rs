//! A record: the change of one object's state, or the whole of it.
//!
//! Two checksums, so that damage to a body leaves it known whose body it was. Both begin with the
//! segment's number and the record's place in it: a record that a disk has written or read in the
//! wrong place is no record. Damage to a head leaves nothing known of it, so records are numbered,
//! and each says whose the ones just before it are: what hit one sector is laid to the objects that
//! it hit, and to nobody else.

use bytes::Bytes;
use dacapo_core::{Changes, ObjectId, ObjectKey, WallTime};
use xxhash_rust::xxh3::Xxh3;

use super::trail::{TRAIL_MAX, Trail};

/// Bytes of a head before the namespace.
const HEAD: usize = 80;

/// The most bytes that a head can have.
pub(super) const HEAD_MAX: usize = HEAD + NAMESPACE_MAX + 4 * TRAIL_MAX;

/// The longest namespace that a record can have.
const NAMESPACE_MAX: usize = 1024;

/// The longest state that an object can have, and the most bytes of its changes at once: what a
/// record can say, and more than the storage of an object can hold.
const STATE_MAX: u64 = 1 << 30;
const BODY_MAX: u64 = 2 << 30;

/// What a write costs besides its bytes.
const WRITE: u64 = 12;

/// Zeros of a whole state are left out by so many bytes.
const GRAIN: usize = 32;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: ObjectKey,
    /// Counts the records of the object from 1.
    pub(super) seq: u64,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Changes(Changes),
    /// As changes of an empty state. Most of a small database is zeros.
    Image(Changes),
    Gone,
}

/// What memory keeps of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) seq: u64,
    pub(super) what: What,
    /// The new alarm, if it changed.
    pub(super) alarm: Option<Option<WallTime>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Changes = 0,
    Image = 1,
    Gone = 2,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) head: u32,
    pub(super) body: u32,
}

impl Place {
    pub(super) fn size(&self) -> u64 {
        u64::from(self.head) + u64::from(self.body)
    }
}

/// Where a record stands among the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The batch that it is part of.
    pub(super) batch: u64,
    /// It is the first of its batch.
    pub(super) is_first: bool,
    /// It is the last of its batch.
    pub(super) is_last: bool,
    /// Counts all records of the log.
    pub(super) number: u64,
    /// Whose the records before it are.
    pub(super) trail: Trail,
}

/// A head that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) key: ObjectKey,
    pub(super) seq: u64,
    pub(super) position: Position,
    pub(super) place: Place,
    what: What,
    sum: u64,
}

impl Kind {
    pub(super) fn summary(&self, seq: u64) -> Summary {
        let (what, alarm) = match self {
            Kind::Changes(changes) => (What::Changes, changes.alarm),
            Kind::Image(whole) => (What::Image, Some(whole.alarm.flatten())),
            Kind::Gone => (What::Gone, Some(None)),
        };
        Summary { seq, what, alarm }
    }

    /// The first changes of an object are its whole state.
    pub(super) fn first(changes: &Changes) -> Kind {
        Kind::Image(Changes { alarm: Some(changes.alarm.flatten()), ..changes.clone() })
    }

    /// A whole state.
    pub(super) fn whole(bytes: &Bytes, alarm: Option<WallTime>) -> Kind {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (at, grain) in bytes.chunks(GRAIN).enumerate() {
            if grain.iter().all(|byte| *byte == 0) {
                continue;
            }
            let (start, end) = (at * GRAIN, at * GRAIN + grain.len());
            match runs.last_mut() {
                Some((_, last)) if *last == start => *last = end,
                _ => runs.push((start, end)),
            }
        }
        let writes = runs.into_iter().map(|(start, end)| (start as u64, bytes.slice(start..end))).collect();
        Kind::Image(Changes { len: bytes.len() as u64, writes, alarm: Some(alarm) })
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        if let Kind::Changes(changes) | Kind::Image(changes) = self {
            put_alarm(&mut body, changes.alarm);
            body.extend_from_slice(&changes.len.to_le_bytes());
            for (at, bytes) in &changes.writes {
                body.extend_from_slice(&at.to_le_bytes());
                body.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                body.extend_from_slice(bytes);
            }
        }
        body
    }

    fn from_body(what: What, body: &[u8]) -> Option<Kind> {
        let changes = || {
            let (alarm, rest) = take_alarm(body)?;
            let (len, mut rest) = take_u64(rest)?;
            let mut writes = Vec::new();
            while !rest.is_empty() {
                let (at, more) = take_u64(rest)?;
                let (size, more) = more.split_first_chunk::<4>()?;
                let size = u32::from_le_bytes(*size) as usize;
                let (bytes, more) = more.split_at_checked(size)?;
                writes.push((at, Bytes::copy_from_slice(bytes)));
                rest = more;
            }
            let changes = Changes { len, writes, alarm };
            is_within(&changes).then_some(changes)
        };
        Some(match what {
            What::Gone => Kind::Gone,
            What::Image => Kind::Image(changes()?),
            What::Changes => Kind::Changes(changes()?),
        })
    }
}

/// Whether nothing is written beyond the end.
fn is_within(changes: &Changes) -> bool {
    let end = |(at, bytes): &(u64, Bytes)| at.checked_add(bytes.len() as u64);
    changes.writes.iter().all(|write| end(write).is_some_and(|end| end <= changes.len))
}

/// Why nobody could read back this change of this object; `None`: it can be.
pub(super) fn unreadable(key: &ObjectKey, changes: &Changes) -> Option<&'static str> {
    let body: u64 = changes.writes.iter().map(|(_, bytes)| WRITE + bytes.len() as u64).sum();
    if key.namespace.len() > NAMESPACE_MAX {
        Some("its namespace is too long")
    } else if !is_within(changes) {
        Some("it writes beyond its end")
    } else if changes.len > STATE_MAX || body > BODY_MAX {
        Some("it is too large")
    } else {
        None
    }
}

impl Record {
    /// Adds the record to `out`; says where it will stand.
    pub(super) fn encode(&self, segment: u32, offset: u64, position: &Position, out: &mut Vec<u8>) -> Place {
        let body = self.kind.body();
        let name = self.key.namespace.as_bytes();
        let trail = position.trail.as_slice();
        let flags = u8::from(position.is_last) | u8::from(position.is_first) << 1 | (trail.len() as u8) << 4;
        let start = out.len();
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&(body.len() as u32).to_le_bytes());
        out.extend_from_slice(&(name.len() as u16).to_le_bytes());
        out.push(self.kind.summary(0).what as u8);
        out.push(flags);
        out.extend_from_slice(&position.batch.to_le_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&self.key.id.0);
        out.extend_from_slice(&sum(segment, offset, &body).to_le_bytes());
        out.extend_from_slice(&position.number.to_le_bytes());
        out.extend_from_slice(name);
        trail.iter().for_each(|owner| out.extend_from_slice(&owner.to_le_bytes()));
        let head = (out.len() - start) as u32;
        let head_sum = sum(segment, offset, &out[start + 8..]);
        out[start..start + 8].copy_from_slice(&head_sum.to_le_bytes());
        out.extend_from_slice(&body);
        Place { segment, offset, head, body: body.len() as u32 }
    }

    /// The record at the start of `bytes`, whole, and its head.
    pub(super) fn decode(segment: u32, offset: u64, bytes: &[u8]) -> Option<(Record, Head)> {
        let head = Head::decode(segment, offset, bytes)?;
        let record = head.record(bytes)?;
        Some((record, head))
    }

    /// Makes of the state before this record the state after it.
    pub(super) fn apply(&self, state: &mut Vec<u8>) {
        match &self.kind {
            Kind::Changes(changes) => changes.apply(state),
            Kind::Image(whole) => {
                state.clear();
                whole.apply(state);
            }
            Kind::Gone => state.clear(),
        }
    }
}

impl Head {
    /// The head at the start of `bytes`, if one stands there.
    pub(super) fn decode(segment: u32, offset: u64, bytes: &[u8]) -> Option<Head> {
        let fixed: &[u8; HEAD] = bytes.first_chunk()?;
        let name_len = u16::from_le_bytes([fixed[12], fixed[13]]) as usize;
        if name_len > NAMESPACE_MAX {
            return None;
        }
        let trail_len = usize::from(fixed[15] >> 4);
        let whole = bytes.get(..HEAD + name_len + 4 * trail_len)?;
        let u64_at = |at: usize| u64::from_le_bytes(fixed[at..at + 8].try_into().expect("eight bytes"));
        if u64_at(0) != sum(segment, offset, &whole[8..]) {
            return None;
        }
        let (namespace, trail) = whole[HEAD..].split_at(name_len);
        let namespace = std::str::from_utf8(namespace).ok()?;
        let trail = trail.chunks_exact(4).map(|owner| u32::from_le_bytes(owner.try_into().expect("four")));
        let position = Position {
            batch: u64_at(16),
            is_first: fixed[15] & 2 != 0,
            is_last: fixed[15] & 1 != 0,
            number: u64_at(72),
            trail: trail.take(TRAIL_MAX).collect(),
        };
        let id = ObjectId(fixed[32..64].try_into().expect("32 bytes"));
        let what = match fixed[14] {
            0 => What::Changes,
            1 => What::Image,
            2 => What::Gone,
            _ => return None,
        };
        let body = u32::from_le_bytes(fixed[8..12].try_into().expect("four bytes"));
        Some(Head {
            key: ObjectKey { namespace: namespace.into(), id },
            seq: u64_at(24),
            position,
            place: Place { segment, offset, head: whole.len() as u32, body },
            what,
            sum: u64_at(64),
        })
    }

    /// The record that begins with this head, if its body is as it was written.
    pub(super) fn record(&self, bytes: &[u8]) -> Option<Record> {
        let Place { segment, offset, head, body } = self.place;
        let body = bytes.get(head as usize..)?.get(..body as usize)?;
        if self.sum != sum(segment, offset, body) {
            return None;
        }
        let kind = Kind::from_body(self.what, body)?;
        Some(Record { key: self.key.clone(), seq: self.seq, kind })
    }
}

/// A checksum that is bound to a place.
pub(super) fn sum(segment: u32, offset: u64, bytes: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(&segment.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(bytes);
    hasher.digest()
}

pub(crate) fn put_alarm(out: &mut Vec<u8>, alarm: Option<Option<WallTime>>) {
    match alarm {
        None => out.push(0),
        Some(None) => out.push(1),
        Some(Some(at)) => {
            out.push(2);
            out.extend_from_slice(&at.0.to_le_bytes());
        }
    }
}

pub(crate) fn take_alarm(bytes: &[u8]) -> Option<(Option<Option<WallTime>>, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    match tag {
        0 => Some((None, rest)),
        1 => Some((Some(None), rest)),
        2 => {
            let (at, rest) = rest.split_first_chunk()?;
            Some((Some(Some(WallTime(i64::from_le_bytes(*at)))), rest))
        }
        _ => None,
    }
}

pub(super) fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}
