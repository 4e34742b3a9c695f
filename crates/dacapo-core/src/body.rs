//! Bodies of requests and responses. A small body travels whole; a long one travels in chunks,
//! and its reader says how much more it is ready to take.

use bytes::Bytes;
use bytestring::ByteString;

/// How many bytes a sender may have on the way before the reader has asked for more.
pub const WINDOW: u32 = 256 * 1024;

/// A body as its head announces it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Body {
    /// There is none.
    #[default]
    Empty,
    /// All of it.
    Full(Bytes),
    /// It follows in [`Chunk`]s, at most [`WINDOW`] bytes ahead of the reader.
    Stream,
}

impl Body {
    /// The body for these bytes.
    pub fn from_bytes(bytes: Bytes) -> Body {
        if bytes.is_empty() { Body::Empty } else { Body::Full(bytes) }
    }
}

/// A piece of a [`Body::Stream`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Chunk {
    /// The next bytes.
    Data(Bytes),
    /// The body is complete.
    End,
    /// The sender gave up, for this reason: the reader's stream fails.
    Abort(ByteString),
}
