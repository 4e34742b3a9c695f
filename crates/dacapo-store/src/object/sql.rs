//! The guest's own SQL.

use bytes::Bytes;
use dacapo_core::{SqlRows, SqlValue, StorageError};
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Batch, Connection, Statement, ToSql};

use super::{Open, error, mistake};

const NO_TRANSACTIONS: &str = "To execute a transaction, please use the state.storage.transaction() or \
    state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. The \
    JavaScript API is safer because it will automatically roll back on exceptions, and because it interacts \
    correctly with Durable Objects' automatic atomic write coalescing.";

/// Runs all statements of `query`; gives the rows of the last, which the bindings are for.
///
/// `rows_read` counts the rows that a query gave, `rows_written` those that it inserted, changed or
/// deleted.
pub(super) fn run(open: &mut Open, query: &str, bindings: &[SqlValue]) -> Result<SqlRows, StorageError> {
    let Open { connection, guard, .. } = open;
    let result = guard.as_guest(|| run_all(connection, query, bindings));
    match result {
        Err(_) if guard.wants_transaction() => Err(mistake(NO_TRANSACTIONS)),
        Err(_) if guard.is_out_of_budget() => {
            Err(mistake("the query took more steps than a query may take: it was stopped: SQLITE_INTERRUPT"))
        }
        result => result,
    }
}

fn run_all(connection: &Connection, query: &str, bindings: &[SqlValue]) -> Result<SqlRows, StorageError> {
    let mut statements = Batch::new(connection, query);
    let mut rows = SqlRows::default();
    let mut has_bound = bindings.is_empty();
    while let Some(mut statement) = statements.next().map_err(error)? {
        let parameters = statement.parameter_count();
        if parameters > 0 {
            if !matches!(statements.next(), Ok(None)) {
                return Err(mistake(
                    "When executing multiple SQL statements in a single call, only the last statement can have \
                     parameters.",
                ));
            }
            if parameters != bindings.len() {
                return Err(mistake("Wrong number of parameter bindings for SQL query."));
            }
            for (at, value) in bindings.iter().enumerate() {
                statement.raw_bind_parameter(at + 1, Bound(value)).map_err(error)?;
            }
            has_bound = true;
        }
        rows = run_one(connection, &mut statement)?;
        if parameters > 0 {
            break;
        }
    }
    if has_bound { Ok(rows) } else { Err(mistake("Wrong number of parameter bindings for SQL query.")) }
}

fn run_one(connection: &Connection, statement: &mut Statement<'_>) -> Result<SqlRows, StorageError> {
    let before = connection.total_changes();
    let columns: Vec<_> = statement.column_names().map(Into::into).collect();
    let mut result = SqlRows { columns, ..SqlRows::default() };
    let width = result.columns.len();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(error)? {
        let cells = (0..width).map(|at| row.get_ref(at).map(value)).collect::<Result<_, _>>();
        result.rows.push(cells.map_err(error)?);
    }
    result.rows_read = result.rows.len() as u64;
    result.rows_written = connection.total_changes() - before;
    Ok(result)
}

fn value(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(n) => SqlValue::Integer(n),
        ValueRef::Real(n) => SqlValue::Real(n),
        ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned().into()),
        ValueRef::Blob(bytes) => SqlValue::Blob(Bytes::copy_from_slice(bytes)),
    }
}

struct Bound<'a>(&'a SqlValue);

impl ToSql for Bound<'_> {
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

/// Drops everything that there is, the hidden tables too.
pub(super) fn drop_all(open: &mut Open) -> Result<(), StorageError> {
    let connection = &open.connection;
    // The first holds outside of a transaction, the second within one.
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA defer_foreign_keys = ON").map_err(error)?;
    // A table takes its indexes and triggers along, a virtual table its own tables.
    while let Some((kind, name)) = something(connection).map_err(error)? {
        let name = name.replace('"', "\"\"");
        connection.execute_batch(&format!("DROP {kind} \"{name}\"")).map_err(error)?;
    }
    // A table that is there only if one was made that counts its rows.
    let _ = connection.execute_batch("DELETE FROM sqlite_sequence");
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA defer_foreign_keys = OFF").map_err(error)
}

fn something(connection: &Connection) -> rusqlite::Result<Option<(String, String)>> {
    use rusqlite::OptionalExtension;
    let mut find = connection.prepare(
        "SELECT upper(type), name FROM sqlite_schema \
         WHERE type IN ('view', 'table') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY type = 'table', sql NOT LIKE 'create virtual%', rowid LIMIT 1",
    )?;
    find.query_row((), |row| Ok((row.get(0)?, row.get(1)?))).optional()
}
