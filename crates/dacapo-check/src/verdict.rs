//! What a judge says.

use std::fmt;

/// What became of a judgement, with what `C` tells about a history that broke the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<C> {
    /// The rule holds.
    Holds,
    /// It does not, and this shows it.
    Broken(C),
    /// The judge gave up: the sentence says at which limit.
    Unknown(String),
}

impl<C> Verdict<C> {
    /// What breaks the rule, if it is broken.
    pub fn broken(self) -> Option<C> {
        if let Verdict::Broken(counterexample) = self { Some(counterexample) } else { None }
    }

    /// Whether the rule holds.
    pub fn holds(&self) -> bool {
        matches!(self, Verdict::Holds)
    }
}

/// Why a history cannot be judged at all: an operation does not say what the judge needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake(pub String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistake {}
