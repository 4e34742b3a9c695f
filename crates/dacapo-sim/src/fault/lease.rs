//! `lease.slow`, `lease.unavailable`, `lease.early`.

use std::time::Duration;

use dacapo_core::{NodeId, NoteKind};

use crate::fault::{End, Spell};
use crate::options::NodeKind;
use crate::sim::{Item, Sim};

impl Sim {
    /// How much later than others a call reaches the service, or its answer the caller.
    pub(crate) fn delays_lease(&mut self, node: NodeId) -> Duration {
        let slow = self.faults.find("lease.slow").filter(|slow| !slow.spares(node));
        let Some((lane, rate, max)) = slow.map(|slow| (slow.lane, slow.rate("rate"), slow.span_max("max")))
        else {
            return Duration::ZERO;
        };
        // Asked on the way there and on the way back.
        if !self.faults.is_on || !self.decisions.chance(lane, "hit", rate / 2.0) {
            return Duration::ZERO;
        }
        let late = self.decisions.up_to(lane, "late", max);
        let text = format!("lease.slow {late:?} for {}", self.name(node));
        self.note(NoteKind::Fault, || text.into());
        late
    }

    pub(crate) fn begin_lease_unavailable(&mut self) {
        let Some(active) = self.faults.find(Spell::LeaseUnavailable.name()) else { return };
        let (lane, lasts, all) = (active.lane, active.span_max("lasts"), active.number("all"));
        let until = self.now + self.decisions.up_to(lane, "lasts", lasts);
        let hit = match self.decisions.either(lane, "all", all) {
            true => None,
            false => match self.pick_victim(Spell::LeaseUnavailable) {
                Some(node) => Some(node),
                None => return,
            },
        };
        self.set_out_of_reach(hit, true);
        self.queue.push(until, Item::FaultEnd(End::LeaseUnavailable(hit)));
    }

    pub(crate) fn end_lease_unavailable(&mut self, hit: Option<NodeId>) {
        self.set_out_of_reach(hit, false);
    }

    fn set_out_of_reach(&mut self, hit: Option<NodeId>, begins: bool) {
        let kind = if begins { NoteKind::FaultBegins } else { NoteKind::FaultEnds };
        let whom = hit.map_or("every node", |node| self.name(node));
        let text = format!("lease.unavailable for {whom}");
        self.note(kind, || text.into());
        for index in 0..self.nodes.len() {
            let node = NodeId(index as u32);
            if hit.is_some_and(|hit| hit != node) || self.nodes[index].kind != NodeKind::Cluster {
                continue;
            }
            let spared = self.faults.find(Spell::LeaseUnavailable.name()).is_some_and(|a| a.spares(node));
            match begins && !spared {
                true => drop(self.leases.out_of_reach.insert(node)),
                false => drop(self.leases.out_of_reach.remove(&node)),
            }
        }
    }

    pub(crate) fn expire_lease(&mut self) {
        let Some(lane) = self.faults.find(Spell::LeaseEarly.name()).map(|a| a.lane) else { return };
        let held = self.leases.table.held(self.now);
        if held.is_empty() {
            return;
        }
        let (group, key) = &held[self.decisions.choose(lane, "victim", held.len() as u64) as usize];
        self.leases.table.expire(group, *key, self.now);
        let text = format!("lease.early {group}/{key}");
        self.note(NoteKind::Fault, || text.into());
    }
}
