//! The version of an object's state: which owner wrote it, and after what. It stands on the disk before
//! the bytes of the object's database, in the same record, so the two never differ.

use bytes::{BufMut, Bytes, BytesMut};
use dacapo_core::{Changes, Image};

/// The bytes before the database.
const STAMP: usize = 16;

/// The length of a database is a multiple of this, so that a state without a version is told from one
/// that has it.
const PAGE_MIN: usize = 512;

/// Later ones are greater, across all owners.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    /// The epoch of the owner that wrote it.
    pub(super) epoch: u64,
    /// Counts what that owner wrote, to whatever object.
    pub(super) count: u64,
}

impl Version {
    /// That of an object of which nothing is stored.
    pub(super) const NONE: Version = Version { epoch: 0, count: 0 };

    /// That of a state of a time when one node kept it: nobody has agreed to it.
    pub(super) const UNSTAMPED: Version = Version { epoch: 0, count: 1 };

    /// The version of a stored state.
    pub(super) fn of(stored: Option<&Image>) -> Version {
        let Some(bytes) = stored.map(|image| &image.bytes) else { return Version::NONE };
        let Some((stamp, _)) = split(bytes) else { return Version::UNSTAMPED };
        let number = |at: usize| u64::from_le_bytes(stamp[at..at + 8].try_into().expect("eight bytes"));
        Version { epoch: number(0), count: number(8) }
    }

    fn stamp(self) -> Bytes {
        let mut stamp = BytesMut::with_capacity(STAMP);
        stamp.put_u64_le(self.epoch);
        stamp.put_u64_le(self.count);
        stamp.freeze()
    }

    /// Changes of a database as changes of what is stored.
    pub(super) fn stamp_changes(self, changes: Changes) -> Changes {
        let shifted = changes.writes.into_iter().map(|(at, bytes)| (at + STAMP as u64, bytes));
        let writes = std::iter::once((0, self.stamp())).chain(shifted).collect();
        Changes { len: changes.len + STAMP as u64, writes, alarm: changes.alarm }
    }

    /// A database as what is stored.
    pub(super) fn stamp_image(self, image: Option<&Image>) -> Image {
        let mut bytes = BytesMut::from(&self.stamp()[..]);
        bytes.extend_from_slice(image.map_or(&[], |image| &image.bytes));
        Image { bytes: bytes.freeze(), alarm: image.and_then(|image| image.alarm) }
    }
}

fn split(bytes: &Bytes) -> Option<(Bytes, Bytes)> {
    (bytes.len() % PAGE_MIN == STAMP).then(|| (bytes.slice(..STAMP), bytes.slice(STAMP..)))
}

/// The database of what is stored; `None`: nothing was ever written to it.
pub(super) fn without_stamp(stored: Image) -> Option<Image> {
    let bytes = split(&stored.bytes).map_or(stored.bytes.clone(), |(_, database)| database);
    (!bytes.is_empty() || stored.alarm.is_some()).then_some(Image { bytes, alarm: stored.alarm })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_keeps_its_version_and_its_bytes() {
        let version = Version { epoch: 7, count: 3 };
        let database = Image { bytes: vec![5; 1024].into(), alarm: None };
        let stored = version.stamp_image(Some(&database));
        assert_eq!(Version::of(Some(&stored)), version);
        assert_eq!(without_stamp(stored.clone()), Some(database.clone()));
        let later = Version { epoch: 7, count: 9 };
        let changes = Changes { len: 512, writes: vec![(100, "abc".into())], alarm: None };
        let (mut one, mut two) = (stored.bytes.to_vec(), database.bytes.to_vec());
        changes.apply(&mut two);
        later.stamp_changes(changes).apply(&mut one);
        let stored = Image { bytes: one.into(), alarm: None };
        assert_eq!(Version::of(Some(&stored)), later);
        assert_eq!(without_stamp(stored).map(|image| image.bytes), Some(two.into()));
    }

    #[test]
    fn a_state_of_before_has_no_version() {
        let old = Image { bytes: vec![5; 4096].into(), alarm: None };
        assert_eq!(Version::of(Some(&old)), Version::UNSTAMPED);
        assert_eq!(without_stamp(old.clone()), Some(old));
        assert_eq!(without_stamp(Version::NONE.stamp_image(None)), None);
    }
}
