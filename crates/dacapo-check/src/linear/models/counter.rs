//! A counter: `add`, `read`.

use super::{answer, unknown_word};
use crate::history::{Operation, Value};
use crate::linear::model::{Model, Tags};

/// A number. `add` takes what to add (one, if nothing is given) and answers the sum, or nothing; `read`
/// answers the number.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    /// Where it begins.
    pub initial: i64,
}

/// What is done to a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CounterOp {
    /// Adds so much, and answers the sum.
    Add(i64, Option<i64>),
    /// Answers the number.
    Read(Option<i64>),
}

impl Model for Counter {
    type Op = CounterOp;
    type State = i64;

    fn name(&self) -> String {
        "a counter".to_owned()
    }

    fn op(&self, operation: &Operation) -> Result<CounterOp, String> {
        let told = match answer(operation) {
            None | Some(Value::Null) => None,
            Some(Value::Int(number)) => Some(*number),
            Some(other) => return Err(format!("{} answers a whole number, not {other}", operation.f)),
        };
        match (&*operation.f, &operation.value) {
            ("add", Value::Null) => Ok(CounterOp::Add(1, told)),
            ("add", Value::Int(number)) => Ok(CounterOp::Add(*number, told)),
            ("add", other) => Err(format!("add takes a whole number, not {other}")),
            ("read", _) => Ok(CounterOp::Read(told)),
            _ => Err(unknown_word(operation, "add, read")),
        }
    }

    fn initial(&self) -> i64 {
        self.initial
    }

    fn step(&self, state: &i64, op: &CounterOp) -> Option<i64> {
        let (after, told) = match op {
            CounterOp::Add(number, told) => (state.wrapping_add(*number), told),
            CounterOp::Read(told) => (*state, told),
        };
        told.is_none_or(|told| told == after).then_some(after)
    }

    fn gives(&self, op: &CounterOp) -> Tags {
        match op {
            CounterOp::Add(0, _) | CounterOp::Read(_) => Tags::Nothing,
            CounterOp::Add(..) => Tags::Anything,
        }
    }

    fn sees(&self, op: &CounterOp) -> Tags {
        match op {
            CounterOp::Add(_, None) | CounterOp::Read(None) => Tags::Nothing,
            CounterOp::Add(..) | CounterOp::Read(_) => Tags::Anything,
        }
    }

    fn distance(&self, state: &i64, op: &CounterOp) -> u64 {
        match op {
            CounterOp::Read(Some(told)) => told.abs_diff(*state),
            CounterOp::Add(number, Some(told)) => told.wrapping_sub(*number).abs_diff(*state),
            _ => 0,
        }
    }

    fn show(&self, state: &i64) -> String {
        format!("it stands at {state}")
    }
}
