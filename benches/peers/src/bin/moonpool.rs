//! The ping-pong on moonpool, bare: four bytes each way on one connection of the simulated network.
//! Calls in flight share the connection, so an answer is not told from another.

#![forbid(unsafe_code)]

use futures::io::{AsyncReadExt, AsyncWriteExt};
use moonpool::executor::spawn;
use moonpool::{NetworkProvider, SimNetworkProvider, TcpListenerTrait};

const PONGER: &str = "10.0.0.1:1";

async fn ponger(network: SimNetworkProvider) {
    let listener = network.bind(PONGER).await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut buffer = [0; 4];
    while stream.read_exact(&mut buffer).await.is_ok() {
        assert_eq!(&buffer, b"ping");
        stream.write_all(b"pong").await.unwrap();
    }
}

async fn pinger(network: SimNetworkProvider, calls: u32, in_flight: u32) {
    let mut stream = network.connect(PONGER).await.unwrap();
    let mut buffer = [0; 4];
    for sent in 0..calls + in_flight {
        if sent >= in_flight {
            stream.read_exact(&mut buffer).await.unwrap();
            assert_eq!(&buffer, b"pong");
        }
        if sent < calls {
            stream.write_all(b"ping").await.unwrap();
        }
    }
}

fn main() {
    dacapo_peers::main(|calls, in_flight| {
        dacapo_peers::moonpool_world::run(|world| {
            let network = world.network_provider();
            spawn("ponger", ponger(network.clone()));
            spawn("pinger", pinger(network, calls, in_flight))
        });
    });
}
