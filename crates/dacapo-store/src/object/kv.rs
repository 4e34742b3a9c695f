//! Keys and values, in a table that guests cannot name.

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::{ListOptions, StorageError};
use rusqlite::{OptionalExtension as _, params_from_iter};

use super::error::{from_sqlite, guest};
use super::state::Object;

/// The longest key, in bytes.
const KEY_MAX: usize = 2048;

/// The most that a key and its value hold together.
const ENTRY_MAX: usize = 2 << 20;

/// How the table is declared; the same text stands in `sqlite_master`.
pub(super) const TABLE: &str = "CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID";

fn check_key(key: &str) -> Result<(), StorageError> {
    if key.len() > KEY_MAX {
        let len = key.len();
        return Err(guest(format!("a key can have {KEY_MAX} bytes, and this one has {len}")));
    }
    Ok(())
}

/// Whether the table is there. It is made by the first put.
fn has_keys(object: &mut Object) -> Result<bool, StorageError> {
    if object.is_empty() {
        return Ok(false);
    }
    if let Some(known) = object.has_keys {
        return Ok(known);
    }
    let found = object
        .connection()?
        .prepare_cached("SELECT 1 FROM sqlite_master WHERE name = '_cf_KV'")
        .and_then(|mut statement| statement.exists([]))
        .map_err(from_sqlite);
    let found = object.settle(found)?;
    object.has_keys = Some(found);
    Ok(found)
}

pub(super) fn get(object: &mut Object, key: &str) -> Result<Option<Bytes>, StorageError> {
    check_key(key)?;
    if !has_keys(object)? {
        return Ok(None);
    }
    let value = object
        .connection()?
        .prepare_cached("SELECT value FROM _cf_KV WHERE key = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([key], |row| Ok(Bytes::copy_from_slice(row.get_ref(0)?.as_blob()?)))
                .optional()
        })
        .map_err(from_sqlite);
    object.settle(value)
}

pub(super) fn put(object: &mut Object, key: &str, value: &[u8]) -> Result<(), StorageError> {
    check_key(key)?;
    if key.len() + value.len() > ENTRY_MAX {
        let len = key.len() + value.len();
        return Err(guest(format!(
            "a key and its value can have {ENTRY_MAX} bytes together, and these have {len}"
        )));
    }
    if !has_keys(object)? {
        let made = object.run(TABLE);
        object.settle(made)?;
        object.has_keys = Some(true);
    }
    let done = object
        .connection()?
        .prepare_cached(
            "INSERT INTO _cf_KV VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .and_then(|mut statement| statement.execute((key, value)))
        .map(drop)
        .map_err(from_sqlite);
    object.settle(done)
}

pub(super) fn delete(object: &mut Object, key: &str) -> Result<bool, StorageError> {
    check_key(key)?;
    if !has_keys(object)? {
        return Ok(false);
    }
    let done = object
        .connection()?
        .prepare_cached("DELETE FROM _cf_KV WHERE key = ?1")
        .and_then(|mut statement| statement.execute([key]))
        .map(|rows| rows > 0)
        .map_err(from_sqlite);
    object.settle(done)
}

pub(super) fn list(
    object: &mut Object,
    options: &ListOptions,
) -> Result<Vec<(ByteString, Bytes)>, StorageError> {
    if options.limit == Some(0) || !has_keys(object)? {
        return Ok(Vec::new());
    }
    let ListOptions { start, start_after, end, prefix, reverse, limit } = options;
    let after_prefix = prefix.as_deref().and_then(successor);
    let bounds = [
        ("key >= ?", start.as_deref()),
        ("key > ?", start_after.as_deref()),
        ("key < ?", end.as_deref()),
        ("key >= ?", prefix.as_deref()),
        ("key < ?", after_prefix.as_deref()),
    ];
    let mut query = "SELECT key, value FROM _cf_KV WHERE 1".to_owned();
    let mut bindings = Vec::new();
    for (text, bound) in bounds.into_iter().filter_map(|(text, bound)| Some((text, bound?))) {
        query.push_str(" AND ");
        query.push_str(text);
        bindings.push(bound);
    }
    query.push_str(if *reverse { " ORDER BY key DESC LIMIT " } else { " ORDER BY key LIMIT " });
    query.push_str(&limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1).to_string());
    let entries = object
        .connection()?
        .prepare(&query)
        .and_then(|mut statement| {
            let rows = statement.query_map(params_from_iter(bindings), |row| {
                let key = ByteString::from(row.get_ref(0)?.as_str()?);
                Ok((key, Bytes::copy_from_slice(row.get_ref(1)?.as_blob()?)))
            })?;
            rows.collect()
        })
        .map_err(from_sqlite);
    object.settle(entries)
}

/// The first text after all texts that begin with `prefix`. `None`: there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        if last != char::MAX {
            // The range of characters has a hole, which stepping knows.
            text.extend((last..=char::MAX).nth(1));
            return Some(text);
        }
    }
    None
}
