//! The same line as `hello`, from hyper alone on one thread: what `hello` is measured against.
//! `cargo run --release -p dacapo-host --example bare_hyper -- 127.0.0.1:8080`.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default())?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(addr).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::task::spawn_local(async move {
                let service = service_fn(async |_| {
                    let body = Full::new(Bytes::from_static(b"hello world\n"));
                    let answer = http::Response::builder().header("content-type", "text/plain").body(body);
                    Ok::<_, Infallible>(answer.expect("a valid response"))
                });
                let http = hyper::server::conn::http1::Builder::new();
                // The client ended the measurement.
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}
