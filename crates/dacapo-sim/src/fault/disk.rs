//! The faults of disks: what strikes single operations, and the spells `disk.full`, `disk.latency`
//! and `disk.lost`.

use std::time::Duration;

use dacapo_core::{Lane, NodeId, NoteKind};

use crate::fault::{Active, End, Spell};
use crate::sim::{Item, Sim};

/// What goes wrong with single operations of one disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct DiskFaults {
    pub(crate) torn: Option<DiskStrike>,
    pub(crate) eio: Option<DiskStrike>,
    pub(crate) eio_sync: Option<DiskStrike>,
    pub(crate) short_read: Option<DiskStrike>,
    pub(crate) stall: Option<DiskStrike>,
    pub(crate) lying_sync: Option<DiskStrike>,
    pub(crate) bitrot: Option<DiskStrike>,
    pub(crate) misdirected: Option<DiskStrike>,
}

/// One fault of them.
#[derive(Clone, Debug)]
pub(crate) struct DiskStrike {
    pub(crate) lane: Lane,
    /// The share of operations (for `disk.torn`: of crashes) that it hits.
    pub(crate) rate: f64,
    /// The share of power failures that it hits.
    pub(crate) at_crash: f64,
    /// For `disk.stall`: how long at most.
    pub(crate) lasts: Duration,
    /// It may destroy what was acknowledged.
    pub(crate) is_beyond: bool,
}

impl DiskFaults {
    pub(crate) fn new(active: &[Active], node: NodeId) -> DiskFaults {
        let strike = |name: &str, rate: &str| {
            let a = active.iter().find(|a| a.spec.name == name && !a.spares(node))?;
            let damages = matches!(name, "disk.bitrot" | "disk.misdirected");
            Some(DiskStrike {
                lane: a.lane,
                rate: a.rate(rate),
                at_crash: if damages { a.rate("at_crash") } else { 0.0 },
                lasts: if name == "disk.stall" { a.span_max("lasts") } else { Duration::ZERO },
                is_beyond: (damages || name == "disk.lying_sync") && a.flag("beyond"),
            })
        };
        DiskFaults {
            torn: strike("disk.torn", "rate"),
            eio: strike("disk.eio", "rate"),
            eio_sync: strike("disk.eio", "sync"),
            short_read: strike("disk.short_read", "rate"),
            stall: strike("disk.stall", "rate"),
            lying_sync: strike("disk.lying_sync", "rate"),
            bitrot: strike("disk.bitrot", "rate"),
            misdirected: strike("disk.misdirected", "rate"),
        }
    }
}

impl Sim {
    /// Draws how long a spell lasts.
    fn lasts(&mut self, spell: Spell) -> Duration {
        let Some((lane, max)) = self.faults.find(spell.name()).map(|a| (a.lane, a.span_max("lasts"))) else {
            return Duration::ZERO;
        };
        self.decisions.up_to(lane, "lasts", max)
    }

    fn note_disk(&mut self, kind: NoteKind, spell: Spell, node: NodeId, more: &str) {
        let text = format!("{} {}{more}", spell.name(), self.name(node));
        self.note(kind, || text.into());
    }

    pub(crate) fn begin_disk_full(&mut self) {
        let spell = Spell::DiskFull;
        let Some(node) = self.pick_victim(spell) else { return };
        let lasts = self.lasts(spell);
        let Some(disk) = self.stores.disk(node) else { return };
        let used = disk.0.borrow().cache.used();
        if disk.0.borrow_mut().space_left_until.replace(used).is_some() {
            return;
        }
        self.note_disk(NoteKind::FaultBegins, spell, node, "");
        self.queue.push(self.now + lasts, Item::FaultEnd(End::DiskFull(node)));
    }

    pub(crate) fn end_disk_full(&mut self, node: NodeId) {
        let was_full = self.stores.disk(node).and_then(|disk| disk.0.borrow_mut().space_left_until.take());
        if was_full.is_some() {
            self.note_disk(NoteKind::FaultEnds, Spell::DiskFull, node, "");
        }
    }

    pub(crate) fn begin_disk_slow(&mut self) {
        let spell = Spell::DiskSlow;
        let Some(node) = self.pick_victim(spell) else { return };
        let lasts = self.lasts(spell);
        let Some((lane, factor)) = self.faults.find(spell.name()).map(|a| (a.lane, a.number("factor")))
        else {
            return;
        };
        let Some(strength) = self.faults.find(spell.name()).map(Active::strength) else { return };
        let factor = 1.0 + (factor - 1.0).max(0.0) * strength * self.decisions.unit(lane, "slower");
        let Some(disk) = self.stores.disk(node) else { return };
        if disk.0.borrow().slowness > 1.0 {
            return;
        }
        disk.0.borrow_mut().slowness = factor;
        self.note_disk(NoteKind::FaultBegins, spell, node, &format!(" {factor:.1} times slower"));
        self.queue.push(self.now + lasts, Item::FaultEnd(End::DiskSlow(node)));
    }

    pub(crate) fn end_disk_slow(&mut self, node: NodeId) {
        let Some(disk) = self.stores.disk(node) else { return };
        let was = std::mem::replace(&mut disk.0.borrow_mut().slowness, 1.0);
        if was > 1.0 {
            self.note_disk(NoteKind::FaultEnds, Spell::DiskSlow, node, "");
        }
    }

    /// A disk is gone with all that was on it, unless somebody relies on that and must be able to.
    pub(crate) fn lose_disk(&mut self) {
        let spell = Spell::DiskLost;
        let Some(node) = self.pick_victim(spell) else { return };
        let is_beyond = self.faults.find(spell.name()).is_some_and(|a| a.flag("beyond"));
        let Some(disk) = self.stores.disk(node) else { return };
        if disk.0.borrow().is_gone || disk.0.borrow().is_relied_on && !is_beyond {
            return;
        }
        disk.0.borrow_mut().lose();
        self.note_disk(NoteKind::FaultBegins, spell, node, "");
    }

    /// Space returns and speed, and nodes that have lost their disks boot with new ones.
    pub(crate) fn heal_disks(&mut self) {
        for node in self.stores.nodes() {
            self.end_disk_full(node);
            self.end_disk_slow(node);
            let is_gone = self.stores.disk(node).is_some_and(|disk| disk.0.borrow().is_gone);
            if is_gone {
                self.give_up_store(node, "its disk is lost");
            }
        }
    }
}
