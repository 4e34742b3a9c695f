//! What was seen in a run: the coverage of a system that is looked at from outside.
//!
//! A *step* is what a node was handed after what else, and what it said then, without anything that is different in
//! each run: methods and paths, statuses, kinds of failure, what checks said. A run that shows a new step has been
//! somewhere new, in whatever language the services are written. Where programs have probes, the functions and branches that
//! were reached are seen as well: what changes inside of a service without a word shows there alone.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;
use std::rc::Rc;

use dacapo_core::{Address, CheckKind, Delivery, DigestHasher, Effect, Event, NodeId, Program};

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
    programs: Vec<Probed>,
}

/// A program that notes what is reached in it, and in how many turns each of its points was.
struct Probed {
    program: Rc<dyn Program>,
    counts: Vec<u32>,
}

/// Whether this sight is a function or a branch of a service.
pub(crate) fn is_code(sight: u64) -> bool {
    sight & 3 == 2
}

/// The sight of a point that is reached for the first time in a run.
pub(crate) fn of_point(id: u64) -> u64 {
    id & !3 | 2
}

/// Whether a guest has named this sight, by `coverage`, `sometimes` or `reachable`: whoever wrote the program thinks that it
/// matters.
pub(crate) fn is_named(sight: u64) -> bool {
    sight & 1 == 1
}

impl Seen {
    /// What is seen of a run of these programs.
    pub(crate) fn of<'p>(programs: impl IntoIterator<Item = &'p Rc<dyn Program>>) -> Seen {
        let probed = |program: &Rc<dyn Program>| {
            let probes = program.probes()?;
            // What was reached in an earlier run is of no interest.
            probes.take(&mut |_| {});
            Some(Probed { program: Rc::clone(program), counts: vec![0; probes.points().len()] })
        };
        Seen { programs: programs.into_iter().filter_map(probed).collect(), ..Seen::default() }
    }

    /// The turns that the last delivery led to are over.
    pub(crate) fn looked(&mut self) {
        for Probed { program, counts } in &mut self.programs {
            let Some(probes) = program.probes() else { continue };
            let points = probes.points();
            probes.take(&mut |index| {
                counts[index] += 1;
                if !counts[index].is_power_of_two() {
                    return;
                }
                let id = points[index].id;
                let sight = match counts[index] {
                    1 => id,
                    count => {
                        let mut hasher = DigestHasher::default();
                        (id, count).hash(&mut hasher);
                        hasher.finish()
                    }
                };
                self.first.entry(of_point(sight)).or_insert(self.event);
            });
        }
    }

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
            self.first.entry(hasher.finish() & !3 | u64::from(is_named)).or_insert(self.event);
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
    use std::cell::RefCell;

    use dacapo_check::Table;
    use dacapo_core::{Boot, Check, Digest, Instance, InstanceId, Location, Point, PointKind, Probes};

    use super::*;

    /// A program that has two points, and says of these that they were reached.
    struct Probing(Vec<Point>, RefCell<Vec<usize>>);

    impl Program for Probing {
        fn start(&self, _: Boot) -> Box<dyn Instance> {
            unreachable!("it is only looked at")
        }

        fn digest(&self) -> Digest {
            Digest(0)
        }

        fn probes(&self) -> Option<&dyn Probes> {
            Some(self)
        }
    }

    impl Probes for Probing {
        fn points(&self) -> &[Point] {
            &self.0
        }

        fn take(&self, reached: &mut dyn FnMut(usize)) {
            self.1.take().into_iter().for_each(reached);
        }
    }

    #[test]
    fn a_point_is_something_new_when_it_is_reached_and_belongs_to_no_earlier_run() {
        let point = |id| {
            let location = Location { file: "a.js".into(), line: 1, column: 1 };
            Point { id, kind: PointKind::Branch, name: "then".into(), location }
        };
        let program = Rc::new(Probing(vec![point(0x51), point(0x77)], RefCell::new(vec![1])));
        let shared: Rc<dyn Program> = Rc::clone(&program) as Rc<dyn Program>;
        let mut seen = Seen::of([&shared]);
        let counts = [vec![], vec![0], vec![0], vec![0], vec![0]].map(|reached| {
            program.1.replace(reached);
            seen.looked();
            seen.first.len()
        });
        // Once, twice, four times.
        assert_eq!(counts, [0, 1, 2, 2, 3]);
        assert!(seen.first.contains_key(&of_point(0x51)) && !seen.first.contains_key(&of_point(0x77)));
        assert!(seen.first.keys().all(|sight| is_code(*sight) && !is_named(*sight)));
    }

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
