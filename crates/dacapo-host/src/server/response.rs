//! What a service answers, as HTTP.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use dacapo_core::{Body, Chunk, ResponseHead};
use http::header::{self, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::pending::Pending;
use super::request::InFlight;
use crate::body::{Aborted, CREDIT_STEP};
use crate::mail::ToServer;

/// The body of a response.
pub(crate) enum ResponseBody {
    Full(Option<Bytes>),
    Stream(Streaming),
}

/// A body that its service still writes.
pub(crate) struct Streaming {
    pending: Rc<Pending>,
    /// Dropped with the last byte, or earlier if the client goes.
    in_flight: InFlight,
    /// Taken by the socket, not yet told to the service.
    untold: u32,
    is_complete: bool,
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let stream = match &mut *self {
            ResponseBody::Full(bytes) => return Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            ResponseBody::Stream(stream) => stream,
        };
        if stream.is_complete {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(stream.pending.poll_chunk(cx)) {
            Chunk::Data(bytes) => {
                stream.untold = stream.untold.saturating_add(bytes.len() as u32);
                if stream.untold >= CREDIT_STEP {
                    stream.in_flight.tell_service(ToServer::Credit(std::mem::take(&mut stream.untold)));
                }
                Some(Ok(Frame::data(bytes)))
            }
            Chunk::End => {
                stream.is_complete = true;
                stream.in_flight.complete();
                None
            }
            Chunk::Abort(why) => {
                stream.is_complete = true;
                stream.in_flight.complete();
                Some(Err(Aborted(why)))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ResponseBody::Full(bytes) => bytes.is_none(),
            ResponseBody::Stream(stream) => stream.is_complete,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ResponseBody::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            ResponseBody::Stream(_) => SizeHint::default(),
        }
    }
}

/// The service's answer as HTTP.
pub(super) fn response(
    head: ResponseHead,
    body: Body,
    mut in_flight: InFlight,
    is_head: bool,
) -> Response<ResponseBody> {
    let keeps_length = is_head || body == Body::Stream || head.status == StatusCode::NOT_MODIFIED;
    let body = match body {
        Body::Empty => ResponseBody::Full(None),
        Body::Full(bytes) => ResponseBody::Full(Some(bytes)),
        Body::Stream => {
            let pending = in_flight.pending();
            ResponseBody::Stream(Streaming { pending, in_flight, untold: 0, is_complete: false })
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    response.headers_mut().reserve(head.headers.0.len());
    for (name, value) in head.headers.0 {
        // How long a whole body is, hyper knows best; a wrong number would break the connection.
        if !is_connection_header(&name) && (keeps_length || name != header::CONTENT_LENGTH) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A plain text from the host itself.
pub(super) fn plain(status: StatusCode, text: impl Into<String>) -> Response<ResponseBody> {
    let mut text = text.into();
    text.push('\n');
    let mut response = Response::new(ResponseBody::Full(Some(Bytes::from(text))));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain;charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Header fields about one connection and not about the message (RFC 9110, 7.6.1).
pub(crate) fn is_connection_header(name: &HeaderName) -> bool {
    *name == header::CONNECTION
        || *name == header::TRANSFER_ENCODING
        || *name == header::UPGRADE
        || *name == header::TE
        || *name == header::TRAILER
        || name.as_str() == "keep-alive"
        || name.as_str() == "proxy-connection"
        || name.as_str() == "http2-settings"
}
