//! Connects callers with servers: within the loop, between loops, and to sockets.
//!
//! A request is known to its server by an [`ExchangeId`] and to its caller by a [`Caller`]; this
//! is where one becomes the other. All of it happens on the thread of the loop.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use dacapo_core::{
    Address, Body, CallId, Chunk, Event, ExchangeId, InstanceId, NetError, NodeId, Note, NoteKind, ServiceId,
};

use crate::client::OutCall;
use crate::clock::Clock;
use crate::mail::{Caller, Mail, Peers, ToCaller, ToServer};
use crate::options::HostOptions;
use crate::server::connections::Connections;
use crate::server::pending::Pending;

pub(crate) struct Switch {
    pub(crate) node: NodeId,
    pub(crate) clock: Clock,
    pub(crate) options: Arc<HostOptions>,
    pub(crate) connections: Connections,
    pub(crate) is_stopping: Cell<bool>,
    peers: Arc<Peers>,
    /// Events that wait for [`dacapo_core::World::next`].
    queue: RefCell<VecDeque<(Address, Event)>>,
    has_news: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// Requests that this node serves.
    exchanges: RefCell<BTreeMap<ExchangeId, Exchange>>,
    by_caller: RefCell<BTreeMap<Caller, ExchangeId>>,
    /// Requests that instances of this node make.
    calls: RefCell<BTreeMap<(Address, CallId), Call>>,
    /// Requests of clients on sockets of this node.
    clients: RefCell<BTreeMap<u64, Rc<Pending>>>,
    next_exchange: Cell<u64>,
    next_client: Cell<u64>,
    notes: RefCell<Option<Vec<Note>>>,
}

struct Exchange {
    caller: Caller,
    has_response: bool,
}

enum Call {
    Node(NodeId),
    Outside(OutCall),
}

impl Switch {
    pub(crate) fn new(node: NodeId, clock: Clock, options: Arc<HostOptions>, peers: Arc<Peers>) -> Switch {
        Switch {
            node,
            clock,
            connections: Connections::default(),
            options,
            is_stopping: Cell::new(false),
            peers,
            queue: RefCell::default(),
            has_news: Cell::new(false),
            waker: RefCell::default(),
            exchanges: RefCell::default(),
            by_caller: RefCell::default(),
            calls: RefCell::default(),
            clients: RefCell::default(),
            next_exchange: Cell::new(1),
            next_client: Cell::new(1),
            notes: RefCell::default(),
        }
    }

    // --- the queue of deliveries

    pub(crate) fn push(&self, to: Address, event: Event) {
        self.queue.borrow_mut().push_back((to, event));
        self.wake();
    }

    pub(crate) fn push_runtime(&self, event: Event) {
        self.push(Address { node: self.node, instance: InstanceId::RUNTIME }, event);
    }

    pub(crate) fn pop(&self) -> Option<(Address, Event)> {
        self.queue.borrow_mut().pop_front()
    }

    pub(crate) fn has_events(&self) -> bool {
        !self.queue.borrow().is_empty()
    }

    pub(crate) fn set_waker(&self, waker: &Waker) {
        self.waker.replace(Some(waker.clone()));
    }

    /// Makes the loop look whether it has finished.
    pub(crate) fn look(&self) {
        self.has_news.set(true);
        self.wake();
    }

    /// Whether there is reason to stop waiting.
    pub(crate) fn has_news(&self) -> bool {
        self.has_events() || self.has_news.get()
    }

    pub(crate) fn clear_news(&self) {
        self.has_news.set(false);
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    // --- letters

    /// To the node that serves. False if there is no such loop any more.
    fn send_to_server(&self, node: NodeId, caller: Caller, message: ToServer) -> bool {
        if node == self.node {
            self.at_server(caller, message);
            return true;
        }
        let peer = self.peers.get(node.0 as usize);
        peer.is_some_and(|peer| peer.send(Mail::ToServer(caller, message)).is_ok())
    }

    pub(crate) fn send_to_caller(&self, caller: Caller, message: ToCaller) {
        let node = caller.node();
        if node == self.node {
            return self.at_caller(caller, message);
        }
        if let Some(peer) = self.peers.get(node.0 as usize) {
            // A caller whose loop has ended needs no answer.
            let _ = peer.send(Mail::ToCaller(caller, message));
        }
    }

    /// Gives an event to a loop of this process; none of that name: it is lost.
    pub(crate) fn send_event(&self, to: Address, event: Event) {
        if let Some(peer) = self.peers.get(to.node.0 as usize) {
            let _ = peer.send(Mail::Event(to, event));
        }
    }

    pub(crate) fn tell_all(&self, mail: impl Fn() -> Mail) {
        for (index, peer) in self.peers.iter().enumerate() {
            if index != self.node.0 as usize {
                let _ = peer.send(mail());
            }
        }
    }

    // --- the side that serves

    pub(crate) fn at_server(&self, caller: Caller, message: ToServer) {
        let known = || self.by_caller.borrow().get(&caller).copied();
        match message {
            ToServer::Request { service, by, object, head, body } => {
                let exchange = ExchangeId(self.next_exchange.get());
                self.next_exchange.set(exchange.0 + 1);
                self.exchanges.borrow_mut().insert(exchange, Exchange { caller, has_response: false });
                self.by_caller.borrow_mut().insert(caller, exchange);
                if let (Caller::Guest(address, call), Some(notes)) = (caller, &mut *self.notes.borrow_mut()) {
                    let kind = NoteKind::Carries { exchange, caller: address, call };
                    notes.push(Note { at: self.clock.now(), kind, text: Default::default() });
                }
                // The world does not know which service an instance runs, so it names none.
                self.push_runtime(Event::Request { exchange, service, from: by, object, head, body });
            }
            ToServer::Chunk(chunk) => {
                if let Some(exchange) = known() {
                    self.push_runtime(Event::RequestChunk(exchange, chunk));
                }
            }
            ToServer::Credit(bytes) => {
                if let Some(exchange) = known() {
                    self.push_runtime(Event::ResponseCredit(exchange, bytes));
                }
            }
            ToServer::Cancel => {
                if let Some(exchange) = known() {
                    self.forget_exchange(exchange);
                    self.push_runtime(Event::Cancelled(exchange));
                }
            }
        }
    }

    fn forget_exchange(&self, exchange: ExchangeId) {
        if let Some(Exchange { caller, .. }) = self.exchanges.borrow_mut().remove(&exchange) {
            self.by_caller.borrow_mut().remove(&caller);
        }
    }

    pub(crate) fn respond(&self, exchange: ExchangeId, head: dacapo_core::ResponseHead, body: Body) {
        let caller = match self.exchanges.borrow_mut().get_mut(&exchange) {
            Some(e) if !e.has_response => {
                e.has_response = true;
                e.caller
            }
            _ => return,
        };
        if body != Body::Stream {
            self.forget_exchange(exchange);
        }
        self.send_to_caller(caller, ToCaller::Response(head, body));
    }

    pub(crate) fn response_chunk(&self, exchange: ExchangeId, chunk: Chunk) {
        let caller = match self.exchanges.borrow().get(&exchange) {
            Some(e) if e.has_response => e.caller,
            _ => return,
        };
        if !matches!(chunk, Chunk::Data(_)) {
            self.forget_exchange(exchange);
        }
        self.send_to_caller(caller, ToCaller::Chunk(chunk));
    }

    pub(crate) fn request_pull(&self, exchange: ExchangeId, bytes: u32) {
        let caller = self.exchanges.borrow().get(&exchange).map(|e| e.caller);
        if let Some(caller) = caller {
            self.send_to_caller(caller, ToCaller::Credit(bytes));
        }
    }

    // --- the side that calls

    pub(crate) fn at_caller(&self, caller: Caller, message: ToCaller) {
        match caller {
            Caller::Client(_, number) => {
                let pending = self.clients.borrow().get(&number).cloned();
                if let Some(pending) = pending {
                    pending.take(message);
                }
            }
            Caller::Guest(address, call) => {
                if !self.calls.borrow().contains_key(&(address, call)) {
                    return;
                }
                let is_last = match &message {
                    ToCaller::Response(_, body) => *body != Body::Stream,
                    ToCaller::Chunk(chunk) => !matches!(chunk, Chunk::Data(_)),
                    ToCaller::Credit(_) => false,
                    ToCaller::Failed(_) => true,
                };
                if is_last {
                    self.calls.borrow_mut().remove(&(address, call));
                }
                let event = match message {
                    ToCaller::Response(head, body) => Event::Response { call, head, body },
                    ToCaller::Chunk(chunk) => Event::ResponseChunk(call, chunk),
                    ToCaller::Credit(bytes) => Event::RequestCredit(call, bytes),
                    ToCaller::Failed(error) => Event::Failed(call, error),
                };
                self.push(address, event);
            }
        }
    }

    /// A guest calls a service of this process.
    pub(crate) fn call_node(&self, from: Address, call: CallId, node: NodeId, request: ToServer) {
        self.calls.borrow_mut().insert((from, call), Call::Node(node));
        let caller = Caller::Guest(from, call);
        if !self.send_to_server(node, caller, request) {
            let error = match (node.0 as usize) < self.peers.len() {
                true => NetError::Refused,
                false => NetError::Unknown(format!("there is no node {node} in this process").into()),
            };
            self.at_caller(caller, ToCaller::Failed(error));
        }
    }

    /// A guest calls a host outside.
    pub(crate) fn call_outside(&self, from: Address, call: CallId, out: OutCall) {
        self.calls.borrow_mut().insert((from, call), Call::Outside(out));
    }

    pub(crate) fn request_chunk(&self, from: Address, call: CallId, chunk: Chunk) {
        let node = match self.calls.borrow().get(&(from, call)) {
            Some(Call::Outside(out)) => return out.send(chunk),
            Some(Call::Node(node)) => *node,
            None => return,
        };
        self.send_to_server(node, Caller::Guest(from, call), ToServer::Chunk(chunk));
    }

    pub(crate) fn response_pull(&self, from: Address, call: CallId, bytes: u32) {
        let node = match self.calls.borrow().get(&(from, call)) {
            Some(Call::Outside(out)) => return out.pull(bytes),
            Some(Call::Node(node)) => *node,
            None => return,
        };
        self.send_to_server(node, Caller::Guest(from, call), ToServer::Credit(bytes));
    }

    pub(crate) fn cancel(&self, from: Address, call: CallId) {
        // Dropping a call to the outside aborts it.
        let gone = self.calls.borrow_mut().remove(&(from, call));
        if let Some(Call::Node(node)) = gone {
            self.send_to_server(node, Caller::Guest(from, call), ToServer::Cancel);
        }
    }

    /// An instance is gone, and with it the reader of every response it waits for.
    pub(crate) fn cancel_all_of(&self, from: Address) {
        let (first, last) = ((from, CallId(0)), (from, CallId(u64::MAX)));
        let calls: Vec<CallId> =
            self.calls.borrow().range(first..=last).map(|((_, call), _)| *call).collect();
        for call in calls {
            self.cancel(from, call);
        }
    }

    // --- clients on sockets

    /// A client's request goes to its service.
    pub(crate) fn call_from_client(
        &self,
        node: NodeId,
        service: ServiceId,
        head: Box<dacapo_core::RequestHead>,
        body: Body,
    ) -> Rc<Pending> {
        let number = self.next_client.get();
        self.next_client.set(number + 1);
        let pending = Rc::new(Pending::new(node, number));
        self.clients.borrow_mut().insert(number, pending.clone());
        let caller = Caller::Client(self.node, number);
        if !self.send_to_server(
            node,
            caller,
            ToServer::Request { service, by: None, object: None, head, body },
        ) {
            pending.take(ToCaller::Failed(NetError::Refused));
        }
        pending
    }

    pub(crate) fn tell_server(&self, pending: &Pending, message: ToServer) {
        self.send_to_server(pending.server, Caller::Client(self.node, pending.number), message);
    }

    /// The client got its response, or is gone.
    pub(crate) fn forget_client(&self, number: u64) {
        self.clients.borrow_mut().remove(&number);
    }

    // --- the end

    /// The loop ends: whoever waits on another loop is told, and this loop calls nobody any more.
    pub(crate) fn hang_up(&self) {
        let exchanges = std::mem::take(&mut *self.exchanges.borrow_mut());
        for (_, Exchange { caller, has_response }) in exchanges {
            if caller.node() != self.node {
                let message = match has_response {
                    false => ToCaller::Failed(NetError::Reset),
                    true => ToCaller::Chunk(Chunk::Abort("the serving loop has ended".into())),
                };
                self.send_to_caller(caller, message);
            }
        }
        let calls = std::mem::take(&mut *self.calls.borrow_mut());
        for ((from, call), server) in calls {
            if let Call::Node(node) = server
                && node != self.node
            {
                self.send_to_server(node, Caller::Guest(from, call), ToServer::Cancel);
            }
        }
    }

    pub(crate) fn take_notes(&self) -> Vec<Note> {
        // Notes are made from the first time that somebody asks for them.
        self.notes.borrow_mut().get_or_insert_default().drain(..).collect()
    }
}
