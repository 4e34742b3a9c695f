//! Leases: which node may try to own which slice. Each node that keeps slices of a service looks at all
//! of their leases once a second, and in the same call renews what it has and takes what is free.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::{Effect, LeaseCall, LeaseRecord, LeaseSwap, NetError, NodeId, Outbox, ServiceId, Turn};

use super::Runtime;
use super::slice::SliceId;
use super::words::What;
use crate::cluster::runtime_of;
use crate::runtime::object::ObjectTimer;

/// How long a lease lasts, and how often its holder and the others look.
const TTL: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_secs(1);

/// A node whose disk failed takes a slice again only if it was free for so many looks.
const SHUNNED: u32 = 5;

#[derive(Default)]
pub(super) struct Leases {
    pub(super) incarnation: u32,
    calls: u64,
    /// The call for each service that is not answered. There is one at a time: the answer to one of two would
    /// look like somebody else's attempt to the other, so that both would try again without end.
    asked: BTreeMap<ServiceId, u64>,
    /// Services whose leases are to be looked at again as soon as that call is answered.
    again: BTreeSet<ServiceId>,
    /// Of each service how many calls were answered with its leases.
    answered: BTreeMap<ServiceId, u64>,
    /// Each slice's lease as it was seen last, and in how many looks it was free.
    seen: BTreeMap<SliceId, (LeaseRecord, u32)>,
    /// What stands in the lease if the last attempt to get it succeeded.
    tried: BTreeMap<SliceId, ByteString>,
    attempts: u64,
    /// Leases to give back, with the versions that they have, and who gets them.
    releasing: BTreeMap<SliceId, (u64, Option<NodeId>)>,
    shunned: BTreeMap<SliceId, ()>,
    is_timer_set: BTreeMap<ServiceId, ()>,
}

impl Leases {
    /// A slice is to be taken by others before this node tries again.
    pub(super) fn shun(&mut self, slice: SliceId) {
        self.shunned.insert(slice, ());
    }

    /// An epoch that was given up is never taken up again.
    pub(super) fn gave_up(&mut self, slice: SliceId) {
        self.tried.remove(&slice);
    }

    pub(super) fn release(&mut self, slice: SliceId, epoch: u64, to: Option<NodeId>) {
        self.releasing.insert(slice, (epoch, to));
    }

    pub(super) fn has_released_all(&self) -> bool {
        self.releasing.is_empty()
    }

    /// The node that holds a slice's lease, as far as is known.
    pub(super) fn holder(&self, slice: SliceId) -> Option<NodeId> {
        let (record, _) = self.seen.get(&slice)?;
        if record.is_held { node_of(&record.value) } else { None }
    }
}

/// `n3/0/17`: node, boots before this one, attempts in this life.
fn node_of(holder: &str) -> Option<NodeId> {
    Some(NodeId(holder.strip_prefix('n')?.split('/').next()?.parse().ok()?))
}

impl Runtime {
    /// Looks at the leases of a service; renews, takes and gives back on the way.
    pub(in crate::runtime) fn look_at_leases(&mut self, service: ServiceId, out: &mut Outbox) {
        if self.placement.leases.is_timer_set.insert(service, ()).is_none() {
            self.set_runtime_timer(ObjectTimer::Look(service), LOOK, out);
        }
        if self.placement.leases.asked.contains_key(&service) {
            self.placement.leases.again.insert(service);
            return;
        }
        let slices = 0..self.system.placed[service.0 as usize].as_ref().map_or(0, Vec::len) as u32;
        let swaps = slices.filter_map(|index| self.swap_of(SliceId { service, index })).collect();
        let leases = &mut self.placement.leases;
        leases.calls += 1;
        leases.asked.insert(service, leases.calls);
        let group = format!("slices of {}", self.system.plan.service(service).name).into();
        let call = LeaseCall { number: leases.calls, group, swaps };
        out.push((runtime_of(self.node), Effect::Lease(Box::new(call))));
    }

    /// It is time to look again.
    pub(in crate::runtime) fn look_again(&mut self, service: ServiceId, turn: &Turn, out: &mut Outbox) {
        self.placement.leases.is_timer_set.remove(&service);
        self.balance(service, turn, out);
        self.look_at_leases(service, out);
    }

    /// What this node wants of a slice's lease.
    fn swap_of(&mut self, slice: SliceId) -> Option<LeaseSwap> {
        let rank = self.replicas_of(slice).iter().position(|node| *node == self.node)?;
        let key = slice.index;
        if let Some(owned) = self.placement.owned.get(&slice) {
            return Some(LeaseSwap { key, expected: owned.epoch, value: owned.holder.clone(), ttl: TTL });
        }
        let leases = &mut self.placement.leases;
        if let Some((expected, to)) = leases.releasing.get(&slice) {
            let value = to.map_or_else(ByteString::new, |to| to.to_string().into());
            return Some(LeaseSwap { key, expected: *expected, value, ttl: TTL });
        }
        // Without a look nobody knows whether it is free.
        leases.answered.get(&slice.service)?;
        if !self.wants(slice, rank) {
            return None;
        }
        let leases = &mut self.placement.leases;
        let expected = leases.seen.get(&slice).map_or(0, |(record, _)| record.version);
        leases.attempts += 1;
        let value: ByteString = format!("{}/{}/{}", self.node, leases.incarnation, leases.attempts).into();
        leases.tried.insert(slice, value.clone());
        Some(LeaseSwap { key, expected, value, ttl: TTL })
    }

    /// Whether this node could have a slice at once.
    fn is_offered(&self, slice: SliceId) -> bool {
        let rank = self.replicas_of(slice).iter().position(|node| *node == self.node);
        rank.is_some_and(|rank| self.wants(slice, rank))
    }

    /// Whether a slice that is not owned here could be, as it was seen last.
    fn wants(&self, slice: SliceId, rank: usize) -> bool {
        let leases = &self.placement.leases;
        let is_shunned = leases.shunned.contains_key(&slice);
        let looks = if is_shunned { rank as u32 + SHUNNED } else { rank as u32 };
        let Some((record, free)) = leases.seen.get(&slice) else { return !self.is_stopping };
        // Its own of an earlier life, or of an attempt that it gave up, is nobody's; and somebody may have
        // given it to this node.
        let is_mine = record.is_held && node_of(&record.value) == Some(self.node);
        !self.is_stopping && (is_mine && !is_shunned || *free > looks)
    }

    /// The coordination service has answered.
    pub(in crate::runtime) fn leased(
        &mut self,
        number: u64,
        result: Result<Vec<LeaseRecord>, NetError>,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        let leases = &mut self.placement.leases;
        let asked = leases.asked.iter().find(|(_, asked)| **asked == number);
        let Some(service) = asked.map(|(service, _)| *service) else { return };
        leases.asked.remove(&service);
        let looks_again = leases.again.remove(&service);
        let Ok(records) = result else {
            if looks_again {
                self.look_at_leases(service, out);
            }
            return;
        };
        let count = leases.answered.entry(service).or_default();
        *count += 1;
        let is_first = *count == 1;
        let (mut was_released, mut is_offered) = (Vec::new(), false);
        for record in records {
            let slice = SliceId { service, index: record.key };
            let leases = &mut self.placement.leases;
            let free = leases.seen.get(&slice).map_or(0, |(_, free)| *free);
            let free = if record.is_held { 0 } else { free.saturating_add(1) };
            let version = record.version;
            let is_mine = leases.tried.get(&slice) == Some(&record.value);
            let is_mine = (is_mine && !record.value.is_empty()).then(|| record.value.clone());
            if record.is_held {
                leases.shunned.remove(&slice);
            }
            if leases.releasing.get(&slice).is_some_and(|(released, _)| version > *released) {
                leases.releasing.remove(&slice);
                was_released.push(slice);
            }
            let before = leases.seen.insert(slice, (record, free));
            let is_news = before.is_none_or(|(record, _)| record.version != version);
            match (self.placement.owned.get(&slice).map(|owned| owned.epoch), is_mine) {
                (Some(epoch), _) if epoch != version => self.step_down(slice, turn, out),
                (None, Some(holder)) => self.begin_owning(slice, version, holder, turn, out),
                (None, None) if is_news => is_offered |= self.is_offered(slice),
                _ => {}
            }
        }
        for slice in was_released {
            let others = self.replicas_of(slice).iter().copied().filter(|to| *to != self.node);
            for to in others.collect::<Vec<_>>() {
                self.say(to, slice, 0, What::Free, out);
            }
        }
        // Nobody should wait a second for what is free after a boot, or was just given to this node.
        if is_first || is_offered || looks_again {
            self.look_at_leases(service, out);
        }
    }
}
