//! What caused what. Ids tell most of it; which call a request was made by is told by a note of
//! the world ([`NoteKind::Carries`]), and without one guessed from the target, method and URL.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::{
    Address, CallId, Effect, Event, ExchangeId, NodeId, NoteKind, RequestHead, ServiceId, Target, TimerId,
};

use crate::{Part, Record};

/// For each entry of a recording the entry that caused it.
///
/// An effect is caused by the delivery in whose turn it was made; a delivery by the effect that
/// it answers or carries. Faults, boots and requests from outside have no cause.
///
/// What an object says waits for its writes, and leaves in the turn of the [`Event::Committed`] that
/// it waited for: mostly its own. A response that waited for the writes of another request, or for
/// the object to be loaded on behalf of another, is caused by the request that it answers. (Of a call
/// that waited so nobody can tell; it counts as the other request's.)
#[derive(Clone, Debug, Default)]
pub struct Causes {
    causes: Vec<Option<usize>>,
    requests: BTreeMap<ExchangeId, usize>,
    callers: BTreeMap<ExchangeId, Caller>,
}

type Caller = (Address, CallId);
/// What a request and the call that it came from have in common.
type Sight = (NodeId, ServiceId, String, String);

#[derive(Default)]
struct Builder {
    out: Causes,
    turn: Option<usize>,
    /// Whether the turn lets out what waited for a disk.
    is_gate: bool,
    fetches: BTreeMap<Caller, usize>,
    /// Calls that no request has been seen of, oldest first; and the last that one was seen of,
    /// for requests that arrive twice.
    unseen: BTreeMap<Sight, VecDeque<Caller>>,
    seen: BTreeMap<Sight, Caller>,
    exchanges: BTreeMap<Caller, ExchangeId>,
    responds: BTreeMap<ExchangeId, usize>,
    pulls_of_exchange: BTreeMap<ExchangeId, usize>,
    pulls_of_call: BTreeMap<Caller, usize>,
    cancels: BTreeMap<Caller, usize>,
    request_chunks: BTreeMap<Caller, VecDeque<usize>>,
    response_chunks: BTreeMap<ExchangeId, VecDeque<usize>>,
    timers: BTreeMap<(Address, TimerId), usize>,
    loads: BTreeMap<Address, usize>,
    commits: BTreeMap<(Address, u64), usize>,
    lease_calls: BTreeMap<(Address, u64), usize>,
    /// Messages between runtimes that have not arrived, oldest first, and the last of its like that
    /// has, for one that arrives twice.
    messages: BTreeMap<Saying, VecDeque<usize>>,
    heard: BTreeMap<Saying, usize>,
}

/// Who says what to whom.
type Saying = (NodeId, NodeId, ByteString, Bytes);

impl Causes {
    /// The causes within a recording, given from its start.
    pub fn of(records: &[Record]) -> Causes {
        let mut builder = Builder::default();
        for (index, record) in records.iter().enumerate() {
            let cause = match &record.part {
                Part::Delivery(delivery) => {
                    builder.turn = Some(index);
                    builder.is_gate = matches!(delivery.event, Event::Loaded(_) | Event::Committed(..));
                    builder.delivery(index, delivery.to, &delivery.event)
                }
                Part::Effect(from, effect) => {
                    builder.effect(index, *from, effect);
                    builder.origin(effect)
                }
                Part::Note(note) => {
                    if let NoteKind::Carries { exchange, caller, call } = note.kind {
                        builder.carries(exchange, (caller, call));
                    }
                    None
                }
            };
            builder.out.causes.push(cause);
        }
        builder.out
    }

    /// The entry that caused this one; both are indices into the recording.
    pub fn cause(&self, index: usize) -> Option<usize> {
        self.causes.get(index).copied().flatten()
    }

    /// Whose call this request is, as far as that is known.
    pub(crate) fn caller(&self, exchange: ExchangeId) -> Option<(Address, CallId)> {
        self.callers.get(&exchange).copied()
    }

    /// Everything that belongs to one request, as indices in order: what led to it back to the
    /// first cause, what came of it, and the response that its caller got. What the caller did
    /// with that response is no longer part of it.
    pub fn chain(&self, records: &[Record], exchange: ExchangeId) -> Vec<usize> {
        let Some(&request) = self.requests.get(&exchange) else { return Vec::new() };
        let mut chain: Vec<usize> =
            std::iter::successors(self.cause(request), |index| self.cause(*index)).collect();
        chain.reverse();
        let caller = self.callers.get(&exchange);
        let answers_caller = |record: &Record| match &record.part {
            Part::Delivery(d) => match &d.event {
                Event::Response { call, .. } | Event::ResponseChunk(call, _) | Event::Failed(call, _) => {
                    caller == Some(&(d.to, *call))
                }
                _ => false,
            },
            _ => false,
        };
        // An entry that causes nothing within the chain is in the chain itself all the same.
        let mut goes_on = vec![false; self.causes.len()];
        goes_on[request] = true;
        chain.push(request);
        for (index, record) in records.iter().enumerate().take(self.causes.len()).skip(request + 1) {
            if self.cause(index).is_some_and(|cause| goes_on[cause]) {
                chain.push(index);
                goes_on[index] = !answers_caller(record);
            }
        }
        chain
    }
}

impl Builder {
    fn carries(&mut self, exchange: ExchangeId, caller: Caller) {
        self.out.callers.insert(exchange, caller);
        // Of a request that arrives twice, the caller waits for the answer to the first.
        self.exchanges.entry(caller).or_insert(exchange);
    }

    fn delivery(&mut self, index: usize, to: Address, event: &Event) -> Option<usize> {
        match event {
            Event::Boot { .. } | Event::Crash => {
                // The next incarnation numbers its instances and timers from the start again.
                self.fetches.retain(|(address, _), _| address.node != to.node);
                self.exchanges.retain(|(address, _), _| address.node != to.node);
                self.pulls_of_call.retain(|(address, _), _| address.node != to.node);
                self.cancels.retain(|(address, _), _| address.node != to.node);
                self.request_chunks.retain(|(address, _), _| address.node != to.node);
                self.timers.retain(|(address, _), _| address.node != to.node);
                self.loads.retain(|address, _| address.node != to.node);
                self.commits.retain(|(address, _), _| address.node != to.node);
                self.lease_calls.retain(|(address, _), _| address.node != to.node);
                None
            }
            Event::Stop
            | Event::Deploy(_)
            | Event::Phase(_)
            | Event::Begin(_)
            | Event::Scheduled { .. }
            | Event::Evict { .. }
            | Event::StoreOpened(_)
            | Event::Alarm { .. } => None,
            Event::Message(from, message) => {
                let saying = (*from, to.node, message.name.clone(), message.body.clone());
                match self.messages.get_mut(&saying).and_then(VecDeque::pop_front) {
                    Some(sent) => {
                        self.heard.insert(saying, sent);
                        Some(sent)
                    }
                    None => self.heard.get(&saying).copied(),
                }
            }
            Event::Leased(number, _) => self.lease_calls.remove(&(to, *number)),
            Event::Request { exchange, service, head, .. } => {
                self.out.requests.insert(*exchange, index);
                if !self.out.callers.contains_key(exchange)
                    && let Some(caller) = self.guess(sight(to.node, *service, head))
                {
                    self.carries(*exchange, caller);
                }
                self.fetches.get(self.out.callers.get(exchange)?).copied()
            }
            Event::RequestChunk(exchange, _) => {
                self.request_chunks.get_mut(self.out.callers.get(exchange)?)?.pop_front()
            }
            Event::ResponseCredit(exchange, _) => {
                self.pulls_of_call.get(self.out.callers.get(exchange)?).copied()
            }
            Event::Cancelled(exchange) => self.cancels.get(self.out.callers.get(exchange)?).copied(),
            Event::Response { call, .. } => {
                let caller = (to, *call);
                let answered = self.exchanges.get(&caller).and_then(|x| self.responds.get(x));
                answered.or_else(|| self.fetches.get(&caller)).copied()
            }
            Event::ResponseChunk(call, _) => {
                let caller = (to, *call);
                let exchange = self.exchanges.get(&caller);
                let sent =
                    exchange.and_then(|x| self.response_chunks.get_mut(x)).and_then(VecDeque::pop_front);
                sent.or_else(|| self.fetches.get(&caller).copied())
            }
            Event::RequestCredit(call, _) => {
                self.pulls_of_exchange.get(self.exchanges.get(&(to, *call))?).copied()
            }
            Event::Failed(call, _) => {
                for calls in self.unseen.values_mut() {
                    calls.retain(|caller| *caller != (to, *call));
                }
                self.fetches.get(&(to, *call)).copied()
            }
            Event::Timer(timer) | Event::Misfire(timer, _) => self.timers.remove(&(to, *timer)),
            Event::Loaded(_) => self.loads.remove(&to),
            Event::Committed(number, _) => self.commits.remove(&(to, *number)),
        }
    }

    fn effect(&mut self, index: usize, from: Address, effect: &Effect) {
        match effect {
            Effect::Fetch { call, target, head, .. } => {
                self.fetches.insert((from, *call), index);
                if let Target::Service(node, service, _) | Target::Owner(node, service, ..) = target {
                    self.unseen.entry(sight(*node, *service, head)).or_default().push_back((from, *call));
                }
            }
            Effect::RequestChunk(call, _) => {
                self.request_chunks.entry((from, *call)).or_default().push_back(index);
            }
            Effect::ResponsePull(call, _) => {
                self.pulls_of_call.insert((from, *call), index);
            }
            Effect::Cancel(call) => {
                self.cancels.insert((from, *call), index);
            }
            Effect::Respond { exchange, .. } => {
                self.responds.insert(*exchange, index);
            }
            Effect::ResponseChunk(exchange, _) => {
                self.response_chunks.entry(*exchange).or_default().push_back(index);
            }
            Effect::RequestPull(exchange, _) => {
                self.pulls_of_exchange.insert(*exchange, index);
            }
            Effect::SetTimer(timer, _) | Effect::SetTrigger(timer, ..) => {
                self.timers.insert((from, *timer), index);
            }
            Effect::ClearTimer(timer) => {
                self.timers.remove(&(from, *timer));
            }
            Effect::Load(_) => {
                self.loads.insert(from, index);
            }
            Effect::Commit(number, ..) => {
                self.commits.insert((from, *number), index);
            }
            Effect::Log(..)
            | Effect::Check(_)
            | Effect::Drawn(_)
            | Effect::PhaseDone
            | Effect::Ended(..)
            | Effect::Stopped
            | Effect::AlarmDone(_)
            | Effect::Exclusive(_)
            | Effect::Sync(_) => {}
            Effect::Send(to, message) => {
                let saying = (from.node, *to, message.name.clone(), message.body.clone());
                self.messages.entry(saying).or_default().push_back(index);
            }
            Effect::Lease(call) => {
                self.lease_calls.insert((from, call.number), index);
            }
        }
    }

    /// What caused an effect: the turn, or the request whose response waited for somebody else's disk.
    fn origin(&self, effect: &Effect) -> Option<usize> {
        let turn = self.turn?;
        if let Effect::Respond { exchange, .. } | Effect::ResponseChunk(exchange, _) = effect
            && self.is_gate
            && let Some(&request) = self.out.requests.get(exchange)
        {
            // A cause stands before what it causes, so the request need not be looked for beyond itself.
            let mut causes = std::iter::successors(Some(turn), |index| self.out.cause(*index));
            let is_own = causes.find(|index| *index <= request) == Some(request);
            return Some(if is_own { turn } else { request });
        }
        Some(turn)
    }

    fn guess(&mut self, sight: Sight) -> Option<Caller> {
        match self.unseen.get_mut(&sight).and_then(VecDeque::pop_front) {
            Some(caller) => {
                self.seen.insert(sight, caller);
                Some(caller)
            }
            None => self.seen.get(&sight).copied(),
        }
    }
}

fn sight(node: NodeId, service: ServiceId, head: &RequestHead) -> Sight {
    (node, service, head.method.to_string(), head.url.to_string())
}
