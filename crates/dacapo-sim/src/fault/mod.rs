//! The faults of a run: which of them this seed uses, how strongly, and what they do at present.
//!
//! Faults that strike single messages are asked at each message (`message.rs`), those of single
//! operations of a disk at each of them (`disk.rs`), those of the platform at what it does (`platform.rs`); faults that come
//! and go, here called spells, are scheduled (`spell.rs`) and each has its file.

mod clock;
mod disk;
mod lease;
mod link;
mod message;
mod partition;
mod platform;
mod process;
mod spell;

use std::time::Duration;

use dacapo_core::fault::{Param, find};
use dacapo_core::{Decisions, Lane, NodeId, Time};

pub(crate) use self::disk::{DiskFaults, DiskStrike};
pub(crate) use self::link::Links;
pub(crate) use self::message::MessageFaults;
pub(crate) use self::partition::Partition;
pub(crate) use self::platform::{PlatformFault, PlatformFaults};
pub(crate) use self::spell::{End, Spell};

use crate::options::{SimFault, SimOptions, Swarm};
use crate::sim::Sim;

/// A fault that this seed uses.
#[derive(Clone, Debug)]
pub(crate) struct Active {
    spec: SimFault,
    /// From above 0 to 1: scales rates and lengths, and divides the time between two strikes.
    strength: f64,
    /// When it strikes, how hard, and whom.
    pub(crate) lane: Lane,
}

impl Active {
    fn param(&self, name: &str) -> Param {
        if let Some(value) = self.spec.params.get(name) {
            return *value;
        }
        let kind = find(&self.spec.name).expect("a fault of the catalogue");
        let spec = kind.params.iter().find(|p| p.name == name);
        spec.unwrap_or_else(|| panic!("{} has no parameter {name}", self.spec.name)).default
    }

    /// A parameter that is a plain number.
    pub(crate) fn number(&self, name: &str) -> f64 {
        match self.param(name) {
            Param::Number(n) => n,
            Param::Duration(d) => d.as_secs_f64(),
            Param::Flag(is_set) => f64::from(u8::from(is_set)),
        }
    }

    /// A parameter that is true or false.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.number(name) > 0.0
    }

    /// A rate, weakened by the strength.
    pub(crate) fn rate(&self, name: &str) -> f64 {
        self.number(name) * self.strength
    }

    /// A length of time as it stands in the scenario.
    pub(crate) fn span(&self, name: &str) -> Duration {
        match self.param(name) {
            Param::Duration(d) => d,
            Param::Number(n) => Duration::from_secs_f64(n.clamp(0.0, 1e9)),
            Param::Flag(_) => Duration::ZERO,
        }
    }

    /// An upper bound for a length of time, weakened by the strength.
    pub(crate) fn span_max(&self, name: &str) -> Duration {
        self.span(name).mul_f64(self.strength)
    }

    /// The mean time between two strikes, stretched by the strength.
    pub(crate) fn every(&self) -> Duration {
        self.span("every").div_f64(self.strength)
    }

    pub(crate) fn strength(&self) -> f64 {
        self.strength
    }

    pub(crate) fn spares(&self, node: NodeId) -> bool {
        self.spec.spare.contains(&node)
    }
}

/// All faults of a run.
pub(crate) struct Faults {
    active: Vec<Active>,
    /// Whether faults may happen now: only while the drivers run.
    pub(crate) is_on: bool,
    pub(crate) messages: MessageFaults,
    pub(crate) platform: PlatformFaults,
    pub(crate) partition: Option<Partition>,
    pub(crate) partitions: u64,
    pub(crate) links: Links,
    /// Faults that may begin right after a turn, and after what share of them.
    pub(crate) after_turn: Vec<(Spell, Lane, f64)>,
    /// Whom a fault that now begins is to strike.
    pub(crate) aim: Option<NodeId>,
    /// How often each spell has been scheduled.
    pub(crate) strikes: [u32; Spell::ALL.len()],
}

impl Faults {
    pub(crate) fn new(options: &SimOptions, decisions: &mut Decisions) -> Faults {
        let swarm = decisions.lane("swarm");
        let mut active = Vec::new();
        for spec in &options.faults {
            decisions.about(|text| text.push_str(&spec.name));
            // A script that says when a fault strikes need not say that it is used.
            let (is_used, strength) = match options.swarm {
                Swarm::All => {
                    let is_drawn = decisions.chance(swarm, "uses", 1.0);
                    (is_drawn || decisions.is_scripted(&spec.name), 1.0)
                }
                // Drawn for each fault whether used or not, so that one fault more or less in the
                // scenario changes as little as possible.
                Swarm::Subset | Swarm::Wide => {
                    let is_drawn = decisions.chance(swarm, "uses", 0.6);
                    let strength = 0.1 + 0.9 * decisions.unit(swarm, "strength");
                    let is_scripted = !is_drawn && decisions.is_scripted(&spec.name);
                    (is_drawn || is_scripted, if is_scripted { 1.0 } else { strength })
                }
            };
            if is_used {
                active.push(Active { spec: spec.clone(), strength, lane: decisions.lane(&spec.name) });
            }
        }
        let spells = Spell::ALL.into_iter().filter_map(|spell| {
            let active = active.iter().find(|a| a.spec.name == spell.name())?;
            let rate = if spell == Spell::Crash { active.rate("after_turn") } else { 0.0 };
            // A script may ask for it although it never happens by itself.
            (rate > 0.0 || decisions.is_traced()).then_some((spell, active.lane, rate))
        });
        let after_turn = spells.collect();
        let messages = MessageFaults::new(&active);
        let links = Links::new(&active);
        let platform = PlatformFaults::new(&active);
        Faults {
            active,
            is_on: false,
            messages,
            platform,
            partition: None,
            partitions: 0,
            links,
            after_turn,
            aim: None,
            strikes: [0; Spell::ALL.len()],
        }
    }

    /// What goes wrong with the disk of this node.
    pub(crate) fn of_disk(&self, node: NodeId) -> DiskFaults {
        DiskFaults::new(&self.active, node)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.active.iter().map(|a| a.spec.name.as_str())
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Active> {
        self.active.iter().find(|a| a.spec.name == name)
    }

    /// Whether nothing gets from `from` to `to` at present.
    #[inline(always)]
    pub(crate) fn is_cut(&self, from: NodeId, to: NodeId) -> bool {
        from != to && self.partition.as_ref().is_some_and(|p| p.cuts(from, to))
    }

    /// When a message arrives that would arrive at `at`, on a link that is clogged or narrow.
    #[inline]
    pub(crate) fn hold_back(&mut self, from: NodeId, to: NodeId, now: Time, at: Time, bytes: usize) -> Time {
        if from == to || !self.is_on { at } else { self.links.hold_back(from, to, now, at, bytes) }
    }
}

impl Sim {
    /// The drivers begin: from now on faults happen.
    pub(crate) fn begin_faults(&mut self, at: Time) {
        self.faults.is_on = true;
        self.decisions.be_quick(false);
        for spell in Spell::ALL {
            self.schedule_spell(spell, at);
        }
    }

    /// The network heals, spells end, no fault begins any more. Clocks stay as far off as they are.
    pub(crate) fn end_faults(&mut self) {
        self.faults.is_on = false;
        self.decisions.be_quick(true);
        self.heal_partition();
        self.faults.links.release();
        self.heal_disks();
        self.end_deploy();
        self.leases.out_of_reach.clear();
        for node in &mut self.nodes {
            node.turn_cost = Duration::ZERO;
        }
    }
}
