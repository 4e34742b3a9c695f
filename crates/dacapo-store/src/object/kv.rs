//! Keys and values, in a table that the guest's SQL does not see.

use std::fmt::Write as _;

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::{ListOptions, StorageError};
use rusqlite::{OptionalExtension, ToSql};

use super::{Open, error, mistake};

/// Bounds, as at workerd.
const KEY_MAX: usize = 2048;
const PAIR_MAX: usize = 2 << 20;

fn check(key: &str) -> Result<(), StorageError> {
    match key.len() {
        0 => Err(mistake("a key cannot be empty")),
        len if len > KEY_MAX => {
            Err(mistake(format!("a key can have {KEY_MAX} bytes, and this one has {len}")))
        }
        _ => Ok(()),
    }
}

fn has_table(open: &Open) -> Result<bool, StorageError> {
    let mut find =
        open.connection.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = '_cf_KV'").map_err(error)?;
    find.exists(()).map_err(error)
}

pub(super) fn get(open: &mut Open, key: &str) -> Result<Option<Bytes>, StorageError> {
    check(key)?;
    if !has_table(open)? {
        return Ok(None);
    }
    let mut find = open.connection.prepare_cached("SELECT value FROM _cf_KV WHERE key = ?").map_err(error)?;
    let value: Option<Vec<u8>> = find.query_row((key,), |row| row.get(0)).optional().map_err(error)?;
    Ok(value.map(Bytes::from))
}

pub(super) fn put(open: &mut Open, key: &str, value: &[u8]) -> Result<(), StorageError> {
    check(key)?;
    if key.len() + value.len() > PAIR_MAX {
        let len = key.len() + value.len();
        return Err(mistake(format!(
            "a key and its value can have {PAIR_MAX} bytes together, and these have {len}"
        )));
    }
    if !has_table(open)? {
        let create = "CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID";
        open.connection.execute_batch(create).map_err(error)?;
    }
    let set = "INSERT INTO _cf_KV VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
    let mut set = open.connection.prepare_cached(set).map_err(error)?;
    set.execute((key, value)).map(drop).map_err(error)
}

pub(super) fn delete(open: &mut Open, key: &str) -> Result<bool, StorageError> {
    check(key)?;
    if !has_table(open)? {
        return Ok(false);
    }
    let mut delete = open.connection.prepare_cached("DELETE FROM _cf_KV WHERE key = ?").map_err(error)?;
    delete.execute((key,)).map(|count| count > 0).map_err(error)
}

pub(super) fn list(open: &mut Open, options: &ListOptions) -> Result<Vec<(ByteString, Bytes)>, StorageError> {
    if !has_table(open)? {
        return Ok(Vec::new());
    }
    let mut query = "SELECT key, value FROM _cf_KV WHERE 1".to_owned();
    let mut bounds: Vec<&dyn ToSql> = Vec::new();
    let after_prefix = options.prefix.as_deref().map(|prefix| (prefix, after(prefix)));
    let start = options.start.as_deref();
    let start_after = options.start_after.as_deref();
    let end = options.end.as_deref();
    let mut bound = |sign: &str, value| {
        query.push_str(" AND key ");
        query.push_str(sign);
        query.push_str(" ?");
        bounds.push(value);
    };
    if let Some(start) = &start {
        bound(">=", start);
    }
    if let Some(start_after) = &start_after {
        bound(">", start_after);
    }
    if let Some(end) = &end {
        bound("<", end);
    }
    if let Some((prefix, after)) = &after_prefix {
        bound(">=", prefix);
        if let Some(after) = after {
            bound("<", after);
        }
    }
    query.push_str(if options.reverse { " ORDER BY key DESC" } else { " ORDER BY key" });
    if let Some(limit) = options.limit {
        let _ = write!(query, " LIMIT {}", limit.min(i64::MAX as u64));
    }
    let mut find = open.connection.prepare_cached(&query).map_err(error)?;
    let pair =
        |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?.into(), row.get::<_, Vec<u8>>(1)?.into()));
    let rows = find.query_map(&bounds[..], pair).map_err(error)?;
    rows.collect::<Result<_, _>>().map_err(error)
}

/// The first text behind all that begin with `prefix`, if there is one.
fn after(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}
