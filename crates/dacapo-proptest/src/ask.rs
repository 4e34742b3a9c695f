//! Strategies for requests: who asks, for what, and when.

use std::fmt;
use std::time::Duration;

use dacapo_native::Request;
use http::{HeaderName, HeaderValue, Method};
use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;

/// What a client asks for once its last request was answered, or it gave up.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// Which client.
    pub client: u32,
    /// How long it waits before it asks.
    pub wait: Duration,
    /// What it asks for.
    pub request: Request,
}

impl fmt::Display for Ask {
    /// `client 1, after 20ms: POST https://shop.example/cart apple`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { head, body } = &self.request;
        write!(f, "client {}", self.client)?;
        if !self.wait.is_zero() {
            write!(f, ", after {:?}", self.wait)?;
        }
        write!(f, ": {} {}", head.method, head.url)?;
        for (name, value) in &head.headers.0 {
            write!(f, " {name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        if !body.is_empty() {
            write!(f, " {}", String::from_utf8_lossy(body))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How long clients wait before they ask: mostly not at all, which is where races are.
pub fn waits() -> impl Strategy<Value = Duration> {
    prop_oneof![
        3 => Just(0),
        1 => 1..20u64,
        1 => 20..2_000u64,
    ]
    .prop_map(Duration::from_millis)
}

/// Lists of requests by so many clients, the number of which may be a range.
pub fn asks(
    request: impl Strategy<Value = Request>,
    clients: u32,
    length: impl Into<SizeRange>,
) -> impl Strategy<Value = Vec<Ask>> {
    let one = (0..clients.max(1), waits(), request);
    vec(one.prop_map(|(client, wait, request)| Ask { client, wait, request }), length)
}

/// Requests with one of these methods to a host, for paths, header fields and bodies of these strategies.
///
/// A path begins with `/`; what is not allowed in a URL has to be percent-encoded.
pub fn requests(
    host: &str,
    methods: &[Method],
    path: impl Strategy<Value = String>,
    headers: impl Strategy<Value = Vec<(HeaderName, HeaderValue)>>,
    body: impl Strategy<Value = Vec<u8>>,
) -> impl Strategy<Value = Request> {
    let host = host.to_owned();
    let method = proptest::sample::select(methods.to_vec());
    (method, path, headers, body).prop_map(move |(method, path, headers, body)| {
        let mut request = Request::new(method, format!("https://{host}{path}"));
        request.head.headers.0 = headers;
        request.body = body.into();
        request
    })
}

/// Any path: up to three parts of letters, digits and escapes, and maybe a query.
pub fn paths() -> impl Strategy<Value = String> {
    "(/([a-z0-9_~-]|%[2-7][0-9A-F]){1,8}){0,3}/?(\\?[a-z]{1,4}=[a-z0-9]{0,4})?".prop_map(|path| {
        match path.as_str() {
            path if path.starts_with('/') => path.to_owned(),
            path => format!("/{path}"),
        }
    })
}

/// Up to three header fields that HTTP allows and connections leave alone.
pub fn headers() -> impl Strategy<Value = Vec<(HeaderName, HeaderValue)>> {
    let one = ("x-[a-z]{1,6}", "[!-~]([ -~]{0,10}[!-~])?").prop_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("letters and a dash are a name");
        (name, HeaderValue::from_str(&value).expect("visible letters are a value"))
    });
    vec(one, 0..4)
}
