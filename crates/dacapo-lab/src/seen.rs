//! What was seen in a run: the coverage of a system that is looked at from outside.
//!
//! A *step* is what a node was handed after what else, and what it said then, without anything that is different in
//! each run: methods and paths, statuses, kinds of failure, what checks said. A run that shows a new step has been
//! somewhere new, in whatever language the services are written.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use dacapo_core::{Address, CheckKind, Delivery, DigestHasher, Effect, Event, NodeId};

/// What was seen of a run so far.
#[derive(Default)]
pub(crate) struct Seen {
    /// Each *sight*, with the number of the delivery at which it was first seen: a step that was made once, twice, four
    /// times, eight times and so on is a sight each time.
    pub(crate) first: BTreeMap<u64, u64>,
    counts: BTreeMap<u64, u32>,
    /// What each node was handed last.
    last: BTreeMap<NodeId, u64>,
    event: u64,
}

/// Whether a guest has named this sight, by `coverage`, `sometimes` or `reachable`: whoever wrote the program thinks that it
/// matters.
pub(crate) fn is_named(sight: u64) -> bool {
    sight & 1 == 1
}

impl Seen {
    pub(crate) fn delivered(&mut self, delivery: &Delivery) {
        self.event += 1;
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
            Effect::Check(check) => {
                let is_named = match check.kind {
                    CheckKind::Coverage | CheckKind::Sometimes | CheckKind::Reachable => check.holds,
                    CheckKind::Always | CheckKind::Unreachable => false,
                };
                self.sight(&("check", &check.message, check.holds), is_named);
            }
            Effect::Ended(_, fault) => self.step(&(turn, "ended", format!("{:?}", fault.kind))),
            _ => {}
        }
    }

    fn step(&mut self, step: &impl Hash) {
        self.sight(step, false);
    }

    fn sight(&mut self, step: &impl Hash, is_named: bool) {
        let mut hasher = DigestHasher::default();
        step.hash(&mut hasher);
        let count = self.counts.entry(hasher.finish()).or_default();
        *count += 1;
        if count.is_power_of_two() {
            count.hash(&mut hasher);
            self.first.entry(hasher.finish() & !1 | u64::from(is_named)).or_insert(self.event);
        }
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
    use dacapo_core::{Check, InstanceId};

    use super::*;

    #[test]
    fn a_state_that_a_guest_names_is_something_new_and_is_no_rule() {
        let from = Address { node: NodeId(0), instance: InstanceId(0) };
        let (mut seen, mut table) = (Seen::default(), Table::default());
        let counts = ["leader of term 1", "leader of term 2", "leader of term 1"].map(|key| {
            let message = key.to_owned().into();
            let check =
                Check { kind: CheckKind::Coverage, holds: true, message, details: None, location: None };
            table.add(&check);
            seen.submitted(from, &Effect::Check(Box::new(check)));
            seen.first.len()
        });
        // Twice is something new, too.
        assert_eq!(counts, [1, 2, 3]);
        assert!(seen.first.keys().all(|sight| is_named(*sight)));
        assert!(table.is_empty());
    }
}
