//! What a native guest may do: everything leaves as an effect.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use dacapo_core::{
    BindingTo, Body, Boot, CallId, Check, CheckKind, Chunk, Draws, Effect, Effects, Event, ExchangeId,
    IdRing, Level, NetError, ObjectId, Phase, Random, ResponseHead, Storage, Target, Time, TimerId, Turn,
    WallTime,
};

use crate::message::{Request, Response};
use crate::slot::Slot;
use crate::tasks::{Task, Waiter, Wakers};
use crate::wait::{Answer, Call, Sleep};

/// Why a request got no whole response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// None at all.
    Net(NetError),
    /// The head came, the body broke off; the text says why.
    Broken(ByteString),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchError::Net(error) => error.fmt(f),
            FetchError::Broken(why) => write!(f, "the response broke off: {why}"),
        }
    }
}

impl std::error::Error for FetchError {}

/// The guest's side of the door; cheap to clone.
#[derive(Clone)]
pub struct Guest(Rc<RefCell<Inner>>);

pub(crate) struct Inner {
    pub(crate) turn: Turn,
    pub(crate) effects: Effects,
    pub(crate) tasks: Vec<futures::future::LocalBoxFuture<'static, ()>>,
    pub(crate) phase: Option<Phase>,
    boot: Boot,
    pub(crate) random: Random,
    /// What was decided for a workload beforehand, and what its present draws are about.
    pub(crate) draws: Option<Box<Draws>>,
    pub(crate) cause: Option<Rc<str>>,
    pub(crate) calls: IdRing<CallId, Call>,
    /// Who waits for each timer.
    pub(crate) timers: IdRing<TimerId, Option<Waiter>>,
    pub(crate) wakers: Rc<Wakers>,
    next_call: u64,
    next_timer: u64,
}

/// Ends being alone, also when the guest drops the future or the caller has gone.
struct AloneUntilDrop<'a>(&'a Guest);

impl Drop for AloneUntilDrop<'_> {
    fn drop(&mut self) {
        if let Ok(mut inner) = self.0.0.try_borrow_mut() {
            inner.effects.push(Effect::Exclusive(false));
        }
    }
}

impl Guest {
    pub(crate) fn new(boot: Boot) -> Guest {
        let random = boot.entropy.random();
        Guest(Rc::new(RefCell::new(Inner {
            turn: Turn { now: Time::ZERO, wall: WallTime::SIM_START },
            effects: Effects::new(),
            tasks: Vec::new(),
            phase: None,
            boot,
            random,
            draws: None,
            cause: None,
            calls: IdRing::default(),
            timers: IdRing::default(),
            wakers: Rc::default(),
            next_call: 0,
            next_timer: 0,
        })))
    }

    pub(crate) fn inner(&self) -> std::cell::RefMut<'_, Inner> {
        self.0.borrow_mut()
    }

    /// The same, unless it is in use: for those who drop something in the middle of anything.
    pub(crate) fn try_inner(&self) -> Option<std::cell::RefMut<'_, Inner>> {
        self.0.try_borrow_mut().ok()
    }

    /// Makes a request to whatever its URL names.
    pub fn fetch(&self, request: Request) -> impl Future<Output = Result<Response, FetchError>> + use<'_> {
        Answer::new(self, Target::Url, request)
    }

    /// Makes a request to the service behind a binding.
    pub fn call(
        &self,
        binding: &'static str,
        request: Request,
    ) -> impl Future<Output = Result<Response, FetchError>> + use<'_> {
        Answer::new(self, Target::Binding(ByteString::from_static(binding)), request)
    }

    /// Makes a request to the durable object of this name behind a binding.
    ///
    /// Panics if the service has no such binding.
    pub async fn object(&self, binding: &str, name: &str, request: Request) -> Result<Response, FetchError> {
        let target = {
            let inner = self.0.borrow();
            let found = inner.boot.bindings.iter().find(|b| b.name == binding);
            let namespace = found.and_then(|b| match &b.to {
                BindingTo::Objects(namespace) => Some(namespace),
                _ => None,
            });
            let namespace = namespace.expect("the service has no such binding");
            Target::Object(binding.into(), Box::new(ObjectId::from_name(namespace, name)))
        };
        Answer::new(self, target, request).await
    }

    /// The storage of the durable object that this guest is.
    ///
    /// Panics if it is none.
    pub fn storage<R>(&self, f: impl FnOnce(&mut dyn Storage) -> R) -> R {
        let object = self.0.borrow().boot.object.clone().expect("only a durable object has storage");
        let mut storage = object.storage.0.borrow_mut();
        f(&mut **storage)
    }

    /// Runs `work` while nothing else enters the durable object that this guest is.
    pub async fn alone<T>(&self, work: impl Future<Output = T>) -> T {
        self.0.borrow_mut().effects.push(Effect::Exclusive(true));
        let _guard = AloneUntilDrop(self);
        work.await
    }

    pub(crate) fn alarm_done(&self, is_ok: bool) {
        self.0.borrow_mut().effects.push(Effect::AlarmDone(is_ok));
    }

    #[inline]
    pub(crate) fn respond(&self, exchange: ExchangeId, response: Response) {
        let Response { head, body } = response;
        self.0.borrow_mut().effects.push(Effect::Respond { exchange, head, body: Body::from_bytes(body) });
    }

    /// Waits on the node's clock.
    pub async fn sleep(&self, wait: Duration) {
        let sleep = {
            let mut inner = self.0.borrow_mut();
            inner.next_timer += 1;
            let timer = TimerId(inner.next_timer);
            inner.timers.insert(timer, None);
            inner.effects.push(Effect::SetTimer(timer, wait));
            Sleep { guest: self, timer }
        };
        sleep.await;
    }

    /// The value of `future`, unless it takes longer than `wait`.
    pub async fn timeout<T>(&self, wait: Duration, future: impl Future<Output = T>) -> Option<T> {
        let sleep = std::pin::pin!(self.sleep(wait));
        let future = std::pin::pin!(future);
        match futures::future::select(future, sleep).await {
            futures::future::Either::Left((value, _)) => Some(value),
            futures::future::Either::Right(_) => None,
        }
    }

    /// Runs a task beside the present one. Whoever awaits what this gives waits for its end; whoever
    /// drops it lets the task run on.
    pub fn spawn<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Task<T> {
        let end = Slot::new();
        let at_end = end.clone();
        let task = self.within_same(async move { at_end.put(task.await) });
        self.0.borrow_mut().tasks.push(task);
        Task(end)
    }

    /// The node's monotonic clock. It stands still within a turn.
    pub fn now(&self) -> Time {
        self.0.borrow().turn.now
    }

    /// The node's wall clock.
    pub fn wall(&self) -> WallTime {
        self.0.borrow().turn.wall
    }

    /// The value of a variable, as its JSON text.
    pub fn var(&self, name: &str) -> Option<ByteString> {
        self.0.borrow().boot.vars.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }

    /// The phase of the scenario (for workloads).
    pub fn phase(&self) -> Option<Phase> {
        self.0.borrow().phase
    }

    /// Writes a line for people.
    pub fn log(&self, text: impl Into<ByteString>) {
        self.0.borrow_mut().effects.push(Effect::Log(Level::Info, text.into()));
    }

    fn check(&self, kind: CheckKind, holds: bool, message: &str, details: Option<String>) {
        let check =
            Check { kind, holds, message: message.into(), details: details.map(Into::into), location: None };
        self.0.borrow_mut().effects.push(Effect::Check(Box::new(check)));
    }

    /// Must hold each time.
    pub fn always(&self, holds: bool, message: &str) {
        self.check(CheckKind::Always, holds, message, None);
    }

    /// Must hold each time; `details` say more about a failure.
    pub fn always_or(&self, holds: bool, message: &str, details: impl FnOnce() -> String) {
        self.check(CheckKind::Always, holds, message, (!holds).then(details));
    }

    /// Must hold at least once in a campaign.
    pub fn sometimes(&self, holds: bool, message: &str) {
        self.check(CheckKind::Sometimes, holds, message, None);
    }

    /// Must be reached at least once in a campaign.
    pub fn reachable(&self, message: &str) {
        self.check(CheckKind::Reachable, true, message, None);
    }

    /// Must never be reached.
    pub fn unreachable(&self, message: &str) {
        self.check(CheckKind::Unreachable, false, message, None);
    }

    /// Names a state for the search, which prefers runs that show states it has not seen: few hundred keys rather than
    /// many thousand.
    pub fn coverage(&self, key: &str) {
        self.check(CheckKind::Coverage, true, key, None);
    }
}

impl Inner {
    /// Makes a call, for whose answer the task waits that is polled with this context.
    #[inline(always)]
    pub(crate) fn call(&mut self, target: Target, request: Request, cx: &Context<'_>) -> CallId {
        self.next_call += 1;
        let call = CallId(self.next_call);
        let waiter = self.wakers.waiter(cx);
        self.calls.insert_with(call, || Call::Waits(Some(waiter)));
        let Request { head, body } = request;
        self.effects.push(Effect::Fetch { call, target, head, body: Body::from_bytes(body) });
        call
    }

    /// Takes an event; gives whoever waits for it. Events for nobody are for calls that were given up.
    #[inline(always)]
    pub(crate) fn take(&mut self, event: Event) -> Option<Waiter> {
        match event {
            Event::Timer(timer) => self.timers.remove(timer).flatten(),
            Event::Failed(call, error) => self.finish(call, Err(FetchError::Net(error))),
            Event::Response { call, head, body } => match body {
                Body::Empty => self.finish(call, Ok(Response { head, body: Bytes::new() })),
                Body::Full(body) => self.finish(call, Ok(Response { head, body })),
                Body::Stream => {
                    if let Some(call) = self.calls.get_mut(call)
                        && let Call::Waits(waker) = call
                    {
                        *call = Call::Arrives(waker.take(), head, BytesMut::new());
                    }
                    None
                }
            },
            Event::ResponseChunk(call, chunk) => self.chunk(call, chunk),
            _ => None,
        }
    }

    fn chunk(&mut self, id: CallId, chunk: Chunk) -> Option<Waiter> {
        let Some(Call::Arrives(_, head, body)) = self.calls.get_mut(id) else { return None };
        match chunk {
            Chunk::Data(bytes) => {
                body.extend_from_slice(&bytes);
                self.effects.push(Effect::ResponsePull(id, bytes.len() as u32));
                None
            }
            Chunk::End => {
                let head = ResponseHead { status: head.status, headers: std::mem::take(&mut head.headers) };
                let response = Response { head, body: std::mem::take(body).freeze() };
                self.finish(id, Ok(response))
            }
            Chunk::Abort(why) => self.finish(id, Err(FetchError::Broken(why))),
        }
    }

    #[inline]
    pub(crate) fn finish(&mut self, call: CallId, result: Result<Response, FetchError>) -> Option<Waiter> {
        let call = self.calls.get_mut(call)?;
        let waiter = match call {
            Call::Waits(waiter) | Call::Arrives(waiter, ..) => waiter.take(),
            Call::Done(_) => return None,
        };
        *call = Call::Done(result);
        waiter
    }
}
