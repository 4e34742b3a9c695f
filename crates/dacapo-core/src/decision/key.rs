//! The name of a decision: what it was about, so that it means the same in another run, and in a
//! program that has changed a little.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use bytestring::ByteString;

use crate::digest::DigestHasher;

/// What a decision was about. As text: `net.loss/hit workload asks POST /deposits #3`.
///
/// (A run makes many thousands, of few texts, which they share.)
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionKey {
    /// The lane: `net.loss`.
    pub lane: ByteString,
    /// What of it: `hit`. Without spaces.
    pub what: ByteString,
    /// The message, the timer, the strike that it was drawn for; may be empty.
    pub cause: ByteString,
    /// Which of those with the same lane, question and cause, counted from 1.
    pub nth: u32,
}

impl DecisionKey {
    /// Stands for everything but `nth`.
    pub(super) fn hash(&self) -> u64 {
        hash_of(&self.lane, &self.what, &self.cause)
    }
}

pub(super) fn hash_of(lane: &str, what: &str, cause: &str) -> u64 {
    let mut hasher = DigestHasher::default();
    (lane, what, cause).hash(&mut hasher);
    hasher.finish()
}

impl fmt::Display for DecisionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ", self.lane, self.what)?;
        if !self.cause.is_empty() {
            write!(f, "{} ", self.cause)?;
        }
        write!(f, "#{}", self.nth)
    }
}

/// A text that names no decision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no decision: a name is  LANE/WHAT CAUSE #N,  as in  net.loss/hit n1 asks GET / #3")]
pub struct KeyError(pub String);

impl FromStr for DecisionKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<DecisionKey, KeyError> {
        let parse = || {
            let (lane, rest) = text.split_once('/')?;
            let (what, rest) = rest.split_once(' ')?;
            let (cause, nth) = rest.rsplit_once('#')?;
            let is_named = !lane.is_empty() && !lane.contains(' ') && !what.is_empty();
            let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
            let key =
                DecisionKey { lane: lane.into(), what: what.into(), cause: cause.trim_end().into(), nth };
            is_named.then_some(key)
        };
        parse().ok_or_else(|| KeyError(text.to_owned()))
    }
}
