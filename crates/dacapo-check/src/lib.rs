//! Judges over runs: the table of `always`, `sometimes`, `reachable` and `unreachable` over a run
//! and over a campaign, and judges over histories of operations.

#![forbid(unsafe_code)]

mod draw;
pub mod history;
mod judge;
pub mod ledger;
pub mod linear;
pub mod liveness;
pub mod session;
mod table;
pub mod transaction;
mod verdict;

pub use history::{History, Operation, Outcome, Value};
pub use judge::judge;
pub use ledger::exactly_once;
pub use linear::{Limits, Model, linearizable};
pub use table::{Row, Table};
pub use transaction::isolated;
pub use verdict::{Mistake, Verdict};
