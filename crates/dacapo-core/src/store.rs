//! The door between a world and what keeps the states of objects on its disks.

use std::collections::BTreeSet;

use crate::{Address, Changes, Disk, Event, Image, ObjectKey, StorageError, StorageErrorKind, WallTime};

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

/// What an instance asks of the store of its node.
#[derive(Clone, Debug)]
pub enum StoreJob {
    /// [`crate::Effect::Load`]
    Load(ObjectKey),
    /// [`crate::Effect::Commit`]
    Commit(u64, ObjectKey, Changes),
}

impl StoreJob {
    /// The answer of a store that cannot be asked.
    pub fn refused(&self, error: StorageError) -> Event {
        match self {
            StoreJob::Load(_) => Event::Loaded(Err(error)),
            StoreJob::Commit(number, ..) => Event::Committed(*number, Err(error)),
        }
    }
}

/// What a world does for its stores the same way, whatever its disks are: many jobs with one sync.
#[derive(Debug, Default)]
pub struct Flushes {
    /// Instances of which a commit has failed. Changes are ranges of bytes: what such an instance wrote
    /// afterwards, before it heard of the failure, builds on what is not there.
    broken: BTreeSet<Address>,
}

impl Flushes {
    /// Does these jobs; `answer` is told what came of each. Gives the kind of the error if the commits
    /// among them failed.
    pub fn run(
        &mut self,
        store: &mut dyn ObjectStore,
        jobs: Vec<(Address, StoreJob)>,
        answer: &mut dyn FnMut(Address, Event),
    ) -> Option<StorageErrorKind> {
        let mut group: Vec<(ObjectKey, Changes)> = Vec::new();
        let mut committers: Vec<(Address, u64)> = Vec::new();
        let mut loads: Vec<(Address, ObjectKey)> = Vec::new();
        for (from, job) in jobs {
            match job {
                StoreJob::Load(key) => loads.push((from, key)),
                StoreJob::Commit(..) if self.broken.contains(&from) => {
                    let why = "an earlier change of this object is not stored";
                    answer(from, job.refused(StorageError::new(StorageErrorKind::Disk, why)));
                }
                StoreJob::Commit(number, key, changes) => {
                    committers.push((from, number));
                    group.push((key, changes));
                }
            }
        }
        // An object that is loaded while a commit of its earlier life still waits must see it.
        let committed: BTreeSet<&ObjectKey> = group.iter().map(|(key, _)| key).collect();
        let (late, early): (Vec<_>, Vec<_>) = loads.into_iter().partition(|(_, key)| committed.contains(key));
        for (to, key) in early {
            answer(to, Event::Loaded(store.load(&key)));
        }
        let result = if group.is_empty() { Ok(()) } else { store.commit(&group) };
        for (to, number) in committers {
            if result.is_err() {
                self.broken.insert(to);
            }
            answer(to, Event::Committed(number, result.clone()));
        }
        for (to, key) in late {
            answer(to, Event::Loaded(store.load(&key)));
        }
        result.err().map(|error| error.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InstanceId, NodeId, ObjectId};

    /// Refuses every second commit.
    #[derive(Default)]
    struct Moody(u32);

    impl ObjectStore for Moody {
        fn load(&mut self, _: &ObjectKey) -> Result<Option<Image>, StorageError> {
            Ok(None)
        }

        fn commit(&mut self, _: &[(ObjectKey, Changes)]) -> Result<(), StorageError> {
            self.0 += 1;
            if self.0.is_multiple_of(2) {
                Ok(())
            } else {
                Err(StorageError::new(StorageErrorKind::Full, "full"))
            }
        }
    }

    #[test]
    fn what_builds_on_a_lost_commit_is_lost_too() {
        let at = |instance| Address { node: NodeId(0), instance: InstanceId(instance) };
        let key = ObjectKey { namespace: "a.B".into(), id: ObjectId([1; 32]) };
        let commit =
            |instance, number| (at(instance), StoreJob::Commit(number, key.clone(), Changes::default()));
        let (mut flushes, mut store) = (Flushes::default(), Moody::default());
        let mut answers = Vec::new();
        let mut run = |jobs| {
            flushes.run(&mut store, jobs, &mut |to, event| {
                let Event::Committed(number, result) = event else { panic!("only commits are asked for") };
                answers.push((to.instance.0, number, result.is_ok()));
            })
        };
        assert_eq!(run(vec![commit(1, 1)]), Some(StorageErrorKind::Full));
        assert_eq!(run(vec![commit(1, 2), commit(2, 1)]), None);
        assert_eq!(answers, [(1, 1, false), (1, 2, false), (2, 1, true)]);
    }
}
