//! A connection as every object has it: its settings and its limits.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;

use super::file::{File, PAGE};
use super::guard::Guard;
use super::vfs;

/// The largest database.
const DATABASE_MAX: usize = 128 << 20;

/// Statements that stay prepared.
const STATEMENTS: usize = 32;

/// What a connection is told first. `auto_vacuum` has to come before anything is written;
/// `INCREMENTAL` lets us decide when space is given back.
const SETTINGS: &str = "\
    PRAGMA page_size = 4096;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = 128;";

/// Only an empty database takes it, and it writes the first page.
const SETTINGS_OF_EMPTY: &str = "PRAGMA auto_vacuum = INCREMENTAL;";

// As workerd has them.
const LIMITS: [(Limit, i32); 11] = [
    (Limit::SQLITE_LIMIT_LENGTH, 2_200_000),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_COLUMN, 100),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
    (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 32),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 10),
];

/// Connects to the database in `file`.
pub(super) fn connect(file: &Rc<RefCell<File>>, guard: &Arc<Guard>) -> rusqlite::Result<Connection> {
    let mut connection = vfs::open(file)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(SETTINGS)?;
    connection.execute_batch(&format!("PRAGMA max_page_count = {}", DATABASE_MAX / PAGE))?;
    if file.borrow().len() == 0 {
        connection.execute_batch(SETTINGS_OF_EMPTY)?;
        file.borrow_mut().set_blank();
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    for (limit, most) in LIMITS {
        connection.set_limit(limit, most)?;
    }
    guard.install(&mut connection)?;
    Ok(connection)
}
