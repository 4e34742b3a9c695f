//! A set: `add`, `remove`, `has`, `read`.

use std::collections::BTreeSet;

use super::{answer, truth, unknown_word};
use crate::history::{Operation, Value};
use crate::linear::model::{Model, Tags};

/// A set. `add` and `remove` answer whether they changed it, or nothing; `has` answers whether the value is
/// in it; `read` answers all values, in any order.
#[derive(Clone, Debug, Default)]
pub struct Set;

/// What is done to a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetOp {
    /// Puts a value in, and answers whether it was not in.
    Add(Value, Option<bool>),
    /// Takes a value out, and answers whether it was in.
    Remove(Value, Option<bool>),
    /// Answers whether a value is in.
    Has(Value, Option<bool>),
    /// Answers all values.
    Read(Option<BTreeSet<Value>>),
}

impl Model for Set {
    type Op = SetOp;
    type State = BTreeSet<Value>;

    fn name(&self) -> String {
        "a set".to_owned()
    }

    fn op(&self, operation: &Operation) -> Result<SetOp, String> {
        let value = || operation.value.clone();
        match &*operation.f {
            "add" => Ok(SetOp::Add(value(), truth(operation)?)),
            "remove" => Ok(SetOp::Remove(value(), truth(operation)?)),
            "has" => Ok(SetOp::Has(value(), truth(operation)?)),
            "read" => match answer(operation) {
                None => Ok(SetOp::Read(None)),
                Some(Value::List(items)) => {
                    let set: BTreeSet<Value> = items.iter().cloned().collect();
                    if set.len() < items.len() {
                        return Err(format!("a set has each value once: {}", operation.result));
                    }
                    Ok(SetOp::Read(Some(set)))
                }
                Some(other) => Err(format!("read answers a list, not {other}")),
            },
            _ => Err(unknown_word(operation, "add, remove, has, read")),
        }
    }

    fn initial(&self) -> BTreeSet<Value> {
        BTreeSet::new()
    }

    fn step(&self, state: &BTreeSet<Value>, op: &SetOp) -> Option<BTreeSet<Value>> {
        let fits = |told: &Option<bool>, is: bool| told.is_none_or(|told| told == is);
        match op {
            SetOp::Add(value, told) if fits(told, !state.contains(value)) => {
                let mut after = state.clone();
                after.insert(value.clone());
                Some(after)
            }
            SetOp::Remove(value, told) if fits(told, state.contains(value)) => {
                let mut after = state.clone();
                after.remove(value);
                Some(after)
            }
            SetOp::Has(value, told) if fits(told, state.contains(value)) => Some(state.clone()),
            SetOp::Read(told) if told.as_ref().is_none_or(|told| told == state) => Some(state.clone()),
            _ => None,
        }
    }

    fn gives(&self, op: &SetOp) -> Tags {
        match op {
            SetOp::Add(_, Some(false)) | SetOp::Remove(_, Some(false)) | SetOp::Has(..) | SetOp::Read(_) => {
                Tags::Nothing
            }
            SetOp::Add(value, _) | SetOp::Remove(value, _) => Tags::one(value),
        }
    }

    fn sees(&self, op: &SetOp) -> Tags {
        match op {
            SetOp::Add(_, None) | SetOp::Remove(_, None) | SetOp::Has(_, None) | SetOp::Read(None) => {
                Tags::Nothing
            }
            SetOp::Add(value, _) | SetOp::Remove(value, _) | SetOp::Has(value, _) => Tags::one(value),
            SetOp::Read(Some(_)) => Tags::Anything,
        }
    }

    fn distance(&self, state: &BTreeSet<Value>, op: &SetOp) -> u64 {
        match op {
            SetOp::Read(Some(told)) => told.symmetric_difference(state).count() as u64,
            _ => u64::from(self.step(state, op).is_none()),
        }
    }

    fn show(&self, state: &BTreeSet<Value>) -> String {
        format!("it holds {}", Value::list(state.iter().cloned()))
    }
}
