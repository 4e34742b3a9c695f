//! Seeds and the streams that are drawn from them.
//!
//! One stream per purpose, named by a word: a new draw in one place moves nothing elsewhere.

use std::fmt;
use std::hash::Hash;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::digest::DigestHasher;

/// What a simulated run grows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Seed {
    /// The stream called `name`. The same seed and name give the same stream, always.
    pub fn stream(self, name: &str) -> Random {
        self.entropy(name).random()
    }

    /// 32 bytes derived from this seed and `name`: the seed of a further family of streams.
    pub fn entropy(self, name: &str) -> Entropy {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.0.to_le_bytes());
        Entropy(bytes).derive(name, 0)
    }
}

/// 32 bytes that a node or an instance gets when it boots: from a seed in Sim, from the OS in Host.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entropy(pub [u8; 32]);

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In Host these bytes are secret: whoever knows them knows every key the guest draws.
        f.write_str("Entropy(..)")
    }
}

impl Entropy {
    /// Entropy for the `index`-th thing called `name`, independent of every other name and index.
    pub fn derive(&self, name: &str, index: u64) -> Entropy {
        // The name chooses a stream of the cipher keyed by this entropy, so the result is as
        // unpredictable as the key is; the hash only has to spread names.
        let mut hasher = DigestHasher::default();
        name.hash(&mut hasher);
        index.hash(&mut hasher);
        let mut rng = rand_chacha::ChaCha20Rng::from_seed(self.0);
        rng.set_stream(hasher.digest().low());
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Entropy(bytes)
    }

    /// A generator for the simulator's own choices: fast.
    pub fn random(&self) -> Random {
        Random(ChaCha8Rng::from_seed(self.0))
    }
}

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// 64 random bits.
    #[inline]
    pub fn u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..n`, each equally likely. `n` must not be 0.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "a choice among nothing");
        // Lemire, "Fast Random Integer Generation in an Interval" (2019), without the rejection
        // step: for the ranges used here the bias is below 2^-32.
        ((u128::from(self.u64()) * u128::from(n)) >> 64) as u64
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_its_seed_and_its_name_only() {
        let first = |seed, name| Seed(seed).stream(name).u64();
        assert_eq!(first(7, "net.loss"), first(7, "net.loss"));
        assert_ne!(first(7, "net.loss"), first(8, "net.loss"));
        assert_ne!(first(7, "net.loss"), first(7, "net.delay"));
    }

    #[test]
    fn a_stream_gives_the_same_numbers_on_every_machine_and_in_every_version() {
        // Saved seeds live for years: this number may only change with the trace version.
        assert_eq!(Seed(42).stream("net.loss").u64(), 18_054_664_594_326_662_995);
    }
}
