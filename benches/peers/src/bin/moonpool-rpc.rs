//! The ping-pong on moonpool as its users write it: its RPC over the simulated network.

#![forbid(unsafe_code)]

use std::sync::Arc;

use futures::future::join_all;
use moonpool::executor::spawn;
use moonpool::{NetTransportBuilder, NetworkAddress, RpcError, SimProviders, service};
use serde::{Deserialize, Serialize};

const PONGER: &str = "10.0.0.1:4500";
const PINGER: &str = "10.0.0.2:4501";
const TOKEN: u32 = 4;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ping {
    text: [u8; 4],
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pong {
    text: [u8; 4],
}

#[service]
trait PingPong {
    async fn ping(&self, ping: Ping) -> Result<Pong, RpcError>;
}

async fn ponger(providers: SimProviders) {
    let address = NetworkAddress::parse(PONGER).unwrap();
    let transport =
        NetTransportBuilder::new(providers).local_address(address).build_listening().await.unwrap();
    let server = PingPong::well_known(&transport, TOKEN);
    while let Some((request, reply)) = server.ping.recv().await {
        assert_eq!(&request.text, b"ping");
        reply.send(Pong { text: *b"pong" });
    }
}

async fn pingers(providers: SimProviders, calls: u32, in_flight: u32) {
    let address = NetworkAddress::parse(PINGER).unwrap();
    let transport =
        NetTransportBuilder::new(providers).local_address(address).build_listening().await.unwrap();
    let ponger = NetworkAddress::parse(PONGER).unwrap();
    let client = Arc::new(PingPong::client_well_known(ponger, TOKEN, &transport));
    let pingers = (0..in_flight).map(|_| {
        let client = Arc::clone(&client);
        spawn("pinger", async move {
            for _ in 0..calls / in_flight {
                let pong = client.ping.get_reply(Ping { text: *b"ping" }).await.unwrap();
                assert_eq!(&pong.text, b"pong");
            }
        })
    });
    for pinger in join_all(pingers).await {
        pinger.unwrap();
    }
}

fn main() {
    dacapo_peers::main(|calls, in_flight| {
        dacapo_peers::moonpool_world::run(|world| {
            let providers = |ip: &str| SimProviders::new(world.downgrade(), 1, ip.parse().unwrap());
            spawn("ponger", ponger(providers("10.0.0.1")));
            spawn("pingers", pingers(providers("10.0.0.2"), calls, in_flight))
        });
    });
}
