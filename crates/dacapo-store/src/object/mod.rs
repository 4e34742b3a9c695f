//! The storage of one durable object: SQLite over a database in memory that knows what a turn
//! has changed.
//!
//! - `file`: the pages of a database and what has changed in them;
//! - `vfs`: SQLite's view of them, of the clock and of chance;
//! - `connect`: settings and limits; `guard`: what a guest may name, and for how long;
//! - `history`: how to come back to earlier states; `undo`: one step of that; `bookmark`: their names;
//! - `state`: turns, transactions, the alarm; `kv`, `name` and `query`: what the guest asks for.
//!
//! It has no disk: [`dacapo_core::Changes`] go to a [`crate::Store`].

mod bookmark;
mod connect;
mod error;
mod file;
mod guard;
mod history;
mod kv;
mod name;
mod query;
mod state;
mod undo;
mod vfs;

use dacapo_core::{Entropy, Image, Storage, StorageEngine, StorageError};

/// The engine of all objects. It has no state of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sqlite;

impl StorageEngine for Sqlite {
    fn open(&self, image: Option<&Image>, entropy: Entropy) -> Result<Box<dyn Storage>, StorageError> {
        Ok(Box::new(state::Object::open(image, entropy)?))
    }
}
