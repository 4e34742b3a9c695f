//! What the tests share: a running host whose loops are played by closures, and raw clients.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use dacapo_core::{
    Address, Body, CallId, Delivery, Effect, Event, ExchangeId, Headers, InstanceId, RequestHead,
    ResponseHead, ServiceId, Target, World,
};
use dacapo_host::{
    Host, HostCluster, HostHandle, HostOptions, Listen, RouteMiss, Routed, ServerLimits, Sinks,
};
use http::{Method, StatusCode};

/// An upper bound for anything that is expected to happen soon.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) fn local() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Options with one loop and one plain socket; `/none` has no route, bodies end at 1 MiB.
pub(crate) fn options() -> HostOptions {
    let router = Arc::new(|node, head: &RequestHead| match head.url.ends_with("/none") {
        true => Err(RouteMiss(format!("no service has a route for {}", head.url))),
        false => Ok(Routed { node, service: ServiceId(0), request_body_max: 1 << 20 }),
    });
    HostOptions {
        listens: vec![Listen::plain(local())],
        loops: 1,
        server: ServerLimits { stall_timeout: Duration::from_secs(10), ..ServerLimits::default() },
        grace: Duration::from_secs(10),
        ..HostOptions::new(router)
    }
}

/// The instance that every scripted node speaks as.
pub(crate) fn guest(host: &Host) -> Address {
    Address { node: host.node(), instance: InstanceId(1) }
}

pub(crate) fn head(status: u16) -> ResponseHead {
    ResponseHead { status: StatusCode::from_u16(status).unwrap(), headers: Headers::default() }
}

pub(crate) fn respond(host: &mut Host, exchange: ExchangeId, text: impl Into<Vec<u8>>) {
    let body = Body::from_bytes(Bytes::from(text.into()));
    let from = guest(host);
    host.submit(from, Effect::Respond { exchange, head: head(200), body });
}

pub(crate) fn fetch(host: &mut Host, call: u64, target: Target, url: &str, body: Body) {
    let method = if body == Body::Empty { Method::GET } else { Method::POST };
    let head = RequestHead { method, url: url.into(), headers: Headers::default() };
    let from = guest(host);
    host.submit(from, Effect::Fetch { call: CallId(call), target, head: Box::new(head), body });
}

pub(crate) fn outside() -> Target {
    Target::Outside("outside".into())
}

/// Hosts that run until this is dropped.
pub(crate) struct Running {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) handle: HostHandle,
    /// Every event that any loop was given, as text, besides what `play` did with it.
    pub(crate) seen: Receiver<String>,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts the loops; `play` is what each node does with what happens to it.
    pub(crate) fn start(
        options: HostOptions,
        play: impl Fn(&mut Host, Delivery) + Clone + Send + 'static,
    ) -> Running {
        let cluster = HostCluster::bind(options).unwrap();
        let (tell, seen) = channel();
        let threads = cluster.loops.into_iter().map(|seat| {
            let (tell, play) = (tell.clone(), play.clone());
            std::thread::spawn(move || {
                let to_test = tell.clone();
                let phase_done =
                    Box::new(move |from: Address| drop(to_test.send(format!("{from} phase done"))));
                let mut host = seat.open(Sinks { phase_done, ..Sinks::default() }).unwrap();
                let mut last = dacapo_core::Time::ZERO;
                while let Some(delivery) = host.next() {
                    assert!(delivery.at >= last, "time goes back");
                    last = delivery.at;
                    let _ = tell.send(describe(&delivery));
                    let is_stop = delivery.event == Event::Stop;
                    play(&mut host, delivery);
                    if is_stop {
                        let from = Address { node: host.node(), instance: InstanceId::RUNTIME };
                        host.submit(from, Effect::Stopped);
                    }
                }
                let _ = tell.send(format!("{} over", host.node()));
            })
        });
        let threads = threads.collect();
        Running { addresses: cluster.addresses, handle: cluster.handle, seen, threads }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addresses[0]).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        stream
    }

    /// Sends this text on a connection of its own and gives all that comes back until it closes.
    pub(crate) fn talk(&self, text: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        read_all(&mut stream)
    }

    /// Waits until an event is seen whose text contains this.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let mut others = Vec::new();
        loop {
            match self.seen.recv_timeout(SOON) {
                Ok(seen) if seen.contains(text) => return seen,
                Ok(seen) => others.push(seen),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{text:?} was not seen, but {others:#?}")
                }
            }
        }
    }

    /// Waits for the end of all loops, which somebody has asked for.
    pub(crate) fn join(mut self) {
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.abandon();
        for thread in self.threads.drain(..) {
            let result = thread.join();
            if !std::thread::panicking() {
                result.unwrap();
            }
        }
    }
}

fn describe(delivery: &Delivery) -> String {
    let to = delivery.to;
    match &delivery.event {
        Event::Request { exchange, head, body, .. } => {
            format!("{to} request {exchange} {} {} {}", head.method, head.url, describe_body(body))
        }
        Event::Response { call, head, body } => {
            format!("{to} response {call} {} {}", head.status.as_u16(), describe_body(body))
        }
        other => format!("{to} {other:?}"),
    }
}

fn describe_body(body: &Body) -> String {
    match body {
        Body::Empty => "empty".into(),
        Body::Full(bytes) => format!("full {}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)])),
        Body::Stream => "stream".into(),
    }
}

/// All that comes until the connection closes; a reset counts as a close.
pub(crate) fn read_all(stream: &mut impl Read) -> String {
    let (mut all, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => all.extend_from_slice(&chunk[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(e) => panic!("{e}, after {:?}", String::from_utf8_lossy(&all)),
        }
    }
    without_date(&String::from_utf8_lossy(&all))
}

/// Reads until this text has come.
pub(crate) fn read_until(stream: &mut impl Read, end: &str) -> String {
    let (mut all, mut byte) = (Vec::new(), [0; 1]);
    while !all.ends_with(end.as_bytes()) {
        let n = stream.read(&mut byte).unwrap();
        assert!(n > 0, "closed after {:?}", String::from_utf8_lossy(&all));
        all.push(byte[0]);
    }
    without_date(&String::from_utf8_lossy(&all))
}

/// The first line, or less if the connection closes.
pub(crate) fn first_line(stream: &mut impl Read) -> String {
    let (mut line, mut byte) = (Vec::new(), [0; 1]);
    while !line.ends_with(b"\n") && matches!(stream.read(&mut byte), Ok(1)) {
        line.push(byte[0]);
    }
    String::from_utf8_lossy(&line).into_owned()
}

fn without_date(text: &str) -> String {
    let lines = text.split_inclusive("\r\n").filter(|line| !line.starts_with("date: "));
    lines.collect::<String>().replace("\r\n", "\n")
}
