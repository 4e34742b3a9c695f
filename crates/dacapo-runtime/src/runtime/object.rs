//! Durable objects: an instance each, whose storage nobody sees half done.
//!
//! Two gates, as at Cloudflare (`src/workerd/io/io-gate.h`). The *input gate*: while the object is
//! read from the disk, or has asked to be alone (`blockConcurrencyWhile`), events wait. The *output
//! gate*: what a turn tells the world waits until everything that was written up to then is durable;
//! if that fails it is never told, and the object goes back to what the disk has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use dacapo_core::{
    Address, Boot, Changes, Effect, Effects, Event, Fault, FaultKind, Image, InstanceId, Level, ObjectBoot,
    ObjectKey, ServiceId, SharedStorage, StorageError, Target, Time, TimerId, Turn, WallTime,
};
use http::StatusCode;

use super::alarm::Alarms;
use super::{Runtime, Sent, Slot};
use crate::cluster::runtime_of;
use crate::topology::Topology;

/// The durable objects of a node.
#[derive(Default)]
pub(super) struct Objects {
    /// The instance of each object that is active, or on its way.
    by_key: BTreeMap<ObjectKey, InstanceId>,
    /// Those that are being read from the disk.
    loading: BTreeMap<InstanceId, Loading>,
    pub(super) alarms: Alarms,
    /// Timers of the runtime that belong to objects.
    timers: BTreeMap<TimerId, ObjectTimer>,
    timers_set: u64,
}

/// What a timer of the runtime is for.
pub(super) enum ObjectTimer {
    /// Look whether the object is idle.
    Idle(InstanceId),
    /// The alarm of this object is due.
    Alarm(ObjectKey),
}

/// An object that is being read from the disk.
struct Loading {
    key: ObjectKey,
    service: ServiceId,
    waiting: VecDeque<Event>,
}

/// What the runtime keeps of an active object.
pub(super) struct Active {
    pub(super) key: ObjectKey,
    pub(super) storage: SharedStorage,
    /// Events that may not enter yet.
    waiting: VecDeque<Event>,
    /// While the object is alone: the first call and the first timer that belong to what it does.
    alone_since: Option<(u64, u64)>,
    next_call: u64,
    next_timer: u64,
    timers: BTreeSet<TimerId>,
    commits: u64,
    durable: u64,
    /// What may not leave before the commit of this number is durable.
    held: VecDeque<(u64, Effect)>,
    pub(super) alarm: Option<Ringing>,
    last_used: Time,
}

/// An alarm that is being handled.
#[derive(Clone, Copy)]
pub(super) struct Ringing {
    pub(super) scheduled: WallTime,
    pub(super) retry: u32,
}

impl Objects {
    /// A timer number for the runtime's own use, apart from those of cron lines.
    pub(super) fn new_timer(&mut self, what: ObjectTimer) -> TimerId {
        self.timers_set += 1;
        let timer = TimerId(1 << 32 | self.timers_set);
        self.timers.insert(timer, what);
        timer
    }

    pub(super) fn take_timer(&mut self, timer: TimerId) -> Option<ObjectTimer> {
        self.timers.remove(&timer)
    }
}

impl Active {
    fn new(key: ObjectKey, storage: SharedStorage, now: Time) -> Active {
        Active {
            key,
            storage,
            waiting: VecDeque::new(),
            alone_since: None,
            next_call: 0,
            next_timer: 0,
            timers: BTreeSet::new(),
            commits: 0,
            durable: 0,
            held: VecDeque::new(),
            alarm: None,
            last_used: now,
        }
    }

    /// Whether this event has to wait. What belongs to calls and timers that the object began while
    /// alone must pass, or it would wait for itself; so must the parts of bodies, which it may read.
    fn must_wait(&self, event: &Event) -> bool {
        let Some((first_call, first_timer)) = self.alone_since else { return false };
        match event {
            Event::Response { call, .. }
            | Event::ResponseChunk(call, _)
            | Event::RequestCredit(call, _)
            | Event::Failed(call, _) => call.0 < first_call,
            Event::Timer(timer) => timer.0 < first_timer,
            Event::RequestChunk(..) | Event::ResponseCredit(..) | Event::Cancelled(_) => false,
            _ => true,
        }
    }

    /// Whether nothing is under way that must be finished before the object may leave memory.
    pub(super) fn is_settled(&self) -> bool {
        self.waiting.is_empty()
            && self.held.is_empty()
            && self.alone_since.is_none()
            && self.durable == self.commits
            && self.alarm.is_none()
    }

    /// Before a guest's turn.
    pub(super) fn begin_turn(&mut self, turn: &Turn, event: &Event) {
        self.last_used = turn.now;
        if let Event::Timer(timer) = event {
            self.timers.remove(timer);
        }
        self.storage.0.borrow_mut().begin_turn(turn);
    }

    /// What the turn changed, as a commit.
    fn take_commit(&mut self) -> Option<(Effect, Option<Option<WallTime>>)> {
        let mut changes = self.storage.0.borrow_mut().take_changes()?;
        if self.alarm.is_some() && changes.alarm == Some(None) {
            // An alarm that rings stays on the disk until its handler is done, so that a crash
            // before that rings it again.
            changes.alarm = None;
            if changes.writes.is_empty() {
                return None;
            }
        }
        let alarm = changes.alarm;
        Some((self.commit(changes), alarm))
    }

    pub(super) fn commit(&mut self, changes: Changes) -> Effect {
        self.commits += 1;
        Effect::Commit(self.commits, self.key.clone(), changes)
    }

    fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::Fetch { call, .. } => self.next_call = self.next_call.max(call.0 + 1),
            Effect::SetTimer(timer, _) => {
                self.next_timer = self.next_timer.max(timer.0 + 1);
                self.timers.insert(*timer);
            }
            Effect::ClearTimer(timer) => {
                self.timers.remove(timer);
            }
            _ => {}
        }
    }

    /// Whether the world could learn from this effect what the object knows. (A cancelled call
    /// tells nothing, but it must not overtake the call.)
    fn must_hold(&self, effect: &Effect) -> bool {
        let tells = matches!(
            effect,
            Effect::Fetch { .. }
                | Effect::RequestChunk(..)
                | Effect::Respond { .. }
                | Effect::ResponseChunk(..)
                | Effect::Cancel(_)
        );
        tells && (self.durable < self.commits || !self.held.is_empty())
    }
}

impl Runtime {
    /// What a granted call to an object becomes.
    pub(super) fn target_of_object(&self, service: ServiceId, by: ServiceId, key: ObjectKey) -> Target {
        match Topology::owner(&self.system.hosts[service.0 as usize], &key) {
            Some(node) => Target::Owner(node, service, self.caller(by), Box::new(key)),
            None => self.runs_nowhere(service),
        }
    }

    /// The instance of an object; asks the disk for its state if there is none.
    pub(super) fn instance_of_object(
        &mut self,
        key: ObjectKey,
        service: ServiceId,
        out: &mut Sent,
    ) -> InstanceId {
        if let Some(id) = self.objects.by_key.get(&key) {
            return *id;
        }
        self.started += 1;
        let id = InstanceId(self.started);
        out.push((Address { node: self.node, instance: id }, Effect::Load(key.clone())));
        self.objects.by_key.insert(key.clone(), id);
        self.objects.loading.insert(id, Loading { key, service, waiting: VecDeque::new() });
        id
    }

    /// Lets an event enter an instance, or wait until it may.
    pub(super) fn enter(&mut self, id: InstanceId, turn: &Turn, event: Event, out: &mut Sent) {
        if let Some(loading) = self.objects.loading.get_mut(&id) {
            loading.waiting.push_back(event);
            return;
        }
        // An instance that ended leaves events behind that were on their way to it.
        let Some(slot) = self.instances.get_mut(&id) else { return };
        let Some(active) = &mut slot.object else { return self.turn(id, turn, event, out) };
        if active.must_wait(&event) {
            active.waiting.push_back(event);
            return;
        }
        self.turn(id, turn, event, out);
        self.let_in(id, turn, out);
    }

    /// Lets in what waits, as long as the gate is open.
    fn let_in(&mut self, id: InstanceId, turn: &Turn, out: &mut Sent) {
        while let Some(active) = self.instances.get_mut(&id).and_then(|slot| slot.object.as_mut()) {
            let next = active.waiting.iter().position(|event| !active.must_wait(event));
            let Some(event) = next.and_then(|at| active.waiting.remove(at)) else { return };
            self.turn(id, turn, event, out);
        }
    }

    /// The disk has answered: the object becomes active, and takes what has come for it.
    pub(super) fn loaded(
        &mut self,
        id: InstanceId,
        result: Result<Option<Image>, StorageError>,
        turn: &Turn,
        out: &mut Sent,
    ) {
        let Some(Loading { key, service, waiting }) = self.objects.loading.remove(&id) else { return };
        let image = match result.and_then(|image| self.activate(id, &key, service, image.as_ref(), turn)) {
            Ok(()) => waiting,
            Err(error) => return self.cannot_load(id, &key, &error, out),
        };
        self.arm_idle(id, self.idle_of(service, &key), out);
        for event in image {
            self.enter(id, turn, event, out);
        }
    }

    fn activate(
        &mut self,
        id: InstanceId,
        key: &ObjectKey,
        service: ServiceId,
        image: Option<&Image>,
        turn: &Turn,
    ) -> Result<(), StorageError> {
        let plan = self.system.plan.service(service);
        let entropy = self.entropy.derive(&plan.name, u64::from(id.0));
        let engine = self.system.storage.as_ref().expect("only a system with storage has objects");
        let storage = engine.open(image, entropy.derive("storage", 0))?;
        let storage = SharedStorage(std::rc::Rc::new(std::cell::RefCell::new(storage)));
        let class = plan.objects.iter().find(|class| class.namespace == *key.namespace);
        let class = class.expect("a call to an unknown class is refused").name.as_str().into();
        let object = Some(ObjectBoot { class, key: key.clone(), storage: storage.clone() });
        let boot = Boot { object, ..self.boot_of(id, service) };
        let guest = self.system.programs[service.0 as usize].start(boot);
        let active = Active::new(key.clone(), storage, turn.now);
        self.instances.insert(id, Slot { service, guest, is_busy: false, object: Some(Box::new(active)) });
        Ok(())
    }

    fn cannot_load(&mut self, id: InstanceId, key: &ObjectKey, error: &StorageError, out: &mut Sent) {
        self.objects.by_key.remove(key);
        let text = format!("the object {key} cannot be read: {error}");
        out.push((runtime_of(self.node), Effect::Log(Level::Error, text.clone().into())));
        let unanswered: Vec<_> = self.open.extract_if(.., |_, open| open.instance == id).collect();
        for (exchange, _) in unanswered {
            self.answer(exchange, StatusCode::INTERNAL_SERVER_ERROR, &text, out);
        }
    }

    /// After a turn of an object: its writes go to the disk, and what it says waits for them.
    pub(super) fn after_turn(&mut self, id: InstanceId, effects: &mut Effects, turn: &Turn, out: &mut Sent) {
        let from = Address { node: self.node, instance: id };
        let Some(active) = self.slot(id).object.as_mut() else { return };
        if let Some((commit, alarm)) = active.take_commit() {
            let key = active.key.clone();
            out.push((from, commit));
            if let Some(at) = alarm {
                self.set_alarm(key, at, turn, out);
            }
        }
        for effect in effects.drain(..) {
            let Some(active) = self.slot(id).object.as_mut() else { return };
            active.note(&effect);
            match effect {
                Effect::Exclusive(true) => active.alone_since = Some((active.next_call, active.next_timer)),
                Effect::Exclusive(false) => active.alone_since = None,
                Effect::Sync(timer) => {
                    let wake = Effect::SetTimer(timer, Duration::ZERO);
                    active.note(&wake);
                    active.held.push_back((active.commits, wake));
                    self.release(id, out);
                }
                Effect::AlarmDone(is_ok) => self.alarm_done(id, is_ok, turn, out),
                effect if active.must_hold(&effect) => active.held.push_back((active.commits, effect)),
                effect => self.leave(id, effect, out),
            }
        }
    }

    /// The disk has answered a commit: what waited for it leaves, or never does.
    pub(super) fn committed(
        &mut self,
        id: InstanceId,
        number: u64,
        result: Result<(), StorageError>,
        turn: &Turn,
        out: &mut Sent,
    ) {
        let Some(active) = self.instances.get_mut(&id).and_then(|slot| slot.object.as_mut()) else { return };
        if let Err(error) = result {
            let fault = Fault { kind: FaultKind::Storage, message: error.message, location: None };
            return self.end(id, fault, turn, out);
        }
        active.durable = number;
        self.release(id, out);
    }

    /// Lets leave what waits for nothing any more.
    fn release(&mut self, id: InstanceId, out: &mut Sent) {
        while let Some(active) = self.slot(id).object.as_mut() {
            let durable = active.durable;
            match active.held.pop_front_if(|(commit, _)| *commit <= durable) {
                Some((_, effect)) => self.leave(id, effect, out),
                None => return,
            }
        }
    }

    fn leave(&mut self, id: InstanceId, mut effect: Effect, out: &mut Sent) {
        let service = self.slot(id).service;
        if self.admit(id, service, &mut effect) {
            out.push((Address { node: self.node, instance: id }, effect));
        }
    }

    /// An object has ended: the next request finds it as the disk has it.
    pub(super) fn forget_object(&mut self, active: &Active, turn: &Turn, out: &mut Sent) {
        self.objects.by_key.remove(&active.key);
        if let Some(ringing) = active.alarm {
            self.ring_again(active.key.clone(), ringing, turn, out);
        }
    }

    fn idle_of(&self, service: ServiceId, key: &ObjectKey) -> Duration {
        let classes = &self.system.plan.service(service).objects;
        classes
            .iter()
            .find(|class| class.namespace == *key.namespace)
            .map_or(Duration::MAX, |class| class.idle)
    }

    fn arm_idle(&mut self, id: InstanceId, wait: Duration, out: &mut Sent) {
        let timer = self.objects.new_timer(ObjectTimer::Idle(id));
        out.push((runtime_of(self.node), Effect::SetTimer(timer, wait)));
    }

    /// Lets an object leave memory that had nothing to do for long enough.
    pub(super) fn look_for_idle(&mut self, id: InstanceId, turn: &Turn, out: &mut Sent) {
        let Some(slot) = self.instances.get(&id) else { return };
        let Some(active) = &slot.object else { return };
        let limit = self.idle_of(slot.service, &active.key);
        let idle = Duration::from_nanos(turn.now.0.saturating_sub(active.last_used.0));
        let is_settled = !slot.is_busy && active.is_settled();
        if idle < limit {
            return self.arm_idle(id, limit - idle, out);
        }
        if !is_settled || self.open.values().any(|open| open.instance == id) {
            return self.arm_idle(id, limit, out);
        }
        let slot = self.instances.remove(&id).expect("just seen");
        let active = slot.object.expect("just seen");
        self.objects.by_key.remove(&active.key);
        let from = Address { node: self.node, instance: id };
        out.extend(active.timers.iter().map(|timer| (from, Effect::ClearTimer(*timer))));
    }
}
