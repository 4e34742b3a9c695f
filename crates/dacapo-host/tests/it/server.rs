//! Clients and the server: heads, bodies, back-pressure, refusals.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dacapo_core::{Body, Chunk, Effect, Event, WINDOW, World};
use dacapo_host::{Host, HostCluster, HostError, Listen, Scheme};
use insta::assert_snapshot;

use crate::lab::{Running, SOON, first_line, guest, head, local, options, read_all, read_until, respond};

fn echo(host: &mut Host, delivery: dacapo_core::Delivery) {
    if let Event::Request { exchange, head, body, .. } = delivery.event {
        let body = match body {
            Body::Full(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => format!("{other:?}"),
        };
        respond(host, exchange, format!("{} {} {body}", head.method, head.url));
    }
}

#[test]
fn one_connection_carries_many_requests() {
    let running = Running::start(options(), echo);
    let mut stream = running.connect();
    for n in 0..3 {
        write!(stream, "POST /{n}?q HTTP/1.1\r\nHost: Shop.example\r\nContent-Length: 2\r\n\r\nhi").unwrap();
        let answer = read_until(&mut stream, &format!("POST http://shop.example/{n}?q hi"));
        assert!(answer.starts_with("HTTP/1.1 200 OK\n"), "{answer}");
    }
    write!(
        stream,
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let both = read_all(&mut stream);
    assert!(both.contains("GET http://a/a Empty") && both.contains("GET http://a/b Empty"), "{both}");
}

#[test]
fn the_url_follows_from_the_host_header_and_the_operators_word_alone() {
    let mut options = options();
    options.listens = vec![Listen { scheme: Some(Scheme::Https), ..Listen::plain(local()) }];
    let running = Running::start(options, echo);
    let answer = running.talk(
        "GET /x HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Proto: ftp\r\nX-Forwarded-Host: evil\r\nConnection: close\r\n\r\n",
    );
    assert!(answer.ends_with("GET https://a.example/x Empty"), "{answer}");
    let absolute = running.talk("GET http://b.example/y HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n");
    assert!(absolute.ends_with("GET https://b.example/y Empty"), "{absolute}");
}

#[test]
fn what_no_service_serves_is_a_404_that_says_so() {
    let running = Running::start(options(), echo);
    assert_snapshot!(running.talk("GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), @r"
    HTTP/1.1 404 Not Found
    content-type: text/plain;charset=UTF-8
    connection: close
    content-length: 41

    no service has a route for http://a/none
    ");
}

#[test]
fn bad_requests_are_refused_and_nothing_else_suffers() {
    let running = Running::start(options(), echo);
    let mut other = running.connect();
    for (bad, status) in [
        ("nonsense\r\n\r\n", "HTTP/1.1 400"),
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400"),
        ("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", "HTTP/1.1 400"),
        ("GET / HTTP/1.1\r\nHost: \r\n\r\n", "HTTP/1.1 400"),
        ("GET / HTTP/9.9\r\nHost: a\r\n\r\n", "HTTP/1.1 400"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 501"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 400"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400"),
        (&format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(101)), "HTTP/1.1 431"),
        (&format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "b".repeat(70_000)), "HTTP/1.1 431"),
    ] {
        let mut stream = running.connect();
        stream.write_all(bad.as_bytes()).unwrap();
        let first = first_line(&mut stream);
        assert!(first.starts_with(status), "{bad:.60?}: {first}");
    }
    other.write_all(b"GET /still HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    assert!(read_all(&mut other).ends_with("GET http://a/still Empty"));
}

#[test]
fn a_body_that_is_announced_too_long_is_refused_before_it_is_read() {
    let running = Running::start(options(), echo);
    let answer = running.talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n");
    assert_snapshot!(answer, @r"
    HTTP/1.1 413 Payload Too Large
    content-type: text/plain;charset=UTF-8
    connection: close
    content-length: 82

    the body of this request is longer than the 1048576 bytes that this service takes
    ");
}

#[test]
fn a_body_that_turns_out_too_long_is_refused_and_its_service_told() {
    let running = Running::start(options(), |host, delivery| {
        if let Event::RequestChunk(exchange, Chunk::Data(bytes)) = delivery.event {
            let from = guest(host);
            host.submit(from, Effect::RequestPull(exchange, bytes.len() as u32));
        }
    });
    let mut stream = running.connect();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    let block = vec![b'x'; 64 * 1024];
    // The server answers while the client still writes; how far that gets is up to the sockets.
    for _ in 0..1024 {
        let sent = write!(stream, "{:x}\r\n", block.len()).and_then(|()| stream.write_all(&block));
        if sent.and_then(|()| stream.write_all(b"\r\n")).is_err() {
            break;
        }
    }
    let answer = read_until(&mut stream, "\r\n");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    running.wait_for("Abort(\"the body is longer than this service takes\")");
    running.wait_for("Cancelled(ExchangeId(1))");
}

#[test]
fn an_upload_is_read_no_further_than_the_service_has_asked() {
    let taken = Arc::new(AtomicU64::new(0));
    let counter = taken.clone();
    let mut options = options();
    options.router = Arc::new(|node, _| {
        Ok(dacapo_host::Routed { node, service: dacapo_core::ServiceId(0), request_body_max: 1 << 30 })
    });
    let running = Running::start(options, move |host, delivery| match delivery.event {
        Event::RequestChunk(exchange, Chunk::Data(bytes)) => {
            let total = counter.fetch_add(bytes.len() as u64, Ordering::SeqCst) + bytes.len() as u64;
            // It takes its window and asks for one more when the test says so, by a phase.
            assert!(total <= u64::from(WINDOW) * 2, "more came than was asked for");
            let _ = exchange;
        }
        Event::Phase(_) => {
            let from = guest(host);
            host.submit(from, Effect::RequestPull(dacapo_core::ExchangeId(1), WINDOW));
        }
        _ => {}
    });
    let mut stream = running.connect();
    stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let length = 512u64 << 20;
    write!(stream, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").unwrap();
    let block = vec![b'x'; 256 * 1024];
    let mut write_until_stuck = || {
        let mut sent = 0u64;
        while let Ok(n) = stream.write(&block) {
            sent += n as u64;
            assert!(sent < 64 << 20, "the server buffers the whole upload");
        }
        sent
    };
    let first = write_until_stuck();
    assert!(first >= u64::from(WINDOW));
    assert_eq!(taken.load(Ordering::SeqCst), u64::from(WINDOW));
    running.handle.phase(dacapo_core::NodeId(0), dacapo_core::Phase::Drive);
    let deadline = std::time::Instant::now() + SOON;
    while taken.load(Ordering::SeqCst) < 2 * u64::from(WINDOW) {
        assert!(std::time::Instant::now() < deadline, "the second window did not come");
        write_until_stuck();
    }
}

#[test]
fn a_chunked_upload_arrives_whole_and_in_order() {
    let running = Running::start(options(), |host, delivery| match delivery.event {
        Event::RequestChunk(exchange, Chunk::Data(bytes)) => {
            let from = guest(host);
            host.submit(from, Effect::RequestPull(exchange, bytes.len() as u32));
        }
        Event::RequestChunk(exchange, Chunk::End) => respond(host, exchange, "got it"),
        _ => {}
    });
    let mut stream = running.connect();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        .unwrap();
    running.wait_for("stream");
    let mut total = 0;
    for n in 1..=10 {
        let block = vec![b'a'; n * 9_999];
        total += block.len();
        write!(stream, "{:x}\r\n", block.len()).unwrap();
        stream.write_all(&block).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert!(read_all(&mut stream).ends_with("got it"));
    let bytes: usize = running.seen.try_iter().map(|seen| seen.matches('a').count()).sum();
    assert!(bytes >= total, "{bytes} of {total}");
}

#[test]
fn a_response_is_streamed_as_far_as_the_client_reads() {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = sent.clone();
    const TOTAL: u64 = 64 << 20;
    let running = Running::start(options(), move |host, delivery| {
        let from = guest(host);
        let (exchange, credit) = match delivery.event {
            Event::Request { exchange, .. } => {
                host.submit(from, Effect::Respond { exchange, head: head(200), body: Body::Stream });
                (exchange, WINDOW)
            }
            Event::ResponseCredit(exchange, credit) => (exchange, credit),
            _ => return,
        };
        let already = counter.fetch_add(credit.into(), Ordering::SeqCst);
        let data = Bytes::from(vec![b'y'; credit.min((TOTAL - already.min(TOTAL)) as u32) as usize]);
        host.submit(from, Effect::ResponseChunk(exchange, Chunk::Data(data)));
        if already + u64::from(credit) >= TOTAL {
            host.submit(from, Effect::ResponseChunk(exchange, Chunk::End));
        }
    });
    let mut stream = running.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    // No event comes any more once the sockets are full.
    while running.seen.recv_timeout(Duration::from_millis(500)).is_ok() {}
    assert!(sent.load(Ordering::SeqCst) < TOTAL / 2, "the response is buffered instead of held back");
    let all = read_all(&mut stream);
    assert_eq!(all.matches('y').count() as u64, TOTAL);
}

#[test]
fn a_service_that_gives_up_breaks_the_response_visibly() {
    let running = Running::start(options(), |host, delivery| {
        if let Event::Request { exchange, .. } = delivery.event {
            let from = guest(host);
            host.submit(from, Effect::Respond { exchange, head: head(200), body: Body::Stream });
            let data = Chunk::Data(Bytes::from_static(b"half"));
            host.submit(from, Effect::ResponseChunk(exchange, data));
            host.submit(from, Effect::ResponseChunk(exchange, Chunk::Abort("broke".into())));
        }
    });
    let answer = running.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(!answer.ends_with("0\n\n"), "the client would take it for complete: {answer}");
}

#[test]
fn a_service_learns_that_its_client_is_gone() {
    let running = Running::start(options(), |_, _| {});
    let mut stream = running.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    running.wait_for("request x1");
    drop(stream);
    running.wait_for("Cancelled(ExchangeId(1))");
}

#[test]
fn a_port_in_use_is_named_whatever_the_number_of_loops() {
    for (first, second) in [(1, 1), (2, 2), (1, 2), (2, 1)] {
        let taken = HostCluster::bind(dacapo_host::HostOptions { loops: first, ..options() }).unwrap();
        let again = dacapo_host::HostOptions {
            listens: vec![Listen::plain(taken.addresses[0])],
            loops: second,
            ..options()
        };
        let error = HostCluster::bind(again).err().expect("the port is in use");
        assert!(matches!(error, HostError::PortInUse { addr } if addr == taken.addresses[0]), "{error}");
        assert!(error.help().unwrap().contains("listen on another port"));
    }
}

#[test]
fn an_address_of_another_machine_is_refused_by_name() {
    let mut options = options();
    options.listens = vec![Listen::plain("192.0.2.1:80".parse().unwrap())];
    let error = HostCluster::bind(options).err().expect("TEST-NET is nobody's");
    assert_eq!(error.to_string(), "192.0.2.1:80 is not an address of this machine");
}
