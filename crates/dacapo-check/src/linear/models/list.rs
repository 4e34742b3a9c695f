//! A list that only grows: `append`, `read`.

use super::chain::Chain;
use super::{answer, unknown_word};
use crate::history::{Operation, Value};
use crate::linear::model::{Model, Tags};

/// A list. `append` takes a value and answers the whole list with it, or nothing; `read` answers the whole
/// list.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The longest answer that was certainly given: until then the list is a beginning of that.
    longest: Vec<Value>,
}

/// What is done to a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListOp {
    /// Puts a value at the end, and answers the list.
    Append(Value, Option<Vec<Value>>),
    /// Answers the list.
    Read(Option<Vec<Value>>),
}

impl Model for List {
    type Op = ListOp;
    type State = Chain;

    fn name(&self) -> String {
        "a list".to_owned()
    }

    fn op(&self, operation: &Operation) -> Result<ListOp, String> {
        let told = match answer(operation) {
            None => None,
            Some(Value::Null) if *operation.f == *"append" => None,
            Some(Value::List(items)) => Some(items.to_vec()),
            Some(other) => return Err(format!("{} answers a list, not {other}", operation.f)),
        };
        match &*operation.f {
            "append" => Ok(ListOp::Append(operation.value.clone(), told)),
            "read" => Ok(ListOp::Read(told)),
            _ => Err(unknown_word(operation, "append, read")),
        }
    }

    fn initial(&self) -> Chain {
        Chain::default()
    }

    fn step(&self, state: &Chain, op: &ListOp) -> Option<Chain> {
        match op {
            ListOp::Append(value, _) if self.longest.get(state.len()).is_some_and(|next| next != value) => {
                None
            }
            ListOp::Append(value, told) => {
                let after = state.with(value.clone());
                told.as_ref().is_none_or(|told| after.is(told)).then_some(after)
            }
            ListOp::Read(told) => told.as_ref().is_none_or(|told| state.is(told)).then(|| state.clone()),
        }
    }

    fn gives(&self, op: &ListOp) -> Tags {
        match op {
            ListOp::Append(value, _) => Tags::one(value),
            ListOp::Read(_) => Tags::Nothing,
        }
    }

    fn sees(&self, op: &ListOp) -> Tags {
        match op {
            ListOp::Append(_, None) | ListOp::Read(None) => Tags::Nothing,
            ListOp::Append(_, Some(items)) | ListOp::Read(Some(items)) => Tags::These(items.clone()),
        }
    }

    fn knowing(&self, certain: &[&ListOp]) -> Option<List> {
        let told = certain.iter().filter_map(|op| match op {
            ListOp::Append(_, told) | ListOp::Read(told) => told.as_ref(),
        });
        told.max_by_key(|told| told.len()).map(|longest| List { longest: longest.clone() })
    }

    fn show(&self, state: &Chain) -> String {
        format!("it is {}", Value::list(state.items()))
    }
}
