//! The objects that the box knows.

mod chain;
mod counter;
mod list;
mod queue;
mod register;
mod set;

pub use chain::Chain;
pub use counter::{Counter, CounterOp};
pub use list::{List, ListOp};
pub use queue::{Queue, QueueOp};
pub use register::{Register, RegisterOp};
pub use set::{Set, SetOp};

use crate::history::{Operation, Outcome, Value};

/// The answer, if one was heard.
fn answer(operation: &Operation) -> Option<&Value> {
    (operation.outcome == Outcome::Ok).then_some(&operation.result)
}

/// What to say of an operation that a model does not know.
fn unknown_word(operation: &Operation, words: &str) -> String {
    format!("\"{}\" is not one of {words}", operation.f)
}

/// The answer as a truth, if one was heard that says it.
fn truth(operation: &Operation) -> Result<Option<bool>, String> {
    match answer(operation) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(it)) => Ok(Some(*it)),
        Some(other) => Err(format!("{} answers true, false or nothing, not {other}", operation.f)),
    }
}
