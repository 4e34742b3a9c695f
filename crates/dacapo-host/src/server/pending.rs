//! A client's request that is under way: what the service has answered so far.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use dacapo_core::{Body, Chunk, NetError, NodeId, ResponseHead};

use crate::body::Credit;
use crate::mail::ToCaller;

pub(crate) struct Pending {
    /// The node that serves it.
    pub(crate) server: NodeId,
    /// Its number among the requests of this loop's clients.
    pub(crate) number: u64,
    /// For the body of the request.
    pub(crate) credit: Credit,
    /// The body of the request turned out too long.
    pub(crate) is_too_long: Cell<bool>,
    response: RefCell<Option<Result<(ResponseHead, Body), NetError>>>,
    chunks: RefCell<VecDeque<Chunk>>,
    waker: RefCell<Option<Waker>>,
}

impl Pending {
    pub(crate) fn new(server: NodeId, number: u64) -> Pending {
        Pending {
            server,
            number,
            credit: Credit::default(),
            is_too_long: Cell::new(false),
            response: RefCell::default(),
            chunks: RefCell::default(),
            waker: RefCell::default(),
        }
    }

    /// Takes what the service says.
    pub(crate) fn take(&self, message: ToCaller) {
        match message {
            ToCaller::Response(head, body) => {
                self.response.replace(Some(Ok((head, body))));
            }
            ToCaller::Failed(error) => {
                self.response.replace(Some(Err(error)));
            }
            ToCaller::Chunk(chunk) => self.chunks.borrow_mut().push_back(chunk),
            ToCaller::Credit(bytes) => return self.credit.add(bytes),
        }
        self.wake();
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Waits for the head of the response. `None`: the request's body is too long, and the head
    /// has not come yet.
    pub(crate) async fn response(&self) -> Option<Result<(ResponseHead, Body), NetError>> {
        poll_fn(|cx| {
            if let Some(response) = self.response.take() {
                return Poll::Ready(Some(response));
            }
            if self.is_too_long.get() {
                return Poll::Ready(None);
            }
            self.waker.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await
    }

    pub(crate) fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Chunk> {
        match self.chunks.borrow_mut().pop_front() {
            Some(chunk) => Poll::Ready(chunk),
            None => {
                self.waker.replace(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }
}
