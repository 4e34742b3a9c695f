//! A node as one of those that keep a slice: it promises epochs, and reads and writes states.
//!
//! Whatever it agrees to is on its disk before it says so. Work on one object happens in turn; each job
//! has an address of its own, since a store refuses what follows a failure at the same address.

use std::collections::{BTreeMap, VecDeque};

use dacapo_core::{
    Changes, Effect, Image, InstanceId, NodeId, ObjectId, ObjectKey, Outbox, StorageError, Turn, WallTime,
};

use super::Runtime;
use super::slice::SliceId;
use super::version::Version;
use super::words::{What, Words};

/// At most so many wait for one thing; who is not heard says it again.
const WAITING_MAX: usize = 4096;

/// Where promises stand among the objects of a disk.
const PROMISES: &str = "dacapo.slices";

#[derive(Default)]
pub(super) struct Replica {
    promises: BTreeMap<SliceId, Promise>,
    copies: BTreeMap<ObjectKey, Copy>,
    /// The alarms on this node's disk. One that is being replaced may stand here: it rings in vain.
    pub(super) alarms: BTreeMap<ObjectKey, WallTime>,
    pub(super) jobs: BTreeMap<InstanceId, Job>,
}

/// The epoch before which nothing is agreed to.
enum Promise {
    /// It is being read or written; meanwhile this waits.
    Busy(Waiting),
    Known(u64),
}

type Waiting = VecDeque<(NodeId, Words)>;

/// What is known of a state on this disk.
#[derive(Default)]
struct Copy {
    version: Option<Version>,
    is_busy: bool,
    waiting: Waiting,
}

/// What the disk was asked for.
pub(super) enum Job {
    LoadPromise(SliceId),
    SavePromise(SliceId, u64),
    /// For whoever wants to know the state.
    Read(NodeId, Words, ObjectKey),
    /// To know which version there is, before these words.
    Learn(NodeId, Words, ObjectKey),
    Save {
        to: NodeId,
        slice: SliceId,
        epoch: u64,
        key: ObjectKey,
        version: Version,
        ends_alarm: bool,
    },
    /// For a replica that is behind the owner, which is this node.
    CatchUp {
        to: NodeId,
        slice: SliceId,
        epoch: u64,
        key: ObjectKey,
    },
}

impl Runtime {
    /// The epochs of the promises of this node, where the disk knows them.
    fn promise_key(&self, slice: SliceId) -> ObjectKey {
        let name = format!("{}/{}", self.system.plan.service(slice.service).name, slice.index);
        ObjectKey { namespace: PROMISES.into(), id: ObjectId::from_name(PROMISES, &name) }
    }

    fn load(&mut self, key: ObjectKey, job: Job, out: &mut Outbox) {
        let from = self.new_job_address();
        self.placement.replica.jobs.insert(from.instance, job);
        out.push((from, Effect::Load(Box::new(key))));
    }

    fn save_state(&mut self, key: ObjectKey, changes: Changes, job: Job, out: &mut Outbox) {
        let from = self.new_job_address();
        self.placement.replica.jobs.insert(from.instance, job);
        out.push((from, Effect::Commit(1, Box::new(key), Box::new(changes))));
    }

    /// An owner wants something, in its epoch.
    pub(super) fn keep(&mut self, from: NodeId, words: Words, turn: &Turn, out: &mut Outbox) {
        let Words { slice, epoch, .. } = words;
        if !self.replicas_of(slice).contains(&self.node) {
            return;
        }
        let promised = match self.placement.replica.promises.get_mut(&slice) {
            Some(Promise::Busy(waiting)) => return push(waiting, from, words),
            Some(Promise::Known(promised)) => *promised,
            None => {
                self.wait_for_promise(slice, from, words);
                return self.load(self.promise_key(slice), Job::LoadPromise(slice), out);
            }
        };
        if epoch < promised {
            return self.say(from, slice, epoch, What::Refused(promised), out);
        }
        if epoch == promised {
            return self.obey(from, words, turn, out);
        }
        self.wait_for_promise(slice, from, words);
        let bytes = epoch.to_le_bytes();
        let changes = Changes { len: 8, writes: vec![(0, bytes.to_vec().into())], alarm: None };
        self.save_state(self.promise_key(slice), changes, Job::SavePromise(slice, epoch), out);
    }

    fn wait_for_promise(&mut self, slice: SliceId, from: NodeId, words: Words) {
        self.placement.replica.promises.insert(slice, Promise::Busy([(from, words)].into()));
    }

    /// Does what the owner of the promised epoch says.
    fn obey(&mut self, from: NodeId, words: Words, turn: &Turn, out: &mut Outbox) {
        let Words { slice, epoch, what } = words;
        let (key, what) = match what {
            What::Seal => {
                let all = self.placement.replica.alarms.iter();
                let own = all.filter(|(key, _)| self.slice_of_key(key) == Some(slice));
                let alarms = own.map(|(key, at)| (key.clone(), *at)).collect();
                return self.say(from, slice, epoch, What::Sealed(alarms), out);
            }
            What::Confirm(number) => return self.say(from, slice, epoch, What::Confirmed(number), out),
            What::Read(ref key, _) | What::Append(ref key, ..) | What::Put(ref key, _) => (key.clone(), what),
            _ => return,
        };
        let copy = self.placement.replica.copies.entry(key.clone()).or_default();
        let words = Words { slice, epoch, what };
        if copy.is_busy {
            return push(&mut copy.waiting, from, words);
        }
        let known = match (&words.what, copy.version) {
            (What::Read(..), _) => {
                copy.is_busy = true;
                return self.load(key.clone(), Job::Read(from, words, key), out);
            }
            (_, Some(known)) => known,
            (_, None) => {
                copy.is_busy = true;
                return self.load(key.clone(), Job::Learn(from, words, key), out);
            }
        };
        match words.what {
            What::Append(_, _, after, _) if known == after => {
                self.say(from, slice, epoch, What::Has(key, after), out);
            }
            What::Append(_, before, ..) if known != before => {
                self.say(from, slice, epoch, What::Behind(key, known), out);
            }
            What::Append(_, _, after, changes) => {
                self.save_copy(from, slice, epoch, key, after, changes, out);
            }
            What::Put(_, image) => {
                let version = Version::of(Some(&image));
                // What the owner wrote in its epoch it wrote in order. What is older may be a write that
                // nobody ever heard of, whatever its number.
                if known.epoch == epoch && known >= version || known == version {
                    return self.say(from, slice, epoch, What::Has(key, known), out);
                }
                let len = image.bytes.len() as u64;
                let changes = Changes { len, writes: vec![(0, image.bytes)], alarm: Some(image.alarm) };
                self.save_copy(from, slice, epoch, key, version, changes, out);
            }
            _ => {}
        }
        let _ = turn;
    }

    #[allow(clippy::too_many_arguments, reason = "it is one message, taken apart")]
    fn save_copy(
        &mut self,
        to: NodeId,
        slice: SliceId,
        epoch: u64,
        key: ObjectKey,
        version: Version,
        changes: Changes,
        out: &mut Outbox,
    ) {
        let replica = &mut self.placement.replica;
        if let Some(copy) = replica.copies.get_mut(&key) {
            copy.is_busy = true;
        }
        // Known before it is durable: a new owner that asks meanwhile must not miss it.
        if let Some(Some(at)) = changes.alarm {
            replica.alarms.insert(key.clone(), at);
        }
        let ends_alarm = changes.alarm == Some(None);
        let job = Job::Save { to, slice, epoch, key: key.clone(), version, ends_alarm };
        self.save_state(key, changes, job, out);
    }

    pub(super) fn replica_loaded(
        &mut self,
        job: Job,
        result: Result<Option<Image>, StorageError>,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        match (job, result) {
            (Job::LoadPromise(slice), Ok(image)) => {
                let bytes = image.map(|image| image.bytes);
                let epoch = bytes.and_then(|bytes| Some(u64::from_le_bytes(bytes[..].try_into().ok()?)));
                self.promise_is(slice, epoch.unwrap_or(0), turn, out);
            }
            (Job::LoadPromise(slice), Err(_)) => self.promise_failed(slice, turn, out),
            (Job::Read(from, Words { slice, epoch, what }, key), Ok(image)) => {
                let What::Read(_, number) = what else { return };
                let version = Version::of(image.as_ref());
                self.say(from, slice, epoch, What::State(key.clone(), number, image), out);
                self.copy_is_free(&key, Some(version), turn, out);
            }
            (Job::Learn(from, words, key), Ok(image)) => {
                let version = Version::of(image.as_ref());
                if let Some(copy) = self.placement.replica.copies.get_mut(&key) {
                    // In front: it came first.
                    copy.waiting.push_front((from, words));
                }
                self.copy_is_free(&key, Some(version), turn, out);
            }
            (Job::Read(_, words, key) | Job::Learn(_, words, key), Err(_)) => {
                self.copy_is_free(&key, None, turn, out);
                self.let_another_try(words.slice, words.epoch, turn, out);
            }
            (Job::CatchUp { to, slice, epoch, key }, result) => {
                self.caught_up(&key, slice, to);
                let is_owner = self.placement.owned.get(&slice).is_some_and(|owned| owned.epoch == epoch);
                if let (true, Ok(Some(image))) = (is_owner, result) {
                    self.say(to, slice, epoch, What::Put(key, image), out);
                }
            }
            (Job::SavePromise(..) | Job::Save { .. }, _) => {}
        }
    }

    pub(super) fn replica_saved(
        &mut self,
        job: Job,
        result: Result<(), StorageError>,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        match (job, result) {
            (Job::SavePromise(slice, epoch), Ok(())) => self.promise_is(slice, epoch, turn, out),
            (Job::SavePromise(slice, _), Err(_)) => self.promise_failed(slice, turn, out),
            (Job::Save { to, slice, epoch, key, version, ends_alarm }, Ok(())) => {
                if ends_alarm {
                    self.placement.replica.alarms.remove(&key);
                }
                self.say(to, slice, epoch, What::Has(key.clone(), version), out);
                self.copy_is_free(&key, Some(version), turn, out);
            }
            (Job::Save { slice, epoch, key, .. }, Err(_)) => {
                self.copy_is_free(&key, None, turn, out);
                self.let_another_try(slice, epoch, turn, out);
            }
            _ => {}
        }
    }

    fn promise_is(&mut self, slice: SliceId, epoch: u64, turn: &Turn, out: &mut Outbox) {
        let before = self.placement.replica.promises.insert(slice, Promise::Known(epoch));
        if let Some(Promise::Busy(waiting)) = before {
            for (from, words) in waiting {
                self.keep(from, words, turn, out);
            }
        }
    }

    /// Nobody knows what is promised: who wants something asks again, and it is read again.
    fn promise_failed(&mut self, slice: SliceId, turn: &Turn, out: &mut Outbox) {
        self.placement.replica.promises.remove(&slice);
        if let Some(epoch) = self.placement.owned.get(&slice).map(|owned| owned.epoch) {
            self.let_another_try(slice, epoch, turn, out);
        }
    }

    fn copy_is_free(&mut self, key: &ObjectKey, version: Option<Version>, turn: &Turn, out: &mut Outbox) {
        let Some(copy) = self.placement.replica.copies.get_mut(key) else { return };
        copy.is_busy = false;
        copy.version = version;
        for (from, words) in std::mem::take(&mut copy.waiting) {
            // By the way of all words: the promise may be another one now.
            self.keep(from, words, turn, out);
        }
    }

    /// Reads the state of an object, for a replica that is behind.
    pub(super) fn load_to_catch_up(
        &mut self,
        to: NodeId,
        slice: SliceId,
        epoch: u64,
        key: ObjectKey,
        out: &mut Outbox,
    ) {
        self.load(key.clone(), Job::CatchUp { to, slice, epoch, key }, out);
    }
}

fn push(waiting: &mut Waiting, from: NodeId, words: Words) {
    if waiting.len() < WAITING_MAX {
        waiting.push_back((from, words));
    }
}
