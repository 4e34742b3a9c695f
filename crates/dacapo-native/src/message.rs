//! Requests and responses, whole: a native guest sees a body when all of it is there.

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::{Headers, RequestHead, ResponseHead};
use http::{HeaderName, HeaderValue, Method, StatusCode};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method, URL, headers.
    pub head: Box<RequestHead>,
    /// All of the body.
    pub body: Bytes,
}

impl Request {
    /// A request without a body.
    pub fn new(method: Method, url: impl Into<ByteString>) -> Request {
        Request {
            head: Box::new(RequestHead { method, url: url.into(), headers: Headers::default() }),
            body: Bytes::new(),
        }
    }

    /// `GET url`.
    pub fn get(url: impl Into<ByteString>) -> Request {
        Request::new(Method::GET, url)
    }

    /// `POST url` with this body.
    pub fn post(url: impl Into<ByteString>, body: impl Into<Bytes>) -> Request {
        Request { body: body.into(), ..Request::new(Method::POST, url) }
    }

    /// The same with one more header. Panics if name or value are not valid HTTP.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Request {
        let value = HeaderValue::from_str(value).expect("a valid header value");
        self.head.headers.0.push((HeaderName::from_static(name), value));
        self
    }

    /// The path of the URL, from `/`, without the query.
    pub fn path(&self) -> &str {
        let url: &str = &self.head.url;
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        // A slash may also stand in the query of a URL without a path.
        let start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let end = rest[start..].find(['?', '#']).map_or(rest.len(), |length| start + length);
        if start == end { "/" } else { &rest[start..end] }
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status and headers.
    pub head: ResponseHead,
    /// All of the body.
    pub body: Bytes,
}

impl Response {
    /// A response with this status and body.
    pub fn new(status: StatusCode, body: impl Into<Bytes>) -> Response {
        Response { head: ResponseHead { status, headers: Headers::default() }, body: body.into() }
    }

    /// 200 with this text.
    pub fn text(text: impl Into<String>) -> Response {
        Response::new(StatusCode::OK, text.into())
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn into_text(self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_in_a_query_begins_no_path() {
        let path = |url: &str| Request::get(url.to_owned()).path().to_owned();
        assert_eq!(path("https://shop.example?back=/cart"), "/");
        assert_eq!(path("https://shop.example#/cart"), "/");
        assert_eq!(path("https://shop.example/cart?back=/"), "/cart");
        assert_eq!(path("https://shop.example"), "/");
        assert_eq!(path("/cart#top"), "/cart");
    }
}
