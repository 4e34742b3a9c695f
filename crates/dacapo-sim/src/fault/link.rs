//! `net.clog` and `net.bandwidth`: links that hold back what they carry.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_core::{NodeId, NoteKind, Time};

use crate::fault::{Active, End, Spell};
use crate::sim::{Item, Sim};

/// The links that are not free.
pub(crate) struct Links {
    /// Until when a clogged link holds everything back.
    clogged: BTreeMap<(NodeId, NodeId), Time>,
    /// Bytes a second, if links are narrow.
    bytes_per_second: Option<f64>,
    /// When a narrow link has carried what it was given.
    free_at: BTreeMap<(NodeId, NodeId), Time>,
}

impl Links {
    pub(crate) fn new(active: &[Active]) -> Links {
        let narrow = active.iter().find(|a| a.spec.name == "net.bandwidth");
        let bytes_per_second =
            narrow.map(|a| (a.number("bytes_per_second") * (1.0 - 0.9 * a.strength())).max(1.0));
        Links { clogged: BTreeMap::new(), bytes_per_second, free_at: BTreeMap::new() }
    }

    /// When something arrives that would arrive at `at` on a free link.
    pub(crate) fn hold_back(&mut self, from: NodeId, to: NodeId, now: Time, at: Time, bytes: usize) -> Time {
        let mut at = at;
        if let Some(rate) = self.bytes_per_second {
            let takes = Duration::from_secs_f64(bytes as f64 / rate);
            let free = self.free_at.entry((from, to)).or_insert(now);
            *free = (*free).max(now) + takes;
            at = at + free.since(now);
        }
        match self.clogged.get(&(from, to)) {
            // What is held back comes out in the order in which it would have come.
            Some(until) if at < *until => {
                *until + Duration::from_nanos(at.since(now).as_nanos() as u64 / 1000)
            }
            _ => at,
        }
    }

    pub(crate) fn release(&mut self) {
        self.clogged.clear();
        self.free_at.clear();
    }
}

impl Sim {
    pub(crate) fn begin_clog(&mut self) {
        let Some(active) = self.faults.find(Spell::Clog.name()) else { return };
        let (lane, lasts) = (active.lane, active.span_max("lasts"));
        let open: Vec<NodeId> =
            (0..self.nodes.len() as u32).map(NodeId).filter(|n| !active.spares(*n)).collect();
        if open.len() < 2 {
            return;
        }
        let from = self.decisions.choose(lane, "from", open.len() as u64) as usize;
        let step = 1 + self.decisions.choose(lane, "to", open.len() as u64 - 1) as usize;
        let (from, to) = (open[from], open[(from + step) % open.len()]);
        let until = self.now + self.decisions.up_to(lane, "lasts", lasts);
        self.faults.links.clogged.insert((from, to), until);
        let text = format!("net.clog {} → {}", self.name(from), self.name(to));
        self.note(NoteKind::FaultBegins, || text.into());
        self.queue.push(until, Item::FaultEnd(End::Clog(from, to)));
    }

    pub(crate) fn end_clog(&mut self, from: NodeId, to: NodeId) {
        let is_over = self.faults.links.clogged.get(&(from, to)).is_some_and(|until| *until <= self.now);
        if is_over {
            self.faults.links.clogged.remove(&(from, to));
            let text = format!("net.clog {} → {}", self.name(from), self.name(to));
            self.note(NoteKind::FaultEnds, || text.into());
        }
    }
}
