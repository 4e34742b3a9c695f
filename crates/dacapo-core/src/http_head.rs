//! What stands above the body in HTTP (RFC 9110).

use bytestring::ByteString;
use http::{HeaderName, HeaderValue, Method, StatusCode};

/// Header fields in the order in which they were given. Names are lower-case; a name may repeat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Headers(pub Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// The first value of this field.
    pub fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}

/// A request without its body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The absolute URL, serialised as the WHATWG URL standard says, without a fragment.
    pub url: ByteString,
    /// The header fields.
    pub headers: Headers,
}

/// A response without its body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResponseHead {
    /// The status, 200 to 599 (informational responses do not pass the door).
    pub status: StatusCode,
    /// The header fields.
    pub headers: Headers,
}
