//! Bodies between sockets and the door: read only as far as the reader has asked for.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use bytestring::ByteString;
use dacapo_core::{Body, Chunk, WINDOW};
use http_body::Body as HttpBody;
use hyper::body::Incoming;

/// A body up to this size whose length is known beforehand travels whole.
pub(crate) const WHOLE_MAX: u64 = 64 * 1024;
/// Credit is told back in pieces of this size, so that it costs few deliveries.
pub(crate) const CREDIT_STEP: u32 = WINDOW / 4;

/// How much more the reader of a body is ready to take.
pub(crate) struct Credit {
    bytes: Cell<u64>,
    is_closed: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Default for Credit {
    fn default() -> Credit {
        Credit { bytes: Cell::new(WINDOW.into()), is_closed: Cell::new(false), waker: RefCell::new(None) }
    }
}

impl Credit {
    pub(crate) fn add(&self, bytes: u32) {
        self.bytes.set(self.bytes.get().saturating_add(bytes.into()));
        self.wake();
    }

    /// Nobody reads any more.
    pub(crate) fn close(&self) {
        self.is_closed.set(true);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Waits until there is some credit. False if the reader is gone.
    async fn some(&self) -> bool {
        poll_fn(|cx| {
            if self.is_closed.get() {
                return Poll::Ready(false);
            }
            if self.bytes.get() > 0 {
                return Poll::Ready(true);
            }
            self.waker.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await
    }

    /// Takes the part of `data` that there is credit for.
    fn take_of(&self, data: &mut Bytes) -> Bytes {
        let n = self.bytes.get().min(data.len() as u64);
        self.bytes.set(self.bytes.get() - n);
        data.split_to(n as usize)
    }
}

/// Why a body from a socket ended early.
pub(crate) enum ReadError {
    /// It is longer than allowed.
    TooLong,
    /// Nothing came for too long.
    Stalled(Duration),
    /// The connection broke, or what came is not a body.
    Broken(hyper::Error),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::TooLong => f.write_str("the body is longer than this service takes"),
            ReadError::Stalled(time) => write!(f, "nothing more of the body came for {time:?}"),
            ReadError::Broken(e) => write!(f, "the body ended early: {e}"),
        }
    }
}

/// A body that comes in through a socket.
pub(crate) struct Reader {
    incoming: Incoming,
    read: u64,
    max: u64,
    stall: Duration,
    /// What has been read ahead and not been handed on.
    ahead: Bytes,
}

impl Reader {
    pub(crate) fn new(incoming: Incoming, max: u64, stall: Duration) -> Reader {
        Reader { incoming, read: 0, max, stall, ahead: Bytes::new() }
    }

    /// The head's view of this body: all of it if it is small and its length is known, or if it
    /// is here already; else a stream, which [`Reader::pump`] feeds.
    pub(crate) async fn begin(&mut self) -> Result<Body, ReadError> {
        let hint = self.incoming.size_hint();
        if self.incoming.is_end_stream() || hint.exact() == Some(0) {
            return Ok(Body::Empty);
        }
        if hint.lower() > self.max {
            return Err(ReadError::TooLong);
        }
        let is_small = hint.exact().is_some_and(|n| n <= WHOLE_MAX);
        if hint.exact().is_some() && !is_small {
            return Ok(Body::Stream);
        }
        let mut whole = BytesMut::new();
        while (whole.len() as u64) < WHOLE_MAX || is_small {
            let next = match is_small {
                true => Some(self.frame().await),
                false => self.frame_now().await,
            };
            match next {
                Some(Ok(Some(data)))
                    if whole.is_empty() && is_small && Some(data.len() as u64) == hint.exact() =>
                {
                    // The usual case, without a copy. The end needs no further look.
                    return Ok(Body::from_bytes(data));
                }
                Some(Ok(Some(data))) => whole.extend_from_slice(&data),
                Some(Ok(None)) => return Ok(Body::from_bytes(whole.freeze())),
                Some(Err(e)) => return Err(e),
                None => break,
            }
        }
        self.ahead = whole.freeze();
        Ok(Body::Stream)
    }

    /// Reads on as far as there is credit, to the end. `emit` gets data and, last, the end.
    pub(crate) async fn pump(
        mut self,
        credit: &Credit,
        mut emit: impl FnMut(Chunk),
    ) -> Result<(), ReadError> {
        loop {
            while !self.ahead.is_empty() {
                if !credit.some().await {
                    return Ok(());
                }
                emit(Chunk::Data(credit.take_of(&mut self.ahead)));
            }
            // The end of the body needs no credit, but looking for it reads ahead by one frame.
            if self.incoming.is_end_stream() {
                emit(Chunk::End);
                return Ok(());
            }
            if !credit.some().await {
                return Ok(());
            }
            match self.frame().await? {
                Some(data) => self.ahead = data,
                None => {
                    emit(Chunk::End);
                    return Ok(());
                }
            }
        }
    }

    async fn frame(&mut self) -> Result<Option<Bytes>, ReadError> {
        if let Some(ready) = self.frame_now().await {
            return ready;
        }
        match tokio::time::timeout(self.stall, poll_fn(|cx| self.poll_data(cx))).await {
            Ok(result) => result,
            Err(_) => Err(ReadError::Stalled(self.stall)),
        }
    }

    async fn frame_now(&mut self) -> Option<Result<Option<Bytes>, ReadError>> {
        poll_fn(|cx| {
            Poll::Ready(match self.poll_data(cx) {
                Poll::Ready(result) => Some(result),
                Poll::Pending => None,
            })
        })
        .await
    }

    fn poll_data(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<Option<Bytes>, ReadError>> {
        loop {
            match std::task::ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
                None => return Poll::Ready(Ok(None)),
                Some(Err(e)) => return Poll::Ready(Err(ReadError::Broken(e))),
                // Trailers have no place at the door.
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if !data.has_remaining() {
                        continue;
                    }
                    self.read += data.len() as u64;
                    if self.read > self.max {
                        return Poll::Ready(Err(ReadError::TooLong));
                    }
                    return Poll::Ready(Ok(Some(data)));
                }
            }
        }
    }
}

/// A guest gave up in the middle of a body; the other side sees its connection break.
#[derive(Debug)]
pub(crate) struct Aborted(pub(crate) ByteString);

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Aborted {}

impl From<Infallible> for Aborted {
    fn from(never: Infallible) -> Aborted {
        match never {}
    }
}
