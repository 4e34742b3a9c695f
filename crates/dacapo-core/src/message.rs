//! What the runtimes of nodes say to each other.

use bytes::Bytes;
use bytestring::ByteString;

/// One message between two runtimes. It may be lost, late, doubled or overtaken by others, and
/// nobody is told: whoever needs an answer asks again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// What it is, in a word, for people.
    pub name: ByteString,
    /// What it says, in the runtime's own form.
    pub body: Bytes,
}
