//! Calls inside the system, timers, and the end of it all.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dacapo_core::{
    Address, Body, CallId, Chunk, Effect, Event, Fault, FaultKind, InstanceId, NodeId, NoteKind, ServiceId,
    Target, TimerId, World,
};
use dacapo_host::{HostCluster, HostOptions, Routed, Sinks};

use crate::lab::{Running, fetch, guest, head, options, read_all, respond};

const PRIVATE: ServiceId = ServiceId(9);

/// Node 0 passes each request from outside on to a private service on `node`.
fn passes_on_to(node: u32) -> Running {
    let quiet_loops = node;
    Running::start(HostOptions { quiet_loops, ..options() }, move |host, delivery| match delivery.event {
        Event::Request { exchange, service: PRIVATE, body, .. } => {
            let from = guest(host);
            let echoed = match body {
                Body::Stream => Body::Stream,
                _ => Body::Full(Bytes::from_static(b"private")),
            };
            host.submit(from, Effect::Respond { exchange, head: head(200), body: echoed });
        }
        Event::RequestChunk(exchange, chunk) => {
            let from = guest(host);
            host.submit(from, Effect::ResponseChunk(exchange, chunk));
        }
        Event::Request { exchange, head, .. } => {
            let streams = head.url.ends_with("/stream");
            let body = if streams { Body::Stream } else { Body::Empty };
            fetch(
                host,
                exchange.0,
                Target::Service(NodeId(node), PRIVATE, None),
                "https://private.internal/",
                body,
            );
            if streams {
                let from = guest(host);
                for chunk in [Chunk::Data(Bytes::from_static(b"echo")), Chunk::End] {
                    host.submit(from, Effect::RequestChunk(CallId(exchange.0), chunk));
                }
            }
        }
        Event::Response { call, head, body } => {
            let from = guest(host);
            host.submit(from, Effect::Respond { exchange: dacapo_core::ExchangeId(call.0), head, body });
        }
        Event::ResponseChunk(call, chunk) => {
            let from = guest(host);
            host.submit(from, Effect::ResponseChunk(dacapo_core::ExchangeId(call.0), chunk));
        }
        Event::Failed(call, error) => respond(host, dacapo_core::ExchangeId(call.0), error.to_string()),
        _ => {}
    })
}

#[test]
fn a_service_is_called_on_its_own_loop_and_on_another() {
    for node in [0, 1] {
        let running = passes_on_to(node);
        let whole = running.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(whole.ends_with("private"), "{whole}");
        let streamed = running.talk("GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(streamed.contains("echo"), "{streamed}");
    }
}

#[test]
fn a_call_to_a_node_that_does_not_exist_fails() {
    let running = Running::start(options(), |host, delivery| {
        if let Event::Boot { .. } = delivery.event {
            fetch(host, 1, Target::Service(NodeId(7), PRIVATE, None), "https://p.internal/", Body::Empty);
        }
    });
    running.wait_for("Unknown(\"there is no node n7 in this process\")");
}

#[test]
fn a_request_reaches_the_node_that_the_router_names() {
    let router =
        Arc::new(|_, _: &_| Ok(Routed { node: NodeId(1), service: ServiceId(0), request_body_max: 1 << 20 }));
    let running = Running::start(HostOptions { quiet_loops: 1, router, ..options() }, |host, delivery| {
        if let Event::Request { exchange, .. } = delivery.event {
            let text = format!("from {}", host.node());
            respond(host, exchange, text);
        }
    });
    let answer = running.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.ends_with("from n1"), "{answer}");
}

#[test]
fn timers_fire_in_order_and_never_early() {
    let running = Running::start(HostOptions { listens: Vec::new(), ..options() }, |host, delivery| {
        let from = guest(host);
        let ms = Duration::from_millis;
        match delivery.event {
            Event::Boot { .. } => {
                for (timer, after) in [(1, 60), (2, 20), (3, 40), (4, 0)] {
                    host.submit(from, Effect::SetTimer(TimerId(timer), ms(after)));
                }
                host.submit(from, Effect::ClearTimer(TimerId(3)));
                let gone = Address { node: host.node(), instance: InstanceId(2) };
                host.submit(gone, Effect::SetTimer(TimerId(5), ms(30)));
                let fault = Fault { kind: FaultKind::Budget, message: "".into(), location: None };
                host.submit(gone, Effect::Ended(InstanceId(2), Box::new(fault)));
            }
            Event::Timer(TimerId(1)) => assert!(delivery.at.0 >= ms(60).as_nanos() as u64),
            _ => {}
        }
    });
    running.wait_for("Boot");
    let fired: Vec<_> = (0..3).map(|_| running.wait_for("Timer")).collect();
    assert_eq!(fired, ["n0/i1 Timer(TimerId(4))", "n0/i1 Timer(TimerId(2))", "n0/i1 Timer(TimerId(1))"]);
}

#[test]
fn a_timer_that_is_always_due_starves_nobody() {
    let running = Running::start(options(), |host, delivery| {
        let from = guest(host);
        match delivery.event {
            Event::Boot { .. } | Event::Timer(_) => {
                host.submit(from, Effect::SetTimer(TimerId(1), Duration::ZERO));
            }
            Event::Request { exchange, .. } => respond(host, exchange, "served"),
            _ => {}
        }
    });
    let answer = running.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.ends_with("served"), "{answer}");
}

#[test]
fn a_graceful_stop_answers_what_is_under_way_and_takes_nothing_new() {
    let running = Running::start(HostOptions { quiet_loops: 1, ..options() }, |host, delivery| {
        if let Event::Phase(_) = delivery.event {
            respond(host, dacapo_core::ExchangeId(1), "late");
        }
    });
    let mut stream = running.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    running.wait_for("request x1");
    running.handle.stop();
    running.wait_for("n0/i0 Stop");
    let refused = std::net::TcpStream::connect(running.addresses[0]);
    // The socket closes with the acceptor's task; until then a connection is not served.
    drop(refused);
    running.handle.phase(NodeId(0), dacapo_core::Phase::Drive);
    let answer = read_all(&mut stream);
    assert!(answer.ends_with("late") && answer.contains("connection: close"), "{answer}");
    running.wait_for("over");
    running.wait_for("over");
    assert!(std::net::TcpStream::connect(running.addresses[0]).is_err());
    running.join();
}

#[test]
fn a_stop_does_not_wait_longer_than_the_grace_period() {
    let grace = Duration::from_millis(300);
    let running = Running::start(HostOptions { grace, ..options() }, |_, _| {});
    let mut stream = running.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    running.wait_for("request x1");
    let begin = std::time::Instant::now();
    running.handle.stop();
    running.wait_for("over");
    assert!(begin.elapsed() >= grace && begin.elapsed() < Duration::from_secs(8));
    assert_eq!(read_all(&mut stream), "");
}

#[test]
fn a_recorder_learns_which_call_became_which_request() {
    let cluster = HostCluster::bind(HostOptions { listens: Vec::new(), ..options() }).unwrap();
    let mut host = cluster.loops.into_iter().next().unwrap().open(Sinks::default()).unwrap();
    assert_eq!(host.take_notes(), []);
    assert!(matches!(host.next().unwrap().event, Event::Boot { .. }));
    fetch(&mut host, 5, Target::Service(NodeId(0), PRIVATE, None), "https://p.internal/", Body::Empty);
    let Event::Request { exchange, .. } = host.next().unwrap().event else { panic!("a request") };
    let caller = guest(&host);
    let kinds: Vec<_> = host.take_notes().into_iter().map(|note| note.kind).collect();
    assert_eq!(kinds, [NoteKind::Carries { exchange, caller, call: CallId(5) }]);
}
