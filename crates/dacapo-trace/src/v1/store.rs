//! What durable objects add to format 1: both ways, since it is little.

use bytes::Bytes;
use dacapo_core as core;
use dacapo_core::{ObjectId, WallTime};

use super::{Bin, Changes, Image, ObjectKey, StorageError, StorageErrorKind};

impl<'a> From<&'a core::ObjectKey> for ObjectKey<'a> {
    fn from(key: &'a core::ObjectKey) -> ObjectKey<'a> {
        ObjectKey { namespace: &key.namespace, id: key.id.0 }
    }
}

impl From<ObjectKey<'_>> for core::ObjectKey {
    fn from(key: ObjectKey<'_>) -> core::ObjectKey {
        core::ObjectKey { namespace: key.namespace.into(), id: ObjectId(key.id) }
    }
}

impl<'a> From<&'a core::Image> for Image<'a> {
    fn from(image: &'a core::Image) -> Image<'a> {
        Image { bytes: Bin(&image.bytes), alarm: image.alarm.map(|at| at.0) }
    }
}

impl From<Image<'_>> for core::Image {
    fn from(image: Image<'_>) -> core::Image {
        core::Image { bytes: Bytes::copy_from_slice(image.bytes.0), alarm: image.alarm.map(WallTime) }
    }
}

impl<'a> From<&'a core::Changes> for Changes<'a> {
    fn from(changes: &'a core::Changes) -> Changes<'a> {
        let writes = changes.writes.iter().map(|(at, bytes)| (*at, Bin(bytes))).collect();
        Changes { len: changes.len, writes, alarm: changes.alarm.map(|alarm| alarm.map(|at| at.0)) }
    }
}

impl From<Changes<'_>> for core::Changes {
    fn from(changes: Changes<'_>) -> core::Changes {
        let write = |(at, bytes): (u64, Bin<'_>)| (at, Bytes::copy_from_slice(bytes.0));
        core::Changes {
            len: changes.len,
            writes: changes.writes.into_iter().map(write).collect(),
            alarm: changes.alarm.map(|alarm| alarm.map(WallTime)),
        }
    }
}

impl<'a> From<&'a core::StorageError> for StorageError<'a> {
    fn from(error: &'a core::StorageError) -> StorageError<'a> {
        let kind = match error.kind {
            core::StorageErrorKind::Guest => StorageErrorKind::Guest,
            core::StorageErrorKind::Disk => StorageErrorKind::Disk,
            core::StorageErrorKind::Full => StorageErrorKind::Full,
            core::StorageErrorKind::Corrupt => StorageErrorKind::Corrupt,
            core::StorageErrorKind::Newer => StorageErrorKind::Newer,
        };
        StorageError { kind, message: &error.message }
    }
}

impl From<StorageError<'_>> for core::StorageError {
    fn from(error: StorageError<'_>) -> core::StorageError {
        let kind = match error.kind {
            StorageErrorKind::Guest => core::StorageErrorKind::Guest,
            StorageErrorKind::Disk => core::StorageErrorKind::Disk,
            StorageErrorKind::Full => core::StorageErrorKind::Full,
            StorageErrorKind::Corrupt => core::StorageErrorKind::Corrupt,
            StorageErrorKind::Newer => core::StorageErrorKind::Newer,
        };
        core::StorageError::new(kind, error.message)
    }
}
