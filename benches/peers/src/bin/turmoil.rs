//! The ping-pong on turmoil: datagrams between a client and a host, as in its own tests.
//!
//! Datagrams are the cheapest that it has: no connection, no framing, no retry. Each client has a
//! socket of its own.

#![forbid(unsafe_code)]

use std::net::Ipv4Addr;

use dacapo_peers::turmoil_world::builder;
use turmoil::net::UdpSocket;

const PORT: u16 = 1738;

fn main() {
    dacapo_peers::main(|calls, in_flight| {
        let mut sim = builder().udp_capacity(1024).build();
        sim.host("server", || async {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
            let mut buffer = [0; 8];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await?;
                assert_eq!(&buffer[..length], b"ping");
                socket.send_to(b"pong", from).await?;
            }
        });
        sim.client("client", async move {
            let clients = (0..in_flight).map(|_| {
                tokio::task::spawn_local(async move {
                    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
                    let server = turmoil::lookup("server");
                    let mut buffer = [0; 8];
                    for _ in 0..calls / in_flight {
                        socket.send_to(b"ping", (server, PORT)).await?;
                        let (length, _) = socket.recv_from(&mut buffer).await?;
                        assert_eq!(&buffer[..length], b"pong");
                    }
                    std::io::Result::Ok(())
                })
            });
            for client in clients.collect::<Vec<_>>() {
                client.await??;
            }
            Ok(())
        });
        sim.run().unwrap();
    });
}
