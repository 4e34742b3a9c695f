//! The rolling digest of a run: two runs that did the same have the same digest.

use std::fmt;
use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::Xxh3;

/// 128 bits that stand for everything that was hashed. Not cryptographic: it finds divergence,
/// it does not stop forgery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u128);

impl Digest {
    /// The lower 64 bits.
    pub fn low(self) -> u64 {
        self.0 as u64
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A [`Hasher`] without a random key. Every type that passes the door derives [`Hash`], and this
/// hasher makes a [`Digest`] of it.
///
/// Integers are written little-endian and lengths as 64 bits, so the digest is the same on every
/// machine that Dacapo runs on.
#[derive(Clone, Default)]
pub struct DigestHasher(Xxh3);

impl DigestHasher {
    /// The digest of everything written so far.
    pub fn digest(&self) -> Digest {
        Digest(self.0.digest128())
    }
}

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0.digest()
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    fn write_u16(&mut self, i: u16) {
        self.write(&i.to_le_bytes());
    }
    fn write_u32(&mut self, i: u32) {
        self.write(&i.to_le_bytes());
    }
    fn write_u64(&mut self, i: u64) {
        self.write(&i.to_le_bytes());
    }
    fn write_u128(&mut self, i: u128) {
        self.write(&i.to_le_bytes());
    }
    fn write_usize(&mut self, i: usize) {
        self.write_u64(i as u64);
    }
}

/// The digest of one value.
pub fn digest_of(value: &impl Hash) -> Digest {
    let mut hasher = DigestHasher::default();
    value.hash(&mut hasher);
    hasher.digest()
}
