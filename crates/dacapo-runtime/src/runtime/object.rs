//! Durable objects: an instance each, whose storage nobody sees half done.
//!
//! Two gates, as at Cloudflare (`src/workerd/io/io-gate.h`). The *input gate*: while the object is
//! read from the disk, or has asked to be alone (`blockConcurrencyWhile`), events wait. The *output
//! gate*: what a turn tells the world waits until everything that was written up to then is durable;
//! if that fails it is never told, and the object goes back to what the disk has.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::plan::NAME_FIELD;
use dacapo_core::{
    Address, Boot, CallId, Effect, Effects, Event, Fault, FaultKind, Image, InstanceId, Level, ObjectBoot,
    ObjectId, ObjectKey, Outbox, ServiceId, SharedStorage, StorageError, StorageErrorKind, Target, TimerId,
    Turn, WallTime,
};
use http::StatusCode;

use super::active::{Active, forget_request, tells};
use super::alarm::Alarms;
use super::placement::{Ask, SliceId};
use super::{Runtime, Slot};
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
    /// Commits under way that change an alarm. The instance may end before the disk answers; what
    /// becomes durable counts nevertheless.
    alarms_on_their_way: BTreeMap<InstanceId, (ObjectKey, Option<WallTime>)>,
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
    /// Look at the leases of this service's slices.
    Look(ServiceId),
    /// Say again what other runtimes have not answered.
    Resend,
    /// Send this call again.
    Call(InstanceId, CallId),
}

/// An object that is being read from the disk.
struct Loading {
    key: ObjectKey,
    service: ServiceId,
    /// By which name it was called, even if nobody waits for that call any more.
    name: Option<ByteString>,
    waiting: VecDeque<Event>,
}

impl Objects {
    /// A timer number for the runtime's own use, apart from those of cron lines.
    pub(super) fn new_timer(&mut self, what: ObjectTimer) -> TimerId {
        self.timers_set += 1;
        let timer = TimerId(1 << 32 | self.timers_set);
        self.timers.insert(timer, what);
        timer
    }

    /// Whether an object is in memory, or on its way there.
    pub(super) fn is_active(&self, key: &ObjectKey) -> bool {
        self.by_key.contains_key(key)
    }

    /// The objects in memory, and those on their way there.
    pub(super) fn active_keys(&self) -> Vec<(ObjectKey, InstanceId)> {
        self.active().map(|(key, id)| (key.clone(), id)).collect()
    }

    /// The same, without a copy.
    pub(super) fn active(&self) -> impl Iterator<Item = (&ObjectKey, InstanceId)> {
        self.by_key.iter().map(|(key, id)| (key, *id))
    }

    /// Whatever this instance's commit says of an alarm, nobody waits for it any more.
    pub(super) fn forget_commit(&mut self, id: InstanceId) {
        self.alarms_on_their_way.remove(&id);
    }

    /// An object that is on its way into memory turns back; gives what has waited for it.
    pub(super) fn stop_loading(&mut self, key: &ObjectKey, id: InstanceId) -> Option<VecDeque<Event>> {
        let loading = self.loading.remove(&id)?;
        self.by_key.remove(key);
        Some(loading.waiting)
    }

    pub(super) fn take_timer(&mut self, timer: TimerId) -> Option<ObjectTimer> {
        self.timers.remove(&timer)
    }
}

/// By which name this call has found the object.
fn name_in(event: &Event, key: &ObjectKey) -> Option<ByteString> {
    let Event::Request { head, .. } = event else { return None };
    let text = head.headers.0.iter().find(|(name, _)| name == NAME_FIELD)?.1.as_bytes();
    let name = percent_encoding::percent_decode(text).decode_utf8().ok()?;
    // (Anybody may write such a field, so it says only which of all names to look at.)
    let is_true = ObjectId::from_name(&key.namespace, &name) == key.id;
    is_true.then(|| ByteString::from(&*name))
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
        out: &mut Outbox,
    ) -> InstanceId {
        if let Some(id) = self.objects.by_key.get(&key) {
            return *id;
        }
        self.started += 1;
        let id = InstanceId(self.started);
        self.objects.by_key.insert(key.clone(), id);
        self.objects
            .loading
            .insert(id, Loading { key: key.clone(), service, name: None, waiting: VecDeque::new() });
        match self.slice_of(service, &key) {
            Some(slice) => self.ask_register(slice, &key, Ask::Load(id), out),
            None => out.push((Address { node: self.node, instance: id }, Effect::Load(Box::new(key)))),
        }
        id
    }

    /// Lets an event enter an instance, or wait until it may.
    pub(super) fn enter(&mut self, id: InstanceId, turn: &Turn, event: &mut Event, out: &mut Outbox) {
        let Some(slot) = self.instances.get_mut(&id) else { return self.wait_for_state(id, event) };
        let Some(active) = &mut slot.object else {
            let end = slot.turn(turn, event, &mut self.scratch);
            return self.turn_ended(id, end, turn, out);
        };
        if let Event::Cancelled(exchange) = event
            && forget_request(&mut active.waiting, *exchange)
        {
            return;
        }
        let event = event.take();
        if active.must_wait(&event) {
            active.waiting.push_back(event);
            return;
        }
        self.turn(id, turn, event, out);
        self.let_in(id, turn, out);
    }

    /// Keeps what is for an object whose state is not there yet. (An instance that ended leaves events behind that were on their
    /// way to it: they are for nobody.)
    #[cold]
    fn wait_for_state(&mut self, id: InstanceId, event: &mut Event) {
        let Some(loading) = self.objects.loading.get_mut(&id) else { return };
        match event.take() {
            Event::Cancelled(exchange) => drop(forget_request(&mut loading.waiting, exchange)),
            event => {
                loading.name = loading.name.take().or_else(|| name_in(&event, &loading.key));
                loading.waiting.push_back(event);
            }
        }
    }

    /// Lets in what waits, as long as the gate is open.
    fn let_in(&mut self, id: InstanceId, turn: &Turn, out: &mut Outbox) {
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
        out: &mut Outbox,
    ) {
        let Some(Loading { key, service, name, waiting }) = self.objects.loading.remove(&id) else { return };
        if let Err(error) =
            result.and_then(|image| self.activate(id, &key, name, service, image.as_ref(), turn))
        {
            return self.cannot_load(id, &key, &error, turn, out);
        }
        if self.slice_of(service, &key).is_some() {
            self.learn_alarm(id, &key, turn, out);
        }
        self.arm_idle(id, self.idle_of(service, &key), out);
        // It may have gone back to an earlier state, as it was told to: that is a change.
        self.save(id, false, out);
        for mut event in waiting {
            self.enter(id, turn, &mut event, out);
        }
    }

    fn activate(
        &mut self,
        id: InstanceId,
        key: &ObjectKey,
        name: Option<ByteString>,
        service: ServiceId,
        image: Option<&Image>,
        turn: &Turn,
    ) -> Result<(), StorageError> {
        let plan = self.system.plan.service(service);
        let entropy = self.entropy.derive(&plan.name, u64::from(id.0));
        let missing = |what| StorageError::new(StorageErrorKind::Guest, what);
        let engine = self.system.storage.as_ref().ok_or_else(|| missing("this system has no storage"))?;
        let mut storage = engine.open(image, entropy.derive("storage", 0))?;
        storage.begin_turn(turn);
        let class = plan.objects.iter().find(|class| class.namespace == *key.namespace);
        let class = class.ok_or_else(|| missing("its service has no such class"))?;
        if plan.is_builtin() || class.workflow.is_some() {
            storage.keep_no_history();
        }
        let name = match name {
            Some(name) => storage.set_name(name.clone()).map(|()| Some(name))?,
            // Nobody says it to an object that its alarm wakes.
            None if image.is_some_and(|image| image.alarm.is_some()) => storage.name()?,
            None => None,
        };
        let storage = SharedStorage(std::rc::Rc::new(std::cell::RefCell::new(storage)));
        let object = Some(ObjectBoot {
            class: class.name.as_str().into(),
            key: key.clone(),
            name,
            storage: storage.clone(),
            workflow: class.workflow.clone(),
        });
        let boot = Boot { object, ..self.boot_of(id, service) };
        let guest = self.system.program(service, self.version).start(boot);
        let active = Active::new(key.clone(), storage, image, turn.now);
        self.instances.insert(id, Slot { service, guest, is_busy: false, object: Some(Box::new(active)) });
        Ok(())
    }

    fn cannot_load(
        &mut self,
        id: InstanceId,
        key: &ObjectKey,
        error: &StorageError,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        self.objects.by_key.remove(key);
        self.ring_later(key, turn, out);
        let text = format!("the object {key} cannot be read: {error}");
        out.push((runtime_of(self.node), Effect::Log(Level::Error, text.clone().into())));
        for (exchange, _) in self.take_unanswered(id) {
            self.answer(exchange, StatusCode::INTERNAL_SERVER_ERROR, &text, out);
        }
    }

    /// After a turn of an object: its writes go to the disk, and what it says waits for them.
    pub(super) fn after_turn(
        &mut self,
        id: InstanceId,
        effects: &mut Effects,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        for effect in effects.iter() {
            if let Effect::AlarmDone(is_ok) = effect {
                self.alarm_done(id, *is_ok, turn, out);
            }
        }
        let Some(active) = self.slot(id).object.as_mut() else { return };
        // What this turn has written goes with the next commit if one is under way.
        let after = active.commits + 1;
        let is_in_next = active.is_saving();
        let is_telling = effects.iter().any(tells);
        self.save(id, is_telling, out);
        for effect in effects.drain(..) {
            let Some(active) = self.slot(id).object.as_mut() else { return };
            let waits_for = if is_in_next { after } else { active.commits };
            let is_shut = active.durable < waits_for;
            match effect {
                Effect::AlarmDone(_) => {}
                Effect::Exclusive(begins) => active.set_alone(begins),
                Effect::Sync(timer) => {
                    let wake = Effect::SetTimer(timer, Duration::ZERO);
                    active.note(&wake);
                    match is_shut {
                        true => active.held.push_back((waits_for, wake)),
                        false => self.leave(id, wake, out),
                    }
                }
                effect => {
                    active.note(&effect);
                    match is_shut && tells(&effect) {
                        true => active.held.push_back((waits_for, effect)),
                        false => self.leave(id, effect, out),
                    }
                }
            }
        }
    }

    /// Sends to the disk what was changed, unless a commit is under way. False if there is nothing.
    /// What an object says that others could own needs a majority in any case: `is_telling`.
    fn save(&mut self, id: InstanceId, is_telling: bool, out: &mut Outbox) -> bool {
        let service = self.slot(id).service;
        let is_placed = self.system.placed[service.0 as usize].is_some();
        let Some(active) = self.slot(id).object.as_mut() else { return false };
        if active.is_saving() {
            return true;
        }
        let slice = is_placed.then(|| SliceId::of(service, &active.key.id));
        let Some(commit) = active.take_commit() else {
            let Some(slice) = slice.filter(|_| is_telling) else { return false };
            active.commits += 1;
            let number = active.commits;
            self.confirm(slice, id, number, out);
            return true;
        };
        if let Effect::Commit(_, key, changes) = &commit
            && let Some(alarm) = changes.alarm
        {
            self.objects.alarms_on_their_way.insert(id, ((**key).clone(), alarm));
        }
        match (slice, commit) {
            (Some(slice), Effect::Commit(number, key, changes)) => {
                self.ask_register(slice, &key, Ask::Commit(id, number, *changes), out);
            }
            (_, commit) => out.push((Address { node: self.node, instance: id }, commit)),
        }
        true
    }

    /// The disk has answered a commit: what waited for it leaves, or never does.
    pub(super) fn committed(
        &mut self,
        id: InstanceId,
        number: u64,
        result: Result<(), StorageError>,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        let alarm = self.objects.alarms_on_their_way.remove(&id);
        if result.is_ok()
            && let Some((key, at)) = alarm
        {
            self.set_alarm(key, at, turn, out);
        }
        let Some(active) = self.instances.get_mut(&id).and_then(|slot| slot.object.as_mut()) else { return };
        if let Err(error) = result {
            let fault = Fault { kind: FaultKind::Storage, message: error.message, location: None };
            return self.end(id, fault, turn, out);
        }
        active.durable = number;
        active.last_used = turn.now;
        let is_telling = active.held.iter().any(|(commit, _)| *commit > number);
        let durable = if self.save(id, is_telling, out) { number } else { u64::MAX };
        while let Some(active) = self.slot(id).object.as_mut()
            && let Some((_, effect)) = active.held.pop_front_if(|(commit, _)| *commit <= durable)
        {
            self.leave(id, effect, out);
        }
    }

    fn leave(&mut self, id: InstanceId, mut effect: Effect, out: &mut Outbox) {
        let service = self.slot(id).service;
        if self.admit(id, service, &mut effect) {
            out.push((Address { node: self.node, instance: id }, effect));
        }
    }

    /// An object has ended: the next request finds it as the disk has it.
    pub(super) fn forget_object(&mut self, active: &Active, turn: &Turn, out: &mut Outbox) {
        self.objects.by_key.remove(&active.key);
        self.forget_register(&active.key);
        match active.alarm {
            Some(ringing) => self.ring_again(&active.key, ringing, turn, out),
            None => self.ring_later(&active.key, turn, out),
        }
    }

    fn idle_of(&self, service: ServiceId, key: &ObjectKey) -> Duration {
        let classes = &self.system.plan.service(service).objects;
        classes
            .iter()
            .find(|class| class.namespace == *key.namespace)
            .map_or(Duration::MAX, |class| class.idle)
    }

    fn arm_idle(&mut self, id: InstanceId, wait: Duration, out: &mut Outbox) {
        let timer = self.objects.new_timer(ObjectTimer::Idle(id));
        out.push((runtime_of(self.node), Effect::SetTimer(timer, wait)));
    }

    /// Lets an object leave memory that had nothing to do for long enough.
    pub(super) fn look_for_idle(&mut self, id: InstanceId, turn: &Turn, out: &mut Outbox) {
        let Some(slot) = self.instances.get(&id) else { return };
        let Some(active) = &slot.object else { return };
        let limit = self.idle_of(slot.service, &active.key);
        let idle = Duration::from_nanos(turn.now.0.saturating_sub(active.last_used.0));
        let is_settled = !slot.is_busy && active.is_settled() && active.calls.is_empty();
        if idle < limit {
            return self.arm_idle(id, limit - idle, out);
        }
        if !is_settled || self.open.any(|open| open.instance == id) {
            return self.arm_idle(id, limit, out);
        }
        self.put_away(id, turn, out);
    }

    /// Lets an object leave memory of which nothing is under way.
    pub(super) fn put_away(&mut self, id: InstanceId, turn: &Turn, out: &mut Outbox) {
        let slot = self.instances.remove(&id).expect("the maps of a runtime name live instances only");
        let active = slot.object.expect("it is an object");
        self.forget_object(&active, turn, out);
        let from = Address { node: self.node, instance: id };
        out.extend(active.timers.iter().map(|timer| (from, Effect::ClearTimer(*timer))));
    }
}
