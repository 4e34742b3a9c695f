//! Durable state over a disk, whatever stands behind the disk.
//!
//! - [`Sqlite`] opens the storage of one durable object: SQLite in memory, which knows what a turn
//!   has changed.
//! - [`Store`] keeps the states of all objects of a node: a log of changes on a
//!   [`dacapo_core::Disk`], simulated or real.
//!
//! No file, no clock, no entropy but what callers hand in.

pub mod object;
mod store;

pub use object::Sqlite;
pub use store::{Damage, Store, open_store};
