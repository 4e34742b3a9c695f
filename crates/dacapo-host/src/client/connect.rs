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

/// Resolves and connects, unless an option says where the host really is.
#[derive(Clone)]
pub(super) struct Connector {
    http: HttpConnector,
    connect: Arc<[ConnectTo]>,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(connect: Vec<ConnectTo>, timeout: Duration) -> Connector {
        let mut http = HttpConnector::new();
        // The connector above this one speaks TLS.
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(timeout));
        Connector { http, connect: connect.into(), timeout }
    }
}

/// The option that applies to this URL.
pub(super) fn find<'a>(connect: &'a [ConnectTo], uri: &Uri) -> Option<&'a ConnectTo> {
    let authority = uri.authority()?;
    let host = authority.host();
    // `https://host` may have become `http://host` by then, so a port that is not named is not
    // compared.
    let named = authority.as_str();
    connect.iter().find(|to| to.host == named).or_else(|| connect.iter().find(|to| to.host == host))
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
        let timeout = self.timeout;
        let connecting = to.is_none().then(|| self.http.call(uri));
        Box::pin(async move {
            // Resolving the name has no time limit of its own.
            let connected = tokio::time::timeout(timeout, async move {
                match (to, connecting) {
                    (Some(addr), _) => {
                        let stream = TcpStream::connect(addr).await?;
                        stream.set_nodelay(true)?;
                        Ok(TokioIo::new(stream))
                    }
                    (None, Some(connecting)) => connecting.await.map_err(BoxError::from),
                    (None, None) => unreachable!("one of the two ways is taken"),
                }
            });
            connected.await.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
        })
    }
}
