//! Faults that come and go: when each begins, and what ends it.

use std::time::Duration;

use dacapo_core::{Delivery, NodeId, Time};

use crate::sim::{Item, Sim};

/// A fault that begins at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spell {
    Partition,
    Clog,
    Crash,
    Pause,
    Stop,
    Slow,
    Jump,
    DiskFull,
    DiskSlow,
    DiskLost,
    Deploy,
    LeaseUnavailable,
    LeaseEarly,
}

/// The end of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The partition of this number heals.
    Partition(u64),
    /// A clogged link lets go.
    Clog(NodeId, NodeId),
    /// A node stands no longer still.
    Pause(NodeId),
    /// A node is fast again.
    Slow(NodeId),
    /// A disk has space again.
    DiskFull(NodeId),
    /// A disk is fast again.
    DiskSlow(NodeId),
    /// A node, or all of them, can reach the coordination service again.
    LeaseUnavailable(Option<NodeId>),
}

impl Spell {
    pub(crate) const ALL: [Spell; 13] = [
        Spell::Partition,
        Spell::Clog,
        Spell::Crash,
        Spell::Pause,
        Spell::Stop,
        Spell::Slow,
        Spell::Jump,
        Spell::DiskFull,
        Spell::DiskSlow,
        Spell::DiskLost,
        Spell::Deploy,
        Spell::LeaseUnavailable,
        Spell::LeaseEarly,
    ];

    /// Whether it strikes a disk, and so only nodes that have one.
    fn is_of_disk(self) -> bool {
        matches!(self, Spell::DiskFull | Spell::DiskSlow | Spell::DiskLost)
    }

    /// Whether it strikes one node.
    fn is_aimed(self) -> bool {
        !matches!(self, Spell::Partition | Spell::Clog | Spell::LeaseUnavailable | Spell::LeaseEarly)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Spell::Partition => "net.partition",
            Spell::Clog => "net.clog",
            Spell::Crash => "process.crash",
            Spell::Pause => "process.pause",
            Spell::Stop => "process.stop",
            Spell::Slow => "process.slow",
            Spell::Jump => "clock.jump",
            Spell::DiskFull => "disk.full",
            Spell::DiskSlow => "disk.latency",
            Spell::DiskLost => "disk.lost",
            Spell::Deploy => "deploy.rolling",
            Spell::LeaseUnavailable => "lease.unavailable",
            Spell::LeaseEarly => "lease.early",
        }
    }
}

impl Sim {
    /// Draws when a fault strikes next, if this seed uses it.
    pub(crate) fn schedule_spell(&mut self, spell: Spell, after: Time) {
        let Some((lane, every)) = self.faults.find(spell.name()).map(|a| (a.lane, a.every())) else { return };
        self.faults.strikes[spell as usize] += 1;
        self.about_strike(spell, self.faults.strikes[spell as usize]);
        let Some(wait) = self.decisions.wait(lane, "wait", every) else { return };
        self.queue.push(after + wait, Item::Fault(spell));
    }

    /// What is decided from now on is about this strike of a spell, counted from 1.
    fn about_strike(&mut self, spell: Spell, number: u32) {
        self.decisions.about(|text| text.push_str(&format!("{} strike {number}", spell.name())));
    }

    pub(crate) fn begin_spell(&mut self, spell: Spell) -> Option<Delivery> {
        if !self.faults.is_on {
            return None;
        }
        let strike = self.faults.strikes[spell as usize];
        self.schedule_spell(spell, self.now);
        self.about_strike(spell, strike);
        self.strike(spell)
    }

    /// A turn has been handed out: a fault may begin as soon as it is done. That happens by itself to
    /// few faults only; but a script can say of each that it does, and then the fault stays with what it
    /// came after, however much else in the run changes.
    pub(crate) fn strike_after_turn(&mut self, node: NodeId) {
        for index in 0..self.faults.after_turn.len() {
            let (spell, lane, rate) = self.faults.after_turn[index];
            if self.decisions.chance(lane, "after_turn", rate) {
                let (cause, nth) = self.decisions.last_cause();
                let cause = format!("{} after {cause} #{nth}", spell.name());
                let item = Item::FaultAfter(spell, node, cause.into_boxed_str());
                self.queue.push(self.now + Duration::from_nanos(1), item);
            }
        }
    }

    /// What was to be stored is durable, and nobody has heard of it: its node may crash before anybody does. By itself
    /// a crash comes at any time, and hardly ever at this one, which matters most; but a script can say that it does.
    pub(crate) fn crash_at_commit(&mut self, node: NodeId) -> Option<Delivery> {
        let crash = self.faults.after_turn.iter().find(|(spell, ..)| *spell == Spell::Crash);
        let (_, lane, _) = crash.filter(|_| self.faults.is_on)?;
        if !self.decisions.chance(*lane, "at_commit", 0.0) {
            return None;
        }
        let (cause, nth) = self.decisions.last_cause();
        let cause = format!("{} at {cause} #{nth}", Spell::Crash.name());
        self.begin_spell_after(Spell::Crash, node, &cause)
    }

    /// A fault begins that comes after a turn on this node, and if it can strikes there.
    pub(crate) fn begin_spell_after(&mut self, spell: Spell, node: NodeId, cause: &str) -> Option<Delivery> {
        if !self.faults.is_on {
            return None;
        }
        self.decisions.about(|text| text.push_str(cause));
        self.faults.aim = spell.is_aimed().then_some(node);
        let delivery = self.strike(spell);
        self.faults.aim = None;
        delivery
    }

    fn strike(&mut self, spell: Spell) -> Option<Delivery> {
        self.touch_everything();
        match spell {
            Spell::Partition => self.begin_partition(),
            Spell::Clog => self.begin_clog(),
            Spell::Crash => return self.begin_crash(),
            Spell::Pause => self.begin_pause(),
            Spell::Stop => return self.begin_stop(),
            Spell::Slow => self.begin_slow(),
            Spell::Jump => self.jump_clock(),
            Spell::DiskFull => self.begin_disk_full(),
            Spell::DiskSlow => self.begin_disk_slow(),
            Spell::DiskLost => self.lose_disk(),
            Spell::Deploy => self.deploy(),
            Spell::LeaseUnavailable => self.begin_lease_unavailable(),
            Spell::LeaseEarly => self.expire_lease(),
        }
        None
    }

    pub(crate) fn end_spell(&mut self, end: End) -> Option<Delivery> {
        match end {
            End::Partition(number) => {
                if self.faults.partition.as_ref().is_some_and(|p| p.number == number) {
                    self.heal_partition();
                }
            }
            End::Clog(from, to) => self.end_clog(from, to),
            End::Pause(node) => self.end_pause(node),
            End::Slow(node) => self.end_slow(node),
            End::DiskFull(node) => self.end_disk_full(node),
            End::DiskSlow(node) => self.end_disk_slow(node),
            End::LeaseUnavailable(node) => self.end_lease_unavailable(node),
        }
        None
    }

    /// One of the cluster's nodes that is up and that this fault does not spare.
    pub(crate) fn pick_victim(&mut self, spell: Spell) -> Option<NodeId> {
        let active = self.faults.find(spell.name())?;
        let lane = active.lane;
        let can_be_hit = |id: &NodeId| {
            let node = &self.nodes[id.0 as usize];
            let has_place = !spell.is_of_disk() || self.stores.has(*id);
            node.kind == crate::NodeKind::Cluster
                && node.is_up
                && !node.is_stopping
                && !active.spares(*id)
                && has_place
        };
        let victims: Vec<NodeId> = (0..self.nodes.len() as u32).map(NodeId).filter(can_be_hit).collect();
        if victims.is_empty() {
            return None;
        }
        if let Some(aim) = self.faults.aim {
            return victims.contains(&aim).then_some(aim);
        }
        let numbers: Vec<u64> = victims.iter().map(|node| u64::from(node.0)).collect();
        Some(NodeId(self.decisions.among(lane, "victim", &numbers) as u32))
    }
}
