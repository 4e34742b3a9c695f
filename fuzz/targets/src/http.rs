//! Any head of a request: a head as guests see it, or a refusal. Its URL is as the WHATWG standard serialises it, and whoever
//! takes it apart afterwards finds the same host and path in it as the standard's parser does.

use dacapo_core::plan::{Plan, Route, Service};
use dacapo_core::{Headers, RequestHead};
use dacapo_host::{Scheme, request_head};
use dacapo_native::Request;
use dacapo_runtime::{host_of, route};
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use url::Url;

/// Reads the bytes as lines: method, target, then header fields.
pub fn run(bytes: &[u8]) {
    let Some(request) = request(bytes) else { return };
    for scheme in [Scheme::Http, Scheme::Https] {
        let (parts, ()) = request.clone().into_parts();
        match request_head(scheme, parts) {
            Ok(head) => guest_sees(&head),
            Err((status, text)) => assert!(status.is_client_error() || status.is_server_error(), "{text}"),
        }
    }
    // A guest may ask for any URL; routing and rights look at it before anybody has parsed it.
    let url = String::from_utf8_lossy(bytes).into_owned();
    let head =
        RequestHead { method: http::Method::GET, url: url.as_str().into(), headers: Headers::default() };
    let _ = route(&plan(), &head);
    Request::get(url).path();
}

fn request(bytes: &[u8]) -> Option<http::Request<()>> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut request = http::Request::builder().method(lines.next()?).uri(lines.next()?);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    request.body(()).ok()
}

fn guest_sees(head: &RequestHead) {
    let url = Url::parse(&head.url).unwrap_or_else(|error| panic!("{} is no URL: {error}", head.url));
    assert_eq!(url.as_str(), &*head.url, "this URL is not in its usual form");
    assert_eq!(url.fragment(), None, "{url}");
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    assert_eq!(host_of(&head.url), Some(host), "the host of {url}");
    let request = Request { head: Box::new(head.clone()), body: Vec::new().into() };
    assert_eq!(request.path(), url.path(), "the path of {url}");
    // Guests write URLs without a path, too.
    if url.path() == "/" {
        let bare = head.url.replacen(&format!("{host}/"), host, 1);
        assert_eq!(Request::get(bare.as_str()).path(), "/", "the path of {bare}");
        assert_eq!(host_of(&bare), Some(host), "the host of {bare}");
    }
    let names = || head.headers.0.iter().map(|(name, _)| name);
    assert!(names().filter(|name| **name == HOST).count() <= 1, "{:?}", head.headers);
    assert!(
        !names().any(|name| [CONNECTION, TRANSFER_ENCODING, UPGRADE].contains(name)),
        "{:?}",
        head.headers
    );
    let routed = route(&plan(), head).map(|id| id.0).ok();
    let expected = match (url.host_str(), url.path()) {
        (Some("shop.example"), path) if host == "shop.example" && path.starts_with("/cart/") => 1,
        _ if host == "shop.example" => 0,
        _ if host.ends_with(".shop.example") => 2,
        _ => 3,
    };
    assert_eq!(routed, Some(expected), "where {url} goes");
}

fn plan() -> Plan {
    let mut plan = Plan::default();
    for (host, path) in
        [("shop.example", "/"), ("shop.example", "/cart/"), ("*.shop.example", "/"), ("*", "/")]
    {
        let route = Route { scheme: None, host: host.into(), path: path.into(), is_prefix: true };
        plan.services.push(Service { routes: vec![route], ..Service::default() });
    }
    plan
}

/// Requests as clients send them.
pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "GET\n/cart/1?x=/y\nHost: shop.example",
        "GET\n/a/../b%2e/%2E%2e/c?q=a'b|\nHost: A.Shop.EXAMPLE:443",
        "OPTIONS\n*\nhost: 127.1:80\nConnection: close",
        "POST\nhttps://shop.example/x?y=https://a.example/\nHost: other.example",
        "GET\n/?x=/y\nHost: [::1]:8080\nX-A: 1\nX-A: 2",
        "CONNECT\nshop.example:443\nHost: shop.example",
        "GET\nhttp://user@shop.example?q\nTransfer-Encoding: chunked",
        "GET\n/\nHost: xn--bcher-kva.example.",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
