//! The ping-pong on moonpool: two tasks that share a connection of its simulated network, in its
//! `fast_local` configuration, which has no faults. (Its `SimulationBuilder` cannot switch off the
//! faults of its default configuration, and does more work a step.)

#![forbid(unsafe_code)]

use std::io;

use futures::io::{AsyncReadExt, AsyncWriteExt};
use moonpool::executor::{Executor, spawn, until_stalled};
use moonpool::{NetworkConfiguration, NetworkProvider, SimNetworkProvider, SimWorld, TcpListenerTrait};

const PONGER: &str = "10.0.0.1:1";

async fn ponger(network: SimNetworkProvider) -> io::Result<()> {
    let listener = network.bind(PONGER).await?;
    let (mut stream, _) = listener.accept().await?;
    let mut buffer = [0; 4];
    while stream.read_exact(&mut buffer).await.is_ok() {
        assert_eq!(&buffer, b"ping");
        stream.write_all(b"pong").await?;
    }
    Ok(())
}

async fn pinger(network: SimNetworkProvider, calls: u32, in_flight: u32) -> io::Result<()> {
    let mut stream = network.connect(PONGER).await?;
    let mut buffer = [0; 4];
    for sent in 0..calls + in_flight {
        if sent >= in_flight {
            stream.read_exact(&mut buffer).await?;
            assert_eq!(&buffer, b"pong");
        }
        if sent < calls {
            stream.write_all(b"ping").await?;
        }
    }
    Ok(())
}

fn main() {
    dacapo_peers::main(|calls, in_flight| {
        Executor::new(1).block_on(async move {
            let mut world = SimWorld::new_with_network_config_and_seed(NetworkConfiguration::fast_local(), 1);
            let _ponger = spawn("ponger", ponger(world.network_provider()));
            until_stalled().await;
            let pinger = spawn("pinger", pinger(world.network_provider(), calls, in_flight));
            until_stalled().await;
            while !pinger.is_finished() {
                assert!(world.has_pending_events(), "the pinger waits for nothing");
                world.step();
                until_stalled().await;
            }
            pinger.await.expect("no panic").expect("no error");
        });
    });
}
