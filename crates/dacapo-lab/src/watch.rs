//! A world around a world that watches for broken assertions, and stops at the first.

use dacapo_check::Table;
use dacapo_core::{Address, Delivery, Drawn, Effect, FaultKind, NodeId, Note, Outbox, Time, World};

use crate::report::Failure;
use crate::seen::Seen;
use crate::states::SharedStates;

/// Watches what passes the door.
pub(crate) struct Watch<W> {
    pub(crate) world: W,
    pub(crate) table: Table,
    pub(crate) failure: Option<Failure>,
    node_names: Vec<String>,
    /// Which instance runs which service is the runtime's affair; a fault names its node at least.
    events: u64,
    at: Time,
    /// What is durable, if somebody wants to have it.
    pub(crate) states: Option<SharedStates>,
    /// The node and the time of each delivery, if somebody wants to have them.
    pub(crate) turns: Option<Vec<(NodeId, Time)>>,
    /// What the workload drew, if it was asked to tell.
    pub(crate) drawn: Vec<Drawn>,
    /// What was seen, likewise.
    pub(crate) seen: Option<Seen>,
}

impl<W: World> Watch<W> {
    pub(crate) fn new(world: W, node_names: Vec<String>, states: Option<SharedStates>) -> Watch<W> {
        Watch {
            world,
            table: Table::default(),
            failure: None,
            node_names,
            events: 0,
            at: Time::ZERO,
            states,
            turns: None,
            drawn: Vec::new(),
            seen: None,
        }
    }

    /// Looks at an effect, unless it is one of the many that only those look at who look at all.
    #[inline(always)]
    fn look(&mut self, from: Address, effect: &Effect) {
        let is_of_calls = matches!(effect, Effect::Fetch { .. } | Effect::Respond { .. });
        if !is_of_calls || self.states.is_some() || self.seen.is_some() {
            self.look_at(from, effect);
        }
    }

    #[inline(never)]
    fn look_at(&mut self, from: Address, effect: &Effect) {
        if let Some(states) = &self.states {
            states.borrow_mut().submitted(from, effect);
        }
        if let Some(seen) = &mut self.seen {
            seen.submitted(from, effect);
        }
        match effect {
            Effect::Check(check) => {
                self.table.add(check);
                if check.is_violation() && self.failure.is_none() {
                    self.failure = Some(Failure::Check {
                        check: (**check).clone(),
                        event: self.events,
                        at: self.at,
                        node: from.node,
                        node_name: self.node_names[from.node.0 as usize].clone(),
                    });
                }
            }
            Effect::Drawn(drawn) => self.drawn.push((**drawn).clone()),
            // A module that does not load is broken under every seed: no fault of the world
            // explains it, so the run says so instead of testing a system that answers 500.
            Effect::Ended(_, fault) if fault.kind == FaultKind::Load && self.failure.is_none() => {
                self.failure = Some(Failure::Guest {
                    fault: (**fault).clone(),
                    service: self.node_names[from.node.0 as usize].clone(),
                    event: self.events,
                    at: self.at,
                });
            }
            _ => {}
        }
    }
}

impl<W: World> World for Watch<W> {
    fn next(&mut self) -> Option<Delivery> {
        let mut delivery = None;
        self.next_into(&mut delivery);
        delivery
    }

    #[inline]
    fn next_into(&mut self, place: &mut Option<Delivery>) {
        if let Some(seen) = &mut self.seen {
            seen.looked();
        }
        if self.failure.is_some() {
            *place = None;
            return;
        }
        self.world.next_into(place);
        if let Some(delivery) = place {
            self.events += 1;
            self.at = delivery.at;
            if let Some(seen) = &mut self.seen {
                seen.delivered(delivery);
            }
            if let Some(turns) = &mut self.turns {
                turns.push((delivery.to.node, delivery.at));
            }
            if let Some(states) = &self.states {
                states.borrow_mut().delivered(delivery);
            }
        }
    }

    fn submit(&mut self, from: Address, effect: Effect) {
        self.look(from, &effect);
        self.world.submit(from, effect);
    }

    fn submit_all(&mut self, effects: &mut Outbox) {
        for (from, effect) in effects.iter() {
            self.look(from, effect);
        }
        self.world.submit_all(effects);
    }

    fn take_notes(&mut self) -> Vec<Note> {
        self.world.take_notes()
    }
}
