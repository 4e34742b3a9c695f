//! Calls to hosts outside.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use bytes::Bytes;
use dacapo_core::{Body, CallId, Chunk, Delivery, Effect, Event, NetError, Target, TimerId, WINDOW, World};
use dacapo_host::{ClientOptions, ConnectTo, Host, HostOptions, Listen};

use crate::lab::{Running, SOON, fetch, guest, local, options, outside, read_until};

/// A server for one connection that answers with these bytes and closes.
fn serves_once(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind(local()).unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        read_until(&mut stream, "\r\n\r\n");
        stream.write_all(answer).unwrap();
    });
    addr
}

/// A server that closes its one connection without a word.
fn hangs_up() -> SocketAddr {
    let listener = TcpListener::bind(local()).unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || drop(listener.accept()));
    addr
}

/// A host without sockets that makes this one call at its boot.
fn calls(url: String, client: ClientOptions, body: Body) -> Running {
    let options = HostOptions { listens: Vec::new(), client, ..options() };
    Running::start(options, move |host, delivery| {
        if let Event::Boot { .. } = delivery.event {
            fetch(host, 1, outside(), &url, body.clone());
        }
    })
}

#[test]
fn a_response_from_outside_arrives() {
    let addr =
        serves_once(b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nA: b\r\nConnection: close\r\n\r\nhello");
    let running = calls(format!("http://{addr}/x"), ClientOptions::default(), Body::Empty);
    assert_eq!(running.wait_for("response"), "n0/i1 response c1 201 full hello");
}

#[test]
fn each_failure_has_its_name() {
    let refused = TcpListener::bind(local()).unwrap().local_addr().unwrap();
    let cases = [
        (format!("http://{refused}/"), "Refused"),
        (format!("http://{}/", serves_once(b"")), "Reset"),
        (format!("http://{}/", serves_once(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal")), "Reset"),
        (format!("http://{}/", serves_once(b"nonsense\r\n\r\n")), "Broken(\"127.0.0.1"),
        (format!("https://{}/", hangs_up()), "Reset"),
        ("http://no-such-host.invalid/".into(), "Unknown(\"the name no-such-host.invalid does not resolve"),
        ("ftp://files.example/".into(), "only http and https"),
        ("http://me:secret@files.example/".into(), "user name or password"),
    ];
    for (url, error) in cases {
        let running = calls(url.clone(), ClientOptions::default(), Body::Empty);
        let failed = running.wait_for("Failed(");
        assert!(failed.contains(error), "{url}: {failed}");
    }
}

#[test]
fn a_server_without_tls_is_named_as_such() {
    let listener = TcpListener::bind(local()).unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let running = calls(format!("https://{addr}/"), ClientOptions::default(), Body::Empty);
    let failed = running.wait_for("Failed(");
    assert!(failed.contains("Broken(\"TLS with 127.0.0.1"), "{failed}");
}

#[test]
fn a_server_that_never_answers_times_out() {
    let silent = TcpListener::bind(local()).unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let client = ClientOptions { response_timeout: Duration::from_millis(200), ..ClientOptions::default() };
    let running = calls(url, client, Body::Empty);
    running.wait_for("Failed(CallId(1), TimedOut)");
}

#[test]
fn a_server_that_never_shakes_hands_times_out() {
    let silent = TcpListener::bind(local()).unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let client = ClientOptions { connect_timeout: Duration::from_millis(200), ..ClientOptions::default() };
    let running = calls(url, client, Body::Empty);
    running.wait_for("Failed(CallId(1), TimedOut)");
}

#[test]
fn a_long_response_that_breaks_fails_in_its_body() {
    let addr = serves_once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    let running = calls(format!("http://{addr}/"), ClientOptions::default(), Body::Empty);
    // The first chunk may or may not have come with the head.
    running.wait_for("stream");
    running.wait_for("half");
    running.wait_for("Abort(\"the body ended early");
}

#[test]
fn a_long_body_goes_both_ways_through_windows() {
    const TOTAL: u64 = 8 << 20;
    // The far side is another host that echoes what it gets.
    let mut far_options = options();
    far_options.router = std::sync::Arc::new(|node, _| {
        Ok(dacapo_host::Routed { node, service: dacapo_core::ServiceId(0), request_body_max: 1 << 30 })
    });
    let far = Running::start(far_options, |host, delivery| {
        let from = guest(host);
        match delivery.event {
            Event::Request { exchange, .. } => {
                let head = crate::lab::head(200);
                host.submit(from, Effect::Respond { exchange, head, body: Body::Stream });
            }
            Event::RequestChunk(exchange, chunk) => {
                host.submit(from, Effect::ResponseChunk(exchange, chunk));
            }
            Event::ResponseCredit(exchange, n) => host.submit(from, Effect::RequestPull(exchange, n)),
            _ => {}
        }
    });
    let url = format!("http://{}/", far.addresses[0]);
    let (tell, told) = std::sync::mpsc::channel();
    let left = std::sync::atomic::AtomicU64::new(TOTAL);
    let got = std::sync::atomic::AtomicU64::new(0);
    let state = std::sync::Arc::new((left, got));
    let send = move |host: &mut Host, left: &std::sync::atomic::AtomicU64, credit: u32| {
        let from = guest(host);
        let before = left.load(std::sync::atomic::Ordering::SeqCst);
        let n = before.min(credit.into());
        left.store(before - n, std::sync::atomic::Ordering::SeqCst);
        if n > 0 {
            let data = Chunk::Data(Bytes::from(vec![7; n as usize]));
            host.submit(from, Effect::RequestChunk(CallId(1), data));
            if before == n {
                host.submit(from, Effect::RequestChunk(CallId(1), Chunk::End));
            }
        }
    };
    let options = HostOptions { listens: Vec::new(), ..options() };
    let _near = Running::start(options, move |host, delivery: Delivery| {
        let from = guest(host);
        match delivery.event {
            Event::Boot { .. } => {
                fetch(host, 1, outside(), &url, Body::Stream);
                send(host, &state.0, WINDOW);
            }
            Event::RequestCredit(_, n) => send(host, &state.0, n),
            Event::ResponseChunk(call, Chunk::Data(bytes)) => {
                state.1.fetch_add(bytes.len() as u64, std::sync::atomic::Ordering::SeqCst);
                host.submit(from, Effect::ResponsePull(call, bytes.len() as u32));
            }
            Event::ResponseChunk(_, end) => {
                let _ = tell.send((end, state.1.load(std::sync::atomic::Ordering::SeqCst)));
            }
            _ => {}
        }
    });
    assert_eq!(told.recv_timeout(SOON).unwrap(), (Chunk::End, TOTAL));
}

#[test]
fn a_cancelled_call_closes_its_connection_and_says_nothing_more() {
    let listener = TcpListener::bind(local()).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let options = HostOptions { listens: Vec::new(), ..options() };
    let running = Running::start(options, move |host, delivery| match delivery.event {
        Event::Boot { .. } => fetch(host, 1, outside(), &url, Body::Empty),
        Event::Phase(_) => {
            let from = guest(host);
            host.submit(from, Effect::Cancel(CallId(1)));
            host.submit(from, Effect::SetTimer(TimerId(1), Duration::from_millis(50)));
        }
        _ => {}
    });
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    read_until(&mut stream, "\r\n\r\n");
    running.handle.phase(dacapo_core::NodeId(0), dacapo_core::Phase::Drive);
    assert_eq!(crate::lab::read_all(&mut stream), "");
    running.wait_for("Timer");
    assert!(running.seen.try_iter().all(|seen| !seen.contains("CallId(1)") && !seen.contains(" c1 ")));
}

#[test]
fn a_refused_call_fails_at_once() {
    let options = HostOptions { listens: Vec::new(), ..options() };
    let running = Running::start(options, |host, delivery| {
        if let Event::Boot { .. } = delivery.event {
            let refused = Target::Refused(NetError::Denied("add a line".into()));
            fetch(host, 1, refused, "https://x.example/", Body::Empty);
        }
    });
    running.wait_for("Failed(CallId(1), Denied(\"add a line\"))");
}

#[test]
fn a_host_can_be_directed_elsewhere() {
    let mut far_options = options();
    far_options.listens = vec![Listen { scheme: Some(dacapo_host::Scheme::Https), ..Listen::plain(local()) }];
    let far = Running::start(far_options, |host, delivery| {
        if let Event::Request { exchange, head, .. } = delivery.event {
            crate::lab::respond(host, exchange, head.url.as_bytes().to_vec());
        }
    });
    let to = ConnectTo { host: "shop.example".into(), to: far.addresses[0], plain: true };
    let client = ClientOptions { connect: vec![to], ..ClientOptions::default() };
    let running = calls("https://shop.example/cart".into(), client, Body::Empty);
    assert_eq!(running.wait_for("response"), "n0/i1 response c1 200 full https://shop.example/cart");
}
