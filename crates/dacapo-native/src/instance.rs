//! The turn of a native guest: one event in, all tasks run until each waits, effects out.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use dacapo_core::{
    Body, Chunk, Effect, Effects, Event, ExchangeId, Fault, FaultKind, IdRing, Instance, Phase, RequestHead,
    Turn, TurnEnd,
};
use futures::future::LocalBoxFuture;

use crate::answering::{Answering, answering};
use crate::guest::Guest;
use crate::message::{Request, Response};
use crate::tasks::{TaskId, Tasks, Waiter};

type OnRequest = Box<dyn Fn(ExchangeId, Request, Option<Box<dyn Answering>>) -> Box<dyn Answering>>;
type OnCron = Box<dyn Fn(ByteString) -> LocalBoxFuture<'static, ()>>;
type OnAlarm = Box<dyn Fn(u32) -> LocalBoxFuture<'static, ()>>;
type OnPhase = Box<dyn Fn(Phase) -> LocalBoxFuture<'static, ()>>;

/// A live native guest.
pub(crate) struct NativeInstance {
    guest: Guest,
    tasks: Tasks,
    on_request: Option<OnRequest>,
    on_cron: Option<OnCron>,
    on_alarm: Option<OnAlarm>,
    on_phase: Option<OnPhase>,
    /// Requests whose bodies are still arriving.
    partial: BTreeMap<ExchangeId, (Box<RequestHead>, BytesMut)>,
    /// Requests that are being answered, with the task that is dropped when the caller has gone.
    open: IdRing<ExchangeId, TaskId>,
    drive_is_over: Option<crate::slot::Slot<()>>,
}

impl NativeInstance {
    pub(crate) fn new(guest: Guest) -> NativeInstance {
        let tasks = Tasks::new(Rc::clone(&guest.inner().wakers));
        NativeInstance {
            guest,
            tasks,
            on_request: None,
            on_cron: None,
            on_alarm: None,
            on_phase: None,
            partial: BTreeMap::new(),
            open: IdRing::default(),
            drive_is_over: None,
        }
    }

    /// What answers a request: the future ends with the response on its way.
    pub(crate) fn on_request<F>(mut self, f: impl Fn(ExchangeId, Request) -> F + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        self.on_request =
            Some(Box::new(move |exchange, request, left| answering(f(exchange, request), left)));
        self
    }

    pub(crate) fn on_cron(mut self, f: impl Fn(ByteString) -> LocalBoxFuture<'static, ()> + 'static) -> Self {
        self.on_cron = Some(Box::new(f));
        self
    }

    pub(crate) fn on_alarm(mut self, f: impl Fn(u32) -> LocalBoxFuture<'static, ()> + 'static) -> Self {
        self.on_alarm = Some(Box::new(f));
        self
    }

    pub(crate) fn on_phase(mut self, f: impl Fn(Phase) -> LocalBoxFuture<'static, ()> + 'static) -> Self {
        self.on_phase = Some(Box::new(f));
        self
    }

    #[inline(always)]
    fn take(&mut self, event: Event) {
        match event {
            Event::Request { exchange, object, head, body, .. } => {
                drop(object);
                match body {
                    Body::Empty => self.serve(exchange, head, Bytes::new()),
                    Body::Full(body) => self.serve(exchange, head, body),
                    Body::Stream => {
                        self.partial.insert(exchange, (head, BytesMut::new()));
                    }
                }
            }
            Event::RequestChunk(exchange, chunk) => self.chunk(exchange, chunk),
            Event::Cancelled(exchange) => {
                self.partial.remove(&exchange);
                if let Some(task) = self.open.remove(exchange) {
                    self.tasks.cancel(task);
                }
            }
            Event::Scheduled { cron, .. } => {
                if let Some(on_cron) = &self.on_cron {
                    self.tasks.start(on_cron(cron));
                }
            }
            Event::Alarm { retry, .. } => {
                if let Some(on_alarm) = &self.on_alarm {
                    self.tasks.start(on_alarm(retry));
                }
            }
            Event::Phase(phase) => self.enter(phase),
            Event::Begin(inputs) => {
                self.guest.begin(*inputs);
                self.enter(Phase::Setup);
            }
            // The most frequent of what tasks wait for. (Moved in parts, because an event is large.)
            Event::Response { call, head, body: Body::Full(body) } => {
                let waiter = self.guest.inner().finish(call, Ok(Response { head, body }));
                self.wake(waiter);
            }
            event => {
                let waiter = self.guest.inner().take(event);
                self.wake(waiter);
            }
        }
    }

    #[inline]
    fn wake(&mut self, waiter: Option<Waiter>) {
        if let Some(waiter) = waiter {
            self.tasks.wake(waiter);
        }
    }

    #[inline]
    fn serve(&mut self, exchange: ExchangeId, head: Box<RequestHead>, body: Bytes) {
        let Some(on_request) = &self.on_request else { return };
        let request = Request { head, body };
        if let Some(task) = self.tasks.start_answer(|left| on_request(exchange, request, left)) {
            self.open.insert(exchange, task);
        }
    }

    fn chunk(&mut self, exchange: ExchangeId, chunk: Chunk) {
        let Some((_, body)) = self.partial.get_mut(&exchange) else { return };
        match chunk {
            Chunk::Data(bytes) => {
                body.extend_from_slice(&bytes);
                self.guest.inner().effects.push(Effect::RequestPull(exchange, bytes.len() as u32));
            }
            Chunk::End => {
                let (head, body) = self.partial.remove(&exchange).expect("just seen");
                self.serve(exchange, head, body.freeze());
            }
            Chunk::Abort(_) => {
                self.partial.remove(&exchange);
            }
        }
    }

    /// Each phase but `Drive` answers with `PhaseDone` when its work is done; the work of `Heal`
    /// is what is left of `Drive`.
    fn enter(&mut self, phase: Phase) {
        self.guest.inner().phase = Some(phase);
        let Some(on_phase) = &self.on_phase else { return };
        let work = on_phase(phase);
        let guest = self.guest.clone();
        let done = move || guest.inner().effects.push(Effect::PhaseDone);
        let task: LocalBoxFuture<'static, ()> = match phase {
            Phase::Drive => {
                let over = crate::slot::Slot::new();
                self.drive_is_over = Some(over.clone());
                Box::pin(async move {
                    work.await;
                    over.put(());
                })
            }
            Phase::Heal => {
                let over = self.drive_is_over.take();
                Box::pin(async move {
                    if let Some(over) = over {
                        over.await;
                    }
                    done();
                })
            }
            Phase::Setup | Phase::Judge => Box::pin(async move {
                work.await;
                done();
            }),
        };
        self.tasks.start(task);
    }

    #[inline(always)]
    fn run(&mut self) {
        loop {
            self.tasks.run();
            let mut inner = self.guest.inner();
            if inner.tasks.is_empty() {
                return;
            }
            let spawned = std::mem::take(&mut inner.tasks);
            drop(inner);
            for task in spawned {
                self.tasks.start(task);
            }
        }
    }
}

impl Instance for NativeInstance {
    fn turn(&mut self, turn: &Turn, mut event: Event, out: &mut Effects) -> TurnEnd {
        {
            let mut inner = self.guest.inner();
            inner.turn = *turn;
            std::mem::swap(&mut inner.effects, out);
        }
        let result = catch_unwind(AssertUnwindSafe(|| {
            self.take(event.take());
            self.run();
        }));
        // (It was taken: what is left needs no call to be dropped.)
        std::mem::forget(event);
        std::mem::swap(&mut self.guest.inner().effects, out);
        if let Err(panic) = result {
            let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            return TurnEnd::Fault(Fault { kind: FaultKind::Panic, message: text.into(), location: None });
        }
        if !self.open.is_empty() {
            for effect in out.iter() {
                if let Effect::Respond { exchange, .. } = effect {
                    self.open.remove(*exchange);
                }
            }
        }
        TurnEnd::Quiet { busy: !self.open.is_empty() }
    }
}
