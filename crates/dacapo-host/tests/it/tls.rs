//! TLS on both sides, HTTP/2, and certificates that cannot be used.

use std::sync::Arc;

use bytes::Bytes;
use dacapo_core::{Body, Event};
use dacapo_host::{ClientOptions, ConnectTo, HostCluster, HostOptions, Listen, TlsPem};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use crate::lab::{Running, fetch, local, options, outside, respond};

fn self_signed() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["shop.example".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn echo(host: &mut dacapo_host::Host, delivery: dacapo_core::Delivery) {
    if let Event::Request { exchange, head, body, .. } = delivery.event {
        let named = head.headers.get(&http::header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("nobody");
        let text = format!("{} {} for {named}, {body:?}", head.method, head.url);
        respond(host, exchange, text);
    }
}

fn in_tokio<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

async fn ask<I>(io: I, url: &str) -> String
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let http = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) = http.handshake(TokioIo::new(io)).await.unwrap();
    tokio::spawn(connection);
    let request = |url: &str| http::Request::post(url).body(Full::new(Bytes::from_static(b"hi"))).unwrap();
    // Two at once on one connection.
    let (one, two) = (sender.send_request(request(url)), sender.send_request(request(url)));
    let (one, two) = (one.await.unwrap(), two.await.unwrap());
    let text = |body: Bytes| String::from_utf8(body.to_vec()).unwrap();
    let one = text(one.into_body().collect().await.unwrap().to_bytes());
    assert_eq!(one, text(two.into_body().collect().await.unwrap().to_bytes()));
    one
}

#[test]
fn http2_is_spoken_with_prior_knowledge() {
    let running = Running::start(options(), echo);
    let answer = in_tokio(async {
        let stream = tokio::net::TcpStream::connect(running.addresses[0]).await.unwrap();
        ask(stream, "http://shop.example/a").await
    });
    assert_eq!(answer, "POST http://shop.example/a for shop.example, Full(b\"hi\")");
}

#[test]
fn a_body_too_long_is_refused_over_http2_and_the_connection_goes_on() {
    let running = Running::start(options(), echo);
    in_tokio(async {
        let stream = tokio::net::TcpStream::connect(running.addresses[0]).await.unwrap();
        let http = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        for (length, status) in [(2 << 20, 413), (2, 200)] {
            let body = Full::new(Bytes::from(vec![b'x'; length]));
            let request = http::Request::post("http://a/").body(body).unwrap();
            assert_eq!(sender.send_request(request).await.unwrap().status(), status);
        }
    });
}

#[test]
fn http2_over_tls_is_agreed_on_by_alpn() {
    let (cert, key) = self_signed();
    let mut options = options();
    options.listens = vec![Listen::tls(local(), TlsPem::new(cert.clone(), key))];
    let running = Running::start(options, echo);
    let answer = in_tokio(async {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = tokio::net::TcpStream::connect(running.addresses[0]).await.unwrap();
        let stream = connector.connect(ServerName::try_from("shop.example").unwrap(), stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        ask(stream, "https://shop.example/a").await
    });
    assert_eq!(answer, "POST https://shop.example/a for shop.example, Full(b\"hi\")");
}

/// A host that calls `https://shop.example/` on this address and trusts these roots.
fn caller(to: std::net::SocketAddr, extra_roots: Vec<Vec<u8>>) -> Running {
    let connect = vec![ConnectTo { host: "shop.example".into(), to, plain: false }];
    let client = ClientOptions { connect, extra_roots, ..ClientOptions::default() };
    Running::start(HostOptions { listens: Vec::new(), client, ..options() }, |host, delivery| {
        if let Event::Boot { .. } = delivery.event {
            fetch(host, 1, outside(), "https://shop.example/", Body::Full(Bytes::from_static(b"x")));
        }
    })
}

#[test]
fn a_guest_reaches_a_tls_server_that_it_has_reason_to_trust_and_no_other() {
    let (cert, key) = self_signed();
    let mut options = options();
    options.listens = vec![Listen::tls(local(), TlsPem::new(cert.clone(), key))];
    let server = Running::start(options, echo);
    let trusting = caller(server.addresses[0], vec![cert.into_bytes()]);
    assert_eq!(
        trusting.wait_for("response"),
        "n0/i1 response c1 200 full POST https://shop.example/ for shop.example, Full(b\"x\")"
    );
    let wary = caller(server.addresses[0], Vec::new());
    let failed = wary.wait_for("Failed(");
    assert!(failed.contains("Broken(\"TLS with shop.example"), "{failed}");
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_before_anything_starts() {
    let (cert, key) = self_signed();
    let (_, other_key) = self_signed();
    let error = |pem: TlsPem| {
        let listens = vec![Listen::tls(local(), pem)];
        HostCluster::bind(HostOptions { listens, ..options() }).err().expect("unusable").to_string()
    };
    assert_eq!(error(TlsPem::new("", key.clone())), "the certificate: holds no certificate");
    assert!(error(TlsPem::new(cert.clone(), "")).starts_with("the private key: holds no private key"));
    assert_eq!(
        error(TlsPem::new(cert, other_key)),
        "the certificate: its key is not the one in the private key"
    );
    let missing = std::path::Path::new("/no/such/file.pem");
    let error = TlsPem::from_files(missing, missing).unwrap_err();
    assert!(error.to_string().starts_with("/no/such/file.pem: cannot be read"), "{error}");
    assert!(error.help().is_some());
}
