//! The guest's SQL: several statements, the bindings for the last of them.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::{SqlRows, SqlValue, StorageError};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, StatementStatus, ToSql};

use super::error::{from_parts, from_sqlite, guest};
use super::guard::Guard;
use super::state::Object;
use super::{kv, vfs};

/// The most that the rows of one call hold.
const ROWS_MAX: usize = 64 << 20;

/// What a value costs beyond its bytes.
const VALUE_COST: usize = 32;

/// Runs the statements of `query`. All of them hold, or none.
pub(super) fn run(object: &mut Object, query: &str, bindings: &[SqlValue]) -> Result<SqlRows, StorageError> {
    if query.contains('\0') {
        return Err(guest("SQL must not contain the character U+0000; bind the value instead."));
    }
    if skip_blank(query).is_none() {
        return Err(guest("SQL code did not contain a statement."));
    }
    let mut seed = [0; 32];
    object.random.fill(&mut seed);
    let now = object.now;
    let guard = Arc::clone(&object.guard);
    let connection = object.connection()?;
    let result = {
        let _call = vfs::Call::begin(now, seed);
        guard.begin_call();
        Query { connection, guard: &guard }.run(query, bindings)
    };
    let result = result.map_err(|error| match guard.take_refusal() {
        Some(why) => guest(why),
        None if guard.is_exhausted() => {
            guest("the query took more steps than a query may take: it was stopped: SQLITE_INTERRUPT")
        }
        None => error,
    });
    object.settle(result)
}

struct Query<'a> {
    connection: &'a Connection,
    guard: &'a Arc<Guard>,
}

impl Query<'_> {
    fn run(&self, query: &str, bindings: &[SqlValue]) -> Result<SqlRows, StorageError> {
        // Our own statements are kept under their text, already authorized: whoever names a hidden
        // table must not find them.
        let prepared = (!names_hidden(query))
            .then(|| self.guard.as_guest(|| self.connection.prepare_cached(query)).ok())
            .flatten();
        match prepared {
            Some(mut statement) if statement.readonly() => self.step(&mut statement, bindings),
            Some(mut statement) => self.whole(|| self.step(&mut statement, bindings)),
            // Several statements, or a mistake: it is found again on the way.
            None => self.whole(|| self.run_each(query, bindings)),
        }
    }

    /// Does all of it or nothing.
    fn whole(&self, work: impl FnOnce() -> Result<SqlRows, StorageError>) -> Result<SqlRows, StorageError> {
        self.own("SAVEPOINT call_")?;
        let result = work().and_then(|rows| {
            self.check_names()?;
            self.own("RELEASE call_")?;
            Ok(rows)
        });
        // SQLite may have rolled back everything already, the savepoint with it.
        if result.is_err() && !self.connection.is_autocommit() {
            self.own("ROLLBACK TO call_")?;
            self.own("RELEASE call_")?;
        }
        result
    }

    fn own(&self, statement: &str) -> Result<(), StorageError> {
        let done =
            self.connection.prepare_cached(statement).and_then(|mut statement| statement.raw_execute());
        done.map(drop).map_err(from_sqlite)
    }

    /// After a table was renamed: nobody asks beforehand whether the new name is allowed.
    fn check_names(&self) -> Result<(), StorageError> {
        if !self.guard.altered() {
            return Ok(());
        }
        let names = "SELECT 1 FROM sqlite_master WHERE lower(substr(name, 1, 4)) = '_cf_' \
            AND NOT (type = 'table' AND name = '_cf_KV' AND sql = ?1)";
        let found = self.connection.prepare_cached(names).and_then(|mut names| names.exists([kv::TABLE]));
        if found.map_err(from_sqlite)? {
            return Err(guest("not authorized: names that begin with _cf_ are reserved: SQLITE_AUTH"));
        }
        Ok(())
    }

    fn run_each(&self, query: &str, bindings: &[SqlValue]) -> Result<SqlRows, StorageError> {
        self.guard.take_refusal();
        let mut rest = skip_blank(query).unwrap_or_default();
        let mut rows_read = 0;
        let mut rows_written = 0;
        loop {
            let len = self.guard.as_guest(|| vfs::first_statement(self.connection, rest)).map_err(
                |(code, message, offset)| {
                    // Where the statement begins, plus where the mistake is in it; -1 is nowhere.
                    let begin = (query.len() - rest.len()) as i32;
                    from_parts(code, &message, if offset < 0 { offset } else { begin + offset })
                },
            )?;
            let (first, after) = rest.split_at(len);
            let mut statement =
                self.guard.as_guest(|| self.connection.prepare(first)).map_err(from_sqlite)?;
            let Some(after) = skip_blank(after) else {
                let rows = self.step(&mut statement, bindings)?;
                return Ok(SqlRows {
                    rows_read: rows.rows_read + rows_read,
                    rows_written: rows.rows_written + rows_written,
                    ..rows
                });
            };
            if statement.parameter_count() > 0 {
                return Err(guest(
                    "When executing multiple SQL statements in a single call, only the last statement \
                     can have parameters.",
                ));
            }
            let rows = self.step(&mut statement, &[])?;
            rows_read += rows.rows_read;
            rows_written += rows.rows_written;
            rest = after;
        }
    }

    fn step(&self, statement: &mut Statement<'_>, bindings: &[SqlValue]) -> Result<SqlRows, StorageError> {
        if statement.parameter_count() != bindings.len() {
            return Err(guest("Wrong number of parameter bindings for SQL query."));
        }
        for (i, value) in bindings.iter().enumerate() {
            statement.raw_bind_parameter(i + 1, Binding(value)).map_err(from_sqlite)?;
        }
        let changes = self.connection.total_changes();
        statement.reset_status(StatementStatus::FullscanStep);
        let rows = self.guard.as_guest(|| collect(statement))?;
        let scanned = u64::try_from(statement.reset_status(StatementStatus::FullscanStep)).unwrap_or(0);
        Ok(SqlRows {
            columns: statement.column_names().map(ByteString::from).collect(),
            // SQLite counts the rows that full scans pass, not those that an index finds.
            rows_read: scanned.max(rows.len() as u64),
            rows_written: self.connection.total_changes() - changes,
            rows,
        })
    }
}

fn collect(statement: &mut Statement<'_>) -> Result<Vec<Vec<SqlValue>>, StorageError> {
    let mut collected = Vec::new();
    let mut cost = 0;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        let columns = row.as_ref().column_count();
        let mut values = Vec::with_capacity(columns);
        for i in 0..columns {
            let value = row.get_ref(i).map_err(from_sqlite)?;
            cost += VALUE_COST;
            values.push(match value {
                ValueRef::Null => SqlValue::Null,
                ValueRef::Integer(n) => SqlValue::Integer(n),
                ValueRef::Real(n) => SqlValue::Real(n),
                ValueRef::Text(text) => {
                    cost += text.len();
                    SqlValue::Text(String::from_utf8_lossy(text).into_owned().into())
                }
                ValueRef::Blob(bytes) => {
                    cost += bytes.len();
                    SqlValue::Blob(Bytes::copy_from_slice(bytes))
                }
            });
        }
        if cost > ROWS_MAX {
            let mebibytes = ROWS_MAX >> 20;
            return Err(guest(format!(
                "the query gives more than {mebibytes} MiB: read the rows in parts, with LIMIT: SQLITE_TOOBIG"
            )));
        }
        collected.push(values);
    }
    Ok(collected)
}

struct Binding<'a>(&'a SqlValue);

impl ToSql for Binding<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            SqlValue::Null => ValueRef::Null,
            SqlValue::Integer(n) => ValueRef::Integer(*n),
            SqlValue::Real(n) => ValueRef::Real(*n),
            SqlValue::Text(text) => ValueRef::Text(text.as_bytes()),
            SqlValue::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn names_hidden(query: &str) -> bool {
    query.as_bytes().windows(4).any(|name| name.eq_ignore_ascii_case(b"_cf_"))
}

/// What is left without the space, comments and semicolons at its beginning; `None`: nothing.
fn skip_blank(sql: &str) -> Option<&str> {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c', ';']);
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n')?.1;
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/")?.1;
        } else {
            return (!rest.is_empty()).then_some(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::skip_blank;

    #[test]
    fn comments_and_semicolons_are_no_statements() {
        assert_eq!(skip_blank(" ;\n-- a\n/* b; */ ;SELECT 1; -- c"), Some("SELECT 1; -- c"));
        assert_eq!(skip_blank("; -- c"), None);
        assert_eq!(skip_blank("/* never ends"), None);
        assert_eq!(skip_blank("- 1"), Some("- 1"));
    }
}
