//! Any schedule of a system with a planted bug: how soon does a fuzzer find it?
//!
//! As `schedule`, but the twins with the bug. It is there to fail: a target that never finds anything may be blind.
//! The variable `BUG` names the only one that is tried; without it, the first byte says which.

use dacapo_scoreboard::Bug;

use crate::schedule::{choose, failure};

/// A run with a bug. Panics if it is found.
pub fn run(bytes: &[u8]) {
    let Some((chosen, decisions)) = choose(bytes) else { return };
    let named = std::env::var("BUG").ok();
    let named = named.map(|name| Bug::named(&name).unwrap_or_else(|| panic!("there is no bug {name}")));
    let bug = named.unwrap_or(chosen);
    if let Some(story) = failure(&(bug.broken)(), decisions) {
        panic!("{} is found: {story}", bug.name);
    }
}
