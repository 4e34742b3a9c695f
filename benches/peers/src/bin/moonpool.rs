//! The ping-pong on moonpool, bare: four bytes each way on a connection of the simulated network.

#![forbid(unsafe_code)]

use futures::future::join_all;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use moonpool::executor::spawn;
use moonpool::{NetworkProvider, SimNetworkProvider, TcpListenerTrait};

const PONGER: &str = "10.0.0.1:1";

async fn ponger(network: SimNetworkProvider) {
    let listener = network.bind(PONGER).await.unwrap();
    while let Ok((mut stream, _)) = listener.accept().await {
        spawn("answer", async move {
            let mut buffer = [0; 4];
            while stream.read_exact(&mut buffer).await.is_ok() {
                assert_eq!(&buffer, b"ping");
                stream.write_all(b"pong").await.unwrap();
            }
        });
    }
}

async fn pinger(network: SimNetworkProvider, calls: u32) {
    let mut stream = network.connect(PONGER).await.unwrap();
    let mut buffer = [0; 4];
    for _ in 0..calls {
        stream.write_all(b"ping").await.unwrap();
        stream.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"pong");
    }
}

fn main() {
    dacapo_peers::main(|calls, in_flight| {
        dacapo_peers::moonpool_world::run(|world| {
            let network = world.network_provider();
            spawn("ponger", ponger(network.clone()));
            spawn("pingers", async move {
                let pingers =
                    (0..in_flight).map(|_| spawn("pinger", pinger(network.clone(), calls / in_flight)));
                for pinger in join_all(pingers).await {
                    pinger.unwrap();
                }
            })
        });
    });
}
