//! The stores of the nodes: who waits for what, and when the answer comes.
//!
//! While one flush is under way everything else waits, then goes together: many commits share one
//! sync. The calls return at once in Rust; the disk says how long they took, and so much later the
//! answers are delivered.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::{
    Address, Alarms, Decisions, Delivery, Disk, Event, Flushes, InstanceId, NodeId, NoteKind, ObjectStore,
    OpenStore, StorageError, StorageErrorKind, StoreJob, Time,
};

use crate::disk::{DiskLanes, Drive, SimDisk, Spent, no_decisions};
use crate::instant::AT_ONCE;
use crate::options::{CrashPoint, SimOptions};
use crate::sim::{Item, Sim};

/// At most so many wait for one flush; the rest for the next.
const FLUSH_MAX: usize = 1024;
/// So long after its answers a process that cannot use its store goes on.
const LAST_WORDS: Duration = Duration::from_millis(1);
const AFTER: Duration = Duration::from_nanos(1);

/// There is none.
pub(crate) fn open_none(_: Box<dyn Disk>) -> Result<(Box<dyn ObjectStore>, Alarms), StorageError> {
    let why = "the simulation was made without a kind of store (`Sim::with_store` takes one)";
    Err(StorageError::new(StorageErrorKind::Newer, why))
}

/// What is due at a store.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// An answer, in this life of the node.
    Answer(Address, u32, Event),
    /// What was under way is done.
    Done(NodeId, u32),
    /// The process ends, because it cannot use its store.
    GiveUp(NodeId, u32, &'static str),
    /// The node crashes before its disk does the operation of this number.
    CrashBefore(NodeId, u32, u64),
}

struct NodeStore {
    disk: SimDisk,
    store: Option<Box<dyn ObjectStore>>,
    /// Why there is none.
    failure: Option<StorageError>,
    waiting: VecDeque<(Address, StoreJob)>,
    flushes: Flushes,
    is_busy: bool,
    /// It goes down by its own decision: the machine lives.
    exits: bool,
}

/// The stores of all nodes that have one.
pub(crate) struct Stores {
    of: BTreeMap<NodeId, NodeStore>,
    open: OpenStore,
}

impl Stores {
    pub(crate) fn new(
        options: &SimOptions,
        open: OpenStore,
        decisions: &mut Decisions,
        faults: &crate::fault::Faults,
    ) -> Stores {
        if options.stores.is_empty() {
            return Stores { of: BTreeMap::new(), open };
        }
        let lanes = DiskLanes::new(decisions);
        let is_instant = decisions.instant().is_some();
        let disk = if is_instant { options.disk.without_costs() } else { options.disk.clone() };
        let store = |id: NodeId| {
            let name = &options.nodes[id.0 as usize].name;
            let mut drive = Drive::new(name, disk.clone(), lanes, faults.of_disk(id));
            if is_instant {
                drive.moment = AFTER;
            }
            if let Some(CrashPoint::Disk(node, operation)) = options.crash_at
                && node == id
            {
                drive.crash_before = Some(operation);
            }
            NodeStore {
                disk: SimDisk::new(drive),
                store: None,
                failure: None,
                waiting: VecDeque::new(),
                flushes: Flushes::default(),
                is_busy: false,
                exits: false,
            }
        };
        let nodes = options.stores.iter().filter(|id| (id.0 as usize) < options.nodes.len());
        Stores { of: nodes.map(|id| (*id, store(*id))).collect(), open }
    }

    pub(crate) fn has(&self, node: NodeId) -> bool {
        self.of.contains_key(&node)
    }

    pub(crate) fn nodes(&self) -> Vec<NodeId> {
        self.of.keys().copied().collect()
    }

    pub(crate) fn disk(&self, node: NodeId) -> Option<SimDisk> {
        self.of.get(&node).map(|node| node.disk.clone())
    }

    /// Whether nothing is under way.
    pub(crate) fn are_quiet(&self) -> bool {
        self.of.values().all(|node| !node.is_busy && node.waiting.is_empty())
    }
}

/// The answers of one flush, in their order.
struct Answers {
    life: u32,
    last: Time,
}

impl Answers {
    /// The moment of the next answer, which is known at `at`.
    fn next(&mut self, at: Time) -> Time {
        self.last = at.max(self.last + AFTER);
        self.last
    }
}

impl Sim {
    /// How many operations the disk of this node has done so far that change something: what
    /// [`CrashPoint::Disk`] counts. Those are counted, too, that a crash undid.
    pub fn disk_operations(&self, node: NodeId) -> u64 {
        self.stores.disk(node).map_or(0, |disk| disk.0.borrow().operations)
    }

    /// The node has booted: its store opens.
    pub(crate) fn open_store(&mut self, id: NodeId) {
        let Some(disk) = self.stores.disk(id) else { return };
        if disk.0.borrow_mut().replace_if_lost() {
            let text = format!("disk.lost {}: a new disk is there, and empty", self.name(id));
            self.note(NoteKind::FaultEnds, || text.into());
        }
        let open = self.stores.open;
        self.begin_session(&disk, true);
        let opened = open(disk.handle());
        let until = self.end_session(id, &disk).max(self.now + AFTER);
        let life = self.life(id);
        let Some(node) = self.stores.of.get_mut(&id) else { return };
        node.is_busy = true;
        let (answer, failure) = match opened {
            Ok((store, alarms)) => {
                node.store = Some(store);
                // The instances of this life have numbers that those of the last one had.
                node.flushes = Flushes::default();
                (Ok(alarms), None)
            }
            Err(error) => {
                node.failure = Some(error.clone());
                (Err(error.clone()), Some(error.kind))
            }
        };
        let to = Address { node: id, instance: InstanceId::RUNTIME };
        self.queue.push(until, Item::Store(Step::Answer(to, life, Event::StoreOpened(answer))));
        // Another attempt helps against a disk that failed, not against what stands on it.
        let gives_up = matches!(failure, Some(StorageErrorKind::Disk | StorageErrorKind::Full));
        let then = match gives_up {
            true => Step::GiveUp(id, life, "its store cannot be opened"),
            false => Step::Done(id, life),
        };
        self.queue.push(until + if gives_up { LAST_WORDS } else { AFTER }, Item::Store(then));
    }

    fn begin_session(&mut self, disk: &SimDisk, is_opening: bool) {
        let decisions = std::mem::replace(&mut self.decisions, no_decisions());
        disk.begin(decisions, self.now, self.faults.is_on, is_opening);
    }

    /// The disk has done its work; gives when.
    fn end_session(&mut self, id: NodeId, disk: &SimDisk) -> Time {
        let (decisions, Spent { until, crash, notes }) = disk.end();
        self.decisions = decisions;
        self.note_all(notes);
        if let (Some(at), Some(CrashPoint::Disk(_, operation))) = (crash, self.options.crash_at) {
            let life = self.life(id);
            self.queue.push(at, Item::Store(Step::CrashBefore(id, life, operation)));
        }
        until
    }

    fn note_all(&mut self, notes: Vec<(NoteKind, String)>) {
        for (kind, text) in notes {
            self.note(kind, || text.into());
        }
    }

    /// An instance asks something of the store of its node.
    pub(crate) fn ask_store(&mut self, from: Address, job: StoreJob) {
        match self.stores.of.get_mut(&from.node) {
            Some(node) => {
                node.waiting.push_back((from, job));
                self.flush(from.node);
            }
            None => {
                let why = "this node has no store: the scenario gives it none";
                let error = StorageError::new(StorageErrorKind::Disk, why);
                self.refuse(vec![(from, job)], &error);
            }
        }
    }

    fn refuse(&mut self, jobs: Vec<(Address, StoreJob)>, error: &StorageError) {
        let mut at = self.now;
        for (to, job) in jobs {
            at = at + AFTER;
            let event = job.refused(error.clone());
            let life = self.life(to.node);
            self.queue.push(at, Item::Store(Step::Answer(to, life, event)));
        }
    }

    /// Does what waits, if nothing is under way.
    fn flush(&mut self, id: NodeId) {
        let Some(node) = self.stores.of.get_mut(&id) else { return };
        if node.is_busy || node.waiting.is_empty() {
            return;
        }
        let count = node.waiting.len().min(FLUSH_MAX);
        let jobs: Vec<(Address, StoreJob)> = node.waiting.drain(..count).collect();
        let Some(mut store) = node.store.take() else {
            let closed = || StorageError::new(StorageErrorKind::Disk, "the store of this node is not open");
            let error = node.failure.clone().unwrap_or_else(closed);
            return self.refuse(jobs, &error);
        };
        node.is_busy = true;
        let disk = node.disk.clone();
        self.begin_session(&disk, false);
        let mut answers = Answers { life: self.life(id), last: self.now };
        let failed = self.work(id, store.as_mut(), &disk, jobs, &mut answers);
        let until = answers.next(self.end_session(id, &disk));
        if let Some(node) = self.stores.of.get_mut(&id) {
            node.store = Some(store);
        }
        let (at, step) = match failed {
            true => (until + LAST_WORDS, Step::GiveUp(id, answers.life, "its store takes no more writes")),
            false => (until, Step::Done(id, answers.life)),
        };
        self.queue.push(at, Item::Store(step));
    }

    /// One flush. Gives whether the store can no longer be used.
    fn work(
        &mut self,
        id: NodeId,
        store: &mut dyn ObjectStore,
        disk: &SimDisk,
        jobs: Vec<(Address, StoreJob)>,
        answers: &mut Answers,
    ) -> bool {
        let Some(node) = self.stores.of.get_mut(&id) else { return false };
        let mut flushes = std::mem::take(&mut node.flushes);
        let failure = flushes.run(store, jobs, &mut |to, event| {
            if matches!(event, Event::Committed(_, Ok(()))) {
                disk.0.borrow_mut().is_relied_on = true;
            }
            let at = answers.next(disk.clock());
            self.queue.push(at, Item::Store(Step::Answer(to, answers.life, event)));
        });
        if let Some(node) = self.stores.of.get_mut(&id) {
            node.flushes = flushes;
        }
        failure == Some(StorageErrorKind::Disk)
    }

    /// Something is due at a store.
    pub(crate) fn step_store(&mut self, step: Step) -> Option<Delivery> {
        match step {
            Step::Answer(to, life, event) => {
                if !self.is_alive(to.node, life) {
                    return None;
                }
                let is_durable = matches!(event, Event::Committed(_, Ok(())));
                let crash = if is_durable { self.crash_at_commit(to.node) } else { None };
                crash.or_else(|| Some(self.deliver(to, event)))
            }
            Step::Done(id, life) => {
                if self.is_alive(id, life) {
                    if let Some(node) = self.stores.of.get_mut(&id) {
                        node.is_busy = false;
                    }
                    self.flush(id);
                }
                None
            }
            Step::GiveUp(id, life, why) => {
                if !self.is_alive(id, life) {
                    return None;
                }
                let text = format!("{} ends itself: {why}", self.name(id));
                self.note(NoteKind::Info, || text.into());
                if let Some(node) = self.stores.of.get_mut(&id) {
                    node.exits = true;
                }
                Some(self.crash(id))
            }
            Step::CrashBefore(id, life, operation) => {
                if !self.is_alive(id, life) {
                    return None;
                }
                let text = format!("crash of {} before operation {operation} of its disk", self.name(id));
                self.note(NoteKind::Fault, || text.into());
                Some(self.crash(id))
            }
        }
    }

    fn is_alive(&self, id: NodeId, life: u32) -> bool {
        let node = &self.nodes[id.0 as usize];
        node.is_up && node.life == life
    }

    /// The process of this node ends soon, because it cannot use its store.
    pub(crate) fn give_up_store(&mut self, id: NodeId, why: &'static str) {
        let life = self.life(id);
        if let Some(node) = self.stores.of.get_mut(&id) {
            node.is_busy = true;
            self.queue.push(self.now + AFTER, Item::Store(Step::GiveUp(id, life, why)));
        }
    }

    /// The node goes down: what its disk then holds is decided now.
    pub(crate) fn crash_store(&mut self, id: NodeId) {
        let is_stopping = self.node(id).is_stopping;
        let Some(node) = self.stores.of.get_mut(&id) else { return };
        node.waiting.clear();
        node.is_busy = false;
        node.failure = None;
        let may_lose_power = !is_stopping && !std::mem::take(&mut node.exits);
        let mut drive = node.disk.0.borrow_mut();
        // Where disks take no time, what was done at this instant is done.
        let now = if self.instant.is_some() { self.now + AT_ONCE } else { self.now };
        let line = drive.crash(&mut self.decisions, now, may_lose_power);
        let notes = std::mem::take(&mut drive.notes);
        drop(drive);
        // After the disk: what a store might still write when it is dropped comes too late.
        node.store = None;
        if let Some(line) = line {
            let kind = if line.starts_with("disk.") { NoteKind::Fault } else { NoteKind::Info };
            self.note(kind, || ByteString::from(line));
        }
        self.note_all(notes);
    }
}
