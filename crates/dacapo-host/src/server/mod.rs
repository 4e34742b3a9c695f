//! The HTTP server of one loop: accepts connections and serves them on the loop's own thread.

pub(crate) mod connections;
mod io;
pub(crate) mod pending;
mod request;
mod response;

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use self::connections::{Order, Watch};
use self::io::WatchedIo;
use self::request::Connection;
pub use self::request::request_head;
pub(crate) use self::response::is_connection_header;
use crate::options::{Scheme, ServerLimits};
use crate::switch::Switch;

/// Unread bytes of a stream that HTTP/2 clients may have sent.
const STREAM_WINDOW: u32 = 64 * 1024;
/// The same for all streams of a connection.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// How often a silent HTTP/2 connection is asked whether it lives, and how long it may think.
const PING: Duration = Duration::from_secs(20);
/// How long and how far a connection is read whose last request was refused before its end.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 8 << 20;
/// A pause after the machine had no socket to give; until then others may have closed theirs.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Spawns on the thread of the loop.
#[derive(Clone, Copy)]
pub(crate) struct OnLoop;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for OnLoop {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// One of the sockets that a loop listens on.
pub(crate) struct Socket {
    pub(crate) listener: std::net::TcpListener,
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) scheme: Scheme,
}

fn http(limits: &ServerLimits) -> Builder<OnLoop> {
    let mut http = Builder::new(OnLoop);
    http.http1()
        .timer(TokioTimer::new())
        // Slow heads are the affair of `Connections`, which needs no timer for each request.
        .header_read_timeout(None)
        .max_headers(limits.header_count_max)
        // Not `pipeline_flush`: with it hyper buffers a response without limit for a slow reader.
        .max_buf_size(limits.head_bytes_max.max(8 * 1024));
    http.http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams_max)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    http
}

/// Takes connections from this socket for ever; ends when its task is aborted.
pub(crate) async fn accept(switch: Rc<Switch>, socket: Socket) -> std::io::Result<()> {
    let listener = TcpListener::from_std(socket.listener)?;
    let tls = socket.tls.map(TlsAcceptor::from);
    let http = Rc::new(http(&switch.options.server));
    let max = switch.options.server.connections_max.max(1);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of file descriptors or a connection that is gone again: neither ends the server.
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionAborted => continue,
            Err(_) => {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        poll_fn(|cx| match switch.connections.has_room(max, cx.waker()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        let _ = stream.set_nodelay(true);
        let (number, watch) = switch.connections.open(switch.clock.now());
        let place = Place { switch: switch.clone(), number };
        let connection = Connection { switch: switch.clone(), watch, scheme: socket.scheme };
        let (http, tls) = (http.clone(), tls.clone());
        tokio::task::spawn_local(async move {
            serve(Rc::new(connection), &http, tls, stream).await;
            drop(place);
        });
    }
}

/// A connection's place among the open ones.
struct Place {
    switch: Rc<Switch>,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.switch.connections.closed(self.number);
        self.switch.look();
    }
}

async fn serve(
    connection: Rc<Connection>,
    http: &Builder<OnLoop>,
    tls: Option<TlsAcceptor>,
    stream: TcpStream,
) {
    let watch = connection.watch.clone();
    let socket = Rc::new(RefCell::new(stream));
    let io = WatchedIo { socket: socket.clone(), watch: watch.clone(), clock: connection.switch.clock };
    match tls {
        None => serve_http(connection, http, io).await,
        Some(tls) => match until_closed(&watch, tls.accept(io)).await {
            Some(Ok(io)) => serve_http(connection, http, io).await,
            Some(Err(_)) | None => return,
        },
    }
    if watch.has_unread_body.get() {
        let _ = tokio::time::timeout(LINGER, linger(&socket)).await;
    }
}

/// Closing a socket with unread bytes resets it, and the client may lose the response that says
/// why. So what still comes is read and dropped for a while.
async fn linger(socket: &RefCell<TcpStream>) {
    let mut left = LINGER_BYTES_MAX;
    let mut scratch = vec![0; 64 * 1024];
    while left > 0 {
        let readable = poll_fn(|cx| socket.borrow().poll_read_ready(cx)).await;
        let read = readable.and_then(|()| socket.borrow().try_read(&mut scratch));
        match read {
            Ok(0) => return,
            Ok(n) => left = left.saturating_sub(n),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

async fn serve_http<I>(connection: Rc<Connection>, http: &Builder<OnLoop>, io: I)
where
    I: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let watch = connection.watch.clone();
    let service = service_fn(move |request| request::serve(connection.clone(), request));
    let mut conn = pin!(http.serve_connection(TokioIo::new(io), service));
    let mut is_finishing = false;
    poll_fn(|cx| {
        watch.set_waker(cx.waker());
        match watch.order() {
            Order::Close => return Poll::Ready(()),
            Order::Finish if !is_finishing => {
                is_finishing = true;
                conn.as_mut().graceful_shutdown();
            }
            _ => {}
        }
        conn.as_mut().poll(cx).map(|result| {
            // What a client did wrong it has been told by hyper, and the rest of it is unread. A
            // broken connection concerns nobody.
            let is_malformed = |e: Box<dyn std::error::Error + Send + Sync>| {
                e.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse)
            };
            if result.is_err_and(is_malformed) {
                watch.has_unread_body.set(true);
            }
        })
    })
    .await;
}

async fn until_closed<F: Future>(watch: &Watch, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        watch.set_waker(cx.waker());
        match watch.order() {
            Order::Serve => future.as_mut().poll(cx).map(Some),
            Order::Finish | Order::Close => Poll::Ready(None),
        }
    })
    .await
}
