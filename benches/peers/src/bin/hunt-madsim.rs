//! The planted bugs on madsim: its RPC between nodes, its default latency of 1 to 10 ms, its packet loss.

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dacapo_peers::hunt::{self, Answer, Ask, Bug, Network, client, judge};
use madsim::net::{Endpoint, NetSim};
use madsim::rand::Rng;
use madsim::runtime::Runtime;
use madsim::time::Instant;
use madsim::{Config, Request};
use serde::{Deserialize, Serialize};

/// The mean latency, rounded.
const UNIT: Duration = Duration::from_millis(5);

#[derive(Serialize, Deserialize, Request)]
#[rtype("Answer")]
struct Question(Ask);

#[derive(Clone)]
struct Client {
    endpoint: Endpoint,
    start: Instant,
}

impl Network for Client {
    async fn ask(&self, server: usize, ask: Ask, within: u64) -> Option<Answer> {
        self.endpoint.call_timeout(address(server), Question(ask), UNIT * within as u32).await.ok()
    }

    async fn sleep(&self, units: u64) {
        madsim::time::sleep(UNIT * units as u32).await;
    }

    fn now(&self) -> u64 {
        (self.start.elapsed().as_nanos() / UNIT.as_nanos()) as u64
    }

    fn below(&self, range: u64) -> u64 {
        madsim::rand::thread_rng().gen_range(0..range)
    }
}

fn address(server: usize) -> SocketAddr {
    ([10, 0, 0, server as u8 + 1], 1).into()
}

fn breaks(bug: Bug, is_buggy: bool, seed: u64) -> bool {
    let mut config = Config::default();
    config.net.packet_loss_rate = bug.loss();
    let runtime = Runtime::with_seed_and_config(seed, config);
    let mut ready = Vec::new();
    for (number, server) in bug.servers(is_buggy).into_iter().enumerate() {
        let node = runtime.create_node().ip(address(number).ip()).build();
        ready.push(node.spawn(async move {
            let endpoint = Endpoint::bind(address(number)).await.expect("a free port");
            let server = Arc::new(Mutex::new(server));
            endpoint.add_rpc_handler(move |Question(ask)| {
                let server = Arc::clone(&server);
                async move { server.lock().expect("no panic").answer(ask) }
            });
        }));
    }
    let clients = address(100);
    let node = runtime.create_node().ip(clients.ip()).build();
    let judgement = node.spawn(async move {
        for ready in ready {
            ready.await.expect("a server starts");
        }
        let endpoint = Endpoint::bind(clients).await.expect("a free port");
        let network = Client { endpoint, start: Instant::now() };
        let seen = Arc::default();
        let clients: Vec<_> = (0..2)
            .map(|number| {
                madsim::task::spawn(client(network.clone(), bug, is_buggy, number, Arc::clone(&seen)))
            })
            .collect();
        for client in clients {
            client.await.expect("no panic");
        }
        NetSim::current().update_config(|config| config.packet_loss_rate = 0.0);
        judge(network, bug, seen).await
    });
    runtime.block_on(judgement).expect("no panic").is_err()
}

fn main() {
    hunt::main(breaks);
}
