//! `process.crash`, `process.pause`, `process.stop`, `process.slow`.

use std::time::Duration;

use dacapo_core::{Address, Delivery, Event, InstanceId, NodeId, NoteKind};

use crate::fault::{End, Spell};
use crate::sim::{Item, Sim};

impl Sim {
    pub(crate) fn begin_crash(&mut self) -> Option<Delivery> {
        let node = self.pick_victim(Spell::Crash)?;
        let text = format!("process.crash {}", self.name(node));
        self.note(NoteKind::Fault, || text.into());
        Some(self.crash(node))
    }

    /// How long a node that has just gone down stays down.
    pub(crate) fn downtime(&mut self) -> Duration {
        let active = self.faults.find(Spell::Crash.name()).or_else(|| self.faults.find(Spell::Stop.name()));
        let Some((lane, max)) = active.map(|a| (a.lane, a.span_max("down"))) else {
            return Duration::from_millis(100);
        };
        Duration::from_millis(10) + self.decisions.up_to(lane, "down", max)
    }

    pub(crate) fn begin_pause(&mut self) {
        let Some(node) = self.pick_victim(Spell::Pause) else { return };
        let Some((lane, max)) = self.faults.find(Spell::Pause.name()).map(|a| (a.lane, a.span_max("lasts")))
        else {
            return;
        };
        let until = self.now + self.decisions.up_to(lane, "lasts", max);
        self.has_busy_nodes = true;
        self.node(node).paused_until = until;
        let text = format!("process.pause {}", self.name(node));
        self.note(NoteKind::FaultBegins, || text.into());
        self.queue.push(until, Item::FaultEnd(End::Pause(node)));
    }

    pub(crate) fn end_pause(&mut self, node: NodeId) {
        if self.nodes[node.0 as usize].paused_until == self.now {
            let text = format!("process.pause {}", self.name(node));
            self.note(NoteKind::FaultEnds, || text.into());
        }
    }

    /// Asks a node to stop. It may finish what is under way, but not for ever.
    pub(crate) fn begin_stop(&mut self) -> Option<Delivery> {
        let node = self.pick_victim(Spell::Stop)?;
        let grace = self.faults.find(Spell::Stop.name())?.span("grace");
        let text = format!("process.stop {}", self.name(node));
        self.note(NoteKind::Fault, || text.into());
        let life = self.life(node);
        self.node(node).is_stopping = true;
        self.queue.push(self.now + grace, Item::Exit(node, life));
        Some(self.deliver(Address { node, instance: InstanceId::RUNTIME }, Event::Stop))
    }

    pub(crate) fn begin_slow(&mut self) {
        let Some(node) = self.pick_victim(Spell::Slow) else { return };
        let Some(active) = self.faults.find(Spell::Slow.name()) else { return };
        let (lane, delay, lasts) = (active.lane, active.span_max("delay"), active.span_max("lasts"));
        let cost = self.decisions.up_to(lane, "delay", delay);
        let lasts = self.decisions.up_to(lane, "lasts", lasts);
        self.has_busy_nodes = true;
        self.node(node).turn_cost = cost;
        let text = format!("process.slow {} {cost:?} a turn", self.name(node));
        self.note(NoteKind::FaultBegins, || text.into());
        self.queue.push(self.now + lasts, Item::FaultEnd(End::Slow(node)));
    }

    pub(crate) fn end_slow(&mut self, node: NodeId) {
        if !self.node(node).turn_cost.is_zero() {
            self.node(node).turn_cost = Duration::ZERO;
            let text = format!("process.slow {}", self.name(node));
            self.note(NoteKind::FaultEnds, || text.into());
        }
    }
}
