//! A system made by hand: nodes that keep counters in their stores, and a workload that counts
//! what was acknowledged. What the runtime is for objects, this is for a test of the world.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use dacapo_core::{
    Address, Body, CallId, Changes, Decisions, Effect, Event, ExchangeId, Headers, InstanceId, NodeId, Note,
    ObjectId, ObjectKey, OpenStore, Phase, RequestHead, ResponseHead, Seed, ServiceId, Source, StorageError,
    Target, TimerId, WallTime, World, digest_of,
};
use dacapo_sim::{Ending, Sim, SimOptions};
use http::{Method, StatusCode};

const KEYS: u64 = 3;
const PERIOD: Duration = Duration::from_millis(20);

/// A counter as it is stored: its value, and a check of it.
pub(crate) fn encode(value: u64) -> Vec<u8> {
    let mut bytes = value.to_le_bytes().to_vec();
    bytes.extend(digest_of(&value).low().to_le_bytes());
    bytes
}

pub(crate) fn is_valid(bytes: &[u8]) -> bool {
    bytes.len() == 16 && bytes == encode(value(bytes))
}

fn value(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().unwrap())
}

fn key(number: u64) -> ObjectKey {
    ObjectKey { namespace: "n".into(), id: ObjectId::from_name("n", &number.to_string()) }
}

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) acknowledged: BTreeMap<ObjectKey, u64>,
    pub(crate) sent: BTreeMap<ObjectKey, u64>,
    /// What the counters say at the end.
    pub(crate) finals: BTreeMap<ObjectKey, u64>,
    /// What was last loaded: the world may have seen it.
    pub(crate) loaded: BTreeMap<ObjectKey, u64>,
    /// A counter that was loaded with less than it was before.
    pub(crate) went_back: Option<String>,
    pub(crate) errors: Vec<StorageError>,
    pub(crate) slowest: Duration,
    pub(crate) boots: u64,
    pub(crate) alarms: Vec<(ObjectKey, WallTime)>,
    pub(crate) failed_opens: u64,
    pub(crate) notes: Vec<Note>,
    pub(crate) digest: u64,
    pub(crate) disk_operations: u64,
    pub(crate) messages: u64,
}

impl Seen {
    pub(crate) fn has_note(&self, start: &str) -> bool {
        self.notes.iter().any(|note| note.text.starts_with(start))
    }

    pub(crate) fn total(&self) -> u64 {
        self.acknowledged.values().sum()
    }

    fn load(&mut self, key: &ObjectKey, value: u64) {
        let before = self.loaded.insert(key.clone(), value).unwrap_or(0);
        if value < before {
            self.went_back = Some(format!("{key}: {value} after {before}"));
        }
    }

    /// What is wrong with it: an acknowledged increment is lost, or one that was seen, or one was
    /// counted twice.
    pub(crate) fn lost(&self) -> Option<String> {
        if self.went_back.is_some() {
            return self.went_back.clone();
        }
        self.acknowledged.iter().find_map(|(key, acknowledged)| {
            let there = self.finals.get(key)?;
            let sent = self.sent[key];
            (there < acknowledged || *there > sent)
                .then(|| format!("{key}: {acknowledged} acknowledged, {sent} sent, {there} there"))
        })
    }
}

#[derive(Default)]
struct Object {
    state: Option<u64>,
    is_loading: bool,
    waiting: Vec<(ExchangeId, bool)>,
}

/// One node of the system.
#[derive(Default)]
struct Keeper {
    objects: BTreeMap<ObjectKey, Object>,
    numbers: BTreeMap<InstanceId, ObjectKey>,
    commits: BTreeMap<u64, (ExchangeId, u64, dacapo_core::Time)>,
    count: u64,
    ended: u32,
}

impl Keeper {
    fn address(&mut self, node: NodeId, key: &ObjectKey) -> Address {
        let found = self.numbers.iter().find(|(_, k)| *k == key).map(|(i, _)| *i);
        let instance = found.unwrap_or(InstanceId(self.numbers.len() as u32 + self.ended + 1));
        self.numbers.insert(instance, key.clone());
        Address { node, instance }
    }

    fn serve(
        &mut self,
        at: Address,
        now: dacapo_core::Time,
        key: &ObjectKey,
        out: &mut Vec<(Address, Effect)>,
    ) {
        let runtime = Address { node: at.node, instance: InstanceId::RUNTIME };
        let object = self.objects.entry(key.clone()).or_default();
        let Some(mut state) = object.state else {
            if !std::mem::replace(&mut object.is_loading, true) {
                out.push((at, Effect::Load(Box::new(key.clone()))));
            }
            return;
        };
        for (exchange, is_write) in object.waiting.drain(..) {
            if !is_write {
                out.push((runtime, respond(exchange, StatusCode::OK, state)));
                continue;
            }
            state += 1;
            self.count += 1;
            self.commits.insert(self.count, (exchange, state, now));
            let bytes = Bytes::from(encode(state));
            let alarm = Some(Some(WallTime(state as i64)));
            let changes = Changes { len: bytes.len() as u64, writes: vec![(0, bytes)], alarm };
            out.push((at, Effect::Commit(self.count, Box::new(key.clone()), Box::new(changes))));
        }
        object.state = Some(state);
    }

    fn turn(
        &mut self,
        to: Address,
        now: dacapo_core::Time,
        event: Event,
        seen: &mut Seen,
    ) -> Vec<(Address, Effect)> {
        let runtime = Address { node: to.node, instance: InstanceId::RUNTIME };
        let mut out = Vec::new();
        match event {
            Event::Boot { .. } => seen.boots += 1,
            Event::Crash => *self = Keeper::default(),
            Event::Stop => out.push((runtime, Effect::Stopped)),
            Event::StoreOpened(Ok(alarms)) => seen.alarms = alarms,
            Event::StoreOpened(Err(error)) => {
                seen.failed_opens += 1;
                seen.errors.push(error);
            }
            Event::Request { exchange, object, head, .. } => {
                let key = *object.expect("every request is for an object");
                let at = self.address(to.node, &key);
                let is_write = head.method == Method::POST;
                self.objects.entry(key.clone()).or_default().waiting.push((exchange, is_write));
                self.serve(at, now, &key, &mut out);
            }
            Event::Loaded(result) => {
                let key = self.numbers[&to.instance].clone();
                let object = self.objects.entry(key.clone()).or_default();
                object.is_loading = false;
                match result {
                    Ok(image) => {
                        let there = image.map_or(0, |image| value(&image.bytes));
                        object.state = Some(there);
                        seen.load(&key, there);
                        self.serve(to, now, &key, &mut out);
                    }
                    Err(error) => {
                        seen.errors.push(error);
                        for (exchange, _) in object.waiting.drain(..) {
                            out.push((runtime, respond(exchange, StatusCode::INTERNAL_SERVER_ERROR, 0)));
                        }
                    }
                }
            }
            Event::Committed(number, result) => {
                let (exchange, value, begun) = self.commits.remove(&number).expect("a commit that was made");
                seen.slowest = seen.slowest.max(now.since(begun));
                let status = match result {
                    Ok(()) => StatusCode::OK,
                    Err(error) => {
                        seen.errors.push(error);
                        // The object ends and begins anew under another number, as in the runtime.
                        if let Some(key) = self.numbers.remove(&to.instance) {
                            self.ended += 1;
                            self.objects.entry(key).or_default().state = None;
                        }
                        StatusCode::INTERNAL_SERVER_ERROR
                    }
                };
                out.push((runtime, respond(exchange, status, value)));
            }
            _ => {}
        }
        out
    }
}

fn respond(exchange: ExchangeId, status: StatusCode, value: u64) -> Effect {
    let head = ResponseHead { status, headers: Headers::default() };
    Effect::Respond { exchange, head, body: Body::Full(Bytes::from(value.to_string())) }
}

/// Counts up, keeps books, and reads all counters in the end.
#[derive(Default)]
struct Workload {
    calls: BTreeMap<CallId, (ObjectKey, bool)>,
    count: u64,
    is_driving: bool,
    phase: Option<Phase>,
}

impl Workload {
    fn call(&mut self, method: Method, key: ObjectKey) -> Effect {
        self.count += 1;
        let call = CallId(self.count);
        self.calls.insert(call, (key.clone(), method == Method::POST));
        let target = Target::Owner(NodeId(0), ServiceId(0), None, Box::new(key));
        let head = RequestHead { method, url: "https://n.internal/".into(), headers: Headers::default() };
        Effect::Fetch { call, target, head: Box::new(head), body: Body::Empty }
    }

    fn turn(&mut self, event: Event, seen: &mut Seen) -> Vec<Effect> {
        let mut out = Vec::new();
        match event {
            Event::Phase(phase) => {
                self.phase = Some(phase);
                self.is_driving = phase == Phase::Drive;
                match phase {
                    Phase::Setup => out.push(Effect::PhaseDone),
                    Phase::Drive => out.push(Effect::SetTimer(TimerId(1), PERIOD)),
                    Phase::Heal => {}
                    Phase::Judge => out.extend((0..KEYS).map(|n| self.call(Method::GET, key(n)))),
                }
            }
            Event::Timer(_) if self.is_driving => {
                let key = key(self.count % KEYS);
                *seen.sent.entry(key.clone()).or_default() += 1;
                seen.acknowledged.entry(key.clone()).or_default();
                out.push(self.call(Method::POST, key));
                out.push(Effect::SetTimer(TimerId(1), PERIOD));
            }
            Event::Response { call, head, body } => {
                let (key, is_write) = self.calls.remove(&call).expect("a call that was made");
                let Body::Full(text) = body else { panic!("a whole body") };
                let value: u64 = std::str::from_utf8(&text).unwrap().parse().unwrap();
                match (head.status, is_write) {
                    (StatusCode::OK, true) => *seen.acknowledged.get_mut(&key).unwrap() += 1,
                    (StatusCode::OK, false) => _ = seen.finals.insert(key, value),
                    (_, true) => {}
                    // A read that was spoiled on its way: the next one is another read.
                    (_, false) => out.push(self.call(Method::GET, key)),
                }
            }
            Event::Failed(call, _) => _ = self.calls.remove(&call),
            _ => {}
        }
        if self.calls.is_empty() && matches!(self.phase, Some(Phase::Heal | Phase::Judge)) {
            self.phase = None;
            out.push(Effect::PhaseDone);
        }
        out
    }
}

/// Options for one node with a store, and the workload.
pub(crate) fn options() -> SimOptions {
    let mut options = SimOptions::new(1);
    options.stores = [NodeId(0)].into();
    options.lasts = Duration::from_secs(20);
    options.swarm = dacapo_sim::Swarm::All;
    options
}

/// Runs the system to its end, which must be a good one.
pub(crate) fn run(options: &SimOptions, seed: u64, open: OpenStore) -> Seen {
    try_run(options, seed, open).unwrap_or_else(|ending| panic!("seed {seed}: {ending}"))
}

/// Runs the system to its end.
pub(crate) fn try_run(options: &SimOptions, seed: u64, open: OpenStore) -> Result<Seen, Ending> {
    try_run_as(options, Decisions::new(Seed(seed), Source::Seed), open)
}

/// Runs the system to its end, as it is decided.
pub(crate) fn try_run_as(
    options: &SimOptions,
    decisions: Decisions,
    open: OpenStore,
) -> Result<Seen, Ending> {
    let mut sim = Sim::with_store(options.clone(), decisions, open);
    sim.take_notes();
    let mut seen = Seen::default();
    let mut keeper = Keeper::default();
    let mut workload = Workload::default();
    while let Some(delivery) = sim.next() {
        seen.digest = digest_of(&(seen.digest, &delivery)).low();
        if delivery.to.node == NodeId(0) {
            for (from, effect) in keeper.turn(delivery.to, delivery.at, delivery.event, &mut seen) {
                sim.submit(from, effect);
            }
        } else {
            for effect in workload.turn(delivery.event, &mut seen) {
                sim.submit(delivery.to, effect);
            }
        }
    }
    if let Some(ending) = sim.ending().filter(|ending| **ending != Ending::Done) {
        return Err(ending.clone());
    }
    seen.notes = sim.take_notes();
    seen.disk_operations = sim.disk_operations(NodeId(0));
    seen.messages = sim.messages(NodeId(0));
    Ok(seen)
}
