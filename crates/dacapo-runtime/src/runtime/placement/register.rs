//! What an owner does with the state of one object: one operation after the other, each agreed to by a
//! majority.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dacapo_core::{Changes, Image, InstanceId, NodeId, ObjectKey, Outbox, Turn};

use super::Runtime;
use super::slice::SliceId;
use super::version::{Version, without_stamp};
use super::words::What;

/// The state of one object, as its owner keeps it on the replicas.
#[derive(Default)]
pub(super) struct Register {
    /// What a majority and the owner itself have on their disks.
    version: Version,
    operation: Option<Operation>,
    /// What comes next. An operation whose instance has ended goes on: nobody knows who has heard of it.
    waiting: VecDeque<Ask>,
    /// Replicas that are being sent the whole state.
    catching_up: BTreeSet<NodeId>,
}

pub(in crate::runtime) enum Ask {
    Load(InstanceId),
    Commit(InstanceId, u64, Changes),
}

enum Operation {
    Read { by: InstanceId, number: u64, answers: BTreeMap<NodeId, Option<Image>> },
    Write { then: Then, version: Version, what: Box<What>, at: BTreeSet<NodeId> },
}

/// What happens when a write is durable.
enum Then {
    /// The instance has its state.
    Load(InstanceId, Option<Image>),
    /// The instance has its commit, of this number.
    Commit(InstanceId, u64),
}

impl Register {
    /// Whether nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.operation.is_none() && self.waiting.is_empty()
    }

    /// What is under way, for the replicas that have not answered yet.
    pub(super) fn unanswered(&self, key: &ObjectKey, replicas: &[NodeId]) -> Vec<(NodeId, What)> {
        let missing = |has: &dyn Fn(&NodeId) -> bool, what: &What| {
            replicas.iter().filter(|node| !has(node)).map(|node| (*node, what.clone())).collect()
        };
        match &self.operation {
            None => Vec::new(),
            Some(Operation::Read { number, answers, .. }) => {
                missing(&|node| answers.contains_key(node), &What::Read(key.clone(), *number))
            }
            Some(Operation::Write { what, at, .. }) => missing(&|node| at.contains(node), what.as_ref()),
        }
    }
}

impl Runtime {
    /// Asks for something of the state of an object whose slice this node owns.
    pub(in crate::runtime) fn ask_register(
        &mut self,
        slice: SliceId,
        key: &ObjectKey,
        ask: Ask,
        out: &mut Outbox,
    ) {
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        owned.registers.entry(key.clone()).or_default().waiting.push_back(ask);
        self.pump(slice, key, out);
    }

    /// Begins the next operation, if none is under way.
    fn pump(&mut self, slice: SliceId, key: &ObjectKey, out: &mut Outbox) {
        let versions = self.placement.versions + 1;
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        let Some(register) = owned.registers.get_mut(key) else { return };
        if register.operation.is_some() {
            return;
        }
        let Some(ask) = register.waiting.pop_front() else {
            if !self.objects.is_active(key) {
                owned.registers.remove(key);
            }
            return;
        };
        self.placement.versions = versions;
        register.operation = Some(match ask {
            Ask::Load(by) => Operation::Read { by, number: versions, answers: BTreeMap::new() },
            Ask::Commit(by, number, changes) => {
                let version = Version { epoch: owned.epoch, count: versions };
                let changes = version.stamp_changes(changes);
                let what = Box::new(What::Append(key.clone(), register.version, version, changes));
                Operation::Write { then: Then::Commit(by, number), version, what, at: BTreeSet::new() }
            }
        });
        self.send_operation(slice, key, out);
    }

    fn send_operation(&mut self, slice: SliceId, key: &ObjectKey, out: &mut Outbox) {
        let replicas = self.replicas_of(slice).to_vec();
        let Some(owned) = self.placement.owned.get(&slice) else { return };
        let epoch = owned.epoch;
        let Some(register) = owned.registers.get(key) else { return };
        for (to, what) in register.unanswered(key, &replicas) {
            self.say(to, slice, epoch, what, out);
        }
        self.resend_later(out);
    }

    /// A replica says what it has of an object.
    #[allow(clippy::too_many_arguments, reason = "it is one message, taken apart")]
    pub(super) fn read(
        &mut self,
        from: NodeId,
        slice: SliceId,
        key: ObjectKey,
        number: u64,
        image: Option<Image>,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        let (majority, me) = (self.majority(slice), self.node);
        let versions = self.placement.versions + 1;
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        let Some(register) = owned.registers.get_mut(&key) else { return };
        let Some(Operation::Read { by, number: asked, answers }) = &mut register.operation else { return };
        if *asked != number {
            return;
        }
        answers.insert(from, image);
        if answers.len() < majority || !answers.contains_key(&me) {
            return;
        }
        let (by, answers) = (*by, std::mem::take(answers));
        owned.stuck_since = None;
        let version_of = |image: &Option<Image>| Version::of(image.as_ref());
        let newest = answers.values().max_by_key(|image| version_of(image)).cloned().flatten();
        let version = Version::of(newest.as_ref());
        let all_have_it = answers.values().all(|image| version_of(image) == version);
        let is_settled = all_have_it && version != Version::UNSTAMPED;
        let state = newest.and_then(without_stamp);
        if is_settled {
            register.operation = None;
            register.version = version;
            self.loaded(by, Ok(state), turn, out);
            return self.pump(slice, &key, out);
        }
        // A majority must have it before anybody acts on it.
        let version = Version { epoch: owned.epoch, count: versions };
        self.placement.versions = versions;
        let what = Box::new(What::Put(key.clone(), version.stamp_image(state.as_ref())));
        let then = Then::Load(by, state);
        register.operation = Some(Operation::Write { then, version, what, at: BTreeSet::new() });
        self.send_operation(slice, &key, out);
    }

    /// A replica has this version on its disk.
    pub(super) fn has(
        &mut self,
        from: NodeId,
        slice: SliceId,
        key: ObjectKey,
        version: Version,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        let (majority, me) = (self.majority(slice), self.node);
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        let epoch = owned.epoch;
        let Some(register) = owned.registers.get_mut(&key) else { return };
        let Some(Operation::Write { version: wanted, what, at, .. }) = &mut register.operation else {
            return;
        };
        if version != *wanted {
            if let What::Append(_, before, ..) = &**what
                && version == *before
            {
                // It has caught up so far: now what comes next.
                let what = (**what).clone();
                self.say(from, slice, epoch, what, out);
            }
            return;
        }
        at.insert(from);
        if at.len() < majority || !at.contains(&me) {
            return;
        }
        register.version = version;
        owned.stuck_since = None;
        let Some(Operation::Write { then, .. }) = register.operation.take() else { return };
        match then {
            Then::Load(id, state) => self.loaded(id, Ok(state), turn, out),
            Then::Commit(id, number) => self.committed(id, number, Ok(()), turn, out),
        }
        self.pump(slice, &key, out);
    }

    /// A replica does not have what a change builds on: it gets the whole state.
    pub(super) fn is_behind(
        &mut self,
        from: NodeId,
        slice: SliceId,
        key: ObjectKey,
        version: Version,
        out: &mut Outbox,
    ) {
        let me = self.node;
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        let epoch = owned.epoch;
        let Some(register) = owned.registers.get_mut(&key) else { return };
        let wants = match &register.operation {
            Some(Operation::Write { what, .. }) => {
                matches!(&**what, What::Append(_, before, ..) if *before != version)
            }
            _ => false,
        };
        if wants && from != me && register.catching_up.insert(from) {
            self.load_to_catch_up(from, slice, epoch, key, out);
        }
    }

    /// The state is on its way to a replica that was behind.
    pub(super) fn caught_up(&mut self, key: &ObjectKey, slice: SliceId, to: NodeId) {
        let owned = self.placement.owned.get_mut(&slice);
        if let Some(register) = owned.and_then(|owned| owned.registers.get_mut(key)) {
            register.catching_up.remove(&to);
        }
    }

    /// An object has left memory.
    pub(in crate::runtime) fn forget_register(&mut self, key: &ObjectKey) {
        if self.placement.owned.is_empty() {
            return;
        }
        let Some(slice) = self.slice_of_key(key) else { return };
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        if owned.registers.get(key).is_some_and(Register::is_quiet) {
            owned.registers.remove(key);
        }
    }
}
