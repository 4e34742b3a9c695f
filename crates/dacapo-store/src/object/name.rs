//! The name of an object, kept from when it sets an alarm: nobody else says it to an object that an alarm wakes.

use bytestring::ByteString;
use dacapo_core::StorageError;
use rusqlite::OptionalExtension as _;

use super::error::from_sqlite;
use super::state::Object;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS _cf_NAME (name TEXT PRIMARY KEY) WITHOUT ROWID";

/// The name that is stored.
pub(super) fn get(object: &mut Object) -> Result<Option<ByteString>, StorageError> {
    if object.is_empty() {
        return Ok(None);
    }
    let connection = object.connection()?;
    let is_there = connection
        .prepare_cached("SELECT 1 FROM sqlite_master WHERE name = '_cf_NAME'")
        .and_then(|mut statement| statement.exists([]))
        .map_err(from_sqlite)?;
    if !is_there {
        return Ok(None);
    }
    let name = connection
        .query_row("SELECT name FROM _cf_NAME", [], |row| Ok(ByteString::from(row.get_ref(0)?.as_str()?)))
        .optional();
    name.map_err(from_sqlite)
}

/// Stores it.
pub(super) fn put(object: &mut Object, name: &str) -> Result<(), StorageError> {
    let made = object.run(TABLE);
    object.settle(made)?;
    let done = object
        .connection()?
        .execute("INSERT OR IGNORE INTO _cf_NAME VALUES (?1)", [name])
        .map(drop)
        .map_err(from_sqlite);
    object.settle(done)
}
