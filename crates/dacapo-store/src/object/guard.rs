//! What a guest's SQL may name and how long it may run.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// How many steps of SQLite's virtual machine a call may take: seconds, not minutes.
const STEPS_MAX: i64 = 50_000_000;

/// Steps between two looks at the budget.
const STEPS_PER_LOOK: i32 = 1000;

/// Pragmas that read, or that last no longer than the instance.
const PRAGMAS: [&str; 14] = [
    "table_info",
    "table_list",
    "table_xinfo",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "defer_foreign_keys",
    "foreign_keys",
    "quick_check",
    "function_list",
    "collation_list",
    "data_version",
];

/// Functions that load code or touch files, should a build of SQLite have them.
const FUNCTIONS_REFUSED: [&str; 6] =
    ["load_extension", "fts3_tokenizer", "writefile", "readfile", "edit", "sqlite_log"];

const MODULES: [&str; 4] = ["fts5", "fts5vocab", "rtree", "rtree_i32"];

const TRANSACTION: &str = "To execute a transaction, please use the state.storage.transaction() or \
    state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements.";

/// Shared by a storage and the callbacks of its connection. They run on one thread; that these are
/// atomic is what the callbacks' type asks for.
#[derive(Default)]
pub(super) struct Guard {
    /// The guest's SQL is being prepared or run, not our own.
    guest: AtomicBool,
    /// Steps that are left.
    steps: AtomicI64,
    /// A table was altered, and nobody tells what its new name is.
    altered: AtomicBool,
    /// Why something was refused.
    refusal: Mutex<Option<String>>,
}

impl Guard {
    /// Watches all that this connection does.
    pub(super) fn install(self: &Arc<Guard>, connection: &mut Connection) -> rusqlite::Result<()> {
        let guard = Arc::clone(self);
        connection.authorizer(Some(move |context: AuthContext<'_>| guard.authorize(&context)))?;
        let guard = Arc::clone(self);
        let steps = i64::from(STEPS_PER_LOOK);
        connection.progress_handler(
            STEPS_PER_LOOK,
            Some(move || guard.guest.load(Relaxed) && guard.steps.fetch_sub(steps, Relaxed) < steps),
        )
    }

    /// A call of the guest begins: it has its budget ahead.
    pub(super) fn begin_call(&self) {
        self.steps.store(STEPS_MAX, Relaxed);
        self.altered.store(false, Relaxed);
        self.take_refusal();
    }

    /// Does what the guest's SQL asks for, within what a guest may do.
    pub(super) fn as_guest<T>(&self, work: impl FnOnce() -> T) -> T {
        self.guest.store(true, Relaxed);
        let result = work();
        self.guest.store(false, Relaxed);
        result
    }

    /// Whether the guest's call altered a table.
    pub(super) fn altered(&self) -> bool {
        self.altered.load(Relaxed)
    }

    /// Whether the guest's call has used up its steps.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps.load(Relaxed) <= 0
    }

    /// Why something was refused.
    pub(super) fn take_refusal(&self) -> Option<String> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn authorize(&self, context: &AuthContext<'_>) -> Authorization {
        if !self.guest.load(Relaxed) {
            return Authorization::Allow;
        }
        if matches!(context.action, AuthAction::AlterTable { .. }) {
            self.altered.store(true, Relaxed);
        }
        match refusal(&context.action) {
            None => Authorization::Allow,
            Some(why) => {
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                Authorization::Deny
            }
        }
    }
}

/// Whether a name is the system's own.
pub(super) fn is_hidden(name: &str) -> bool {
    name.as_bytes().get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"_cf_"))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Why a guest must not do this; `None`: it may.
fn refusal(action: &AuthAction<'_>) -> Option<String> {
    use AuthAction::*;
    let not_authorized = |why: String| Some(format!("not authorized: {why}: SQLITE_AUTH"));
    let named: [&str; 2] = match *action {
        Transaction { .. } | Savepoint { .. } => return Some(TRANSACTION.to_owned()),
        Attach { .. } | Detach { .. } => return not_authorized("an object has one database".to_owned()),
        CreateTempIndex { .. }
        | CreateTempTable { .. }
        | CreateTempTrigger { .. }
        | CreateTempView { .. }
        | DropTempIndex { .. }
        | DropTempTable { .. }
        | DropTempTrigger { .. }
        | DropTempView { .. } => {
            return not_authorized("what is TEMP would be lost when the object is evicted".to_owned());
        }
        Pragma { pragma_name, pragma_value } => {
            if !is_one_of(pragma_name, &PRAGMAS) {
                return not_authorized(format!("PRAGMA {pragma_name} is not open to objects"));
            }
            [pragma_value.unwrap_or_default(), ""]
        }
        Function { function_name } => {
            if is_one_of(function_name, &FUNCTIONS_REFUSED) {
                return not_authorized(format!("{function_name}() is not open to objects"));
            }
            ["", ""]
        }
        CreateVtable { table_name, module_name } | DropVtable { table_name, module_name } => {
            if !is_one_of(module_name, &MODULES) {
                return not_authorized(format!("virtual tables of {module_name} are not open to objects"));
            }
            [table_name, ""]
        }
        CreateIndex { index_name, table_name } | DropIndex { index_name, table_name } => {
            [index_name, table_name]
        }
        CreateTrigger { trigger_name, table_name } | DropTrigger { trigger_name, table_name } => {
            [trigger_name, table_name]
        }
        CreateView { view_name } | DropView { view_name } => [view_name, ""],
        Read { table_name, .. }
            if is_one_of(table_name, &["dbstat", "sqlite_dbpage", "bytecode", "tables_used"]) =>
        {
            return not_authorized(format!("{table_name} is not open to objects"));
        }
        CreateTable { table_name }
        | DropTable { table_name }
        | Delete { table_name }
        | Insert { table_name }
        | Read { table_name, .. }
        | Update { table_name, .. }
        | AlterTable { table_name, .. }
        | Analyze { table_name } => [table_name, ""],
        Reindex { index_name } => [index_name, ""],
        Select | Recursive => ["", ""],
        _ => return not_authorized("this is not open to objects".to_owned()),
    };
    let hidden = named.into_iter().find(|name| is_hidden(name))?;
    not_authorized(format!("{hidden}: names that begin with _cf_ are reserved"))
}
