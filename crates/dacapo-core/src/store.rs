//! The door between a world and what keeps the states of objects on its disks.

use crate::{Changes, Disk, Image, ObjectKey, StorageError, WallTime};

/// When the alarms of objects are due.
pub type Alarms = Vec<(ObjectKey, WallTime)>;

/// What keeps the states of a node's objects on a disk, as far as a world needs to know it.
pub trait ObjectStore {
    /// The state of an object; `None` if there is none.
    fn load(&mut self, key: &ObjectKey) -> Result<Option<Image>, StorageError>;

    /// Makes all of these changes durable, in their order, each whole or not at all. The same object
    /// may stand there more than once. After an error of the kind [`crate::StorageErrorKind::Disk`]
    /// the store may refuse everything else: its process must end and open it anew.
    fn commit(&mut self, changes: &[(ObjectKey, Changes)]) -> Result<(), StorageError>;
}

/// Opens the store on a disk, which may be empty. Whoever puts a system together hands it to the
/// world, which calls it when a node boots.
pub type OpenStore = fn(Box<dyn Disk>) -> Result<(Box<dyn ObjectStore>, Alarms), StorageError>;
