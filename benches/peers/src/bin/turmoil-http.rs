//! The ping-pong on turmoil as its users write it: hyper on its TCP, a connection for each client.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::net::Ipv4Addr;

use dacapo_peers::turmoil_world::builder;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use turmoil::net::{TcpListener, TcpStream};

const PORT: u16 = 1738;

async fn pong(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.expect("the network is calm").to_bytes();
    assert_eq!(&body[..], b"ping");
    Ok(Response::new(Full::new(Bytes::from_static(b"pong"))))
}

async fn client(calls: u32) -> turmoil::Result {
    let stream = TcpStream::connect(("server", PORT)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    for _ in 0..calls {
        let request =
            Request::post("/").header("host", "server").body(Full::new(Bytes::from_static(b"ping")))?;
        let answer = sender.send_request(request).await?;
        assert_eq!(&answer.into_body().collect().await?.to_bytes()[..], b"pong");
    }
    Ok(())
}

fn main() {
    dacapo_peers::main(|calls, in_flight| {
        let mut sim = builder().tcp_capacity(1024).build();
        sim.host("server", || async {
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
            loop {
                let (stream, _) = listener.accept().await?;
                let server = hyper::server::conn::http1::Builder::new();
                tokio::task::spawn_local(server.serve_connection(TokioIo::new(stream), service_fn(pong)));
            }
        });
        sim.client("client", async move {
            let clients = (0..in_flight).map(|_| tokio::task::spawn_local(client(calls / in_flight)));
            for client in clients.collect::<Vec<_>>() {
                client.await??;
            }
            Ok(())
        });
        sim.run().unwrap();
    });
}
