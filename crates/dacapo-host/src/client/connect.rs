//! How a connection to a host outside is made.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::options::ConnectTo;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Resolves and connects, unless an option says where the host really is. TLS comes on top.
#[derive(Clone)]
pub(super) struct Connector {
    http: HttpConnector,
    connect: Arc<[ConnectTo]>,
}

impl Connector {
    pub(super) fn new(connect: Vec<ConnectTo>) -> Connector {
        let mut http = HttpConnector::new();
        // The connector above this one speaks TLS.
        http.enforce_http(false);
        http.set_nodelay(true);
        Connector { http, connect: connect.into() }
    }
}

/// The option that applies to this URL.
pub(super) fn find<'a>(connect: &'a [ConnectTo], uri: &Uri) -> Option<&'a ConnectTo> {
    let authority = uri.authority()?;
    let host = authority.host();
    // `https://host` may have become `http://host` by then, so a port that is not named is not
    // compared.
    let named = authority.as_str();
    let below = |to: &&ConnectTo| {
        to.host.strip_prefix('*').is_some_and(|tail| tail.is_empty() || host.ends_with(tail))
    };
    let exact =
        connect.iter().find(|to| to.host == named).or_else(|| connect.iter().find(|to| to.host == host));
    exact.or_else(|| connect.iter().find(below))
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.http.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let to: Option<SocketAddr> = find(&self.connect, &uri).map(|to| to.to);
        let resolving = to.is_none().then(|| self.http.call(uri));
        Box::pin(async move {
            let stream = match (to, resolving) {
                (_, Some(resolving)) => return Ok(resolving.await?),
                (Some(addr), None) => TcpStream::connect(addr).await?,
                (None, None) => return Err("nowhere to connect to".into()),
            };
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}

/// A connector with a time limit for all of its work: the name, the connection and TLS.
#[derive(Clone)]
pub(super) struct Timed<S> {
    pub(super) inner: S,
    pub(super) timeout: Duration,
}

impl<S> Service<Uri> for Timed<S>
where
    S: Service<Uri, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connected = tokio::time::timeout(self.timeout, self.inner.call(uri));
        Box::pin(async move {
            connected.await.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
        })
    }
}
