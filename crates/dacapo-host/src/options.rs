//! What a caller can choose about the host world. Every limit has a name and a sane default.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dacapo_core::{Address, Check, Fault, Level, NodeId, RequestHead, ServiceId};

use crate::store::StoreOptions;
use crate::tls::TlsPem;

/// Says for whom a request from outside is, given the node whose socket it came in through.
pub type Router = Arc<dyn Fn(NodeId, &RequestHead) -> Result<Routed, RouteMiss> + Send + Sync>;

/// For whom a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routed {
    /// The node that serves it: the one that took it in, or another one of this process.
    pub node: NodeId,
    /// The service.
    pub service: ServiceId,
    /// The longest body that the service takes, in bytes. A longer one is answered with 413.
    pub request_body_max: u64,
}

/// Nobody serves this URL. The text is the body of the 404.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMiss(pub String);

/// A socket to listen on.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Where. Port 0: any free one.
    pub addr: SocketAddr,
    /// Certificate and key; without them the socket speaks plain HTTP.
    pub tls: Option<TlsPem>,
    /// The scheme of the URLs that guests see. `None`: `https` with TLS, else `http`. Set it to
    /// `https` behind a proxy that ends TLS: headers like `X-Forwarded-Proto` are never trusted.
    pub scheme: Option<Scheme>,
}

impl Listen {
    /// Plain HTTP on this address.
    pub fn plain(addr: SocketAddr) -> Listen {
        Listen { addr, tls: None, scheme: None }
    }

    /// HTTPS on this address.
    pub fn tls(addr: SocketAddr, pem: TlsPem) -> Listen {
        Listen { addr, tls: Some(pem), scheme: None }
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme.unwrap_or(if self.tls.is_some() { Scheme::Https } else { Scheme::Http })
    }
}

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// Where calls to a host really go, as with `curl --connect-to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// The host as it stands in URLs: `shop.example`, `shop.example:8443` for that port only,
    /// `*.shop.example` for all below it, or `*` for every host.
    pub host: String,
    /// Where to connect instead.
    pub to: SocketAddr,
    /// Speak plain HTTP there even if the URL says `https`.
    pub plain: bool,
}

/// What a server tolerates of its clients.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Connections at once on one loop. At the limit the connection that has idled longest is
    /// closed; if none idles, new ones wait.
    pub connections_max: usize,
    /// From the first byte of a request to the end of its head.
    pub head_timeout: Duration,
    /// How long a connection may idle between requests.
    pub idle_timeout: Duration,
    /// How long a client may neither send the body that is asked for nor take the response.
    pub stall_timeout: Duration,
    /// Bytes of a request's head (request line and header fields).
    pub head_bytes_max: usize,
    /// Number of header fields of a request.
    pub header_count_max: usize,
    /// Requests at once on one HTTP/2 connection.
    pub streams_max: u32,
}

impl Default for ServerLimits {
    fn default() -> ServerLimits {
        ServerLimits {
            connections_max: 10_000,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(60),
            head_bytes_max: 64 * 1024,
            header_count_max: 100,
            streams_max: 128,
        }
    }
}

/// How calls to hosts outside are made.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Resolving, connecting and the TLS handshake together.
    pub connect_timeout: Duration,
    /// From the request to the head of the response.
    pub response_timeout: Duration,
    /// How long the other side may send nothing of a body that is asked for.
    pub stall_timeout: Duration,
    /// How long an unused connection stays open.
    pub pool_idle_timeout: Duration,
    /// Certificates (PEM) of authorities to trust besides those of the web: a company's own, say.
    pub extra_roots: Vec<Vec<u8>>,
    /// Hosts that are somewhere else.
    pub connect: Vec<ConnectTo>,
}

impl Default for ClientOptions {
    fn default() -> ClientOptions {
        ClientOptions {
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(300),
            stall_timeout: Duration::from_secs(300),
            pool_idle_timeout: Duration::from_secs(60),
            extra_roots: Vec::new(),
            connect: Vec::new(),
        }
    }
}

/// The host world of one process.
#[derive(Clone)]
pub struct HostOptions {
    /// Sockets, each of them shared by all listening loops.
    pub listens: Vec<Listen>,
    /// How many loops take connections: nodes 0, 1, ..
    pub loops: u32,
    /// How many further loops there are without sockets: a workload, stubs. Their nodes follow.
    pub quiet_loops: u32,
    /// For whom a request from outside is.
    pub router: Router,
    /// What the server tolerates.
    pub server: ServerLimits,
    /// How calls to hosts outside are made.
    pub client: ClientOptions,
    /// How long a graceful stop may take.
    pub grace: Duration,
    /// Where durable objects are kept; `None`: there are none.
    pub store: Option<StoreOptions>,
}

impl HostOptions {
    /// One loop for each of the machine's cores, default limits, no socket yet.
    pub fn new(router: Router) -> HostOptions {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        HostOptions {
            listens: Vec::new(),
            loops: cores as u32,
            quiet_loops: 0,
            router,
            server: ServerLimits::default(),
            client: ClientOptions::default(),
            grace: Duration::from_secs(30),
            store: None,
        }
    }
}

/// Takes log lines.
pub type LogSink = Box<dyn FnMut(Address, Level, &str)>;
/// Takes verdicts of checks.
pub type CheckSink = Box<dyn FnMut(Address, &Check)>;
/// Takes the faults that ended instances.
pub type EndedSink = Box<dyn FnMut(Address, &Fault)>;

/// Where the effects go that are for people and programs around the host rather than for a guest.
/// The default swallows them.
pub struct Sinks {
    /// [`dacapo_core::Effect::Log`]
    pub log: LogSink,
    /// [`dacapo_core::Effect::Check`]
    pub check: CheckSink,
    /// [`dacapo_core::Effect::Ended`]: the instance of this address broke.
    pub ended: EndedSink,
    /// [`dacapo_core::Effect::PhaseDone`]
    pub phase_done: Box<dyn FnMut(Address)>,
}

impl Default for Sinks {
    fn default() -> Sinks {
        Sinks {
            log: Box::new(|_, _, _| {}),
            check: Box::new(|_, _| {}),
            ended: Box::new(|_, _| {}),
            phase_done: Box::new(|_| {}),
        }
    }
}
