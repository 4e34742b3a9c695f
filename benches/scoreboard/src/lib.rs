//! The scoreboard: planted bugs, each with a correct twin, and how long each strategy takes to find them.
//!
//! A simulator is worth what it finds. Each bug is a small protocol as people write it, with one mistake that people
//! make; the twin without the mistake must survive whatever the bug is found by. `src/main.rs` measures, `tests/` keeps
//! both promises within a budget.

#![forbid(unsafe_code)]

mod bug;
mod bugs;
mod campaign;
mod kit;
mod protocols;
mod shrinkage;

pub use bug::Bug;
pub use bugs::BUGS;
pub use campaign::{Outcome, Row, STRATEGIES, campaign, on_all_cores, percentile, row, twin};
pub use shrinkage::{Shrinkage, shrinkage};
