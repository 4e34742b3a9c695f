//! A node as the owner of a slice: from the lease to the day when another one has it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::{
    Effect, Event, ExchangeId, Fault, FaultKind, InstanceId, Level, NodeId, ObjectKey, Outbox, ServiceId,
    Time, Turn, WallTime,
};

use super::Runtime;
use super::register::Register;
use super::slice::SliceId;
use super::words::What;
use crate::cluster::runtime_of;
use crate::runtime::object::ObjectTimer;

/// How long until something is said again that was not answered.
const RESEND: Duration = Duration::from_millis(300);
/// An owner that got no majority for so long lets another one try: it may be cut off from the others, and
/// not from the coordination service.
const STUCK: Duration = Duration::from_secs(3);

/// A slice that this node owns.
pub(super) struct Owned {
    pub(super) epoch: u64,
    /// Who holds the lease, as it stands there.
    pub(super) holder: ByteString,
    /// Who takes nothing from earlier owners any more.
    sealed: BTreeSet<NodeId>,
    pub(super) registers: BTreeMap<ObjectKey, Register>,
    confirming: Confirming,
    /// Since when nothing has come to its end of what is under way.
    pub(super) stuck_since: Option<Time>,
    /// Requests for its objects since they were counted last.
    pub(super) requests: u64,
    /// How many there are lately in a round of balancing.
    pub(super) load: u64,
    /// Since when it is owned here, or was to leave and could not.
    pub(super) since: Time,
    /// Whom it is about to be given to, and since when: nothing new begins here.
    pub(super) leaves: Option<(NodeId, Time)>,
}

/// Whether this node was still the owner after a turn: asked for many at once.
#[derive(Default)]
struct Confirming {
    number: u64,
    by: BTreeSet<NodeId>,
    /// Who waits for the answers to the question that is asked now; and for the next one.
    now: Vec<(InstanceId, u64)>,
    next: Vec<(InstanceId, u64)>,
}

impl Owned {
    /// What is under way, for the replicas that have not answered yet.
    fn unanswered(&self, replicas: &[NodeId]) -> Vec<(NodeId, What)> {
        let mut all = Vec::new();
        for node in replicas.iter().filter(|_| self.sealed.len() <= replicas.len() / 2) {
            if !self.sealed.contains(node) {
                all.push((*node, What::Seal));
            }
        }
        if !self.confirming.now.is_empty() {
            let missing = replicas.iter().filter(|node| !self.confirming.by.contains(node));
            all.extend(missing.map(|node| (*node, What::Confirm(self.confirming.number))));
        }
        for (key, register) in &self.registers {
            all.extend(register.unanswered(key, replicas));
        }
        all
    }
}

impl Runtime {
    /// The lease of a slice is this node's, with this version.
    pub(super) fn begin_owning(
        &mut self,
        slice: SliceId,
        epoch: u64,
        holder: ByteString,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        let owned = Owned {
            epoch,
            holder,
            sealed: BTreeSet::new(),
            registers: BTreeMap::new(),
            confirming: Confirming::default(),
            stuck_since: None,
            requests: 0,
            load: 0,
            since: turn.now,
            leaves: None,
        };
        self.placement.owned.insert(slice, owned);
        let name = &self.system.plan.service(slice.service).name;
        let text = format!("owns slice {} of {name} from epoch {epoch} on", slice.index);
        out.push((runtime_of(self.node), Effect::Log(Level::Debug, text.into())));
        for to in self.replicas_of(slice).to_vec() {
            self.say(to, slice, epoch, What::Seal, out);
        }
        self.resend_later(out);
    }

    /// A replica takes nothing from earlier owners any more, and says which alarms it knows. One that was
    /// agreed to is known by one of any majority.
    pub(super) fn sealed(
        &mut self,
        from: NodeId,
        slice: SliceId,
        alarms: Vec<(ObjectKey, WallTime)>,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        if !owned.sealed.insert(from) {
            return;
        }
        for (key, at) in alarms {
            if !self.objects.alarms.contains_key(&key) {
                self.set_alarm(key, Some(at), turn, out);
            }
        }
    }

    /// Asks whether this node is still the owner, after a turn of an object that wrote nothing: what it
    /// says may leave when a majority agrees.
    pub(in crate::runtime) fn confirm(
        &mut self,
        slice: SliceId,
        id: InstanceId,
        number: u64,
        out: &mut Outbox,
    ) {
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        owned.confirming.next.push((id, number));
        self.confirm_next(slice, out);
    }

    fn confirm_next(&mut self, slice: SliceId, out: &mut Outbox) {
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        let (epoch, confirming) = (owned.epoch, &mut owned.confirming);
        if !confirming.now.is_empty() || confirming.next.is_empty() {
            return;
        }
        confirming.now = std::mem::take(&mut confirming.next);
        confirming.by.clear();
        confirming.number += 1;
        let number = confirming.number;
        for to in self.replicas_of(slice).to_vec() {
            self.say(to, slice, epoch, What::Confirm(number), out);
        }
        self.resend_later(out);
    }

    /// A replica has promised nothing later so far.
    pub(super) fn confirmed(
        &mut self,
        from: NodeId,
        slice: SliceId,
        number: u64,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        let majority = self.majority(slice);
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        let confirming = &mut owned.confirming;
        if confirming.number != number || confirming.now.is_empty() {
            return;
        }
        confirming.by.insert(from);
        if confirming.by.len() < majority {
            return;
        }
        owned.stuck_since = None;
        for (id, number) in std::mem::take(&mut confirming.now) {
            self.committed(id, number, Ok(()), turn, out);
        }
        self.confirm_next(slice, out);
    }

    pub(super) fn resend_later(&mut self, out: &mut Outbox) {
        if !std::mem::replace(&mut self.placement.is_resend_set, true) {
            self.set_runtime_timer(ObjectTimer::Resend, RESEND, out);
        }
    }

    /// Says again what was not answered.
    pub(in crate::runtime) fn resend(&mut self, turn: &Turn, out: &mut Outbox) {
        self.placement.is_resend_set = false;
        self.release_stuck_slices(turn, out);
        let all = self.placement.owned.iter();
        let missing: Vec<_> = all
            .flat_map(|(slice, owned)| {
                let words = owned.unanswered(self.replicas_of(*slice)).into_iter();
                words.map(|(to, what)| (to, *slice, owned.epoch, what))
            })
            .collect();
        if missing.is_empty() {
            return;
        }
        for (to, slice, epoch, what) in missing {
            self.say(to, slice, epoch, what, out);
        }
        self.resend_later(out);
    }

    fn release_stuck_slices(&mut self, turn: &Turn, out: &mut Outbox) {
        for slice in self.placement.owned.keys().copied().collect::<Vec<_>>() {
            let replicas = self.replicas_of(slice).to_vec();
            let Some(owned) = self.placement.owned.get_mut(&slice) else { continue };
            if owned.unanswered(&replicas).is_empty() {
                owned.stuck_since = None;
            } else if turn.now.since(*owned.stuck_since.get_or_insert(turn.now)) > STUCK {
                let epoch = owned.epoch;
                self.let_another_try(slice, epoch, turn, out);
            }
        }
    }

    /// This node cannot do what the owner of a slice has to: its disk fails, or nobody hears it.
    pub(super) fn let_another_try(&mut self, slice: SliceId, epoch: u64, turn: &Turn, out: &mut Outbox) {
        if self.placement.owned.get(&slice).is_some_and(|owned| owned.epoch == epoch) {
            self.placement.leases.shun(slice);
            self.release(slice, None, turn, out);
        }
    }

    /// Somebody else owns this slice, or will: its objects end here.
    pub(super) fn step_down(&mut self, slice: SliceId, turn: &Turn, out: &mut Outbox) {
        let Some(owned) = self.placement.owned.remove(&slice) else { return };
        self.placement.leases.gave_up(slice);
        let name = &self.system.plan.service(slice.service).name;
        let text = format!("slice {} of {name} is no longer owned here (epoch {})", slice.index, owned.epoch);
        out.push((runtime_of(self.node), Effect::Log(Level::Debug, text.into())));
        for (key, id) in self.objects.active_keys() {
            if self.slice_of_key(&key) == Some(slice) {
                self.end_object_elsewhere(&key, id, slice, turn, out);
            }
        }
        for key in self.objects.alarms.keys().cloned().collect::<Vec<_>>() {
            if self.slice_of_key(&key) == Some(slice) {
                self.set_alarm(key, None, turn, out);
            }
        }
    }

    fn end_object_elsewhere(
        &mut self,
        key: &ObjectKey,
        id: InstanceId,
        slice: SliceId,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        self.objects.forget_commit(id);
        let waiting = match self.objects.stop_loading(key, id) {
            Some(waiting) => waiting,
            None => match self.instances.get_mut(&id).and_then(|slot| slot.object.as_mut()) {
                Some(active) => std::mem::take(&mut active.waiting),
                None => return,
            },
        };
        // What has not entered the object can go where it belongs now.
        for event in waiting {
            if let Event::Request { exchange, .. } = event {
                self.open.remove(exchange);
                self.misdirect(exchange, slice, out);
            }
        }
        if self.is_done(id) && self.instances.contains_key(&id) {
            self.put_away(id, turn, out);
        } else if self.instances.contains_key(&id) {
            let message = "another node owns this object now".into();
            self.end(id, Fault { kind: FaultKind::Moved, message, location: None }, turn, out);
        }
    }

    /// Whether a request for an object may enter it here. If not, its caller is told where else to ask.
    pub(in crate::runtime) fn admit_request(
        &mut self,
        exchange: ExchangeId,
        service: ServiceId,
        from: Option<ServiceId>,
        key: &ObjectKey,
        out: &mut Outbox,
    ) -> bool {
        let Some(slice) = self.slice_of(service, key) else { return true };
        // What is under way here may need other objects until it is done.
        let is_stopping = self.is_stopping && from.is_none();
        if let Some(owned) = self.placement.owned.get_mut(&slice)
            && !is_stopping
            && owned.leaves.is_none()
        {
            owned.requests += 1;
            return true;
        }
        self.misdirect(exchange, slice, out);
        false
    }

    /// Whether nothing is under way in a slice.
    pub(super) fn is_slice_quiet(&self, slice: SliceId) -> bool {
        let own = |key: &ObjectKey| self.slice_of_key(key) == Some(slice);
        let is_quiet = |id: &InstanceId| {
            let Some(slot) = self.instances.get(id) else { return false };
            let is_settled = slot.object.as_ref().is_none_or(|active| active.is_settled());
            is_settled && !slot.is_busy && !self.open.any(|open| open.instance == *id)
        };
        let registers_are_quiet = |owned: &Owned| owned.registers.values().all(Register::is_quiet);
        self.placement.owned.get(&slice).is_none_or(registers_are_quiet)
            && self.objects.active().all(|(key, id)| !own(key) || is_quiet(&id))
    }

    /// Gives a slice to this node, or back: then whoever is next may have it.
    pub(super) fn release(&mut self, slice: SliceId, to: Option<NodeId>, turn: &Turn, out: &mut Outbox) {
        let Some(epoch) = self.placement.owned.get(&slice).map(|owned| owned.epoch) else { return };
        self.step_down(slice, turn, out);
        self.placement.leases.release(slice, epoch, to);
        self.look_at_leases(slice.service, out);
    }

    /// Whether there is nothing that another node should have first.
    pub(in crate::runtime) fn placement_has_stopped(&self) -> bool {
        self.placement.owned.is_empty() && self.placement.leases.has_released_all()
    }
}
