//! A workload on a loop of its own that calls the cluster through real sockets.

use dacapo_core::{Body, Effect, Event, NodeId, Phase, World};
use dacapo_host::{ClientOptions, ConnectTo, HostCluster, HostOptions, Listen, Scheme};

use crate::lab::{Running, fetch, guest, local, options, outside, respond};

#[test]
fn a_workload_meets_the_cluster_through_a_socket_and_reports_its_phases() {
    // The address must be known before the loops start: find a free one first.
    let probe = HostCluster::bind(options()).unwrap();
    let addr = probe.addresses[0];
    drop(probe);
    let connect = vec![ConnectTo { host: "shop.example".into(), to: addr, plain: true }];
    let options = HostOptions {
        listens: vec![Listen { scheme: Some(Scheme::Https), ..Listen::plain(addr) }],
        quiet_loops: 1,
        client: ClientOptions { connect, ..ClientOptions::default() },
        ..options()
    };
    let _ = local();
    let running = Running::start(options, |host, delivery| match delivery.event {
        Event::Phase(Phase::Drive) => fetch(host, 1, outside(), "https://shop.example/buy", Body::Empty),
        Event::Request { exchange, .. } => respond(host, exchange, "bought"),
        Event::Response { .. } => {
            let from = guest(host);
            host.submit(from, Effect::PhaseDone);
        }
        _ => {}
    });
    running.handle.phase(NodeId(1), Phase::Drive);
    running.wait_for("n0/i0 request x1 GET https://shop.example/buy empty");
    running.wait_for("n1/i1 response c1 200 full bought");
    running.wait_for("n1/i1 phase done");
}
