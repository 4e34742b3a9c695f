//! Requests to hosts outside, over pooled connections.
//!
//! It follows no redirects and decodes no content: that is for the guest's `fetch()`.

mod connect;
mod failure;

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use dacapo_core::{Address, Body, CallId, Chunk, Headers, NetError, RequestHead, ResponseHead};
use http::{Request, Uri, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use self::connect::{Connector, Timed};
use crate::HostError;
use crate::body::{Aborted, CREDIT_STEP, Credit, Reader};
use crate::mail::{Caller, Mail, ToCaller, text};
use crate::options::{ClientOptions, ConnectTo};
use crate::server::is_connection_header;
use crate::switch::Switch;
use crate::tls;

type OutPool = Pool<Timed<HttpsConnector<Connector>>, OutBody>;

/// The client of one loop.
pub(crate) struct Client {
    pool: OutPool,
    connect: Vec<ConnectTo>,
    own_mail: UnboundedSender<Mail>,
}

/// A call that is under way. Dropped, it is aborted unless its response is complete.
pub(crate) struct OutCall {
    chunks: Option<UnboundedSender<Chunk>>,
    credit: Rc<Credit>,
    task: tokio::task::AbortHandle,
}

impl OutCall {
    /// More of the request's body.
    pub(crate) fn send(&self, chunk: Chunk) {
        if let Some(chunks) = &self.chunks {
            // A server may answer without reading the body to its end.
            let _ = chunks.send(chunk);
        }
    }

    /// The guest is ready for more of the response's body.
    pub(crate) fn pull(&self, bytes: u32) {
        self.credit.add(bytes);
    }
}

impl Drop for OutCall {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    pub(crate) fn new(options: &ClientOptions, own_mail: UnboundedSender<Mail>) -> Result<Client, HostError> {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls::client_tls(&options.extra_roots)?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(Connector::new(options.connect.clone()));
        let pool = Pool::builder(TokioExecutor::new())
            .pool_idle_timeout(options.pool_idle_timeout)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(Timed { inner: connector, timeout: options.connect_timeout });
        Ok(Client { pool, connect: options.connect.clone(), own_mail })
    }

    /// Starts a call; what comes of it reaches the caller through the switch.
    pub(crate) fn call(
        &self,
        switch: &Rc<Switch>,
        from: Address,
        call: CallId,
        head: RequestHead,
        body: Body,
    ) {
        let caller = Caller::Guest(from, call);
        let (chunks, body) = self.out_body(caller, body);
        let credit = Rc::new(Credit::default());
        let request = self.request(head, body);
        let (pool, own_switch, own_credit) = (self.pool.clone(), switch.clone(), credit.clone());
        let task = tokio::task::spawn_local(async move {
            let result = match request {
                Ok(request) => exchange(&own_switch, caller, &pool, request, &own_credit).await,
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                own_switch.at_caller(caller, ToCaller::Failed(error));
            }
        });
        switch.call_outside(from, call, OutCall { chunks, credit, task: task.abort_handle() });
    }

    fn out_body(&self, caller: Caller, body: Body) -> (Option<UnboundedSender<Chunk>>, OutBody) {
        match body {
            Body::Empty => (None, OutBody::Full(None)),
            Body::Full(bytes) => (None, OutBody::Full(Some(bytes))),
            Body::Stream => {
                let (sender, chunks) = unbounded_channel();
                let own_mail = self.own_mail.clone();
                (Some(sender), OutBody::Stream { chunks, own_mail, caller, untold: 0, length: None })
            }
        }
    }

    fn request(&self, head: RequestHead, mut body: OutBody) -> Result<Request<OutBody>, NetError> {
        let broken = |why: String| NetError::Broken(why.into());
        let mut uri: Uri =
            head.url.parse().map_err(|e| broken(format!("{} cannot be requested: {e}", head.url)))?;
        let Some(authority) = uri.authority().cloned() else {
            return Err(broken(format!("{} has no host", head.url)));
        };
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(broken(format!("{}: only http and https can be requested", head.url)));
        }
        if authority.as_str().contains('@') {
            return Err(broken("a URL with a user name or password cannot be requested".into()));
        }
        if connect::find(&self.connect, &uri).is_some_and(|to| to.plain) {
            uri = plain(uri).map_err(|e| broken(e.to_string()))?;
        }
        if let OutBody::Stream { length, .. } = &mut body {
            let field = head.headers.get(&header::CONTENT_LENGTH);
            *length = field.and_then(|value| value.to_str().ok()?.parse().ok());
        }
        let mut request = Request::new(body);
        *request.method_mut() = head.method;
        *request.uri_mut() = uri;
        for (name, value) in head.headers.0 {
            // The host follows from the URL and the length from the body: a request that
            // contradicts itself could be read as two.
            let follows = [header::HOST, header::CONTENT_LENGTH].contains(&name);
            if !follows && !is_connection_header(&name) {
                request.headers_mut().append(name, value);
            }
        }
        Ok(request)
    }
}

/// The same URL with the scheme `http`, and the port that it had by its old scheme.
fn plain(uri: Uri) -> Result<Uri, http::Error> {
    let mut parts = uri.into_parts();
    parts.scheme = Some(http::uri::Scheme::HTTP);
    Ok(Uri::from_parts(parts)?)
}

async fn exchange(
    switch: &Switch,
    caller: Caller,
    pool: &OutPool,
    request: Request<OutBody>,
    credit: &Credit,
) -> Result<(), NetError> {
    let options = &switch.options.client;
    let host = request.uri().authority().map(|a| a.as_str().to_owned()).unwrap_or_default();
    let response = tokio::time::timeout(options.response_timeout, pool.request(request));
    let response = response.await.map_err(|_| NetError::TimedOut)?.map_err(|e| failure::of(&e, &host))?;
    let (parts, incoming) = response.into_parts();
    if !(200..600).contains(&parts.status.as_u16()) {
        return Err(NetError::Broken(text(format_args!("{host} answered with status {}", parts.status))));
    }
    let mut reader = Reader::new(incoming, u64::MAX, options.stall_timeout);
    let body = reader.begin().await.map_err(|e| failure::of_body(&e))?;
    let is_stream = body == Body::Stream;
    let head = ResponseHead { status: parts.status, headers: headers(parts.headers) };
    switch.at_caller(caller, ToCaller::Response(head, body));
    if is_stream {
        let emit = |chunk| switch.at_caller(caller, ToCaller::Chunk(chunk));
        if let Err(error) = reader.pump(credit, emit).await {
            switch.at_caller(caller, ToCaller::Chunk(Chunk::Abort(text(error))));
        }
    }
    Ok(())
}

fn headers(map: http::HeaderMap) -> Headers {
    let mut list = Vec::with_capacity(map.len());
    let mut last = None;
    for (name, value) in map {
        last = name.or(last);
        if let Some(name) = last.as_ref().filter(|name| !is_connection_header(name)) {
            list.push((name.clone(), value));
        }
    }
    Headers(list)
}

/// The body of a request to the outside. It must be `Send` for the pool, so it tells its credit
/// by letter although its loop is the one that it runs on.
pub(crate) enum OutBody {
    Full(Option<Bytes>),
    Stream {
        chunks: UnboundedReceiver<Chunk>,
        own_mail: UnboundedSender<Mail>,
        caller: Caller,
        /// Taken by the socket, not yet told to the guest.
        untold: u32,
        length: Option<u64>,
    },
}

impl HttpBody for OutBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let (chunks, own_mail, caller, untold) = match &mut *self {
            OutBody::Full(bytes) => return Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            OutBody::Stream { chunks, own_mail, caller, untold, .. } => (chunks, own_mail, caller, untold),
        };
        Poll::Ready(match ready!(chunks.poll_recv(cx)) {
            Some(Chunk::Data(bytes)) => {
                *untold = untold.saturating_add(bytes.len() as u32);
                if *untold >= CREDIT_STEP {
                    let credit = ToCaller::Credit(std::mem::take(untold));
                    let _ = own_mail.send(Mail::ToCaller(*caller, credit));
                }
                Some(Ok(Frame::data(bytes)))
            }
            Some(Chunk::End) => None,
            Some(Chunk::Abort(why)) => Some(Err(Aborted(why))),
            None => Some(Err(Aborted("the call was cancelled".into()))),
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, OutBody::Full(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            OutBody::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            OutBody::Stream { length: Some(n), .. } => SizeHint::with_exact(*n),
            OutBody::Stream { .. } => SizeHint::default(),
        }
    }
}
