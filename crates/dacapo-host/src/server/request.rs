//! One request of a client: from HTTP to the door, and its answer back.

use std::convert::Infallible;
use std::rc::Rc;

use bytestring::ByteString;
use dacapo_core::{Body, Chunk, Headers, RequestHead};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;

use super::connections::Watch;
use super::pending::Pending;
use super::response::{ResponseBody, is_connection_header, plain, response};
use crate::body::{ReadError, Reader};
use crate::mail::{ToServer, text};
use crate::options::Scheme;
use crate::request_url::absolute_url;
use crate::switch::Switch;

/// What all requests of one connection share.
pub(crate) struct Connection {
    pub(crate) switch: Rc<Switch>,
    pub(crate) watch: Rc<Watch>,
    pub(crate) scheme: Scheme,
}

/// A request under way, from its head to the last byte of its response. Dropped before that, it
/// tells the service that nobody waits any more.
pub(crate) struct InFlight {
    connection: Rc<Connection>,
    pending: Option<Rc<Pending>>,
    is_complete: bool,
}

impl InFlight {
    fn new(connection: Rc<Connection>) -> InFlight {
        connection.watch.request_begins();
        InFlight { connection, pending: None, is_complete: false }
    }

    /// The request as the switch knows it.
    pub(super) fn pending(&mut self) -> Rc<Pending> {
        self.pending.clone().expect("a response belongs to a request that went to a service")
    }

    pub(super) fn tell_service(&self, message: ToServer) {
        if let Some(pending) = &self.pending {
            self.connection.switch.tell_server(pending, message);
        }
    }

    /// The service has said all it had to say.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let switch = &self.connection.switch;
        if let Some(pending) = &self.pending {
            pending.credit.close();
            switch.forget_client(pending.number);
            if !self.is_complete {
                switch.tell_server(pending, ToServer::Cancel);
            }
        }
        self.connection.watch.request_ends(switch.clock.now());
    }
}

pub(super) async fn serve(
    connection: Rc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    let is_http1 = request.version() != Version::HTTP_2;
    let mut answer = answer(connection, request).await;
    if is_http1 && answer.status() == StatusCode::PAYLOAD_TOO_LARGE {
        // The rest of the body would stand where the next request is expected.
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer)
}

async fn answer(connection: Rc<Connection>, request: Request<Incoming>) -> Response<ResponseBody> {
    let switch = connection.switch.clone();
    let (parts, incoming) = request.into_parts();
    let mut in_flight = InFlight::new(connection.clone());
    connection.watch.is_http2.set(parts.version == Version::HTTP_2);
    let is_head_request = parts.method == Method::HEAD;
    let head = match request_head(connection.scheme, parts) {
        Ok(head) => head,
        Err((status, text)) => return plain(status, text),
    };
    if switch.is_stopping.get() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "this server is stopping");
    }
    let routed = match (switch.options.router)(switch.node, &head) {
        Ok(routed) => routed,
        Err(miss) => return plain(StatusCode::NOT_FOUND, miss.0),
    };
    let watch = &connection.watch;
    watch.has_unread_body.set(!http_body::Body::is_end_stream(&incoming));
    let mut reader = Reader::new(incoming, routed.request_body_max, switch.options.server.stall_timeout);
    let body = match reader.begin().await {
        Ok(body) => body,
        Err(error) => return unreadable(&error, routed.request_body_max),
    };
    let streams = body == Body::Stream;
    let pending = switch.call_from_client(routed.node, routed.service, Box::new(head), body);
    in_flight.pending = Some(pending.clone());
    if !streams {
        watch.has_unread_body.set(false);
    } else {
        let (switch, pending, watch) = (switch.clone(), pending.clone(), watch.clone());
        tokio::task::spawn_local(async move {
            let emit = |chunk| {
                if chunk == Chunk::End {
                    watch.has_unread_body.set(false);
                }
                switch.tell_server(&pending, ToServer::Chunk(chunk));
            };
            if let Err(error) = reader.pump(&pending.credit, emit).await {
                switch.tell_server(&pending, ToServer::Chunk(Chunk::Abort(text(&error))));
                if matches!(error, ReadError::TooLong) {
                    pending.is_too_long.set(true);
                    pending.wake();
                }
            }
        });
    }
    match pending.response().await {
        Some(Ok((head, body))) => {
            if body != Body::Stream {
                in_flight.complete();
            }
            response(head, body, in_flight, is_head_request)
        }
        Some(Err(error)) => {
            in_flight.complete();
            plain(StatusCode::BAD_GATEWAY, format!("the service did not answer: {error}"))
        }
        None => unreadable(&ReadError::TooLong, routed.request_body_max),
    }
}

fn unreadable(error: &ReadError, max: u64) -> Response<ResponseBody> {
    match error {
        ReadError::TooLong => plain(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body of this request is longer than the {max} bytes that this service takes"),
        ),
        ReadError::Stalled(_) => plain(StatusCode::REQUEST_TIMEOUT, text(error).to_string()),
        ReadError::Broken(_) => plain(StatusCode::BAD_REQUEST, text(error).to_string()),
    }
}

/// The head of a request as guests see it, or what is answered in their place.
pub fn request_head(scheme: Scheme, parts: Parts) -> Result<RequestHead, (StatusCode, &'static str)> {
    let bad = |text| (StatusCode::BAD_REQUEST, text);
    if parts.method == Method::CONNECT {
        return Err((StatusCode::NOT_IMPLEMENTED, "CONNECT: this server is no proxy"));
    }
    let url = {
        let mut hosts = parts.headers.get_all(header::HOST).iter();
        let named = hosts.next();
        if hosts.next().is_some() {
            return Err(bad("more than one Host header"));
        }
        let named = named.map(|value| value.to_str().unwrap_or_default());
        // The authority of an absolute target (always in HTTP/2) goes before Host (RFC 9112, 3.2.2).
        let host = match (parts.uri.authority(), named) {
            (Some(authority), _) => authority.as_str(),
            (None, Some(host)) => host,
            (None, None) if parts.version == Version::HTTP_10 => "localhost",
            (None, None) => return Err(bad("no Host header")),
        };
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        absolute_url(scheme, host, target).ok_or_else(|| bad("the Host header and the target make no URL"))?
    };
    Ok(RequestHead { method: parts.method, url, headers: door_headers(parts.headers, &url_host(&parts.uri)) })
}

/// HTTP/2 names the host in the target; guests find it where they know it from HTTP/1.
fn url_host(uri: &http::Uri) -> Option<ByteString> {
    uri.authority().map(|authority| authority.as_str().into())
}

fn door_headers(headers: http::HeaderMap, authority: &Option<ByteString>) -> Headers {
    let mut list = Vec::with_capacity(headers.len() + 1);
    let mut last = None;
    for (name, value) in headers {
        // A further value of the same field comes without the name.
        last = name.or(last);
        if let Some(name) = &last
            && !is_connection_header(name)
        {
            list.push((name.clone(), value));
        }
    }
    if let Some(authority) = authority {
        list.retain(|(name, _)| *name != header::HOST);
        if let Ok(value) = HeaderValue::from_str(authority) {
            list.insert(0, (header::HOST, value));
        }
    }
    Headers(list)
}
