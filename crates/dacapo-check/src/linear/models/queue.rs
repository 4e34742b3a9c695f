//! A queue, first in first out: `enqueue`, `dequeue`.

use std::collections::VecDeque;

use super::{answer, unknown_word};
use crate::history::{Operation, Value};
use crate::linear::model::{Model, Tags};

/// A queue. `enqueue` takes a value; `dequeue` answers the one that has been in it for longest, or nothing if
/// the queue is empty.
#[derive(Clone, Debug, Default)]
pub struct Queue;

/// What is done to a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueOp {
    /// Puts a value at the end.
    Enqueue(Value),
    /// Takes the first value, `Null` if there is none. (None: nobody heard which.)
    Dequeue(Option<Value>),
}

impl Model for Queue {
    type Op = QueueOp;
    type State = VecDeque<Value>;

    fn name(&self) -> String {
        "a queue".to_owned()
    }

    fn op(&self, operation: &Operation) -> Result<QueueOp, String> {
        match &*operation.f {
            "enqueue" if operation.value.is_null() => Err("enqueue takes a value".to_owned()),
            "enqueue" => Ok(QueueOp::Enqueue(operation.value.clone())),
            "dequeue" => Ok(QueueOp::Dequeue(answer(operation).cloned())),
            _ => Err(unknown_word(operation, "enqueue, dequeue")),
        }
    }

    fn initial(&self) -> VecDeque<Value> {
        VecDeque::new()
    }

    fn step(&self, state: &VecDeque<Value>, op: &QueueOp) -> Option<VecDeque<Value>> {
        match op {
            QueueOp::Enqueue(value) => {
                let mut after = state.clone();
                after.push_back(value.clone());
                Some(after)
            }
            QueueOp::Dequeue(told) => {
                if told.as_ref().is_some_and(|told| told != state.front().unwrap_or(&Value::Null)) {
                    return None;
                }
                let mut after = state.clone();
                after.pop_front();
                Some(after)
            }
        }
    }

    fn gives(&self, op: &QueueOp) -> Tags {
        match op {
            QueueOp::Dequeue(Some(Value::Null)) => Tags::Nothing,
            QueueOp::Enqueue(value) | QueueOp::Dequeue(Some(value)) => Tags::one(value),
            QueueOp::Dequeue(None) => Tags::Anything,
        }
    }

    // A value must leave whole: who enqueued it, and who took it. Without it the queue is shorter, and
    // the others stay in their order.
    fn sees(&self, op: &QueueOp) -> Tags {
        match op {
            QueueOp::Dequeue(Some(Value::Null)) => Tags::Nothing,
            QueueOp::Enqueue(value) | QueueOp::Dequeue(Some(value)) => Tags::one(value),
            // It has taken one that may now be another.
            QueueOp::Dequeue(None) => Tags::Anything,
        }
    }

    fn distance(&self, state: &VecDeque<Value>, op: &QueueOp) -> u64 {
        match op {
            QueueOp::Dequeue(Some(Value::Null)) => state.len() as u64,
            QueueOp::Dequeue(Some(told)) => {
                let place = state.iter().position(|value| value == told);
                place.unwrap_or(state.len() + 1) as u64
            }
            _ => 0,
        }
    }

    fn show(&self, state: &VecDeque<Value>) -> String {
        match state.front() {
            None => "it is empty".to_owned(),
            Some(first) => format!("{first} is first of {}", Value::list(state.iter().cloned())),
        }
    }
}
