//! Linearizability: could each operation have happened at one moment between its invocation and its end?
//! (Herlihy and Wing, 1990.)

mod counterexample;
mod model;
pub mod models;
mod search;
mod shrink;
mod wanted;
mod window;

use std::collections::BTreeMap;

pub use counterexample::Counterexample;
pub use model::{Model, Tags};

use crate::history::{History, Operation, Outcome, Value};
use crate::verdict::{Mistake, Verdict};
use search::{Entry, Found, search};
use window::wrong_window;

/// How far a judge goes before it gives up. The question is NP-complete: there are histories for which no
/// computer is fast enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of the model, over all keys.
    pub steps: u64,
    /// Steps for making a counterexample small.
    pub shrink_steps: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { steps: 20_000_000, shrink_steps: 20_000_000 }
    }
}

/// Judges a history, each key by itself. The first key that is not linearizable is the counterexample.
pub fn linearizable<M: Model>(
    history: &History,
    model: &M,
    limits: &Limits,
) -> Result<Verdict<Counterexample>, Mistake> {
    let mut keys: BTreeMap<Value, Vec<(&Operation, M::Op)>> = BTreeMap::new();
    for operation in history.operations().iter().filter(|it| it.outcome != Outcome::Failed) {
        let op = model.op(operation).map_err(|why| {
            Mistake(format!(
                "{} judges the operation of process {} at {} and cannot: {why}",
                model.name(),
                operation.process,
                operation.invoked.at
            ))
        })?;
        keys.entry(model.key(operation)).or_default().push((operation, op));
    }
    let mut steps = limits.steps;
    let mut undecided = None;
    for (key, operations) in &keys {
        let entries: Vec<Entry<'_, M::Op>> = operations.iter().map(entry).collect();
        let found = search(model, &entries, &mut steps);
        if found == Found::Order {
            continue;
        }
        let mut shrink_steps = limits.shrink_steps;
        let window = wrong_window(model, &entries, &mut shrink_steps);
        if found == Found::Limit && window.is_none() {
            undecided = Some(format!(
                "key {key}: {} operations could not be judged in {} steps (`steps`): use more keys, fewer \
                 clients at a time or fewer operations whose outcome is unknown",
                operations.len(),
                limits.steps
            ));
            break;
        }
        let places = window.unwrap_or_else(|| (0..entries.len()).collect());
        let small = shrink::shrink(model, &entries, places, shrink_steps);
        let operations = small.places.iter().map(|place| operations[*place].0.clone()).collect();
        return Ok(Verdict::Broken(Counterexample::new(model, key, small, operations)));
    }
    Ok(undecided.map_or(Verdict::Holds, Verdict::Unknown))
}

fn entry<'a, O>((operation, op): &'a (&Operation, O)) -> Entry<'a, O> {
    Entry { op, invoked: operation.invoked.order, returned: operation.returned().map(|moment| moment.order) }
}
