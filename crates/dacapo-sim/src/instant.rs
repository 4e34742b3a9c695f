//! A world in which messages take no time, so that whatever is under way can come next: for searches through all orders.
//!
//! What is due at the present instant lies in a pool, and one after the other is taken out of it, in any order that
//! connections allow: parts of one body, timers of one instance and answers of one disk keep theirs. Time goes on when
//! nothing is under way any more. A [`Scheduler`] says what comes next; without one it is a decision, like any other.
//!
//! Each taking is a *step*. A step is told apart from others by where it came from and what it is called, which is the same
//! in every order that differs only in steps that have nothing to do with each other; and it has a *footprint*: the nodes
//! on which something depends on whether it comes before or after another step.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::{Address, Delivery, ExchangeId, NodeId, Time, digest_of};

use crate::cause;
use crate::phase::Ending;
use crate::queue::QueueSlot;
use crate::sim::{Item, Sim};
use crate::store::Step as StoreStep;

/// Things that are due within this of each other are due at once: shorter than any timer, longer than the moments by
/// which things are kept in order elsewhere.
pub(crate) const AT_ONCE: Duration = Duration::from_nanos(900);
/// The coordination service in a footprint.
const LEASES: NodeId = NodeId(u32::MAX);

/// Says which step comes next.
pub trait Scheduler {
    /// Which of these is to be taken: an index into `under_way`, which is never empty and stands in the order in which
    /// things were sent. `last` is what the step before left behind. `None` ends the run.
    fn choose(&mut self, last: Option<&Footprint>, under_way: &[UnderWay]) -> Option<usize>;
}

/// A scheduler, and a handle of whoever wants to have it back after the run.
pub type SharedScheduler = Rc<RefCell<dyn Scheduler>>;

/// Something that could come next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// What it is, in any order in which the same steps led to it.
    pub id: u64,
    /// Steps up to this one, of this run and counted from 1, came before it by nature: time has gone on since then.
    pub settled: usize,
    /// The step that sent it, and the one before which it could not be taken; 0 if there is none.
    pub after: [usize; 2],
}

/// What a step has to do with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    nodes: BTreeSet<NodeId>,
    is_everywhere: bool,
}

impl Footprint {
    /// A footprint on these nodes.
    pub fn of(nodes: impl IntoIterator<Item = NodeId>) -> Footprint {
        Footprint { nodes: nodes.into_iter().collect(), is_everywhere: false }
    }

    /// A footprint that has to do with everything.
    pub fn everywhere() -> Footprint {
        Footprint { nodes: BTreeSet::new(), is_everywhere: true }
    }

    /// Whether it matters which of the two comes first.
    pub fn meets(&self, other: &Footprint) -> bool {
        self.is_everywhere || other.is_everywhere || !self.nodes.is_disjoint(&other.nodes)
    }
}

/// What keeps its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    ToServer(ExchangeId),
    ToCaller(ExchangeId),
    Timers(Address),
    Store(NodeId),
    Inbox(NodeId),
}

struct Pending {
    slot: u32,
    id: u64,
    sent_by: usize,
    line: Option<Line>,
    footprint: Footprint,
    /// It comes when nothing is under way, and alone.
    is_of_world: bool,
}

/// The state of such a world.
pub(crate) struct Instant {
    together: Duration,
    scheduler: Option<SharedScheduler>,
    pool: Vec<Pending>,
    later: BTreeMap<(Time, u64), Pending>,
    /// Steps so far; the last one's name, and what it has to do with.
    steps: usize,
    step: u64,
    pub(crate) footprint: Footprint,
    /// How many of a name the last step has sent.
    sent: BTreeMap<u64, u32>,
    settled: usize,
    last_of: BTreeMap<Line, usize>,
}

impl Instant {
    pub(crate) fn new(together: Duration) -> Instant {
        Instant {
            together: together.max(AT_ONCE),
            scheduler: None,
            pool: Vec::new(),
            later: BTreeMap::new(),
            steps: 0,
            step: 0,
            footprint: Footprint::default(),
            sent: BTreeMap::new(),
            settled: 0,
            last_of: BTreeMap::new(),
        }
    }

    /// What is sent from now on was sent by this.
    fn begin_step(&mut self, name: u64) {
        self.step = name;
        self.sent.clear();
    }

    /// Nothing is under way: whatever comes next comes after all that there was, in every order.
    fn settle(&mut self) {
        self.settled = self.steps;
        self.last_of.clear();
        self.begin_step(hash_of(&("settled", self.steps)));
    }

    /// Of what lies in the pool: what can be taken, in the order in which it was sent.
    fn can_be_taken(&self) -> Vec<usize> {
        let mut lines = BTreeSet::new();
        let is_first = |index: &usize| self.pool[*index].line.is_none_or(|line| lines.insert(line));
        (0..self.pool.len()).filter(is_first).collect()
    }

    /// Time goes on to what is due next: gives when that is.
    fn advance(&mut self) -> Option<Time> {
        let ((first, _), pending) = self.later.pop_first()?;
        let mut now = first;
        let is_alone = pending.is_of_world;
        self.pool.push(pending);
        while let Some(entry) = self.later.first_entry().filter(|_| !is_alone) {
            let (at, _) = *entry.key();
            if at.since(first) > self.together || entry.get().is_of_world {
                break;
            }
            self.pool.push(entry.remove());
            now = at;
        }
        Some(now)
    }
}

fn hash_of(what: &impl Hash) -> u64 {
    digest_of(what).low()
}

impl Sim {
    /// Lets somebody say which step comes next, if messages take no time in this run.
    pub fn schedule_by(&mut self, scheduler: SharedScheduler) {
        if let Some(instant) = &mut self.instant {
            instant.scheduler = Some(scheduler);
        }
    }

    /// What the last step had to do with, if messages take no time in this run.
    pub fn last_footprint(&self) -> Option<&Footprint> {
        self.instant.as_ref().map(|instant| &instant.footprint)
    }

    /// The present step has to do with these nodes, too.
    #[inline]
    pub(crate) fn touch(&mut self, nodes: &[NodeId]) {
        if let Some(instant) = &mut self.instant {
            instant.footprint.nodes.extend(nodes);
        }
    }

    /// The present step has to do with everything.
    pub(crate) fn touch_everything(&mut self) {
        if let Some(instant) = &mut self.instant {
            instant.footprint.is_everywhere = true;
        }
    }

    /// Takes steps until one gives a turn, or the run is over.
    #[cold]
    pub(crate) fn next_instantly(&mut self, place: &mut Option<Delivery>) {
        while place.is_none() {
            if let Some((to, event)) = self.next_up.pop_front() {
                self.touch(&[to.node]);
                *place = Some(self.deliver(to, event));
                return;
            }
            self.put_into_pool();
            let is_idle = self.instant.as_ref().is_some_and(|instant| instant.pool.is_empty());
            if is_idle && self.ending().is_none() {
                self.instant.iter_mut().for_each(|instant| instant.settle());
                self.check_quiet();
                self.put_into_pool();
            }
            let is_over = match self.ending() {
                None => false,
                // What is under way when the workload has judged could still break a rule.
                Some(Ending::Done) => self.instant.as_ref().is_none_or(|instant| instant.pool.is_empty()),
                Some(_) => true,
            };
            if is_over || self.has_too_many_deliveries() {
                return;
            }
            let Some(slot) = self.take_step() else { return };
            self.come_to(slot, place);
            if let Some(delivery) = place {
                self.touch(&[delivery.to.node]);
            }
        }
    }

    /// Takes what was sent by the last step out of the queue, and gives each thing its name.
    fn put_into_pool(&mut self) {
        let Some(mut instant) = self.instant.take() else { return };
        for (at, seq, QueueSlot(slot)) in self.queue.pop_all() {
            let item = self.queue.peek(slot);
            let mut label = String::new();
            cause::of_item(&mut label, item, &self.nodes, &self.book);
            let (footprint, is_of_world) = self.reach_of(item);
            let name = hash_of(&(instant.step, label, std::mem::discriminant(item), &footprint.nodes));
            let nth = instant.sent.entry(name).or_default();
            *nth += 1;
            let id = hash_of(&(name, *nth));
            let line = line_of(item);
            let pending = Pending { slot, id, sent_by: instant.steps, line, footprint, is_of_world };
            match !is_of_world && at.since(self.now) <= AT_ONCE {
                true => instant.pool.push(pending),
                false => drop(instant.later.insert((at, seq), pending)),
            }
        }
        self.instant = Some(instant);
    }

    /// The next step. `None`: the run is over.
    fn take_step(&mut self) -> Option<QueueSlot> {
        let mut instant = self.instant.take()?;
        let taken = self.take_from(&mut instant);
        self.instant = Some(instant);
        taken
    }

    fn take_from(&mut self, instant: &mut Instant) -> Option<QueueSlot> {
        if instant.pool.is_empty() {
            match instant.advance() {
                Some(now) => self.now = self.now.max(now),
                None => {
                    self.get_stuck();
                    return None;
                }
            }
        }
        let is_glued = |pending: &Pending| matches!(self.queue.peek(pending.slot), Item::FaultAfter(..));
        if let Some(index) = instant.pool.iter().position(is_glued) {
            // It comes right after its turn, and is part of that step.
            let pending = instant.pool.remove(index);
            instant.footprint.is_everywhere = true;
            return Some(QueueSlot(pending.slot));
        }
        let choice = instant.can_be_taken();
        let chosen = match &instant.scheduler {
            None => {
                self.be_about(instant, choice[0]);
                self.decisions.order(self.queue.lane(), "first", choice.len() as u64) as usize
            }
            Some(scheduler) => {
                let scheduler = Rc::clone(scheduler);
                let last = (instant.steps > 0).then_some(&instant.footprint);
                let under_way: Vec<UnderWay> = choice.iter().map(|index| instant.under_way(*index)).collect();
                let Some(chosen) = scheduler.borrow_mut().choose(last, &under_way) else {
                    self.abandon();
                    return None;
                };
                self.be_about(instant, choice[0]);
                let lane = self.queue.lane();
                self.decisions.order_is(lane, "first", choice.len() as u64, chosen as u64);
                chosen
            }
        };
        let Pending { slot, id, line, footprint, .. } = instant.pool.remove(choice[chosen]);
        instant.steps += 1;
        instant.begin_step(id);
        instant.footprint = footprint;
        if let Some(line) = line {
            instant.last_of.insert(line, instant.steps);
        }
        Some(QueueSlot(slot))
    }

    /// Decisions are about what would come next if nothing else did.
    fn be_about(&mut self, instant: &Instant, index: usize) {
        let item = self.queue.peek(instant.pool[index].slot);
        self.decisions.about(|text| cause::of_item(text, item, &self.nodes, &self.book));
    }

    /// The nodes that an item has to do with before it is known what comes of it, and whether it is of the world.
    fn reach_of(&self, item: &Item) -> (Footprint, bool) {
        let nodes: Vec<NodeId> = match item {
            Item::Boot(node)
            | Item::Wake(node, _)
            | Item::Message(_, node, _)
            | Item::Store(StoreStep::Done(node, _)) => vec![*node],
            Item::Phase(_) => self.workload().into_iter().collect(),
            Item::Timer(to, ..)
            | Item::Fail(to, ..)
            | Item::Evict(to, ..)
            | Item::Store(StoreStep::Answer(to, ..)) => vec![to.node],
            Item::ToServer(id, _) => self.book.peek(*id).map(|e| e.server).into_iter().collect(),
            Item::ToCaller(id, _) => self.book.peek(*id).map(|e| e.caller.node).into_iter().collect(),
            Item::Break(id, _) => self.book.peek(*id).map_or(Vec::new(), |e| vec![e.server, e.caller.node]),
            Item::Lease(from, ..) => vec![from.node, LEASES],
            Item::Store(StoreStep::GiveUp(..) | StoreStep::CrashBefore(..)) | Item::FaultAfter(..) => {
                return (Footprint::everywhere(), false);
            }
            Item::Exit(..) | Item::Fault(_) | Item::FaultEnd(_) | Item::Heal | Item::Deadline(_) => {
                return (Footprint::everywhere(), true);
            }
        };
        (Footprint::of(nodes), false)
    }
}

impl Instant {
    fn under_way(&self, index: usize) -> UnderWay {
        let Pending { id, sent_by, line, .. } = &self.pool[index];
        let behind = line.and_then(|line| self.last_of.get(&line)).copied().unwrap_or_default();
        UnderWay { id: *id, settled: self.settled, after: [*sent_by, behind] }
    }
}

fn line_of(item: &Item) -> Option<Line> {
    Some(match item {
        Item::ToServer(id, _) => Line::ToServer(*id),
        Item::ToCaller(id, _) | Item::Break(id, _) => Line::ToCaller(*id),
        Item::Timer(to, ..) => Line::Timers(*to),
        Item::Store(StoreStep::Answer(to, ..)) => Line::Store(to.node),
        Item::Store(StoreStep::Done(node, _)) => Line::Store(*node),
        Item::Wake(node, _) => Line::Inbox(*node),
        _ => return None,
    })
}
