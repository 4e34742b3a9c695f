//! What a guest waits for: the answer to a call, and a timer.
//!
//! What is known of both stands in the guest's own maps, so waiting allocates nothing.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use dacapo_core::{CallId, Effect, ResponseHead, TimerId};

use crate::guest::{FetchError, Guest};
use crate::message::Response;
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

/// Waits for the end of a call. Who drops it before, as a timeout does, cancels the call.
pub(crate) struct Answer<'a> {
    pub(crate) guest: &'a Guest,
    /// `None`: the call is over.
    pub(crate) call: Option<CallId>,
}

impl Future for Answer<'_> {
    type Output = Result<Response, FetchError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let id = self.call.expect("a call was polled again after its end");
        let result = {
            let inner = &mut *self.guest.inner();
            match inner.calls.get_mut(id) {
                Some(Call::Waits(waiter) | Call::Arrives(waiter, ..)) => {
                    *waiter = Some(inner.wakers.waiter(cx));
                    return Poll::Pending;
                }
                Some(Call::Done(_)) | None => match inner.calls.remove(id) {
                    Some(Call::Done(result)) => result,
                    _ => panic!("a call ended without a result"),
                },
            }
        };
        self.call = None;
        Poll::Ready(result)
    }
}

impl Drop for Answer<'_> {
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
