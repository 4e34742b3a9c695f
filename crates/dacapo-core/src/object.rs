//! The identity of durable objects.

use std::fmt;

use bytestring::ByteString;

use crate::Digest;
use crate::digest::digest_of;

/// The id of a durable object within its namespace. Its text is 64 hexadecimal digits.
///
/// The last 8 bytes are a digest of the namespace and the rest, so that an id which was pasted from
/// elsewhere is refused instead of naming a new, empty object. (That finds mistakes; it is no
/// protection, and needs none: an id gives nobody a right.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub [u8; 32]);

impl ObjectId {
    /// The id that belongs to a name: the same name always has the same id.
    pub fn from_name(namespace: &str, name: &str) -> ObjectId {
        let Digest(first) = digest_of(&("object name", namespace, name));
        let Digest(second) = digest_of(&("object name, more", namespace, name));
        let mut body = [0; 24];
        body[..16].copy_from_slice(&first.to_be_bytes());
        body[16..].copy_from_slice(&second.to_be_bytes()[..8]);
        ObjectId::with_check(namespace, body)
    }

    /// An id that nobody else has, out of 24 random bytes.
    pub fn unique(namespace: &str, random: [u8; 24]) -> ObjectId {
        ObjectId::with_check(namespace, random)
    }

    /// Reads the text of an id. `None`: not 64 hexadecimal digits, or an id of another namespace.
    pub fn parse(namespace: &str, text: &str) -> Option<ObjectId> {
        let id = ObjectId::from_text(text)?;
        let body = id.0[..24].try_into().expect("24 of 32 bytes");
        (ObjectId::with_check(namespace, body) == id).then_some(id)
    }

    /// Reads the text of an id, of whatever namespace.
    pub fn from_text(text: &str) -> Option<ObjectId> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digit = |c: u8| (c as char).to_digit(16);
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Some(ObjectId(bytes))
    }

    fn with_check(namespace: &str, body: [u8; 24]) -> ObjectId {
        let Digest(check) = digest_of(&("object id", namespace, body));
        let mut bytes = [0; 32];
        bytes[..24].copy_from_slice(&body);
        bytes[24..].copy_from_slice(&check.to_be_bytes()[..8]);
        ObjectId(bytes)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Which durable object: the name of it under which a disk keeps its state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// What its class is called on disk: `service.Class` where it was first declared. A class
    /// that is renamed or moved keeps it.
    pub namespace: ByteString,
    /// Which one of the class.
    pub id: ObjectId,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.namespace)?;
        self.id.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_always_has_the_same_id() {
        let id = ObjectId::from_name("bank.Account", "alice");
        assert_eq!(id, ObjectId::from_name("bank.Account", "alice"));
        assert_ne!(id, ObjectId::from_name("bank.Account", "bob"));
        assert_ne!(id, ObjectId::from_name("shop.Account", "alice"));
    }

    #[test]
    fn the_text_of_an_id_names_it_again_and_only_in_its_own_namespace() {
        let id = ObjectId::unique("bank.Account", [7; 24]);
        let text = id.to_string();
        assert_eq!(ObjectId::parse("bank.Account", &text), Some(id));
        assert_eq!(ObjectId::parse("shop.Account", &text), None);
        assert_eq!(ObjectId::parse("bank.Account", &text.replace('0', "1")), None);
        assert_eq!(ObjectId::parse("bank.Account", "no id"), None);
        assert_eq!(ObjectId::parse("bank.Account", &"é".repeat(32)), None);
    }
}
