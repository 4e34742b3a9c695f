//! What is shown of a history that is not linearizable.

use std::fmt;

use super::model::Model;
use super::search::{Found, Furthest, search};
use super::shrink::Small;
use crate::draw::{Bar, Lanes};
use crate::history::{Operation, Value};

/// A small history that is not linearizable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// What the object should have been.
    pub object: String,
    /// Its key.
    pub key: Value,
    /// The operations that cannot be put in order, by their invocations.
    pub operations: Vec<Operation>,
    /// Those that had not ended when the last one did.
    pub open: Vec<bool>,
    /// The longest order that can be had, as places in `operations`.
    pub order: Vec<usize>,
    /// The state to which it leads, for people.
    pub state: String,
    /// The operation whose end no order gets past.
    pub stuck: usize,
    /// Whether nothing can be left out any more; otherwise there was no time to try it all.
    pub is_minimal: bool,
    /// How many operations on this key there were.
    pub of: usize,
}

impl Counterexample {
    pub(super) fn new<M: Model>(
        model: &M,
        key: &Value,
        small: Small<'_, M::Op>,
        operations: Vec<Operation>,
    ) -> Counterexample {
        let mut furthest = Furthest { order: Vec::new(), state: model.initial() };
        // What was small enough to be found in time is found again in the same time.
        let found = search(model, &small.entries, &mut u64::MAX.clone(), Some(&mut furthest));
        let end = if let Found::Stuck(end) = found { end } else { 0 };
        let stuck = small.entries.iter().position(|entry| entry.returned == Some(end));
        Counterexample {
            object: model.name(),
            key: key.clone(),
            operations,
            open: small.entries.iter().map(|entry| entry.returned.is_none()).collect(),
            order: furthest.order.iter().map(|place| *place as usize).collect(),
            state: model.show(&furthest.state),
            stuck: stuck.unwrap_or_default(),
            is_minimal: small.is_minimal,
            of: small.of,
        }
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counterexample { object, key, operations, order, stuck, .. } = self;
        let of_key = if key.is_null() { String::new() } else { format!("key {key}: ") };
        let least = if self.is_minimal { "" } else { "; there was no time to look for fewer" };
        let count = operations.len();
        writeln!(
            f,
            "{of_key}not linearizable as {object} ({count} of {} operations suffice{least}):\n",
            self.of
        )?;
        let mut lanes = Lanes::default();
        for (index, operation) in operations.iter().enumerate() {
            lanes.add(Bar {
                lane: operation.process,
                label: label(operation),
                from: operation.invoked.order,
                to: if self.open[index] { None } else { operation.ended.map(|ended| ended.order) },
                is_marked: index == *stuck,
            });
        }
        write!(f, "{lanes}")?;
        let Some(culprit) = operations.get(*stuck) else { return Ok(()) };
        let told: Vec<String> = order.iter().map(|index| label(&operations[*index])).collect();
        if told.is_empty() {
            writeln!(f, "\n  nothing can come first, and then {}:", self.state)?;
        } else {
            writeln!(f, "\n  the longest order: {}; then {},", told.join(", "), self.state)?;
        }
        let ended = culprit.ended.map_or(culprit.invoked.at, |ended| ended.at);
        write!(
            f,
            "  and ✗ {} of process {} ({} to {ended}) must have come by now and cannot",
            label(culprit),
            culprit.process,
            culprit.invoked.at
        )
    }
}

/// What was asked and answered, without the key: all are on the same.
fn label(operation: &Operation) -> String {
    Operation { key: Value::Null, ..operation.clone() }.to_string()
}
