//! Histories: what clients asked for and what they were told, in the order in which it happened.
//!
//! An operation is invoked by a process and comes to an end, or does not. What matters to a judge is the
//! order of these moments, not the time between them: within a turn virtual time stands still, and many
//! of them share a nanosecond. So each moment has a place in the order, and a time for people.

mod text;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use dacapo_core::Time;

pub use text::ParseError;
pub use value::Value;

/// A place in the order of all invocations and ends of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// How many moments there were before.
    pub order: u32,
    /// When it was.
    pub at: Time,
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It happened, at one moment between invocation and end.
    Ok,
    /// It did not happen and never will.
    Failed,
    /// Nobody knows: it may happen at any moment after its invocation, or never.
    Unknown,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Who asked. A process asks one thing at a time.
    pub process: u64,
    /// What for: `read`, `write`, `append`, `txn`.
    pub f: Rc<str>,
    /// On what, if there are several.
    pub key: Value,
    /// With what.
    pub value: Value,
    /// What was answered.
    pub result: Value,
    /// When it was asked for.
    pub invoked: Moment,
    /// When the client heard of its end. An unknown operation may have one (the client gave up) and is
    /// not over then.
    pub ended: Option<Moment>,
    /// What became of it.
    pub outcome: Outcome,
}

impl Operation {
    /// The moment before which it happened, if there is one.
    pub fn returned(&self) -> Option<Moment> {
        if self.outcome == Outcome::Ok { self.ended } else { None }
    }
}

impl fmt::Display for Operation {
    /// `write x 1`, `read x → 1`, `cas x [1 2] ?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.f)?;
        for part in [&self.key, &self.value] {
            if !part.is_null() {
                write!(f, " {part}")?;
            }
        }
        match self.outcome {
            Outcome::Ok if *self.f == *"read" || !self.result.is_null() => write!(f, " → {}", self.result),
            Outcome::Ok => Ok(()),
            Outcome::Failed => f.write_str(" failed"),
            Outcome::Unknown => f.write_str(" ?"),
        }
    }
}

/// A mistake in how a history was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The process has not heard of the end of its last operation.
    Busy(u64),
    /// The process has nothing under way that could end.
    Idle(u64),
    /// There are more moments than can be counted.
    Full,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::Busy(process) => write!(
                f,
                "process {process} asks again before its last operation has ended: give each concurrent \
                 caller a process of its own"
            ),
            RecordError::Idle(process) => {
                write!(f, "process {process} has no operation under way that could end")
            }
            RecordError::Full => f.write_str("a history holds at most four thousand million moments"),
        }
    }
}

impl std::error::Error for RecordError {}

/// Operations in the order of their invocations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    operations: Vec<Operation>,
    moments: u32,
    /// Which operation each process waits for.
    open: BTreeMap<u64, usize>,
}

impl History {
    /// An empty one.
    pub fn new() -> History {
        History::default()
    }

    /// A process asks.
    pub fn invoke(
        &mut self,
        at: Time,
        process: u64,
        f: &str,
        key: impl Into<Value>,
        value: impl Into<Value>,
    ) -> Result<(), RecordError> {
        if self.open.contains_key(&process) {
            return Err(RecordError::Busy(process));
        }
        let invoked = self.moment(at)?;
        self.open.insert(process, self.operations.len());
        self.operations.push(Operation {
            process,
            f: f.into(),
            key: key.into(),
            value: value.into(),
            result: Value::Null,
            invoked,
            ended: None,
            outcome: Outcome::Unknown,
        });
        Ok(())
    }

    /// What a process asked for has happened, with this answer.
    pub fn ok(&mut self, at: Time, process: u64, result: impl Into<Value>) -> Result<(), RecordError> {
        self.end(at, process, Outcome::Ok, result.into())
    }

    /// What a process asked for has not happened and never will.
    pub fn failed(&mut self, at: Time, process: u64) -> Result<(), RecordError> {
        self.end(at, process, Outcome::Failed, Value::Null)
    }

    /// A process waits no longer, and does not know.
    pub fn unknown(&mut self, at: Time, process: u64) -> Result<(), RecordError> {
        self.end(at, process, Outcome::Unknown, Value::Null)
    }

    /// A process hears of the end of its operation.
    pub fn end(
        &mut self,
        at: Time,
        process: u64,
        outcome: Outcome,
        result: Value,
    ) -> Result<(), RecordError> {
        let index = self.open.remove(&process).ok_or(RecordError::Idle(process))?;
        let ended = self.moment(at)?;
        let operation = &mut self.operations[index];
        (operation.ended, operation.outcome, operation.result) = (Some(ended), outcome, result);
        Ok(())
    }

    fn moment(&mut self, at: Time) -> Result<Moment, RecordError> {
        let order = self.moments;
        self.moments = order.checked_add(1).ok_or(RecordError::Full)?;
        Ok(Moment { order, at })
    }

    /// The operations, in the order of their invocations. What has not ended is unknown.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The operations that make it in the same order, without the others.
    pub fn only(&self, keep: impl Fn(&Operation) -> bool) -> History {
        History {
            operations: self.operations.iter().filter(|operation| keep(operation)).cloned().collect(),
            moments: self.moments,
            open: BTreeMap::new(),
        }
    }
}
