//! Judges over runs: the table of `always`, `sometimes`, `reachable` and `unreachable` over a run
//! and over a campaign.

#![forbid(unsafe_code)]

mod table;

pub use table::{Row, Table};
