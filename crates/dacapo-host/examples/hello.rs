//! The least that can be served: each loop answers every request with one line, without a runtime
//! or a guest. For measuring what the host world itself costs:
//! `cargo run --release -p dacapo-host --example hello -- 127.0.0.1:8080 1`.

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::sync::Arc;

use bytes::Bytes;
use dacapo_core::{Address, Body, Effect, Event, Headers, InstanceId, ResponseHead, ServiceId, World};
use dacapo_host::{HostCluster, HostOptions, Listen, Routed, Sinks};
use http::{HeaderValue, StatusCode, header};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let addr = args.next().unwrap_or_else(|| "127.0.0.1:8080".into()).parse()?;
    let loops = args.next().unwrap_or_else(|| "1".into()).parse()?;
    let router =
        Arc::new(|node, _: &_| Ok(Routed { node, service: ServiceId(0), request_body_max: 1 << 20 }));
    let options = HostOptions { listens: vec![Listen::plain(addr)], loops, ..HostOptions::new(router) };
    let cluster = HostCluster::bind(options)?;
    println!("listening on {}", cluster.addresses[0]);
    let threads: Vec<_> = cluster
        .loops
        .into_iter()
        .map(|seat| {
            std::thread::spawn(move || {
                let mut host = seat.open(Sinks::default()).expect("a loop");
                let from = Address { node: host.node(), instance: InstanceId(1) };
                while let Some(delivery) = host.next() {
                    match delivery.event {
                        Event::Request { exchange, .. } => {
                            let plain = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
                            let head = ResponseHead { status: StatusCode::OK, headers: Headers(vec![plain]) };
                            let body = Body::Full(Bytes::from_static(b"hello world\n"));
                            host.submit(from, Effect::Respond { exchange, head, body });
                        }
                        Event::Stop => host.submit(from, Effect::Stopped),
                        _ => {}
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a loop ends without a panic");
    }
    Ok(())
}
