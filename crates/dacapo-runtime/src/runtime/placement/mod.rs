//! Placement: who owns the objects of a service that keeps them on several nodes.
//!
//! A *slice* is a part of the hash space of object ids (`slice.rs`), and up to `replicas` nodes keep it.
//! The one that holds its lease (`lease.rs`) is its *owner*, in an *epoch*: the version of the lease.
//! The owner's objects live in its memory. Each of their commits, and each answer, waits until a majority
//! of the replicas has agreed to it (`owner.rs`); a replica agrees to nothing of an epoch that is older
//! than the one that it has promised, on its disk (`replica.rs`). So whoever is no longer the owner finds
//! that out before anybody else learns what it has done, however wrong its clock is: leases decide who
//! tries, majorities decide who may. Callers find the owner by asking (`calls.rs`).
//!
//! The protocol is that of Vertical Paxos (Lamport, Malkhi and Zhou, 2009), with the reading and writing
//! back of Attiya, Bar-Noy and Dolev (1995) for the state of each object that a new owner takes up.

mod balance;
mod calls;
mod lease;
mod owner;
mod register;
mod replica;
pub(crate) mod slice;
mod version;
mod words;

use std::collections::{BTreeMap, VecDeque};

use dacapo_core::{
    Address, Effect, Event, InstanceId, Level, Message, NodeId, ObjectKey, Outbox, ServiceId, Turn, WallTime,
};

use super::Runtime;
use super::object::ObjectTimer;
use crate::cluster::runtime_of;
use balance::Balance;
use calls::Calls;
pub(super) use calls::clean;
use lease::Leases;
use owner::Owned;
pub(super) use register::Ask;
use replica::Replica;
pub(super) use slice::SliceId;
use words::{What, Words};

/// What a node knows of objects that are kept on several.
#[derive(Default)]
pub(super) struct Placement {
    replica: Replica,
    owned: BTreeMap<SliceId, Owned>,
    /// Versions that this node has given in this life. With the epoch each is used once only.
    versions: u64,
    leases: Leases,
    balance: Balance,
    pub(super) calls: Calls,
    /// What this node says to itself.
    inbox: VecDeque<Words>,
    is_resend_set: bool,
}

impl Runtime {
    /// The replicas of a slice, the one that should own it first; none if its service has one node for
    /// each of its objects.
    fn replicas_of(&self, slice: SliceId) -> &[NodeId] {
        let slices = self.system.placed.get(slice.service.0 as usize).and_then(Option::as_ref);
        slices.and_then(|slices| slices.get(slice.index as usize)).map_or(&[], Vec::as_slice)
    }

    /// The slice of an object, if its service keeps objects on several nodes.
    pub(super) fn slice_of(&self, service: ServiceId, key: &ObjectKey) -> Option<SliceId> {
        self.system.placed[service.0 as usize].as_ref().map(|_| SliceId::of(service, &key.id))
    }

    /// The same for an object of whatever service.
    fn slice_of_key(&self, key: &ObjectKey) -> Option<SliceId> {
        let service = self.system.service_of(key)?;
        self.slice_of(service, key)
    }

    /// Whether this node owns the slice now, as far as it knows.
    pub(super) fn owns(&self, slice: SliceId) -> bool {
        self.placement.owned.contains_key(&slice)
    }

    fn majority(&self, slice: SliceId) -> usize {
        self.replicas_of(slice).len() / 2 + 1
    }

    /// The node has booted.
    pub(super) fn begin_placement(&mut self, incarnation: u32, out: &mut Outbox) {
        self.placement.leases.incarnation = incarnation;
        for index in 0..self.system.placed.len() {
            let service = ServiceId(index as u32);
            let keeps = |slices: &Vec<Vec<NodeId>>| slices.iter().flatten().any(|node| *node == self.node);
            if self.system.placed[index].as_ref().is_some_and(keeps) {
                self.look_at_leases(service, out);
            }
        }
    }

    /// After each delivery: what this node said to itself, and what it can let go of while it stops.
    #[inline]
    pub(super) fn settle_placement(&mut self, turn: &Turn, out: &mut Outbox) {
        if !self.placement.inbox.is_empty() || !self.placement.owned.is_empty() {
            self.settle_what_is_placed(turn, out);
        }
    }

    fn settle_what_is_placed(&mut self, turn: &Turn, out: &mut Outbox) {
        while let Some(words) = self.placement.inbox.pop_front() {
            self.hear(self.node, words, turn, out);
        }
        if self.placement.owned.is_empty() {
            return;
        }
        self.let_slices_leave(turn, out);
        if self.is_stopping {
            self.release_quiet_slices(turn, out);
        }
    }

    fn say(&mut self, to: NodeId, slice: SliceId, epoch: u64, what: What, out: &mut Outbox) {
        let words = Words { slice, epoch, what };
        if to == self.node {
            self.placement.inbox.push_back(words);
        } else {
            out.push((runtime_of(self.node), Effect::Send(to, Box::new(words.encode()))));
        }
    }

    /// The runtime of another node says something.
    pub(super) fn heard(&mut self, from: NodeId, message: &Message, turn: &Turn, out: &mut Outbox) {
        match Words::decode(message) {
            Some(words) => self.hear(from, words, turn, out),
            None => {
                let name = &message.name;
                let text =
                    format!("{from} said {name:?} in a form that is not known: is its version another?");
                out.push((runtime_of(self.node), Effect::Log(Level::Warn, text.into())));
            }
        }
    }

    fn hear(&mut self, from: NodeId, words: Words, turn: &Turn, out: &mut Outbox) {
        let Words { slice, epoch, .. } = words;
        if let What::Seal | What::Confirm(_) | What::Read(..) | What::Append(..) | What::Put(..) = words.what
        {
            return self.keep(from, words, turn, out);
        }
        if let What::Free = words.what {
            return self.look_at_leases(slice.service, out);
        }
        if let What::Load(load) = words.what {
            return self.load_is(from, slice.service, load, turn);
        }
        // The rest are answers; one to an earlier epoch is to nobody.
        if self.placement.owned.get(&slice).is_none_or(|owned| owned.epoch != epoch) {
            return;
        }
        match words.what {
            What::Sealed(alarms) => self.sealed(from, slice, alarms, turn, out),
            What::Confirmed(number) => self.confirmed(from, slice, number, turn, out),
            What::State(key, number, image) => self.read(from, slice, key, number, image, turn, out),
            What::Has(key, version) => self.has(from, slice, key, version, turn, out),
            What::Behind(key, version) => self.is_behind(from, slice, key, version, out),
            What::Refused(promised) if promised > epoch => self.step_down(slice, turn, out),
            _ => {}
        }
    }

    /// The disk has answered something that no object asked for. False if one did.
    pub(super) fn disk_answered(
        &mut self,
        id: InstanceId,
        event: &Event,
        turn: &Turn,
        out: &mut Outbox,
    ) -> bool {
        let Some(job) = self.placement.replica.jobs.remove(&id) else { return false };
        match event {
            Event::Loaded(result) => self.replica_loaded(job, result.clone(), turn, out),
            Event::Committed(_, result) => self.replica_saved(job, result.clone(), turn, out),
            _ => {}
        }
        true
    }

    /// The store says which alarms are set: those of slices ring at their owners. Gives the others.
    pub(super) fn keep_alarms(&mut self, alarms: Vec<(ObjectKey, WallTime)>) -> Vec<(ObjectKey, WallTime)> {
        let (kept, others) = alarms.into_iter().partition(|(key, _)| self.slice_of_key(key).is_some());
        self.placement.replica.alarms.extend::<Vec<_>>(kept);
        others
    }

    fn set_runtime_timer(&mut self, what: ObjectTimer, wait: std::time::Duration, out: &mut Outbox) {
        let timer = self.objects.new_timer(what);
        out.push((runtime_of(self.node), Effect::SetTimer(timer, wait)));
    }

    fn new_job_address(&mut self) -> Address {
        self.started += 1;
        Address { node: self.node, instance: InstanceId(self.started) }
    }
}
