//! What was seen in a run: the coverage of a system that is looked at from outside.
//!
//! A *step* is what a node was handed after what else, and what it said then, without anything that is different in
//! each run: methods and paths, statuses, kinds of failure, what checks said. A run that shows a new step has been
//! somewhere new, in whatever language the services are written.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use dacapo_core::{Address, Delivery, DigestHasher, Effect, Event, NodeId};

/// The steps of a run.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) steps: BTreeSet<u64>,
    /// What each node was handed last.
    last: BTreeMap<NodeId, u64>,
}

impl Seen {
    pub(crate) fn delivered(&mut self, delivery: &Delivery) {
        let mut hasher = DigestHasher::default();
        delivery.to.node.hash(&mut hasher);
        discriminant(&delivery.event).hash(&mut hasher);
        match &delivery.event {
            Event::Request { service, head, .. } => {
                let path = head.url.split(['?', '#']).next().unwrap_or_default();
                (service, head.method.as_str(), without_numbers(path)).hash(&mut hasher);
            }
            Event::Response { head, .. } => head.status.as_u16().hash(&mut hasher),
            Event::Message(from, message) => (from, &message.name).hash(&mut hasher),
            Event::Evict { kind, .. } => format!("{kind:?}").hash(&mut hasher),
            Event::Committed(_, answer) => answer.is_ok().hash(&mut hasher),
            _ => {}
        }
        let now = hasher.finish();
        let before = self.last.insert(delivery.to.node, now).unwrap_or_default();
        self.step(&(before, now));
    }

    pub(crate) fn submitted(&mut self, from: Address, effect: &Effect) {
        let turn = self.last.get(&from.node).copied().unwrap_or_default();
        match effect {
            Effect::Respond { head, .. } => self.step(&(turn, "respond", head.status.as_u16())),
            Effect::Check(check) => self.step(&("check", &check.message, check.holds)),
            Effect::Ended(_, fault) => self.step(&(turn, "ended", format!("{:?}", fault.kind))),
            _ => {}
        }
    }

    fn step(&mut self, step: &impl Hash) {
        let mut hasher = DigestHasher::default();
        step.hash(&mut hasher);
        self.steps.insert(hasher.finish());
    }
}

/// The text with 0 in place of each number: paths often hold the name of one thing out of many.
fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii_digit() {
            true if out.ends_with('0') => {}
            true => out.push('0'),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use dacapo_check::Table;
    use dacapo_core::{Check, CheckKind, InstanceId};

    use super::*;

    #[test]
    fn a_state_that_a_guest_names_is_something_new_once_and_is_no_rule() {
        let from = Address { node: NodeId(0), instance: InstanceId(0) };
        let (mut seen, mut table) = (Seen::default(), Table::default());
        let counts = ["leader of term 1", "leader of term 2", "leader of term 1"].map(|key| {
            let message = key.to_owned().into();
            let check =
                Check { kind: CheckKind::Coverage, holds: true, message, details: None, location: None };
            table.add(&check);
            seen.submitted(from, &Effect::Check(Box::new(check)));
            seen.steps.len()
        });
        assert_eq!(counts, [1, 2, 2]);
        assert!(table.is_empty());
    }
}
