//! Clients that take their time, on purpose or not.

use std::io::Write;
use std::time::Duration;

use dacapo_core::{Delivery, Event};
use dacapo_host::{Host, HostOptions, ServerLimits};

use crate::lab::{Running, options, read_all, read_until, respond};

fn answer(host: &mut Host, delivery: Delivery) {
    if let Event::Request { exchange, .. } = delivery.event {
        respond(host, exchange, "served");
    }
}

fn impatient(server: ServerLimits) -> HostOptions {
    HostOptions { server, ..options() }
}

fn head_timeout() -> ServerLimits {
    ServerLimits { head_timeout: Duration::from_millis(300), ..ServerLimits::default() }
}

#[test]
fn half_a_head_is_cut_off_while_others_are_served() {
    let running = Running::start(impatient(head_timeout()), answer);
    for begun in ["", "G", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nHost: a\r\nA"] {
        let mut slow = running.connect();
        slow.write_all(begun.as_bytes()).unwrap();
        let fine = running.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(fine.ends_with("served"), "{fine}");
        assert_eq!(read_all(&mut slow), "", "{begun:?}");
    }
}

#[test]
fn a_head_that_drips_is_cut_off_on_a_used_connection_too() {
    let running = Running::start(impatient(head_timeout()), answer);
    let mut slow = running.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    read_until(&mut slow, "served");
    // A byte now and then resets nothing: the head as a whole has its time.
    let mut stream = slow.try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        let mut sent = 0;
        while stream.write_all(b"G").is_ok() && sent < 1_000_000 {
            sent += 1;
            std::thread::park_timeout(Duration::from_millis(20));
        }
    });
    assert_eq!(read_all(&mut slow), "");
    drip.join().unwrap();
}

#[test]
fn an_idle_connection_outlives_the_head_timeout_but_not_its_own() {
    let limits = ServerLimits { idle_timeout: Duration::from_millis(900), ..head_timeout() };
    let running = Running::start(impatient(limits), answer);
    let mut idle = running.connect();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    read_until(&mut idle, "served");
    let begin = std::time::Instant::now();
    assert_eq!(read_all(&mut idle), "");
    assert!(begin.elapsed() >= Duration::from_millis(700), "{:?}", begin.elapsed());
}

#[test]
fn a_body_that_stops_coming_fails_for_the_service() {
    let limits = ServerLimits { stall_timeout: Duration::from_millis(300), ..ServerLimits::default() };
    let running = Running::start(impatient(limits), |_, _| {});
    let small = running.talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    assert!(small.starts_with("HTTP/1.1 408"), "{small}");
    let mut long = running.connect();
    long.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\nab").unwrap();
    running.wait_for("Abort(\"nothing more of the body came for 300ms\")");
}

#[test]
fn a_client_that_takes_no_response_is_cut_off() {
    let limits = ServerLimits { stall_timeout: Duration::from_millis(500), ..ServerLimits::default() };
    let running = Running::start(impatient(limits), |host, delivery| {
        if let Event::Request { exchange, .. } = delivery.event {
            respond(host, exchange, vec![b'z'; 64 << 20]);
        }
    });
    let mut stuck = running.connect();
    stuck.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    running.wait_for("request x1");
    running.handle.stop();
    // The stop waits for this connection, which ends long before the grace period does.
    let begin = std::time::Instant::now();
    running.wait_for("over");
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
}

#[test]
fn at_the_limit_the_connection_that_idled_longest_makes_room() {
    let limits = ServerLimits { connections_max: 2, ..ServerLimits::default() };
    let running = Running::start(impatient(limits), answer);
    let mut first = running.connect();
    first.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    read_until(&mut first, "served");
    let mut second = running.connect();
    second.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    read_until(&mut second, "served");
    let third = running.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(third.ends_with("served"), "{third}");
    assert_eq!(read_all(&mut first), "");
    second.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    assert!(read_all(&mut second).ends_with("served"));
}
