//! A register: `write`, `read`, `cas` (compare and swap).

use super::{answer, truth, unknown_word};
use crate::history::{Operation, Value};
use crate::linear::model::{Model, Tags};

/// A place for one value. `write` takes it, `read` answers it, `cas` takes `[from to]` and answers `true` if
/// it found `from` and put `to`, and `false` if it found something else. A cas that answers nothing
/// and did not fail has succeeded.
#[derive(Clone, Debug, Default)]
pub struct Register {
    /// What it holds at first.
    pub initial: Value,
}

/// What is done to a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterOp {
    /// Puts the value.
    Write(Value),
    /// Answers the value. (None: nobody heard the answer.)
    Read(Option<Value>),
    /// Puts the second if it finds the first, and says whether it did.
    Cas(Value, Value, Option<bool>),
}

impl Model for Register {
    type Op = RegisterOp;
    type State = Value;

    fn name(&self) -> String {
        "a register".to_owned()
    }

    fn op(&self, operation: &Operation) -> Result<RegisterOp, String> {
        match &*operation.f {
            "write" => Ok(RegisterOp::Write(operation.value.clone())),
            "read" => Ok(RegisterOp::Read(answer(operation).cloned())),
            "cas" => match operation.value.as_list() {
                Some([from, to]) => {
                    let told = answer(operation).is_some_and(Value::is_null);
                    let did = if told { Some(true) } else { truth(operation)? };
                    Ok(RegisterOp::Cas(from.clone(), to.clone(), did))
                }
                _ => Err(format!("cas takes a list of two, [from to], not {}", operation.value)),
            },
            _ => Err(unknown_word(operation, "read, write, cas")),
        }
    }

    fn initial(&self) -> Value {
        self.initial.clone()
    }

    fn step(&self, state: &Value, op: &RegisterOp) -> Option<Value> {
        match op {
            RegisterOp::Write(value) => Some(value.clone()),
            RegisterOp::Read(None) => Some(state.clone()),
            RegisterOp::Read(Some(value)) => (state == value).then(|| state.clone()),
            RegisterOp::Cas(from, to, did) => {
                let does = state == from;
                let fits = did.is_none_or(|did| did == does);
                fits.then(|| if does { to.clone() } else { state.clone() })
            }
        }
    }

    fn gives(&self, op: &RegisterOp) -> Tags {
        match op {
            RegisterOp::Write(value) => Tags::one(value),
            RegisterOp::Read(_) | RegisterOp::Cas(_, _, Some(false)) => Tags::Nothing,
            RegisterOp::Cas(_, to, _) => Tags::one(to),
        }
    }

    fn sees(&self, op: &RegisterOp) -> Tags {
        match op {
            RegisterOp::Write(_) | RegisterOp::Read(None) => Tags::Nothing,
            RegisterOp::Read(Some(value)) => Tags::one(value),
            RegisterOp::Cas(from, _, Some(false)) => Tags::AnythingBut(from.clone()),
            // One whose outcome is unknown need not come where it would find anything else.
            RegisterOp::Cas(from, ..) => Tags::one(from),
        }
    }

    fn holds(&self, state: &Value) -> Option<Value> {
        Some(state.clone())
    }

    fn show(&self, state: &Value) -> String {
        format!("it holds {state}")
    }
}
