//! The book of exchanges: who waits for whom.

use std::collections::VecDeque;
use std::rc::Rc;

use dacapo_core::{Address, CallId, ExchangeId, IdMap, NodeId, Time};

/// One request and its response, from the call to the last byte.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) caller: Address,
    pub(crate) caller_life: u32,
    pub(crate) call: CallId,
    pub(crate) server: NodeId,
    pub(crate) server_life: u32,
    /// The request has reached its server.
    pub(crate) is_served: bool,
    /// The server has sent all of its response.
    pub(crate) is_answered: bool,
    /// The caller has seen the head of the response.
    pub(crate) has_head: bool,
    /// The caller no longer listens (it has failed, was cancelled, or never knew: a duplicate).
    pub(crate) is_deaf: bool,
    /// Nothing more travels: a failure is on its way to the caller.
    pub(crate) is_broken: bool,
    /// The connection breaks in the middle of the next part of the response.
    pub(crate) breaks_soon: bool,
    /// It is a batch of a queue, and the queue shall not hear that it was handled.
    pub(crate) comes_again: bool,
    /// When the last part of the request arrives; parts keep their order.
    pub(crate) request_at: Time,
    /// When the last part of the response arrives.
    pub(crate) response_at: Time,
    /// What its request is called, if decisions are told apart by their causes.
    pub(crate) label: Option<Rc<str>>,
}

impl Exchange {
    /// What its request is called.
    pub(crate) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or_default()
    }
}

/// All exchanges that are under way.
#[derive(Default)]
pub(crate) struct Book {
    /// Exchange `first + i` stands at `i`; done ones leave a hole until they are the oldest.
    open: VecDeque<Option<Exchange>>,
    first: u64,
    count: usize,
    /// Who made which call, of the exchanges before `next_call`. It is written when somebody asks
    /// for a call, because most calls come and go without.
    calls: IdMap<(Address, CallId), ExchangeId>,
    next_call: u64,
}

impl Book {
    /// The number the next exchange gets.
    #[inline(always)]
    pub(crate) fn next_id(&self) -> ExchangeId {
        ExchangeId(self.first + self.open.len() as u64)
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, exchange: Exchange) -> ExchangeId {
        let id = self.next_id();
        self.open.push_back(Some(exchange));
        self.count += 1;
        id
    }

    #[inline(always)]
    pub(crate) fn get(&mut self, id: ExchangeId) -> Option<&mut Exchange> {
        let index = id.0.checked_sub(self.first)?;
        self.open.get_mut(index as usize)?.as_mut()
    }

    #[inline(always)]
    pub(crate) fn peek(&self, id: ExchangeId) -> Option<&Exchange> {
        let index = id.0.checked_sub(self.first)?;
        self.open.get(index as usize)?.as_ref()
    }

    pub(crate) fn by_call(&mut self, caller: Address, call: CallId) -> Option<ExchangeId> {
        let from = self.next_call.max(self.first);
        for (id, exchange) in (from..).zip(self.open.range((from - self.first) as usize..)) {
            if let Some(exchange) = exchange.as_ref().filter(|exchange| !exchange.is_deaf) {
                self.calls.insert((exchange.caller, exchange.call), ExchangeId(id));
            }
        }
        self.next_call = self.next_id().0;
        self.calls.get(&(caller, call)).copied()
    }

    pub(crate) fn remove(&mut self, id: ExchangeId) -> Option<Exchange> {
        let exchange = self.get(id)?.clone();
        self.close(id);
        Some(exchange)
    }

    /// The same, when nobody needs to know what it was.
    #[inline]
    pub(crate) fn close(&mut self, id: ExchangeId) {
        let Some(index) = id.0.checked_sub(self.first) else { return };
        let Some(place) = self.open.get_mut(index as usize) else { return };
        let Some(exchange) = place else { return };
        let call = (!exchange.is_deaf && id.0 < self.next_call).then_some((exchange.caller, exchange.call));
        *place = None;
        self.count -= 1;
        if let Some(call) = call {
            self.forget_call(id, call);
        }
        while let Some(None) = self.open.front() {
            self.open.pop_front();
            self.first += 1;
        }
    }

    /// The caller does not listen any more.
    pub(crate) fn deafen(&mut self, id: ExchangeId) {
        let Some(exchange) = self.get(id) else { return };
        exchange.is_deaf = true;
        let key = (exchange.caller, exchange.call);
        self.forget_call(id, key);
    }

    fn forget_call(&mut self, id: ExchangeId, key: (Address, CallId)) {
        // A duplicate carries the call of its original, which is not its to forget.
        if id.0 < self.next_call && self.calls.get(&key) == Some(&id) {
            self.calls.remove(&key);
        }
    }

    /// How many are under way.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Those that satisfy `test`, oldest first.
    pub(crate) fn find(&self, test: impl Fn(&Exchange) -> bool) -> Vec<ExchangeId> {
        let all = self.open.iter().enumerate();
        all.filter(|(_, e)| e.as_ref().is_some_and(&test))
            .map(|(i, _)| ExchangeId(self.first + i as u64))
            .collect()
    }
}
