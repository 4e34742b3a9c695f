//! Faults of the platform itself: what goes off by itself does so late, twice or not at all, batches of queues come
//! again or in parts, objects and handlers end in the middle of their work, requests go to the wrong place.

use std::time::Duration;

use dacapo_core::{
    Address, Delivery, Event, ExchangeId, FaultKind, InstanceId, Lane, NodeId, NoteKind, RequestHead,
    TimerId, Trigger,
};
use http::HeaderValue;

use crate::fault::{Active, Spell};
use crate::options::NodeKind;
use crate::sim::{Item, Sim};

/// What this seed does to the platform, in the order of [`NAMES`].
pub(crate) struct PlatformFaults {
    strikes: [Option<Strike>; NAMES.len()],
    /// The fault of the turn that has just been handed out, to be told of if it comes to anything.
    striking: Option<PlatformFault>,
}

/// A fault that hits a share of something.
#[derive(Clone, Debug)]
struct Strike {
    lane: Lane,
    rate: f64,
    spare: Vec<NodeId>,
    max: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlatformFault {
    CronSkipped,
    CronDoubled,
    AlarmLate,
    AlarmDuplicated,
    QueueRedelivered,
    QueueSplit,
    ObjectEvicted,
    ObjectMoved,
    ObjectDoubled,
    WaitUntilCut,
    CpuKilled,
}

const NAMES: [&str; 11] = [
    "cron.skipped",
    "cron.doubled",
    "alarm.late",
    "alarm.duplicated",
    "queue.redelivered",
    "queue.split",
    "object.evicted",
    "object.moved",
    "object.doubled",
    "wait_until.cut",
    "cpu.killed",
];

/// How many messages a consumer is to take of a batch, as its queue says.
const TAKE: &str = "dacapo-take";

impl PlatformFaults {
    pub(crate) fn new(active: &[Active]) -> PlatformFaults {
        let strike = |name: &str| {
            let a = active.iter().find(|a| a.spec.name == name)?;
            let has_max = matches!(
                name,
                "alarm.late" | "object.evicted" | "object.moved" | "wait_until.cut" | "cpu.killed"
            );
            let max = if has_max { a.span_max("max") } else { Duration::ZERO };
            Some(Strike { lane: a.lane, rate: a.rate("rate"), spare: a.spec.spare.clone(), max })
        };
        PlatformFaults { strikes: NAMES.map(strike), striking: None }
    }
}

impl Sim {
    /// The lane and the bound of a fault, if it strikes now on this node.
    fn strikes(&mut self, fault: PlatformFault, node: NodeId) -> Option<(Lane, Duration)> {
        let Strike { lane, rate, ref spare, max } = *self.faults.platform.strikes[fault as usize].as_ref()?;
        let is_of_cluster = self.nodes[node.0 as usize].kind == NodeKind::Cluster;
        if !self.faults.is_on || !is_of_cluster || spare.contains(&node) {
            return None;
        }
        self.decisions.chance(lane, "hit", rate).then_some((lane, max))
    }

    fn note_platform(&mut self, fault: PlatformFault, more: &str) {
        let text = format!("{} {more}", NAMES[fault as usize]);
        self.note(NoteKind::Fault, || text.into());
    }

    /// Early moments are more likely than late ones: most work is short.
    fn soon(&mut self, lane: Lane, max: Duration) -> Duration {
        let unit = self.decisions.unit(lane, "after");
        max.mul_f64(unit * unit * unit)
    }

    /// A trigger is due: how often it goes off. `None`: not yet.
    pub(crate) fn times(&mut self, trigger: Trigger, to: Address, timer: TimerId) -> Option<u32> {
        let on = self.name(to.node).to_owned();
        match trigger {
            Trigger::Cron => {
                if self.strikes(PlatformFault::CronSkipped, to.node).is_some() {
                    self.note_platform(PlatformFault::CronSkipped, &on);
                    return Some(0);
                }
                if self.strikes(PlatformFault::CronDoubled, to.node).is_some() {
                    self.note_platform(PlatformFault::CronDoubled, &on);
                    return Some(2);
                }
            }
            Trigger::Alarm => {
                if let Some((lane, max)) = self.strikes(PlatformFault::AlarmLate, to.node) {
                    let late = self.decisions.up_to(lane, "late", max);
                    self.note_platform(PlatformFault::AlarmLate, &format!("{late:?} {on}"));
                    self.delay_trigger(to, timer, late);
                    return None;
                }
                if self.strikes(PlatformFault::AlarmDuplicated, to.node).is_some() {
                    self.note_platform(PlatformFault::AlarmDuplicated, &on);
                    return Some(2);
                }
            }
        }
        Some(1)
    }

    /// A batch is about to leave a queue: some of it may come later, and its answer may be lost.
    pub(crate) fn strike_batch(&mut self, to: NodeId, head: &mut RequestHead) -> bool {
        let place = head.headers.0.iter().position(|(name, _)| name.as_str() == TAKE);
        let count = place.and_then(|at| head.headers.0[at].1.to_str().ok()?.parse::<u64>().ok());
        if let (Some(at), Some(count @ 2..)) = (place, count)
            && let Some((lane, _)) = self.strikes(PlatformFault::QueueSplit, to)
        {
            let take = 1 + self.decisions.choose(lane, "part", count - 1);
            head.headers.0[at].1 = HeaderValue::from(take);
            let text = format!("{take} of {count} → {}", self.name(to));
            self.note_platform(PlatformFault::QueueSplit, &text);
        }
        self.strikes(PlatformFault::QueueRedelivered, to).is_some()
    }

    pub(crate) fn note_redelivered(&mut self, from: NodeId) {
        let text = self.name(from).to_owned();
        self.note_platform(PlatformFault::QueueRedelivered, &text);
    }

    /// Where a request for an object goes that lives on `owner`.
    pub(crate) fn astray(&mut self, owner: NodeId) -> NodeId {
        let Some((lane, _)) = self.strikes(PlatformFault::ObjectDoubled, owner) else { return owner };
        let is_other = |id: &NodeId| *id != owner && self.stores.has(*id);
        let others: Vec<NodeId> = (0..self.nodes.len() as u32).map(NodeId).filter(is_other).collect();
        if others.is_empty() {
            return owner;
        }
        let other = others[self.decisions.choose(lane, "other", others.len() as u64) as usize];
        let text = format!("{} instead of {}", self.name(other), self.name(owner));
        self.note_platform(PlatformFault::ObjectDoubled, &text);
        other
    }

    /// A request reaches a node: does the platform end its instance in the middle of it?
    #[inline(never)]
    pub(crate) fn strike_request(&mut self, node: NodeId, exchange: ExchangeId, is_of_object: bool) {
        let faults = [
            (PlatformFault::ObjectEvicted, FaultKind::Evicted),
            (PlatformFault::ObjectMoved, FaultKind::Moved),
            (PlatformFault::CpuKilled, FaultKind::Budget),
        ];
        for (fault, kind) in faults {
            if fault != PlatformFault::CpuKilled && !is_of_object {
                continue;
            }
            if let Some((lane, max)) = self.strikes(fault, node) {
                let wait = self.soon(lane, max);
                let to = Address { node, instance: InstanceId::RUNTIME };
                let event = Event::Evict { exchange: Some(exchange), kind };
                self.queue.push(self.now + wait, Item::Evict(to, self.life(node), event, fault));
            }
        }
    }

    /// An instance has answered: does the platform end it while it goes on?
    pub(crate) fn strike_answer(&mut self, from: Address) {
        if from.instance == InstanceId::RUNTIME {
            return;
        }
        if let Some((lane, max)) = self.strikes(PlatformFault::WaitUntilCut, from.node) {
            let wait = self.soon(lane, max);
            let event = Event::Evict { exchange: None, kind: FaultKind::Evicted };
            let item = Item::Evict(from, self.life(from.node), event, PlatformFault::WaitUntilCut);
            self.queue.push(self.now + wait, item);
        }
    }

    /// A node changes to the other version.
    pub(crate) fn deploy(&mut self) {
        if !self.options.has_next {
            return;
        }
        let Some(node) = self.pick_victim(Spell::Deploy) else { return };
        let version = 1 - self.nodes[node.0 as usize].version;
        let text = format!("{} {} runs version {}", Spell::Deploy.name(), self.name(node), version + 1);
        self.note(NoteKind::Fault, || text.into());
        self.run_version(node, version);
    }

    /// The deploy comes to its end: every node runs the new version.
    pub(crate) fn end_deploy(&mut self) {
        if !self.options.has_next || self.faults.find(Spell::Deploy.name()).is_none() {
            return;
        }
        for index in 0..self.nodes.len() {
            if self.nodes[index].kind == NodeKind::Cluster && self.nodes[index].version == 0 {
                self.run_version(NodeId(index as u32), 1);
            }
        }
    }

    fn run_version(&mut self, id: NodeId, version: u32) {
        let node = self.node(id);
        node.version = version;
        if node.is_up {
            self.tell_version(id);
        }
    }

    /// Tells a node which version it runs, before anything else happens.
    pub(crate) fn tell_version(&mut self, node: NodeId) {
        let to = Address { node, instance: InstanceId::RUNTIME };
        let version = self.nodes[node.0 as usize].version;
        self.next_up.push_back((to, Event::Deploy(version)));
    }

    pub(crate) fn evict(
        &mut self,
        to: Address,
        life: u32,
        event: Event,
        fault: PlatformFault,
    ) -> Option<Delivery> {
        let node = &self.nodes[to.node.0 as usize];
        if node.life != life || !node.is_up || !self.faults.is_on {
            return None;
        }
        let delivery = self.deliver(to, event);
        self.faults.platform.striking = Some(fault);
        Some(delivery)
    }

    /// A turn is handed out: what it brings is no longer the work of the fault before it.
    pub(crate) fn forget_strike(&mut self) {
        self.faults.platform.striking = None;
    }

    /// An instance has ended: by a fault, if one has just struck.
    pub(crate) fn note_strike(&mut self, node: NodeId) {
        if let Some(fault) = self.faults.platform.striking.take() {
            let text = self.name(node).to_owned();
            self.note_platform(fault, &text);
        }
    }
}
