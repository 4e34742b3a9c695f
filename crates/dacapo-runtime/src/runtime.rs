//! One node: its instances, what they serve, and what becomes of it when they break.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::plan::NAME_FIELD;
use dacapo_core::{
    Address, Body, Boot, Chunk, Delivery, Effect, Effects, Entropy, Event, ExchangeId, Fault, FaultKind,
    Headers, IdRing, Instance, InstanceId, Level, NetError, NodeId, Outbox, ResponseHead, ServiceId, Target,
    TimerId, Turn, TurnEnd,
};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::cluster::runtime_of;
use crate::rights::{Granted, Recent};
use crate::topology::{Role, System};

mod active;
mod alarm;
mod cron;
mod deploy;
mod evict;
mod object;
mod placement;

use active::Active;
use cron::Crons;
use object::{ObjectTimer, Objects};
pub(crate) use placement::slice::replicas;
use placement::{Placement, clean};

/// Values of `env`: names and JSON texts.
pub type Vars = Vec<(ByteString, ByteString)>;

/// The runtime of one node, from its boot to its crash.
pub struct Runtime {
    node: NodeId,
    system: Rc<System>,
    entropy: Entropy,
    instances: BTreeMap<InstanceId, Slot>,
    by_service: BTreeMap<ServiceId, InstanceId>,
    /// The requests that are not answered to the end.
    open: IdRing<ExchangeId, Open>,
    /// Requests that were answered in full while their bodies were still arriving.
    cut_short: Vec<(InstanceId, ExchangeId)>,
    started: u32,
    /// Which node of those that run a service is called next; it was called before.
    next_host: Vec<Option<usize>>,
    recent: Recent,
    is_stopping: bool,
    has_stopped: bool,
    scratch: Effects,
    objects: Objects,
    placement: Placement,
    crons: Crons,
    /// Which version of the services it runs.
    version: u32,
    /// Instances of another version, which finish what is under way.
    retired: BTreeSet<InstanceId>,
}

struct Slot {
    service: ServiceId,
    guest: Box<dyn Instance>,
    is_busy: bool,
    /// What else there is to an instance that is a durable object.
    object: Option<Box<Active>>,
}

/// How a turn of an instance has ended.
struct Ended {
    service: ServiceId,
    is_object: bool,
    fault: Option<Box<Fault>>,
}

impl Slot {
    /// Runs a turn.
    #[inline]
    fn turn(&mut self, turn: &Turn, event: &mut Event, effects: &mut Effects) -> Ended {
        let fault = match self.guest.turn(turn, event.take(), effects) {
            TurnEnd::Quiet { busy } => {
                self.is_busy = busy;
                None
            }
            TurnEnd::Fault(fault) => Some(Box::new(fault)),
        };
        Ended { service: self.service, is_object: self.object.is_some(), fault }
    }
}

/// A request that is being answered.
struct Open {
    /// Who answers it.
    instance: InstanceId,
    /// Whether the head of the answer is out.
    has_head: bool,
    /// Whether more of the request's body will come.
    is_arriving: bool,
}

impl Runtime {
    /// The runtime of a node that is about to boot.
    pub fn new(node: NodeId, system: Rc<System>) -> Runtime {
        Runtime {
            node,
            system,
            entropy: Entropy([0; 32]),
            instances: BTreeMap::new(),
            by_service: BTreeMap::new(),
            open: IdRing::default(),
            cut_short: Vec::new(),
            started: 0,
            next_host: Vec::new(),
            recent: Recent::default(),
            is_stopping: false,
            has_stopped: false,
            scratch: Effects::new(),
            objects: Objects::default(),
            placement: Placement::default(),
            crons: Crons::default(),
            version: 0,
            retired: BTreeSet::new(),
        }
    }

    /// Takes one delivery for this node; pushes what comes of it to `out`.
    pub fn deliver(&mut self, mut delivery: Delivery, out: &mut Outbox) {
        self.take(&mut delivery, out);
    }

    /// The same; the event is taken from where it is, because it is large. Those that make up calls go on
    /// to an instance from there.
    #[inline(always)]
    pub(crate) fn take(&mut self, delivery: &mut Delivery, out: &mut Outbox) {
        self.drop_forged(&mut delivery.event);
        let turn = Turn { now: delivery.now, wall: delivery.wall };
        let to = delivery.to.instance;
        let event = &mut delivery.event;
        match event {
            Event::Request { .. } => {
                if !self.request(&turn, event, out) {
                    return;
                }
            }
            Event::Response { .. } | Event::Failed(..) if self.placement.calls.are_empty() => {
                self.enter(to, &turn, event, out);
            }
            Event::ResponseChunk(..) | Event::RequestCredit(..) => self.enter(to, &turn, event, out),
            Event::RequestChunk(exchange, chunk) => {
                if let Some(open) = self.open.get_mut(*exchange) {
                    open.is_arriving &= matches!(chunk, Chunk::Data(_));
                    let id = open.instance;
                    self.enter(id, &turn, event, out);
                }
            }
            Event::ResponseCredit(exchange, _) => {
                if let Some(id) = self.open.get(*exchange).map(|open| open.instance) {
                    self.enter(id, &turn, event, out);
                }
            }
            Event::Cancelled(exchange) => {
                if let Some(open) = self.open.remove(*exchange) {
                    self.enter(open.instance, &turn, event, out);
                }
            }
            _ => self.other(to, &turn, event.take(), out),
        }
        self.settle_placement(&turn, out);
        self.cut_short(&turn, out);
        self.drop_retired();
        self.maybe_stopped(out);
    }

    /// A request for a service or an object of this node. False if it has come to the wrong one.
    fn request(&mut self, turn: &Turn, event: &mut Event, out: &mut Outbox) -> bool {
        let Event::Request { exchange, service, from, object, body, .. } = event else { return false };
        let (exchange, service, from) = (*exchange, *service, *from);
        let is_arriving = *body == Body::Stream;
        if let Some(owner) = object.as_ref().and_then(|key| self.lives_elsewhere(service, key)) {
            self.answer(exchange, StatusCode::MISDIRECTED_REQUEST, &owner, out);
            return false;
        }
        // What is under way may need the services of this node until it is done.
        if let Some(key) = object
            && !self.admit_request(exchange, service, from, key, out)
        {
            // Its caller asks somebody else.
        } else if self.is_stopping && from.is_none() {
            self.answer(exchange, StatusCode::SERVICE_UNAVAILABLE, "this node is stopping", out);
        } else {
            let id = match object {
                Some(key) => self.instance_of_object((**key).clone(), service, out),
                None => self.instance_of(service),
            };
            self.open.insert(exchange, Open { instance: id, has_head: false, is_arriving });
            self.enter(id, turn, event, out);
        }
        true
    }

    /// Takes what is not part of a call.
    #[inline(never)]
    fn other(&mut self, to: InstanceId, turn: &Turn, event: Event, out: &mut Outbox) {
        match event {
            Event::Boot { entropy, incarnation } => {
                self.entropy = entropy;
                self.arm_crons(turn, out);
                self.begin_placement(incarnation, out);
            }
            Event::Crash => {}
            Event::Stop => self.stop(turn, out),
            Event::Deploy(version) => self.deploy(version, turn, out),
            Event::Phase(_) | Event::Begin(_) => {
                if let Some(service) = self.system.topology.nodes[self.node.0 as usize].services.first() {
                    let id = self.instance_of(*service);
                    self.turn(id, turn, event, out);
                }
            }
            Event::Scheduled { service, .. } => {
                let id = self.instance_of(service);
                self.turn(id, turn, event, out);
            }
            Event::Timer(timer) if to == InstanceId::RUNTIME => {
                self.due(timer, 1, turn, out);
            }
            Event::Misfire(timer, times) => self.due(timer, times, turn, out),
            Event::Evict { exchange: Some(exchange), kind } => self.evict_at(exchange, kind, turn, out),
            Event::Evict { exchange: None, kind } => self.cut(to, kind, turn, out),
            Event::StoreOpened(Ok(alarms)) => {
                let alarms = self.keep_alarms(alarms);
                self.set_alarms(alarms, turn, out);
            }
            Event::StoreOpened(Err(error)) => {
                let text = format!("the store cannot be opened: {error}");
                out.push((runtime_of(self.node), Effect::Log(Level::Error, text.into())));
            }
            Event::Loaded(_) | Event::Committed(..) if self.disk_answered(to, &event, turn, out) => {}
            Event::Loaded(result) => self.loaded(to, result, turn, out),
            Event::Committed(number, result) => {
                self.committed(to, number, result, turn, out);
            }
            // An alarm is rung by the runtime itself, out of a timer.
            Event::Alarm { .. } => {}
            Event::Message(from, message) => self.heard(from, &message, turn, out),
            Event::Leased(number, result) => self.leased(number, result, turn, out),
            // A call may have been for an object that has moved.
            Event::Response { .. } | Event::Failed(..) => {
                if let Some(mut event) = self.look_at_answer(to, event, turn, out) {
                    self.enter(to, turn, &mut event, out);
                }
            }
            mut event => self.enter(to, turn, &mut event, out),
        }
    }

    /// A timer of the runtime has gone off, so many times.
    fn due(&mut self, timer: TimerId, times: u32, turn: &Turn, out: &mut Outbox) {
        match self.objects.take_timer(timer) {
            Some(ObjectTimer::Idle(id)) => self.look_for_idle(id, turn, out),
            Some(ObjectTimer::Alarm(key)) => self.ring(key, times > 1, turn, out),
            Some(ObjectTimer::Look(service)) => self.look_again(service, turn, out),
            Some(ObjectTimer::Resend) => self.resend(turn, out),
            Some(ObjectTimer::Call(id, call)) => self.call_again(id, call, out),
            None => self.fire_cron(timer, times, turn, out),
        }
    }

    /// Tells guests that the rest of a request will not come: its answer is complete, so nobody
    /// carries the rest any more.
    #[inline]
    fn cut_short(&mut self, turn: &Turn, out: &mut Outbox) {
        if !self.cut_short.is_empty() {
            self.tell_those_cut_short(turn, out);
        }
    }

    #[cold]
    fn tell_those_cut_short(&mut self, turn: &Turn, out: &mut Outbox) {
        while let Some((id, exchange)) = self.cut_short.pop() {
            if self.instances.contains_key(&id) {
                let why = Chunk::Abort("the response was complete before the request was".into());
                self.enter(id, turn, &mut Event::RequestChunk(exchange, why), out);
            }
        }
    }

    fn slot(&mut self, id: InstanceId) -> &mut Slot {
        self.instances.get_mut(&id).expect("the maps of a runtime name live instances only")
    }

    /// The instance of this service, started if there is none.
    #[inline(always)]
    fn instance_of(&mut self, service: ServiceId) -> InstanceId {
        match self.by_service.get(&service) {
            Some(id) => *id,
            None => self.start(service),
        }
    }

    #[cold]
    fn start(&mut self, service: ServiceId) -> InstanceId {
        self.started += 1;
        let id = InstanceId(self.started);
        let boot = self.boot_of(id, service);
        let guest = self.system.program(service, self.version).start(boot);
        self.instances.insert(id, Slot { service, guest, is_busy: false, object: None });
        self.by_service.insert(service, id);
        id
    }

    fn boot_of(&self, id: InstanceId, service: ServiceId) -> Boot {
        let name = &self.system.plan.service(service).name;
        let address = Address { node: self.node, instance: id };
        self.system.boot_of(address, service, self.entropy.derive(name, u64::from(id.0)))
    }

    fn turn(&mut self, id: InstanceId, turn: &Turn, mut event: Event, out: &mut Outbox) {
        if let Event::Alarm { scheduled, retry } = event
            && !self.begin_alarm(id, scheduled, retry, turn, out)
        {
            return;
        }
        let slot = self.instances.get_mut(&id).expect("the maps of a runtime name live instances only");
        if let Some(active) = &mut slot.object {
            if let Event::Request { head, .. } = &mut event {
                head.headers.0.retain(|(name, _)| name != NAME_FIELD);
            }
            active.begin_turn(turn, &event);
        }
        let end = slot.turn(turn, &mut event, &mut self.scratch);
        self.turn_ended(id, end, turn, out);
    }

    /// What becomes of the effects of a turn.
    #[inline(always)]
    fn turn_ended(&mut self, id: InstanceId, end: Ended, turn: &Turn, out: &mut Outbox) {
        let mut effects = std::mem::take(&mut self.scratch);
        let from = Address { node: self.node, instance: id };
        match end.fault {
            None => {
                if end.is_object {
                    self.after_turn(id, &mut effects, turn, out);
                }
                let mut index = 0;
                while let Some(effect) = effects.get_mut(index) {
                    match self.admit(id, end.service, effect) {
                        true => index += 1,
                        false => drop(effects.remove(index)),
                    }
                }
                out.add_turn(from, &mut effects);
            }
            Some(fault) => {
                effects.retain(|e| {
                    fault.kind.is_exact()
                        && matches!(e, Effect::Log(..) | Effect::Check(_) | Effect::Drawn(_))
                });
                out.add_turn(from, &mut effects);
                self.end(id, *fault, turn, out);
            }
        }
        self.scratch = effects;
    }

    /// Makes one effect of a guest concrete. False if it may not leave.
    #[inline(always)]
    fn admit(&mut self, id: InstanceId, service: ServiceId, effect: &mut Effect) -> bool {
        match effect {
            Effect::Fetch { call, target, head, body } => {
                *target = match self.recent.resolve(&self.system, self.node, service, target, head) {
                    Granted::Service(to) => self.pick_node(to, service),
                    Granted::Object(to, key) => match self.slice_of(to, &key) {
                        None => self.target_of_object(to, service, key),
                        Some(slice) => {
                            let by = self.caller(service);
                            self.place_call(id, *call, slice, by, key, (head, body))
                        }
                    },
                    Granted::Outside(host) => Target::Outside(host),
                    Granted::Refused(error) => Target::Refused(error),
                };
                true
            }
            Effect::Respond { exchange, head, .. } => {
                let exchange = *exchange;
                clean(head);
                self.note_answer(id, exchange, effect)
            }
            Effect::Cancel(call) => {
                self.placement.calls.forget(id, *call);
                true
            }
            Effect::ResponseChunk(exchange, _) => {
                let exchange = *exchange;
                self.note_answer(id, exchange, effect)
            }
            // Only the runtime may say these.
            Effect::Ended(..)
            | Effect::Stopped
            | Effect::Load(_)
            | Effect::Commit(..)
            | Effect::Send(..)
            | Effect::Lease(_)
            | Effect::SetTrigger(..) => false,
            // What only an instance with storage has to say.
            Effect::AlarmDone(_) | Effect::Exclusive(_) | Effect::Sync(_) => false,
            _ => true,
        }
    }

    /// Keeps the book of open requests. False if this instance has nothing (more) to say to it.
    #[inline(always)]
    fn note_answer(&mut self, id: InstanceId, exchange: ExchangeId, effect: &Effect) -> bool {
        let (is_head, is_last) = match effect {
            Effect::Respond { body, .. } => (true, *body != Body::Stream),
            Effect::ResponseChunk(_, chunk) => (false, !matches!(chunk, Chunk::Data(_))),
            _ => return false,
        };
        let Some(open) = self.open.get_mut(exchange) else { return false };
        let is_due = open.instance == id && open.has_head != is_head;
        open.has_head |= is_due;
        if is_due && is_last {
            if open.is_arriving {
                self.cut_short.push((id, exchange));
            }
            self.open.remove(exchange);
        }
        is_due
    }

    /// Chooses among the nodes that run a service: in turn, beginning with the caller's own place
    /// in the ring so that callers do not all begin with the same node.
    #[inline(always)]
    fn pick_node(&mut self, service: ServiceId, caller: ServiceId) -> Target {
        let by = self.caller(caller);
        let hosts = &self.system.hosts[service.0 as usize];
        if hosts.is_empty() {
            return self.runs_nowhere(service);
        }
        if self.system.topology.prefers_local && hosts.contains(&self.node) {
            return Target::Service(self.node, service, by);
        }
        let index = service.0 as usize;
        if index >= self.next_host.len() {
            self.next_host.resize(index + 1, None);
        }
        let next = self.next_host[index].get_or_insert_with(|| self.node.0 as usize % hosts.len());
        let node = hosts[*next];
        *next = if *next + 1 < hosts.len() { *next + 1 } else { 0 };
        Target::Service(node, service, by)
    }

    /// A caller as the called one sees it: the workload stands outside.
    fn caller(&self, service: ServiceId) -> Option<ServiceId> {
        (self.system.topology.role(self.node) == Role::Cluster).then_some(service)
    }

    fn runs_nowhere(&self, service: ServiceId) -> Target {
        let name = &self.system.plan.service(service).name;
        Target::Refused(NetError::Unknown(format!("service \"{name}\" runs on no node").into()))
    }

    /// An instance broke: its callers get an answer, the world forgets it, and the next request
    /// starts a new one. A full memory takes all instances of the node down.
    #[cold]
    fn end(&mut self, id: InstanceId, fault: Fault, turn: &Turn, out: &mut Outbox) {
        let ids: Vec<InstanceId> = match fault.kind {
            FaultKind::Memory => self.instances.keys().copied().collect(),
            _ => vec![id],
        };
        for id in ids {
            let slot = self.instances.remove(&id).expect("the maps of a runtime name live instances only");
            self.placement.calls.forget_all(id);
            match &slot.object {
                Some(active) => self.forget_object(active, turn, out),
                None if self.retired.remove(&id) => {}
                None => drop(self.by_service.remove(&slot.service)),
            }
            let name = self.system.plan.service(slot.service).name.clone();
            let from = Address { node: self.node, instance: id };
            out.push((from, Effect::Log(Level::Error, format!("service \"{name}\" ended: {fault}").into())));
            for (exchange, open) in self.take_unanswered(id) {
                // Objects are called from inside only, and by those who want to know why one ended.
                let text = match &slot.object {
                    Some(_) => format!("service \"{name}\" failed: {}: {}", fault.kind, fault.message),
                    None => format!("service \"{name}\" failed: {}", fault.kind),
                };
                if open.has_head {
                    out.push((from, Effect::ResponseChunk(exchange, Chunk::Abort(text.into()))));
                } else {
                    self.answer(exchange, StatusCode::INTERNAL_SERVER_ERROR, &text, out);
                }
            }
            out.push((from, Effect::Ended(id, Box::new(fault.clone()))));
        }
    }

    /// The requests that this instance has not answered to the end, oldest first; forgets them.
    fn take_unanswered(&mut self, id: InstanceId) -> Vec<(ExchangeId, Open)> {
        self.open.take_all(|_, open| open.instance == id)
    }

    fn answer(&self, exchange: ExchangeId, status: StatusCode, text: &str, out: &mut Outbox) {
        let plain =
            (HeaderName::from_static("content-type"), HeaderValue::from_static("text/plain;charset=UTF-8"));
        let head = ResponseHead { status, headers: Headers(vec![plain]) };
        let body = Body::Full(Bytes::copy_from_slice(text.as_bytes()));
        out.push((runtime_of(self.node), Effect::Respond { exchange, head, body }));
    }

    fn stop(&mut self, turn: &Turn, out: &mut Outbox) {
        self.is_stopping = true;
        let ids: Vec<InstanceId> = self.instances.keys().copied().collect();
        for id in ids {
            self.enter(id, turn, &mut Event::Stop, out);
        }
    }

    #[inline]
    fn maybe_stopped(&mut self, out: &mut Outbox) {
        let is_settled = |slot: &Slot| slot.object.as_ref().is_none_or(|active| active.is_settled());
        let is_idle =
            || self.open.is_empty() && self.instances.values().all(|slot| !slot.is_busy && is_settled(slot));
        if self.is_stopping && !self.has_stopped && is_idle() && self.placement_has_stopped() {
            self.has_stopped = true;
            out.push((runtime_of(self.node), Effect::Stopped));
        }
    }
}
