//! The store of a process, on a thread of its own, so that no loop waits for a disk.
//!
//! While one commit is on its way to the disk others queue up, then go together: many share one
//! sync.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use dacapo_core::{
    Address, Alarms, Changes, Effect, Event, Flushes, InstanceId, NodeId, ObjectKey, ObjectStore, OpenStore,
    StorageError, StorageErrorKind, StoreJob,
};

use crate::HostError;
use crate::disk::FileDisk;
use crate::mail::{Mail, Peers};

/// At most so many go to the disk together.
const FLUSH_MAX: usize = 1024;

/// Says on which node an object is.
pub type Owner = Arc<dyn Fn(&ObjectKey) -> Option<NodeId> + Send + Sync>;

/// Takes the kind of failure after which a store is of no more use.
pub type OnFailure = Arc<dyn Fn(StorageErrorKind) + Send + Sync>;

/// Where the states of durable objects are kept. One store for all nodes of the process, so that
/// it can run with another number of loops tomorrow.
#[derive(Clone)]
pub struct StoreOptions {
    /// The folder.
    pub folder: PathBuf,
    /// What keeps them there.
    pub open: OpenStore,
    /// On which node an object is: that one is told of its alarm.
    pub owner: Owner,
    /// Told when the disk has failed. Nobody knows then what it has, so the process should end, and
    /// another one look.
    pub on_failure: OnFailure,
}

/// The way to the thread of the store, if the process has one.
#[derive(Clone)]
pub(crate) struct StoreDoor(Option<Arc<StoreThread>>);

struct StoreThread {
    sender: Option<Sender<(Address, StoreJob)>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for StoreThread {
    fn drop(&mut self) {
        // Nobody can ask any more. What was asked before is still done, and the folder is free then.
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl StoreDoor {
    /// Starts the thread.
    pub(crate) fn open(options: Option<&StoreOptions>, peers: &Arc<Peers>) -> Result<StoreDoor, HostError> {
        let Some(options) = options else { return Ok(StoreDoor(None)) };
        let disk = FileDisk::open(&options.folder).map_err(|e| HostError::store(&options.folder, e))?;
        let (sender, jobs) = channel();
        let (options, peers) = (options.clone(), Arc::clone(peers));
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || serve(disk, &options, &jobs, &peers))
            .map_err(|source| HostError::Loop { source })?;
        Ok(StoreDoor(Some(Arc::new(StoreThread { sender: Some(sender), thread: Some(thread) }))))
    }

    /// Asks the store. Gives the answer if it cannot be asked.
    pub(crate) fn ask(&self, from: Address, effect: Effect) -> Option<Event> {
        let job = match effect {
            Effect::Load(key) => StoreJob::Load(key),
            Effect::Commit(number, key, changes) => StoreJob::Commit(number, key, changes),
            _ => return None,
        };
        match self.0.as_ref().and_then(|thread| thread.sender.as_ref()) {
            Some(sender) => {
                let (_, job) = sender.send((from, job)).err()?.0;
                Some(refusal(&job, "the store has ended: see what it said before"))
            }
            None => {
                Some(refusal(&job, "this process keeps no objects: it was started without a folder for them"))
            }
        }
    }
}

fn refusal(job: &StoreJob, why: &'static str) -> Event {
    job.refused(StorageError::new(StorageErrorKind::Disk, why))
}

/// The thread of the store.
fn serve(disk: FileDisk, options: &StoreOptions, jobs: &Receiver<(Address, StoreJob)>, peers: &Peers) {
    let answer = |to: Address, event: Event| {
        if let Some(peer) = peers.get(to.node.0 as usize) {
            // A loop that has ended needs no answer.
            let _ = peer.send(Mail::Event(to, event));
        }
    };
    let nodes = || (0..peers.len() as u32).map(NodeId);
    let runtime = |node| Address { node, instance: InstanceId::RUNTIME };
    let mut store = match (options.open)(Box::new(disk)) {
        Ok((store, alarms)) => {
            for node in nodes() {
                let is_there = |key: &ObjectKey| (options.owner)(key) == Some(node);
                let own: Alarms = alarms.iter().filter(|(key, _)| is_there(key)).cloned().collect();
                answer(runtime(node), Event::StoreOpened(Ok(own)));
            }
            store
        }
        Err(error) => {
            for node in nodes() {
                answer(runtime(node), Event::StoreOpened(Err(error.clone())));
            }
            Box::new(Closed(error))
        }
    };
    let mut flushes = Flushes::default();
    while let Ok(first) = jobs.recv() {
        let batch = std::iter::once(first).chain(jobs.try_iter()).take(FLUSH_MAX).collect();
        let failure = flushes.run(store.as_mut(), batch, &mut { answer });
        if failure == Some(StorageErrorKind::Disk) {
            (options.on_failure)(StorageErrorKind::Disk);
        }
    }
}

/// A store that could not be opened.
struct Closed(StorageError);

impl ObjectStore for Closed {
    fn load(&mut self, _: &ObjectKey) -> Result<Option<dacapo_core::Image>, StorageError> {
        Err(self.0.clone())
    }

    fn commit(&mut self, _: &[(ObjectKey, Changes)]) -> Result<(), StorageError> {
        Err(self.0.clone())
    }
}
