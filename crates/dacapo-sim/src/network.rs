//! The simulated network: what becomes of each message between two nodes.
//!
//! Services talk by HTTP over connections, so that is what fails: a request is refused, lost,
//! late, doubled; a response breaks off. Parts of one body keep their order; separate requests
//! overtake each other freely.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use dacapo_core::{
    Address, Body, CallId, Chunk, Decisions, Delivery, Event, ExchangeId, InstanceId, Lane, Message,
    NetError, NodeId, NoteKind, RequestHead, ResponseHead, Target, Time,
};
use http::Method;

use crate::book::Exchange;
use crate::cause;
use crate::sim::{Item, Sim};

/// When a transport gives up on a peer that has become silent.
const TRANSPORT_TIMEOUT: Duration = Duration::from_secs(30);
/// The shortest way between two nodes, and the mean of what comes on top, in nanoseconds as all of these: each
/// message asks.
const LATENCY_MIN: u64 = 200_000;
const LATENCY_MORE: u64 = 300_000;
/// No message comes later than this by itself. (By chance none would, but a script may ask for it.)
const LATENCY_MORE_MAX: u64 = 10_000_000;
/// The way from a node to itself.
const LATENCY_LOCAL: u64 = 20_000;
/// What a head counts as, in bytes.
const HEAD_BYTES: usize = 256;
const AFTER: Duration = Duration::from_nanos(1);

/// The lanes of the network's decisions.
pub(crate) struct Network {
    latency: Lane,
    /// The shortest way between two nodes, and from a node to itself.
    min: u64,
    local: u64,
}

impl Network {
    pub(crate) fn new(decisions: &mut Decisions) -> Network {
        let (min, local) = if decisions.instant().is_some() { (0, 0) } else { (LATENCY_MIN, LATENCY_LOCAL) };
        Network { latency: decisions.lane("net.latency"), min, local }
    }
}

/// What becomes of a message.
enum Fate {
    Arrives(Time),
    /// Lost, and whether the transport notices at once.
    Lost {
        is_noticed: bool,
    },
}

/// What a message counts as that begins a request or a response.
#[inline(always)]
fn size(body: &Body) -> usize {
    match body {
        Body::Full(bytes) => HEAD_BYTES + bytes.len(),
        Body::Empty | Body::Stream => HEAD_BYTES,
    }
}

fn is_last(event: &Event) -> bool {
    match event {
        Event::Response { body, .. } => *body != Body::Stream,
        Event::ResponseChunk(_, chunk) => !matches!(chunk, Chunk::Data(_)),
        Event::Failed(..) => true,
        _ => false,
    }
}

impl Sim {
    /// When something arrives that leaves now.
    #[inline(always)]
    fn arrival(&mut self, from: NodeId, to: NodeId) -> Time {
        if from == to {
            return self.now.later(self.network.local);
        }
        let more = self.decisions.exponential_nanos(self.network.latency, "extra", LATENCY_MORE);
        let more = if more <= LATENCY_MORE_MAX { more } else { self.late(from, to, more) };
        self.now.later(self.network.min + more)
    }

    #[cold]
    fn late(&self, from: NodeId, to: NodeId, more: u64) -> u64 {
        let most = self.lateness_max(from, to).unwrap_or_default().as_nanos() as u64;
        more.min(most.max(LATENCY_MORE_MAX))
    }

    /// Sends so many bytes on a way of their own.
    #[inline(always)]
    fn transmit(&mut self, from: NodeId, to: NodeId, bytes: usize) -> Fate {
        let arrives = self.arrival(from, to);
        if from == to {
            return Fate::Arrives(arrives);
        }
        if self.faults.is_cut(from, to) {
            return Fate::Lost { is_noticed: false };
        }
        if let Some(is_noticed) = self.loses(from, to) {
            return Fate::Lost { is_noticed };
        }
        let late = self.delays(from, to);
        let arrives = if late.is_zero() { arrives } else { arrives + late };
        Fate::Arrives(self.faults.hold_back(from, to, self.now, arrives, bytes))
    }

    /// Sends a part of a body behind what is already on its way. A connection loses nothing
    /// in its middle: it is slow, or it breaks.
    fn follow(&mut self, from: NodeId, to: NodeId, bytes: usize, last: Time) -> Option<Time> {
        if self.faults.is_cut(from, to) {
            return None;
        }
        let arrives = self.arrival(from, to);
        Some(self.faults.hold_back(from, to, self.now, arrives, bytes).max(last + AFTER))
    }

    #[inline(always)]
    pub(crate) fn fetch(
        &mut self,
        from: Address,
        call: CallId,
        target: Target,
        mut head: Box<RequestHead>,
        body: Body,
    ) {
        let (server, service, by, object) = match target {
            Target::Service(node, service, by) => (node, service, by, None),
            Target::Owner(node, service, by, key) => (self.astray(node), service, by, Some(key)),
            Target::Refused(error) => return self.fail(from, call, error),
            Target::Outside(host) => {
                let text = format!(
                    "nothing stands in for {host} in this scenario: \
                     add  stubs = {{ \"{host}\" = \"stub.ts\" }}  to the scenario"
                );
                return self.fail(from, call, NetError::Unknown(text.into()));
            }
            // The runtime has made every name concrete; what it has not cannot be delivered.
            Target::Url | Target::Binding(_) | Target::Object(..) => {
                return self.fail(from, call, NetError::Unknown("no such place".into()));
            }
        };
        // What a service of the platform asks of another service is an event of a queue.
        let is_batch = object.is_none() && by.is_some_and(|by| self.options.builtins.contains(&by));
        let comes_again = is_batch && self.strike_batch(server, &mut head);
        let label: Option<Rc<str>> = self.decisions.is_traced().then(|| cause::label(&head).into());
        let doubles = self.doubles(from.node, server, &head.method);
        let exchange = Exchange {
            caller: from,
            caller_life: self.life(from.node),
            call,
            server,
            server_life: 0,
            is_served: false,
            is_answered: false,
            has_head: false,
            is_deaf: false,
            is_broken: false,
            breaks_soon: false,
            comes_again,
            request_at: self.now,
            response_at: self.now,
            label,
        };
        let id = self.book.next_id();
        if doubles {
            let event = Event::Request { exchange: id, service, from: by, object, head, body };
            return self.send_twice(exchange, event);
        }
        let bytes = size(&body);
        self.send_request(exchange, bytes, || Event::Request {
            exchange: id,
            service,
            from: by,
            object,
            head,
            body,
        });
    }

    /// A proxy on the way copies a request.
    #[cold]
    fn send_twice(&mut self, exchange: Exchange, event: Event) {
        let (mut copy, mut event_of_copy) = (exchange.clone(), event.clone());
        let bytes = match &event {
            Event::Request { body, .. } => size(body),
            _ => HEAD_BYTES,
        };
        self.send_request(exchange, bytes, || event);
        // Nobody waits for the answer to the copy.
        copy.is_deaf = true;
        if let Event::Request { exchange, .. } = &mut event_of_copy {
            *exchange = self.book.next_id();
        }
        self.send_request(copy, bytes, || event_of_copy);
    }

    /// Sends a request of so many bytes. (The event is made where it is to lie, because it is large.)
    #[inline(always)]
    fn send_request(&mut self, mut exchange: Exchange, bytes: usize, event: impl FnOnce() -> Event) {
        let (id, caller, call) = (self.book.next_id(), exchange.caller, exchange.call);
        self.note(NoteKind::Carries { exchange: id, caller, call }, || "".into());
        let fate = self.transmit(caller.node, exchange.server, bytes);
        if let Fate::Arrives(at) = fate {
            exchange.request_at = at;
        }
        self.book.add(exchange);
        match fate {
            Fate::Arrives(at) => self.queue.push_with(at, || Item::ToServer(id, event())),
            Fate::Lost { is_noticed } => self.lose(id, is_noticed),
        }
    }

    /// One runtime says something to another. What is lost is lost in silence.
    pub(crate) fn send(&mut self, from: NodeId, to: NodeId, message: Box<Message>) {
        let copies = 1 + u32::from(from != to && self.duplicates(from, to));
        for _ in 0..copies {
            if let Fate::Arrives(at) = self.transmit(from, to, HEAD_BYTES + message.body.len()) {
                self.queue.push(at, Item::Message(from, to, message.clone()));
            }
        }
    }

    pub(crate) fn reach_runtime(
        &mut self,
        from: NodeId,
        to: NodeId,
        message: Box<Message>,
    ) -> Option<Delivery> {
        if let Some(crash) = self.crash_at_words(from, to, &message) {
            return Some(crash);
        }
        let is_there = !self.faults.is_cut(from, to) && self.node(to).is_up;
        let address = Address { node: to, instance: InstanceId::RUNTIME };
        is_there.then(|| self.deliver(address, Event::Message(from, message)))
    }

    /// A call that never left: its caller learns of it in a turn of its own.
    #[cold]
    fn fail(&mut self, from: Address, call: CallId, error: NetError) {
        let life = self.life(from.node);
        self.queue.push(self.now, Item::Fail(from, life, Event::Failed(call, error)));
    }

    /// A message of this exchange is lost: the caller learns of it soon or much later.
    #[cold]
    fn lose(&mut self, id: ExchangeId, is_noticed: bool) {
        let Some(e) = self.book.get(id) else { return };
        if e.is_broken {
            return;
        }
        if e.is_deaf {
            self.book.close(id);
            return;
        }
        e.is_broken = true;
        let (from, to) = (e.server, e.caller.node);
        self.touch(&[from, to]);
        let (at, error) = if is_noticed {
            (self.arrival(from, to), NetError::Reset)
        } else {
            (self.now + TRANSPORT_TIMEOUT, NetError::TimedOut)
        };
        self.queue.push(at, Item::Break(id, error));
    }

    pub(crate) fn request_chunk(&mut self, from: Address, call: CallId, chunk: Chunk) {
        let Some(id) = self.book.by_call(from, call) else { return };
        let Some(e) = self.book.get(id).filter(|e| !e.is_broken).cloned() else { return };
        match self.follow(from.node, e.server, chunk_size(&chunk), e.request_at) {
            Some(at) => {
                if let Some(e) = self.book.get(id) {
                    e.request_at = at;
                }
                self.queue.push(at, Item::ToServer(id, Event::RequestChunk(id, chunk)));
            }
            None => self.lose(id, false),
        }
    }

    pub(crate) fn request_pull(&mut self, id: ExchangeId, bytes: u32) {
        let Some(e) = self.book.get(id).filter(|e| !e.is_broken).cloned() else { return };
        let at = self.arrival(e.server, e.caller.node);
        self.queue.push(at, Item::ToCaller(id, Event::RequestCredit(e.call, bytes)));
    }

    pub(crate) fn response_pull(&mut self, from: Address, call: CallId, bytes: u32) {
        let Some(id) = self.book.by_call(from, call) else { return };
        let Some(e) = self.book.get(id).filter(|e| !e.is_broken).cloned() else { return };
        let at = self.arrival(from.node, e.server).max(e.request_at + AFTER);
        self.queue.push(at, Item::ToServer(id, Event::ResponseCredit(id, bytes)));
    }

    #[inline(always)]
    pub(crate) fn respond(&mut self, id: ExchangeId, head: ResponseHead, body: Body) {
        let Some(e) = self.book.get(id) else { return };
        let is_whole = body != Body::Stream;
        e.is_answered = is_whole;
        let (from, to, call) = (e.server, e.caller.node, e.call);
        if e.is_broken {
            return;
        }
        if e.is_deaf {
            if is_whole {
                self.book.close(id);
            }
            return;
        }
        if e.comes_again {
            self.note_redelivered(from);
            return self.lose(id, true);
        }
        let at = match self.transmit(from, to, size(&body)) {
            Fate::Lost { is_noticed } => return self.lose(id, is_noticed),
            Fate::Arrives(at) => at,
        };
        let resets = self.resets(from, to);
        let Some(e) = self.book.get(id) else { return };
        e.response_at = at;
        e.breaks_soon = resets;
        if resets {
            self.reset(id, at, Event::Response { call, head, body });
        } else {
            self.queue.push_with(at, || Item::ToCaller(id, Event::Response { call, head, body }));
        }
    }

    /// The connection breaks in the middle of this response.
    #[cold]
    fn reset(&mut self, id: ExchangeId, at: Time, response: Event) {
        match response {
            Event::Response { call, head, body: Body::Full(bytes) } => {
                let event = Event::Response { call, head, body: Body::Stream };
                self.queue.push(at, Item::ToCaller(id, event));
                self.break_off(id, at, call, Chunk::Data(bytes));
            }
            Event::Response { body: Body::Empty, .. } => self.lose(id, true),
            // It breaks in the next chunk.
            event => self.queue.push(at, Item::ToCaller(id, event)),
        }
    }

    /// A part of this chunk arrives behind what came before, then the connection breaks.
    fn break_off(&mut self, id: ExchangeId, at: Time, call: CallId, chunk: Chunk) {
        if let Some(e) = self.book.get(id) {
            e.is_broken = true;
            let ends = [e.server, e.caller.node];
            self.touch(&ends);
        }
        if let Chunk::Data(bytes) = chunk {
            let part: Bytes = bytes.slice(..bytes.len() / 2);
            if !part.is_empty() {
                let event = Event::ResponseChunk(call, Chunk::Data(part));
                self.queue.push(at + AFTER, Item::ToCaller(id, event));
            }
        }
        self.queue.push(at + AFTER + AFTER, Item::Break(id, NetError::Reset));
    }

    pub(crate) fn response_chunk(&mut self, id: ExchangeId, chunk: Chunk) {
        let Some(e) = self.book.get(id) else { return };
        let is_end = !matches!(chunk, Chunk::Data(_));
        e.is_answered |= is_end;
        let e = e.clone();
        if e.is_broken {
            return;
        }
        if e.is_deaf {
            if is_end {
                self.book.close(id);
            }
            return;
        }
        match self.follow(e.server, e.caller.node, chunk_size(&chunk), e.response_at) {
            Some(at) => {
                if let Some(e) = self.book.get(id) {
                    e.response_at = at;
                }
                if e.breaks_soon {
                    self.break_off(id, at, e.call, chunk);
                } else {
                    self.queue.push(at, Item::ToCaller(id, Event::ResponseChunk(e.call, chunk)));
                }
            }
            None => self.lose(id, false),
        }
    }

    /// The caller gives up: the server learns of it behind everything that was sent before.
    pub(crate) fn cancel(&mut self, id: ExchangeId) {
        let Some(e) = self.book.get(id).cloned() else { return };
        self.book.deafen(id);
        // What becomes of an answer that leaves now depends on whether the server hears of this before.
        self.touch(&[e.server, e.caller.node]);
        if e.is_answered || (e.is_broken && !e.is_served) || self.faults.is_cut(e.caller.node, e.server) {
            self.book.close(id);
            return;
        }
        let at = self.arrival(e.caller.node, e.server).max(e.request_at + AFTER);
        self.queue.push(at, Item::ToServer(id, Event::Cancelled(id)));
    }

    /// A node has gone down.
    pub(crate) fn break_exchanges_of(&mut self, node: NodeId) {
        for id in self.book.find(|e| e.caller.node == node && !e.is_deaf) {
            self.cancel(id);
        }
        for id in self.book.find(|e| e.server == node && e.is_served && !e.is_answered && !e.is_broken) {
            let Some(e) = self.book.get(id).cloned() else { continue };
            self.lose(id, !self.faults.is_cut(node, e.caller.node));
        }
    }

    /// Whom this event reaches on the side of the server, if it reaches anybody.
    #[inline(always)]
    pub(crate) fn reach_server(&mut self, id: ExchangeId, event: &Event) -> Option<Address> {
        let e = self.book.get(id)?;
        let (node, caller) = (e.server, e.caller.node);
        if self.faults.is_cut(caller, node) {
            self.lose(id, false);
            return None;
        }
        let (life, is_up) = (self.nodes[node.0 as usize].life, self.nodes[node.0 as usize].is_up);
        if let Event::Request { object, .. } = event {
            if !is_up {
                if e.is_deaf {
                    self.book.close(id);
                } else if !e.is_broken {
                    e.is_broken = true;
                    self.touch(&[node, caller]);
                    let at = self.arrival(node, caller);
                    self.queue.push(at, Item::Break(id, NetError::Refused));
                }
                return None;
            }
            e.is_served = true;
            e.server_life = life;
            if self.faults.is_on {
                self.strike_request(node, id, object.is_some());
            }
        } else if !is_up || !e.is_served || e.server_life != life {
            if let Event::Cancelled(_) = event {
                self.book.close(id);
            }
            return None;
        }
        if let Event::Cancelled(_) = event {
            self.book.close(id);
        }
        Some(Address { node, instance: InstanceId::RUNTIME })
    }

    /// Whom this event reaches on the side of the caller, if it reaches anybody.
    #[inline(always)]
    pub(crate) fn reach_caller(&mut self, id: ExchangeId, event: &Event) -> Option<Address> {
        let e = self.book.get(id)?;
        let (to, from, is_deaf, life) = (e.caller, e.server, e.is_deaf, e.caller_life);
        if self.faults.is_cut(from, to.node) {
            self.lose(id, false);
            return None;
        }
        if let Event::Response { .. } = event {
            e.has_head = true;
        }
        if is_last(event) {
            self.book.close(id);
        }
        let is_there = !is_deaf && self.life(to.node) == life && self.node(to.node).is_up;
        is_there.then_some(to)
    }

    pub(crate) fn reach_caller_with_failure(&mut self, id: ExchangeId, error: NetError) -> Option<Delivery> {
        let e = self.book.remove(id)?;
        if e.is_served && !e.is_answered && self.life(e.server) == e.server_life && self.node(e.server).is_up
        {
            // The connection is gone, so whoever still works on the request learns of it.
            let life = e.server_life;
            let to = Address { node: e.server, instance: InstanceId::RUNTIME };
            self.queue.push(self.now, Item::Fail(to, life, Event::Cancelled(id)));
        }
        if e.is_deaf || self.life(e.caller.node) != e.caller_life || !self.node(e.caller.node).is_up {
            return None;
        }
        let event = if e.has_head {
            Event::ResponseChunk(e.call, Chunk::Abort(error.to_string().into()))
        } else {
            Event::Failed(e.call, error)
        };
        Some(self.deliver(e.caller, event))
    }

    fn doubles(&mut self, from: NodeId, to: NodeId, method: &Method) -> bool {
        from != to && method.is_idempotent() && self.duplicates(from, to)
    }
}

fn chunk_size(chunk: &Chunk) -> usize {
    match chunk {
        Chunk::Data(bytes) => bytes.len(),
        Chunk::End | Chunk::Abort(_) => 0,
    }
}
