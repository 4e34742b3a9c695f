//! Judges over runs: the table of `always`, `sometimes`, `reachable` and `unreachable` over a run
//! and over a campaign, and judges over histories of operations.

#![forbid(unsafe_code)]

mod draw;
pub mod history;
pub mod linear;
mod table;
mod verdict;

pub use history::{History, Operation, Outcome, Value};
pub use linear::{Limits, Model, linearizable};
pub use table::{Row, Table};
pub use verdict::{Mistake, Verdict};
