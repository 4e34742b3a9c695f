//! The ping-pong on madsim: its RPC between two nodes, as its documentation shows it.

#![forbid(unsafe_code)]

use std::net::SocketAddr;

use madsim::net::Endpoint;
use madsim::runtime::Runtime;
use madsim::{Config, Request};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Request)]
#[rtype("[u8; 4]")]
struct Ping([u8; 4]);

fn main() {
    dacapo_peers::main(|calls, in_flight| {
        let runtime = Runtime::with_seed_and_config(1, Config::default());
        let server: SocketAddr = "10.0.0.1:1".parse().unwrap();
        let client: SocketAddr = "10.0.0.2:1".parse().unwrap();
        let ponger = runtime.create_node().ip(server.ip()).build();
        let pinger = runtime.create_node().ip(client.ip()).build();
        let ready = ponger.spawn(async move {
            let endpoint = Endpoint::bind(server).await.unwrap();
            endpoint.add_rpc_handler(|ping: Ping| async move {
                assert_eq!(&ping.0, b"ping");
                *b"pong"
            });
        });
        let done = pinger.spawn(async move {
            ready.await.unwrap();
            let endpoint = Endpoint::bind(client).await.unwrap();
            let clients = (0..in_flight).map(|_| {
                let endpoint = endpoint.clone();
                madsim::task::spawn(async move {
                    for _ in 0..calls / in_flight {
                        assert_eq!(&endpoint.call(server, Ping(*b"ping")).await.unwrap(), b"pong");
                    }
                })
            });
            for client in clients.collect::<Vec<_>>() {
                client.await.unwrap();
            }
        });
        runtime.block_on(done).unwrap();
    });
}
