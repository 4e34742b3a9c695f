//! `net.partition`: two sides that cannot reach each other, or only in one direction.

use dacapo_core::{NodeId, NoteKind};

use crate::fault::{End, Spell};
use crate::sim::{Item, Sim};

/// A partition that holds at present.
#[derive(Clone, Debug)]
pub(crate) struct Partition {
    /// Tells it from earlier ones.
    pub(crate) number: u64,
    /// For each node, whether it is on the far side.
    far: Vec<bool>,
    /// Whether the near side still reaches the far side.
    is_oneway: bool,
}

impl Partition {
    pub(crate) fn cuts(&self, from: NodeId, to: NodeId) -> bool {
        let (from, to) = (self.far[from.0 as usize], self.far[to.0 as usize]);
        from != to && (!self.is_oneway || from)
    }
}

impl Sim {
    pub(crate) fn begin_partition(&mut self) {
        let Some(active) = self.faults.find(Spell::Partition.name()) else { return };
        if self.faults.partition.is_some() {
            return;
        }
        let (lane, oneway, lasts) = (active.lane, active.number("oneway"), active.span_max("lasts"));
        let spared: Vec<bool> = (0..self.nodes.len()).map(|i| active.spares(NodeId(i as u32))).collect();
        let far: Vec<bool> =
            spared.iter().map(|spared| !spared && self.decisions.choose(lane, "far", 2) == 1).collect();
        if far.iter().all(|f| *f) || !far.contains(&true) {
            return;
        }
        let is_oneway = self.decisions.either(lane, "oneway", oneway);
        let lasts = self.decisions.up_to(lane, "lasts", lasts);
        self.faults.partitions += 1;
        let number = self.faults.partitions;
        let side = |sim: &Sim, want: bool| {
            let names = far.iter().zip(&sim.nodes).filter(|(f, _)| **f == want).map(|(_, n)| n.name.as_str());
            names.collect::<Vec<_>>().join(" ")
        };
        let (near_names, far_names) = (side(self, false), side(self, true));
        let sign = if is_oneway { "→" } else { "|" };
        self.note(NoteKind::FaultBegins, || format!("net.partition {near_names} {sign} {far_names}").into());
        self.faults.partition = Some(Partition { number, far, is_oneway });
        self.queue.push(self.now + lasts, Item::FaultEnd(End::Partition(number)));
    }

    pub(crate) fn heal_partition(&mut self) {
        if self.faults.partition.take().is_some() {
            self.note(NoteKind::FaultEnds, || "net.partition".into());
        }
    }
}
