//! Durable objects: an instance each, whose storage nobody sees half done.
//!
//! Two gates, as at Cloudflare (`src/workerd/io/io-gate.h`). The *input gate*: while the object is
//! read from the disk, or has asked to be alone (`blockConcurrencyWhile`), events wait. The *output
//! gate*: what a turn tells the world waits until everything that was written up to then is durable;
//! if that fails it is never told, and the object goes back to what the disk has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use dacapo_core::{
    Address, Body, Boot, CallId, Changes, Chunk, Effect, Effects, Event, ExchangeId, Fault, FaultKind, Image,
    InstanceId, Level, ObjectBoot, ObjectKey, ServiceId, SharedStorage, StorageError, StorageErrorKind,
    Target, Time, TimerId, Turn, WallTime,
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
    alone: Option<Alone>,
    next_call: u64,
    next_timer: u64,
    timers: BTreeSet<TimerId>,
    /// Calls that have not ended.
    calls: BTreeSet<CallId>,
    commits: u64,
    /// The last commit that is durable. At most one is on its way: were there two and the first
    /// failed, the second would change a state that never was.
    durable: u64,
    /// How long the state will be on the disk when all commits are durable, and its alarm.
    len: u64,
    pub(super) alarm_on_disk: Option<WallTime>,
    /// What may not leave before the commit of this number is durable.
    held: VecDeque<(u64, Effect)>,
    pub(super) alarm: Option<Ringing>,
    last_used: Time,
}

/// An object asked that nothing else may enter it.
struct Alone {
    /// How often: sections may be nested.
    depth: u32,
    /// The first call and the first timer that belong to what it does meanwhile.
    first_call: u64,
    first_timer: u64,
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
    fn new(key: ObjectKey, storage: SharedStorage, image: Option<&Image>, now: Time) -> Active {
        Active {
            key,
            storage,
            waiting: VecDeque::new(),
            alone: None,
            next_call: 0,
            next_timer: 0,
            timers: BTreeSet::new(),
            calls: BTreeSet::new(),
            commits: 0,
            durable: 0,
            len: image.map_or(0, |image| image.bytes.len() as u64),
            alarm_on_disk: image.and_then(|image| image.alarm),
            held: VecDeque::new(),
            alarm: None,
            last_used: now,
        }
    }

    /// Whether this event has to wait. What belongs to calls and timers that the object began while
    /// alone must pass, or it would wait for itself; so must the parts of bodies, which it may read.
    fn must_wait(&self, event: &Event) -> bool {
        if matches!(event, Event::Alarm { .. }) && self.alarm.is_some() {
            // The handler has set the next one, and is not done yet.
            return true;
        }
        let Some(Alone { first_call, first_timer, .. }) = self.alone else { return false };
        match event {
            Event::Response { call, .. }
            | Event::ResponseChunk(call, _)
            | Event::RequestCredit(call, _)
            | Event::Failed(call, _) => call.0 < first_call,
            Event::Timer(timer) => timer.0 < first_timer,
            Event::RequestChunk(exchange, _) => has_request(&self.waiting, *exchange),
            Event::ResponseCredit(..) | Event::Cancelled(_) => false,
            _ => true,
        }
    }

    fn set_alone(&mut self, begins: bool) {
        match (&mut self.alone, begins) {
            (Some(alone), true) => alone.depth += 1,
            (Some(alone), false) if alone.depth > 1 => alone.depth -= 1,
            (_, false) => self.alone = None,
            (None, true) => {
                self.alone =
                    Some(Alone { depth: 1, first_call: self.next_call, first_timer: self.next_timer });
            }
        }
    }

    /// Whether nothing is under way that must be finished before the object may leave memory.
    pub(super) fn is_settled(&self) -> bool {
        self.waiting.is_empty()
            && self.held.is_empty()
            && self.alone.is_none()
            && !self.is_saving()
            && self.alarm.is_none()
    }

    fn is_saving(&self) -> bool {
        self.durable < self.commits
    }

    /// Before a guest's turn.
    pub(super) fn begin_turn(&mut self, turn: &Turn, event: &Event) {
        self.last_used = turn.now;
        match event {
            Event::Timer(timer) => {
                self.timers.remove(timer);
            }
            Event::Response { call, body: Body::Empty | Body::Full(_), .. }
            | Event::ResponseChunk(call, Chunk::End | Chunk::Abort(_))
            | Event::Failed(call, _) => {
                self.calls.remove(call);
            }
            _ => {}
        }
        self.storage.0.borrow_mut().begin_turn(turn);
    }

    /// What was changed and is not on its way to the disk, as a commit.
    fn take_commit(&mut self) -> Option<Effect> {
        let mut storage = self.storage.0.borrow_mut();
        if storage.depth() > 0 {
            return None;
        }
        let changes = storage.take_changes();
        let alarm = match storage.alarm() {
            // An alarm that rings stays on the disk until its handler is done, so that a crash
            // before that rings it again.
            Ok(None) if self.alarm.is_some() => self.alarm_on_disk,
            Ok(alarm) => alarm,
            Err(_) => self.alarm_on_disk,
        };
        let (len, writes) = changes.map_or((self.len, Vec::new()), |changes| (changes.len, changes.writes));
        let alarm = (alarm != self.alarm_on_disk).then_some(alarm);
        if writes.is_empty() && len == self.len && alarm.is_none() {
            return None;
        }
        self.len = len;
        self.alarm_on_disk = alarm.unwrap_or(self.alarm_on_disk);
        self.commits += 1;
        Some(Effect::Commit(self.commits, self.key.clone(), Changes { len, writes, alarm }))
    }

    fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::Fetch { call, .. } => {
                self.next_call = self.next_call.max(call.0 + 1);
                self.calls.insert(*call);
            }
            Effect::Cancel(call) => {
                self.calls.remove(call);
            }
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
}

/// Whether the world could learn from this effect what the object knows. (A cancelled call tells
/// nothing, but it must not overtake the call.)
fn tells(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Fetch { .. }
            | Effect::RequestChunk(..)
            | Effect::Respond { .. }
            | Effect::ResponseChunk(..)
            | Effect::Cancel(_)
    )
}

/// Whether this request has not entered yet.
fn has_request(waiting: &VecDeque<Event>, id: ExchangeId) -> bool {
    waiting.iter().any(|event| matches!(event, Event::Request { exchange, .. } if *exchange == id))
}

/// Takes a request out that nobody waits for any more. False if it has entered.
fn forget_request(waiting: &mut VecDeque<Event>, id: ExchangeId) -> bool {
    let before = waiting.len();
    waiting.retain(|event| match event {
        Event::Request { exchange, .. } | Event::RequestChunk(exchange, _) => *exchange != id,
        _ => true,
    });
    waiting.len() < before
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
            match event {
                Event::Cancelled(exchange) => drop(forget_request(&mut loading.waiting, exchange)),
                event => loading.waiting.push_back(event),
            }
            return;
        }
        // An instance that ended leaves events behind that were on their way to it.
        let Some(slot) = self.instances.get_mut(&id) else { return };
        let Some(active) = &mut slot.object else { return self.turn(id, turn, event, out) };
        if let Event::Cancelled(exchange) = event
            && forget_request(&mut active.waiting, exchange)
        {
            return;
        }
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
        if let Err(error) = result.and_then(|image| self.activate(id, &key, service, image.as_ref(), turn)) {
            return self.cannot_load(id, &key, &error, turn, out);
        }
        self.arm_idle(id, self.idle_of(service, &key), out);
        for event in waiting {
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
        let missing = |what| StorageError::new(StorageErrorKind::Guest, what);
        let engine = self.system.storage.as_ref().ok_or_else(|| missing("this system has no storage"))?;
        let storage = engine.open(image, entropy.derive("storage", 0))?;
        let storage = SharedStorage(std::rc::Rc::new(std::cell::RefCell::new(storage)));
        let class = plan.objects.iter().find(|class| class.namespace == *key.namespace);
        let class = class.ok_or_else(|| missing("its service has no such class"))?.name.as_str().into();
        let object = Some(ObjectBoot { class, key: key.clone(), storage: storage.clone() });
        let boot = Boot { object, ..self.boot_of(id, service) };
        let guest = self.system.programs[service.0 as usize].start(boot);
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
        out: &mut Sent,
    ) {
        self.objects.by_key.remove(key);
        self.ring_later(key, turn, out);
        let text = format!("the object {key} cannot be read: {error}");
        out.push((runtime_of(self.node), Effect::Log(Level::Error, text.clone().into())));
        let unanswered: Vec<_> = self.open.extract_if(.., |_, open| open.instance == id).collect();
        for (exchange, _) in unanswered {
            self.answer(exchange, StatusCode::INTERNAL_SERVER_ERROR, &text, out);
        }
    }

    /// After a turn of an object: its writes go to the disk, and what it says waits for them.
    pub(super) fn after_turn(&mut self, id: InstanceId, effects: &mut Effects, turn: &Turn, out: &mut Sent) {
        for effect in effects.iter() {
            if let Effect::AlarmDone(is_ok) = effect {
                self.alarm_done(id, *is_ok, turn, out);
            }
        }
        let Some(active) = self.slot(id).object.as_mut() else { return };
        // What this turn has written goes with the next commit if one is under way.
        let after = active.commits + 1;
        let is_in_next = active.is_saving();
        self.save(id, out);
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
    fn save(&mut self, id: InstanceId, out: &mut Sent) -> bool {
        let Some(active) = self.slot(id).object.as_mut() else { return false };
        if active.is_saving() {
            return true;
        }
        let Some(commit) = active.take_commit() else { return false };
        if let Effect::Commit(_, key, Changes { alarm: Some(alarm), .. }) = &commit {
            self.objects.alarms_on_their_way.insert(id, (key.clone(), *alarm));
        }
        out.push((Address { node: self.node, instance: id }, commit));
        true
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
        let durable = if self.save(id, out) { number } else { u64::MAX };
        while let Some(active) = self.slot(id).object.as_mut()
            && let Some((_, effect)) = active.held.pop_front_if(|(commit, _)| *commit <= durable)
        {
            self.leave(id, effect, out);
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
        let is_settled = !slot.is_busy && active.is_settled() && active.calls.is_empty();
        if idle < limit {
            return self.arm_idle(id, limit - idle, out);
        }
        if !is_settled || self.open.values().any(|open| open.instance == id) {
            return self.arm_idle(id, limit, out);
        }
        let slot = self.instances.remove(&id).expect("just seen");
        let active = slot.object.expect("just seen");
        self.forget_object(&active, turn, out);
        let from = Address { node: self.node, instance: id };
        out.extend(active.timers.iter().map(|timer| (from, Effect::ClearTimer(*timer))));
    }
}
