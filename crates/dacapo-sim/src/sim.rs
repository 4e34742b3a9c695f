//! The simulated world: takes what is due, decides whom it reaches, and hands it out.

use std::collections::VecDeque;
use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::{
    Address, Decision, Decisions, Delivery, Effect, Entropy, Event, ExchangeId, IdMap, InstanceId, LeaseCall,
    Message, NetError, NodeId, Note, NoteKind, OpenStore, Outbox, Phase, StoreJob, Time, TimerId, Trigger,
    WallTime, World,
};

use crate::book::Book;
use crate::cause;
use crate::fault::{End, Faults, PlatformFault, Spell};
use crate::instant::Instant;
use crate::lease::Leases;
use crate::network::Network;
use crate::node::Node;
use crate::options::{NodeKind, SimOptions, Swarm};
use crate::phase::Ending;
use crate::queue::{Queue, QueueSlot};
use crate::store::{Step, Stores, open_none};

/// Timers fire this late at the earliest: a guest that re-arms a timer of zero shall not stop time.
const TIMER_MIN: Duration = Duration::from_micros(1);

/// A world from a seed.
pub struct Sim {
    pub(crate) options: SimOptions,
    pub(crate) decisions: Decisions,
    pub(crate) queue: Queue<Item>,
    pub(crate) now: Time,
    pub(crate) nodes: Vec<Node>,
    inboxes: Vec<VecDeque<Item>>,
    pub(crate) book: Book,
    pub(crate) network: Network,
    pub(crate) faults: Faults,
    pub(crate) stores: Stores,
    pub(crate) leases: Leases,
    pub(crate) messages: Vec<u64>,
    timers: IdMap<(Address, TimerId), (u64, Option<Trigger>)>,
    timers_set: u64,
    timers_of_turn: u64,
    entropy: Entropy,
    phase: Phase,
    workload: Option<NodeId>,
    workload_is_done: bool,
    ending: Option<Ending>,
    deliveries: u64,
    /// What is handed out before anything else.
    pub(crate) next_up: VecDeque<(Address, Event)>,
    notes: Option<Vec<Note>>,
    /// Whether any node has ever been paused or slow: before, nobody has to wait for his turn.
    pub(crate) has_busy_nodes: bool,
    /// If messages take no time: what is under way.
    pub(crate) instant: Option<Box<Instant>>,
}

/// What can be due.
#[derive(Clone, Debug, Default)]
pub(crate) enum Item {
    /// A node boots.
    Boot(NodeId),
    /// A node that was asked to stop, in this life, is gone.
    Exit(NodeId, u32),
    /// The workload enters a phase.
    Phase(Phase),
    /// A timer of an instance, in this life of its node; the number tells it from an earlier one.
    Timer(Address, TimerId, u32, u64),
    /// Part of a request, or word of its caller's end, reaches the server.
    ToServer(ExchangeId, Event),
    /// Part of a response reaches the caller.
    ToCaller(ExchangeId, Event),
    /// The caller learns that no (more) response will come.
    Break(ExchangeId, NetError),
    /// A call that never left, in this life of its node.
    Fail(Address, u32, Event),
    /// A node that had to wait takes the next thing from its inbox.
    Wake(NodeId, u32),
    /// A fault begins.
    Fault(Spell),
    /// A fault begins that comes after a turn on this node; the text names it.
    FaultAfter(Spell, NodeId, Box<str>),
    /// A fault ends.
    FaultEnd(End),
    /// The platform ends an instance, in this life of its node.
    Evict(Address, u32, Event, PlatformFault),
    /// Something is due at a store.
    Store(Step),
    /// A message from one runtime reaches another.
    Message(NodeId, NodeId, Box<Message>),
    /// A call reaches the coordination service, from this life of its node.
    Lease(Address, u32, Box<LeaseCall>),
    /// Faults stop for good. (Also what is left where something was taken.)
    #[default]
    Heal,
    /// A phase must be over by now.
    Deadline(Phase),
}

impl Sim {
    /// A run of `options` under these decisions (which carry the seed).
    pub fn new(options: SimOptions, decisions: Decisions) -> Sim {
        Sim::with_store(options, decisions, open_none)
    }

    /// The same; `open` opens the store of each node that has one ([`SimOptions::stores`]).
    pub fn with_store(options: SimOptions, mut decisions: Decisions, open: OpenStore) -> Sim {
        decisions.be_quick(true);
        let queue = Queue::new(&mut decisions);
        let network = Network::new(&mut decisions);
        let faults = Faults::new(&options, &mut decisions);
        let stores = Stores::new(&options, open, &mut decisions, &faults);
        let leases = Leases::new(&mut decisions);
        let entropy = decisions.seed().entropy("nodes");
        let instant = decisions.instant().map(|together| Box::new(Instant::new(together)));
        let mut sim = Sim {
            nodes: options.nodes.iter().map(Node::new).collect(),
            inboxes: options.nodes.iter().map(|_| VecDeque::new()).collect(),
            messages: vec![0; options.nodes.len()],
            workload: options
                .nodes
                .iter()
                .position(|n| n.kind == NodeKind::Workload)
                .map(|i| NodeId(i as u32)),
            options,
            decisions,
            queue,
            now: Time::ZERO,
            book: Book::default(),
            network,
            faults,
            stores,
            leases,
            timers: IdMap::default(),
            timers_set: 0,
            timers_of_turn: 0,
            entropy,
            phase: Phase::Setup,
            workload_is_done: false,
            ending: None,
            deliveries: 0,
            next_up: VecDeque::new(),
            notes: None,
            has_busy_nodes: false,
            instant,
        };
        sim.begin();
        sim
    }

    /// How the run ended; `None` while it goes on.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// The phase that the run is in.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Virtual time so far.
    pub fn now(&self) -> Time {
        self.now
    }

    /// How many deliveries there have been.
    pub fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// The decisions of the run.
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// Takes out the decisions that it remembers ([`Decisions::remember`]).
    pub fn take_decisions(&mut self) -> Vec<Decision> {
        self.decisions.take_log()
    }

    /// The names of the faults that this seed uses.
    pub fn faults_in_use(&self) -> Vec<&str> {
        self.faults.names().collect()
    }

    fn begin(&mut self) {
        for index in 0..self.nodes.len() {
            self.queue.push(Time::ZERO, Item::Boot(NodeId(index as u32)));
        }
        self.skew_clocks();
        let start = Time::ZERO + Duration::from_micros(1);
        if self.workload.is_some() {
            self.queue.push(start, Item::Phase(Phase::Setup));
            self.queue.push(start + self.options.settles, Item::Deadline(Phase::Setup));
        } else {
            self.begin_drive(start);
        }
    }

    fn begin_drive(&mut self, at: Time) {
        self.enter(at, Phase::Drive);
        let lasts = self.options.lasts;
        self.queue.push(at + lasts, Item::Heal);
        self.begin_faults(at);
    }

    /// Enters a phase: the workload is told, and must be done with it in time.
    fn enter(&mut self, at: Time, phase: Phase) {
        self.phase = phase;
        self.workload_is_done = false;
        self.note(NoteKind::Info, || format!("phase {phase}").into());
        if self.workload.is_some() && phase != Phase::Setup {
            self.queue.push(at, Item::Phase(phase));
        }
        if phase != Phase::Drive {
            self.queue.push(at + self.options.settles, Item::Deadline(phase));
        }
    }

    /// The workload says that it has done what the present phase asks.
    fn phase_done(&mut self) {
        match self.phase {
            Phase::Setup => self.begin_drive(self.now),
            Phase::Drive => {}
            Phase::Heal => self.workload_is_done = true,
            Phase::Judge => self.ending = Some(Ending::Done),
        }
    }

    /// After healing: is every node up, and nothing under way any more?
    pub(crate) fn check_quiet(&mut self) {
        let is_quiet =
            || self.book.count() == 0 && self.nodes.iter().all(|node| node.is_up && !node.is_stopping);
        if self.phase != Phase::Heal || !is_quiet() || !self.stores.are_quiet() {
            return;
        }
        match self.workload {
            None => self.ending = Some(Ending::Done),
            Some(_) if self.workload_is_done => self.enter(self.now, Phase::Judge),
            Some(_) => {}
        }
    }

    #[cold]
    fn deadline(&mut self, phase: Phase) {
        if self.phase != phase || self.ending.is_some() {
            return;
        }
        let drivers_are_done = phase == Phase::Heal && self.workload_is_done;
        if drivers_are_done {
            // Something in the system talks without end (heartbeats, long polls): that is its right.
            self.enter(self.now, Phase::Judge);
        } else if phase == Phase::Heal && self.workload.is_none() {
            self.ending = Some(Ending::Done);
        } else {
            let open = self.describe_open();
            self.ending = Some(Ending::Stuck(phase, open));
        }
    }

    /// Nothing is due any more.
    #[cold]
    pub(crate) fn get_stuck(&mut self) {
        let open = self.describe_open();
        self.ending = Some(Ending::Stuck(self.phase, open));
    }

    /// Ends the run, if there were more deliveries than a run may have.
    #[inline]
    pub(crate) fn has_too_many_deliveries(&mut self) -> bool {
        let are_too_many = self.deliveries >= self.options.deliveries_max;
        if are_too_many {
            self.ending = Some(Ending::Endless(self.deliveries));
        }
        are_too_many
    }

    /// Ends a run that nobody wants to see the end of.
    pub(crate) fn abandon(&mut self) {
        self.ending = Some(Ending::Done);
    }

    /// The node of the workload.
    pub(crate) fn workload(&self) -> Option<NodeId> {
        self.workload
    }

    /// In words: which calls are still open.
    #[cold]
    fn describe_open(&mut self) -> ByteString {
        let open = self.book.find(|_| true);
        if open.is_empty() {
            return "no call is open; the workload waits for something else".into();
        }
        let mut calls: Vec<String> = Vec::new();
        for id in open.iter().take(5) {
            if let Some(e) = self.book.get(*id) {
                let (from, to) = (e.caller.node.0 as usize, e.server.0 as usize);
                calls.push(format!("{id} {} → {}", self.nodes[from].name, self.nodes[to].name));
            }
        }
        format!("{} calls are open ({})", open.len(), calls.join(", ")).into()
    }

    pub(crate) fn note(&mut self, kind: NoteKind, text: impl FnOnce() -> ByteString) {
        if let Some(notes) = &mut self.notes {
            notes.push(Note { at: self.now, kind, text: text() });
        }
    }

    pub(crate) fn name(&self, node: NodeId) -> &str {
        &self.nodes[node.0 as usize].name
    }

    pub(crate) fn node(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[node.0 as usize]
    }

    pub(crate) fn life(&self, node: NodeId) -> u32 {
        self.nodes[node.0 as usize].life
    }

    /// The node that cannot take this item now, if it is one that gives a turn on such a node.
    fn busy_node_of(&self, item: &Item) -> Option<NodeId> {
        let id = match item {
            Item::ToServer(id, _) => self.book.peek(*id)?.server,
            Item::ToCaller(id, _) | Item::Break(id, _) => self.book.peek(*id)?.caller.node,
            Item::Timer(address, ..)
            | Item::Fail(address, ..)
            | Item::Evict(address, ..)
            | Item::Store(Step::Answer(address, ..)) => address.node,
            Item::Store(Step::Done(node, _)) | Item::Message(_, node, _) => *node,
            _ => return None,
        };
        let node = &self.nodes[id.0 as usize];
        let is_free = node.ready_at() <= self.now && self.inboxes[id.0 as usize].is_empty();
        (node.is_up && !is_free).then_some(id)
    }

    fn put_into_inbox(&mut self, id: NodeId, item: Item) {
        let inbox = &mut self.inboxes[id.0 as usize];
        inbox.push_back(item);
        if inbox.len() == 1 {
            let node = &self.nodes[id.0 as usize];
            self.queue.push(node.ready_at(), Item::Wake(id, node.life));
        }
    }

    /// The node takes the first thing out of its inbox, if it is ready for it.
    fn wake(&mut self, id: NodeId, life: u32) -> Option<Delivery> {
        let mut delivery = None;
        let node = &self.nodes[id.0 as usize];
        if node.life != life || !node.is_up {
            return None;
        }
        let ready = node.ready_at();
        if ready > self.now {
            self.queue.push(ready, Item::Wake(id, life));
            return None;
        }
        let item = self.inboxes[id.0 as usize].pop_front()?;
        self.decisions.about(|text| cause::of_item(text, &item, &self.nodes, &self.book));
        self.happen(item, &mut delivery);
        if !self.inboxes[id.0 as usize].is_empty() {
            let next = self.nodes[id.0 as usize].ready_at().max(self.now + Duration::from_nanos(1));
            self.queue.push(next, Item::Wake(id, life));
        }
        delivery
    }

    /// The time has come of what lies in this slot: it happens, unless its node has something else to do.
    #[inline(always)]
    pub(crate) fn come_to(&mut self, slot: QueueSlot, place: &mut Option<Delivery>) {
        let item = self.queue.peek(slot.0);
        self.decisions.about(|text| cause::of_item(text, item, &self.nodes, &self.book));
        if self.has_busy_nodes
            && let Some(node) = self.busy_node_of(item)
        {
            let item = self.queue.take(slot);
            return self.put_into_inbox(node, item);
        }
        let item = self.queue.take_in_place(slot);
        match hand(item, self.now, place) {
            Some((id, to_server)) => self.arrive(id, to_server, place),
            None => {
                let item = std::mem::take(item);
                *place = self.happens(item);
            }
        }
        if let Some(delivery) = place
            && self.faults.is_on
        {
            self.strike_after_turn(delivery.to.node);
        }
    }

    /// Lets an item happen that had to wait; the turn that comes of it, if any, comes to `place`.
    fn happen(&mut self, mut item: Item, place: &mut Option<Delivery>) {
        match hand(&mut item, self.now, place) {
            Some((id, to_server)) => self.arrive(id, to_server, place),
            None => *place = self.happens(item),
        }
    }

    /// A part of a call comes to where it was going: whom it reaches, if anybody, is decided now. (What every message passes is
    /// compiled into one piece: entering and leaving so many small functions was a tenth of a delivery.)
    #[inline(always)]
    fn arrive(&mut self, id: ExchangeId, to_server: bool, place: &mut Option<Delivery>) {
        let Some(delivery) = place else { return };
        if let Some(crash) = self.crash_at_message(id, &delivery.event, to_server) {
            *place = Some(crash);
            return;
        }
        let event = &delivery.event;
        let to = if to_server { self.reach_server(id, event) } else { self.reach_caller(id, event) };
        match to {
            Some(to) => {
                delivery.to = to;
                (delivery.now, delivery.wall) = self.begin_turn(to.node);
            }
            None => *place = None,
        }
    }

    /// The same, for what is not part of a call.
    #[inline(never)]
    fn happens(&mut self, item: Item) -> Option<Delivery> {
        match item {
            Item::ToServer(..) | Item::ToCaller(..) => None,
            Item::Boot(node) => Some(self.boot(node)),
            Item::Exit(node, life) => {
                let is_same = self.life(node) == life && self.nodes[node.0 as usize].is_up;
                is_same.then(|| self.crash(node))
            }
            Item::Phase(phase) => {
                let to = Address { node: self.workload?, instance: InstanceId::RUNTIME };
                let narrows = self.options.swarm == Swarm::Wide;
                let inputs = if phase == Phase::Setup { self.decisions.inputs(narrows) } else { None };
                let event = inputs.map_or(Event::Phase(phase), |inputs| Event::Begin(Box::new(inputs)));
                Some(self.deliver(to, event))
            }
            Item::Timer(address, timer, life, number) => {
                let set = self.timers.get(&(address, timer)).filter(|(set, _)| *set == number);
                let trigger = set.filter(|_| self.life(address.node) == life)?.1;
                let times = match trigger {
                    Some(trigger) => self.times(trigger, address, timer)?,
                    None => 1,
                };
                self.timers.remove(&(address, timer));
                let event = if times == 1 { Event::Timer(timer) } else { Event::Misfire(timer, times) };
                Some(self.deliver(address, event))
            }
            Item::Evict(to, life, event, fault) => self.evict(to, life, event, fault),
            Item::Fail(address, life, event) => {
                let node = &self.nodes[address.node.0 as usize];
                (node.life == life && node.is_up).then(|| self.deliver(address, event))
            }
            Item::Store(step) => self.step_store(step),
            Item::Message(from, to, message) => self.reach_runtime(from, to, message),
            Item::Lease(from, life, call) => {
                self.reach_leases(from, life, &call);
                None
            }
            Item::Break(id, error) => self.reach_caller_with_failure(id, error),
            Item::Wake(node, life) => self.wake(node, life),
            Item::Fault(spell) => self.begin_spell(spell),
            Item::FaultAfter(spell, node, cause) => self.begin_spell_after(spell, node, &cause),
            Item::FaultEnd(end) => self.end_spell(end),
            Item::Heal => {
                self.end_faults();
                self.enter(self.now, Phase::Heal);
                None
            }
            Item::Deadline(phase) => {
                self.deadline(phase);
                None
            }
        }
    }

    /// The delivery that hands `event` to `to` now.
    pub(crate) fn deliver(&mut self, to: Address, event: Event) -> Delivery {
        let (now, wall) = self.begin_turn(to.node);
        Delivery { at: self.now, now, wall, to, event }
    }

    /// A turn begins on this node: gives the times that its clocks show.
    #[inline(always)]
    fn begin_turn(&mut self, node: NodeId) -> (Time, WallTime) {
        self.deliveries += 1;
        self.decisions.at_event(self.deliveries);
        self.timers_of_turn = 0;
        self.forget_strike();
        let at = self.now;
        let node = self.node(node);
        node.work(at);
        (node.clock.now(at), node.clock.wall(at))
    }

    fn boot(&mut self, id: NodeId) -> Delivery {
        let node = self.node(id);
        node.is_up = true;
        node.life += 1;
        let incarnation = node.life - 1;
        let entropy = self.entropy.derive("boot", u64::from(id.0) << 32 | u64::from(incarnation));
        let to = Address { node: id, instance: InstanceId::RUNTIME };
        let delivery = self.deliver(to, Event::Boot { entropy, incarnation });
        self.open_store(id);
        if self.nodes[id.0 as usize].version > 0 {
            self.tell_version(id);
        }
        delivery
    }

    /// The node is gone: who waited for it learns of it, and what waited for it is lost.
    pub(crate) fn crash(&mut self, id: NodeId) -> Delivery {
        let delivery = self.deliver(Address { node: id, instance: InstanceId::RUNTIME }, Event::Crash);
        self.touch_everything();
        self.crash_store(id);
        self.node(id).go_down();
        self.timers.take_all(|(address, _), _| address.node == id);
        let waiting = std::mem::take(&mut self.inboxes[id.0 as usize]);
        self.break_exchanges_of(id);
        for item in waiting {
            // The node is down now, so none of these gives a turn on it.
            self.queue.push(self.now, item);
        }
        let down = self.downtime();
        self.queue.push(self.now + down, Item::Boot(id));
        delivery
    }

    /// A trigger that was due goes off this much later.
    pub(crate) fn delay_trigger(&mut self, to: Address, timer: TimerId, late: Duration) {
        self.timers_set += 1;
        self.timers.insert((to, timer), (self.timers_set, None));
        let life = self.life(to.node);
        self.queue.push(self.now + late, Item::Timer(to, timer, life, self.timers_set));
    }

    fn set_timer(&mut self, from: Address, timer: TimerId, trigger: Option<Trigger>, wait: Duration) {
        self.timers_set += 1;
        self.timers_of_turn += 1;
        self.timers.insert((from, timer), (self.timers_set, trigger));
        let node = self.node(from.node);
        let (real, life) = (node.clock.real(wait).max(TIMER_MIN), node.life);
        // Timers of one turn with the same delay fire in the order in which they were set: that
        // much HTML (section 8.7, "run steps after a timeout") promises a guest.
        let real = real + Duration::from_nanos(self.timers_of_turn);
        self.queue.push(self.now + real, Item::Timer(from, timer, life, self.timers_set));
    }

    /// An instance ended: nobody waits for its calls and timers any more.
    fn forget_instance(&mut self, from: Address, instance: InstanceId, why: &dacapo_core::Fault) {
        let gone = Address { node: from.node, instance };
        self.timers.take_all(|(address, _), _| *address == gone);
        for id in self.book.find(|e| e.caller == gone && !e.is_deaf) {
            self.cancel(id);
        }
        if self.workload == Some(from.node) {
            self.ending = Some(Ending::WorkloadBroke(why.to_string().into()));
        }
    }
}

impl World for Sim {
    fn next(&mut self) -> Option<Delivery> {
        let mut delivery = None;
        self.next_into(&mut delivery);
        delivery
    }

    fn next_into(&mut self, place: &mut Option<Delivery>) {
        clear(place);
        if self.instant.is_some() {
            return self.next_instantly(place);
        }
        while place.is_none() {
            if self.phase == Phase::Heal {
                self.check_quiet();
            }
            if self.ending.is_some() {
                return;
            }
            if self.has_too_many_deliveries() {
                return;
            }
            if let Some((to, event)) = self.next_up.pop_front() {
                *place = Some(self.deliver(to, event));
                return;
            }
            self.decisions.about(|_| {});
            let Some((at, slot)) = self.queue.pop(&mut self.decisions) else {
                return self.get_stuck();
            };
            self.now = at;
            self.come_to(slot, place);
        }
    }

    #[inline(never)]
    fn submit(&mut self, from: Address, effect: Effect) {
        self.decisions.about(|text| {
            let by = &self.nodes[from.node.0 as usize];
            cause::of_effect(text, by, &effect, &self.nodes, &self.book);
        });
        self.act(from, effect);
    }

    fn submit_all(&mut self, effects: &mut Outbox) {
        if self.decisions.is_traced() {
            return effects.take_each(|from, effect| self.submit(from, effect));
        }
        effects.take_each(|from, effect| self.act(from, effect));
    }

    fn take_notes(&mut self) -> Vec<Note> {
        self.notes.replace(Vec::new()).unwrap_or_default()
    }
}

impl Sim {
    /// Does what an effect asks for. (Each part of it is taken, and nobody looks at the whole: so it goes from where it
    /// lies to where it is wanted without being moved to the stack before.)
    #[inline(always)]
    fn act(&mut self, from: Address, effect: Effect) {
        match effect {
            Effect::Fetch { call, target, head, body } => self.fetch(from, call, target, head, body),
            Effect::RequestChunk(call, chunk) => self.request_chunk(from, call, chunk),
            Effect::ResponsePull(call, bytes) => self.response_pull(from, call, bytes),
            Effect::Cancel(call) => {
                if let Some(id) = self.book.by_call(from, call) {
                    self.cancel(id);
                }
            }
            Effect::Respond { exchange, head, body } => {
                if self.faults.is_on {
                    self.strike_answer(from);
                }
                self.respond(exchange, head, body);
            }
            Effect::ResponseChunk(exchange, chunk) => self.response_chunk(exchange, chunk),
            Effect::RequestPull(exchange, bytes) => self.request_pull(exchange, bytes),
            Effect::SetTimer(timer, wait) => self.set_timer(from, timer, None, wait),
            Effect::SetTrigger(timer, trigger, wait) => self.set_timer(from, timer, Some(trigger), wait),
            Effect::ClearTimer(timer) => {
                self.timers.remove(&(from, timer));
            }
            Effect::PhaseDone => {
                if self.workload == Some(from.node) {
                    self.touch_everything();
                    self.phase_done();
                }
            }
            Effect::Ended(instance, why) => {
                self.note_strike(from.node);
                self.touch_everything();
                self.forget_instance(from, instance, &why);
            }
            Effect::Stopped => {
                let life = self.life(from.node);
                if self.node(from.node).is_stopping {
                    self.queue.push(self.now, Item::Exit(from.node, life));
                }
            }
            // Words for people and for judges: recorded at the door, no matter of the world.
            Effect::Log(_, text) => drop(text),
            Effect::Check(check) => drop(check),
            Effect::Drawn(drawn) => self.decisions.told(*drawn),
            // Between an instance and its runtime.
            Effect::AlarmDone(_) | Effect::Exclusive(_) | Effect::Sync(_) => {}
            Effect::Send(to, message) => self.send(from.node, to, message),
            Effect::Lease(call) => self.ask_leases(from, call),
            Effect::Load(key) => self.ask_store(from, StoreJob::Load(*key)),
            Effect::Commit(number, key, changes) => {
                self.ask_store(from, StoreJob::Commit(number, *key, *changes))
            }
        }
    }
}

/// Hands out the part of a call that an item is, before it is known whom it reaches: an event is large, and moved once only. Gives
/// the call, and whether it goes to its server; `None` of any other item, which stays as it is.
#[inline(always)]
fn hand(item: &mut Item, now: Time, place: &mut Option<Delivery>) -> Option<(ExchangeId, bool)> {
    let nobody = Address { node: NodeId(0), instance: InstanceId::RUNTIME };
    let put = |event: &mut Event| match place {
        empty @ None => {
            *empty = Some(Delivery { at: now, now, wall: WallTime(0), to: nobody, event: event.take() });
        }
        Some(_) => unreachable!("one thing happens at a time"),
    };
    match item {
        Item::ToServer(id, event) => {
            put(event);
            Some((*id, true))
        }
        Item::ToCaller(id, event) => {
            put(event);
            Some((*id, false))
        }
        _ => None,
    }
}

/// Empties the place. (Mostly the event has been taken out of it, and what is left there needs no call to be dropped.)
#[inline(always)]
fn clear(place: &mut Option<Delivery>) {
    match place {
        Some(Delivery { event: Event::Crash, .. }) => std::mem::forget(place.take()),
        _ => *place = None,
    }
}
