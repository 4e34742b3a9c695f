//! The coordination service of a simulated cluster: it loses nothing and never restarts, but it can
//! be slow or out of reach, and end a lease too early.

use std::collections::BTreeSet;
use std::time::Duration;

use dacapo_core::{Address, Decisions, Event, Lane, LeaseCall, LeaseTable, NetError, NodeId};

use crate::sim::{Item, Sim};

/// The shortest way to the service or back, and the mean of what comes on top.
const LATENCY_MIN: Duration = Duration::from_micros(500);
const LATENCY_MORE: Duration = Duration::from_micros(500);
/// When a caller is told that there is no answer.
const TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) struct Leases {
    pub(crate) table: LeaseTable,
    /// Nodes that get no answer at present.
    pub(crate) out_of_reach: BTreeSet<NodeId>,
    lane: Lane,
    /// The shortest way to the service or back.
    min: Duration,
}

impl Leases {
    pub(crate) fn new(decisions: &mut Decisions) -> Leases {
        Leases {
            table: LeaseTable::default(),
            out_of_reach: BTreeSet::new(),
            lane: decisions.lane("lease.latency"),
            min: if decisions.instant().is_some() { Duration::ZERO } else { LATENCY_MIN },
        }
    }
}

impl Sim {
    /// A call leaves for the service.
    pub(crate) fn ask_leases(&mut self, from: Address, call: Box<LeaseCall>) {
        let there = self.leases.min + self.decisions.exponential(self.leases.lane, "extra", LATENCY_MORE);
        let at = self.now + there + self.delays_lease(from.node);
        self.queue.push(at, Item::Lease(from, self.life(from.node), call));
    }

    /// A call reaches the service.
    pub(crate) fn reach_leases(&mut self, from: Address, life: u32, call: &LeaseCall) {
        let back = self.leases.min + self.decisions.exponential(self.leases.lane, "extra", LATENCY_MORE);
        if self.leases.out_of_reach.contains(&from.node) {
            // Either way nobody hears of it: the call was lost, or its answer.
            if self.decisions.either(self.leases.lane, "arrives", 0.5) {
                self.leases.table.call(self.now, call);
            }
            let event = Event::Leased(call.number, Err(NetError::TimedOut));
            self.queue.push(self.now + TIMEOUT, Item::Fail(from, life, event));
            return;
        }
        let records = self.leases.table.call(self.now, call);
        let event = Event::Leased(call.number, Ok(records));
        let back = back + self.delays_lease(from.node);
        self.queue.push(self.now + back, Item::Fail(from, life, event));
    }
}
