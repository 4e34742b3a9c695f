//! What is shown of a history that is not linearizable.

use std::fmt;

use super::model::Model;
use super::search::furthest;
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

/// How long to look for an order that gets far. Counterexamples are small, so this is plenty.
const FURTHEST_STEPS: u64 = 1_000_000;

/// How many operations are drawn, and told of an order: the last ones.
const DRAWN_MAX: usize = 40;
const TOLD_MAX: usize = 20;

impl Counterexample {
    pub(super) fn new<M: Model>(
        model: &M,
        key: &Value,
        small: Small<'_, M::Op>,
        operations: Vec<Operation>,
    ) -> Counterexample {
        let furthest = furthest(model, &small.entries, &mut FURTHEST_STEPS.clone());
        let ends =
            small.entries.iter().enumerate().filter_map(|(place, entry)| Some((entry.returned?, place)));
        // The history was cut at the first end that no order gets past.
        let stuck = ends.max().map_or(0, |(_, place)| place);
        Counterexample {
            object: model.name(),
            key: key.clone(),
            operations,
            open: small.entries.iter().map(|entry| entry.returned.is_none()).collect(),
            order: furthest.order.iter().map(|place| *place as usize).collect(),
            state: model.show(&furthest.state),
            stuck,
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
        let hidden = count.saturating_sub(DRAWN_MAX);
        if hidden > 0 {
            writeln!(f, "  … {hidden} operations before")?;
        }
        for (index, operation) in operations.iter().enumerate().skip(hidden) {
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
        let mut told: Vec<String> =
            order.iter().rev().take(TOLD_MAX).map(|index| label(&operations[*index])).collect();
        if order.len() > TOLD_MAX {
            told.push(format!("… {} before", order.len() - TOLD_MAX));
        }
        told.reverse();
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
