//! What a guest's SQL may do: compute, and use its own tables. Guests are hostile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dacapo_core::Entropy;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

/// The size of a page of a database.
pub(super) const PAGE: u64 = 4096;

/// How large a database can become, in bytes.
const SIZE_MAX: u64 = 128 << 20;

/// Names that begin so are the platform's own.
pub(super) const HIDDEN: &str = "_cf_";

/// Steps of SQLite's machine between two looks at the budget, and how many looks a query may take: about
/// a second of work, and the same work on every machine.
const STEPS: i32 = 1000;
const LOOKS_MAX: u64 = 50_000;

/// Pragmas that only tell something.
const PRAGMAS: [&str; 14] = [
    "collation_list",
    "data_version",
    "defer_foreign_keys",
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Bounds, as at workerd (`src/workerd/util/sqlite.c++`).
const LIMITS: [(Limit, i32); 11] = [
    (Limit::SQLITE_LIMIT_LENGTH, 4 << 20),
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

/// What stands between a guest's SQL and the database.
pub(super) struct Guard {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Whether the statement that is prepared is the guest's.
    is_guest: AtomicBool,
    /// Whether it wanted a transaction, which is not for SQL to begin.
    wants_transaction: AtomicBool,
    looks: AtomicU64,
}

impl Guard {
    pub(super) fn install(connection: &mut Connection, entropy: &Entropy) -> rusqlite::Result<Guard> {
        connection.execute_batch(&format!(
            "PRAGMA page_size = {PAGE}; PRAGMA max_page_count = {}; PRAGMA journal_mode = MEMORY; \
             PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
            SIZE_MAX / PAGE
        ))?;
        for (limit, value) in LIMITS {
            connection.set_limit(limit, value)?;
        }
        let guard = Guard { shared: Arc::default() };
        let shared = Arc::clone(&guard.shared);
        connection.authorizer(Some(move |context: AuthContext<'_>| shared.authorize(&context.action)))?;
        let shared = Arc::clone(&guard.shared);
        let is_too_long = move || shared.looks.fetch_add(1, Ordering::Relaxed) >= LOOKS_MAX;
        connection.progress_handler(STEPS, Some(is_too_long))?;
        random_functions(connection, entropy)?;
        Ok(guard)
    }

    /// Runs `f`, whose statements are the guest's.
    pub(super) fn as_guest<R>(&self, f: impl FnOnce() -> R) -> R {
        self.shared.is_guest.store(true, Ordering::Relaxed);
        self.shared.wants_transaction.store(false, Ordering::Relaxed);
        self.shared.looks.store(0, Ordering::Relaxed);
        let result = f();
        self.shared.is_guest.store(false, Ordering::Relaxed);
        result
    }

    pub(super) fn wants_transaction(&self) -> bool {
        self.shared.wants_transaction.load(Ordering::Relaxed)
    }

    pub(super) fn is_out_of_budget(&self) -> bool {
        self.shared.looks.load(Ordering::Relaxed) > LOOKS_MAX
    }
}

impl Shared {
    fn authorize(&self, action: &AuthAction<'_>) -> Authorization {
        if !self.is_guest.load(Ordering::Relaxed) || self.may(action) {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }

    fn may(&self, action: &AuthAction<'_>) -> bool {
        use AuthAction as A;
        let is_own = |name: &str| !name.to_ascii_lowercase().starts_with(HIDDEN);
        match action {
            A::Transaction { .. } | A::Savepoint { .. } => {
                self.wants_transaction.store(true, Ordering::Relaxed);
                false
            }
            A::Pragma { pragma_name, .. } => {
                PRAGMAS.binary_search(&pragma_name.to_ascii_lowercase().as_str()).is_ok()
            }
            A::Attach { .. } | A::Detach { .. } | A::Unknown { .. } => false,
            A::Function { function_name } => !matches!(*function_name, "load_extension" | "fts3_tokenizer"),
            A::CreateVtable { module_name, table_name } => {
                matches!(module_name.to_ascii_lowercase().as_str(), "fts5" | "fts5vocab")
                    && is_own(table_name)
            }
            A::CreateTable { table_name }
            | A::CreateTempTable { table_name }
            | A::CreateIndex { table_name, .. }
            | A::CreateTempIndex { table_name, .. }
            | A::CreateTrigger { table_name, .. }
            | A::CreateTempTrigger { table_name, .. }
            | A::DropTable { table_name }
            | A::DropTempTable { table_name }
            | A::DropIndex { table_name, .. }
            | A::DropTrigger { table_name, .. }
            | A::DropVtable { table_name, .. }
            | A::AlterTable { table_name, .. }
            | A::Analyze { table_name }
            | A::Insert { table_name }
            | A::Update { table_name, .. }
            | A::Delete { table_name }
            | A::Read { table_name, .. } => is_own(table_name),
            _ => true,
        }
    }
}

/// `random()` and `randomblob()` draw from the object's own stream, not from one of the process.
fn random_functions(connection: &Connection, entropy: &Entropy) -> rusqlite::Result<()> {
    let stream = Arc::new(Mutex::new(entropy.random()));
    let draw = Arc::clone(&stream);
    connection.create_scalar_function("random", 0, FunctionFlags::SQLITE_UTF8, move |_| {
        Ok(draw.lock().unwrap_or_else(PoisonError::into_inner).u64() as i64)
    })?;
    connection.create_scalar_function("randomblob", 1, FunctionFlags::SQLITE_UTF8, move |context| {
        let len = context.get::<i64>(0)?.clamp(1, 1 << 20);
        let mut bytes = vec![0; len as usize];
        stream.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut bytes);
        Ok(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pragmas_are_in_order() {
        assert!(PRAGMAS.is_sorted(), "they are searched by halves");
    }
}
