//! What a guest waits for: the answer to a call, and a timer.
//!
//! What is known of both stands in the guest's own maps, so waiting allocates nothing.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use dacapo_core::{CallId, Effect, ResponseHead, Target, TimerId};

use crate::guest::{FetchError, Guest};
use crate::message::{Request, Response};
use crate::tasks::Waiter;

/// A call that has been made.
pub(crate) enum Call {
    /// Nothing has come of it yet.
    Waits(Option<Waiter>),
    /// The head is there, and what has come of a body that arrives in chunks.
    Arrives(Option<Waiter>, ResponseHead, BytesMut),
    /// It is over.
    Done(Result<Response, FetchError>),
}

/// The answer to a call, which is made when this is first polled. Who drops it before its end, as a timeout does,
/// cancels the call.
pub(crate) struct Answer<'a> {
    guest: &'a Guest,
    unsent: Option<(Target, Request)>,
    /// `None`: it was not made yet, or it is over.
    call: Option<CallId>,
}

impl Answer<'_> {
    pub(crate) fn new(guest: &Guest, target: Target, request: Request) -> Answer<'_> {
        Answer { guest, unsent: Some((target, request)), call: None }
    }
}

impl Future for Answer<'_> {
    type Output = Result<Response, FetchError>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = &mut *self.guest.inner();
        if let Some((target, request)) = self.unsent.take() {
            self.call = Some(inner.call(target, request, cx));
            return Poll::Pending;
        }
        let id = self.call.expect("a call was polled again after its end");
        if let Some(Call::Done(result)) = inner.calls.remove_if(id, |call| matches!(call, Call::Done(_))) {
            self.call = None;
            return Poll::Ready(result);
        }
        match inner.calls.get_mut(id) {
            Some(Call::Waits(waiter) | Call::Arrives(waiter, ..)) => {
                *waiter = Some(inner.wakers.waiter(cx));
                Poll::Pending
            }
            Some(Call::Done(_)) | None => panic!("a call ended without a result"),
        }
    }
}

impl Drop for Answer<'_> {
    #[inline]
    fn drop(&mut self) {
        let Some(call) = self.call else { return };
        // Whoever drops a whole instance has no effects to give any more.
        if let Some(mut inner) = self.guest.try_inner()
            && let Some(Call::Waits(_) | Call::Arrives(..)) = inner.calls.remove(call)
        {
            inner.effects.push(Effect::Cancel(call));
        }
    }
}

/// Waits for a timer, which is gone from the guest's map when it has fired.
pub(crate) struct Sleep<'a> {
    pub(crate) guest: &'a Guest,
    pub(crate) timer: TimerId,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let inner = &mut *self.guest.inner();
        match inner.timers.get_mut(self.timer) {
            Some(waiter) => {
                *waiter = Some(inner.wakers.waiter(cx));
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(mut inner) = self.guest.try_inner() {
            inner.timers.remove(self.timer);
        }
    }
}
