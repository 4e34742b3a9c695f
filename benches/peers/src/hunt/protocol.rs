//! The four protocols with their bugs: what runs on each of the peers.
//!
//! They are those of `benches/scoreboard/src/bugs/`. A client may send twice what it has no answer to, since networks
//! of some peers break connections; what the twins promise holds all the same.

use std::collections::BTreeSet;
use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures::stream::{FuturesUnordered, StreamExt};
use serde::{Deserialize, Serialize};

use super::Bug;

/// What a client asks a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// The present state.
    Read,
    /// Sets a number that was read in this version.
    Write { version: u64, value: u64 },
    /// Charges a payment.
    Pay { key: u64 },
    /// Puts a value into the cache.
    Fill { lease: u64, value: u64 },
    /// Empties the cache.
    Delete,
}

/// What the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Its state: a version or a lease, and a number if there is one.
    State { version: u64, value: Option<u64> },
    /// It will not.
    Refused,
}

/// A server: what it knows, and whether it has the bug.
pub enum Server {
    /// A number with a version.
    Counter { is_buggy: bool, version: u64, value: u64 },
    /// What was charged, and the keys that were seen.
    Ledger { is_buggy: bool, charged: u64, seen: BTreeSet<u64> },
    /// A number that only grows.
    Database { value: u64 },
    /// A copy of it; the lease grows with each deletion.
    Cache { is_buggy: bool, lease: u64, entry: Option<u64> },
}

impl Server {
    pub(super) fn counter(is_buggy: bool) -> Server {
        Server::Counter { is_buggy, version: 0, value: 0 }
    }

    pub(super) fn ledger(is_buggy: bool) -> Server {
        Server::Ledger { is_buggy, charged: 0, seen: BTreeSet::new() }
    }

    pub(super) fn database() -> Server {
        Server::Database { value: 0 }
    }

    pub(super) fn cache(is_buggy: bool) -> Server {
        Server::Cache { is_buggy, lease: 0, entry: None }
    }

    /// Does what it is asked for.
    pub fn answer(&mut self, ask: Ask) -> Answer {
        match self {
            Server::Counter { is_buggy, version, value } => {
                if let Ask::Write { version: read, value: new } = ask {
                    if !*is_buggy && read != *version {
                        return Answer::Refused;
                    }
                    (*version, *value) = (*version + 1, new);
                }
                Answer::State { version: *version, value: Some(*value) }
            }
            Server::Ledger { is_buggy, charged, seen } => {
                if let Ask::Pay { key } = ask
                    && (seen.insert(key) || *is_buggy)
                {
                    *charged += 1;
                }
                Answer::State { version: 0, value: Some(*charged) }
            }
            Server::Database { value } => {
                if let Ask::Write { value: new, .. } = ask {
                    // There is one writer, and it only counts up: an older value was sent twice, or is late.
                    *value = new.max(*value);
                }
                Answer::State { version: 0, value: Some(*value) }
            }
            Server::Cache { is_buggy, lease, entry } => {
                match ask {
                    Ask::Fill { lease: given, .. } if !*is_buggy && given != *lease => {
                        return Answer::Refused;
                    }
                    Ask::Fill { value, .. } => *entry = Some(value),
                    Ask::Delete => (*lease, *entry) = (*lease + 1, None),
                    _ => {}
                }
                Answer::State { version: *lease, value: *entry }
            }
        }
    }
}

/// What a peer gives to a client.
pub trait Network: Send + Sync {
    /// Asks the server of this number; `None` if there is no answer within so many units.
    fn ask(&self, server: usize, ask: Ask, within: u64) -> impl Future<Output = Option<Answer>> + Send;
    /// Waits so many units.
    fn sleep(&self, units: u64) -> impl Future<Output = ()> + Send;
    /// How many units have passed.
    fn now(&self) -> u64;
    /// A random number below `range`.
    fn below(&self, range: u64) -> u64;
}

/// What clients have seen, by which the system is judged.
#[derive(Default)]
pub struct Seen {
    /// Increments that were acknowledged, payments, or values that were written.
    count: AtomicU64,
    /// The newest value that was read.
    newest: AtomicU64,
    /// Whether an older one was read after it.
    is_stale: AtomicBool,
}

/// The check does not hold.
pub struct Broken;

const PATIENCE: u64 = 400;
/// With replicas, of which two of three are enough.
const PATIENCE_WITH_REPLICAS: u64 = 2000;
const AGAIN: u64 = 40;

async fn insist(network: &impl Network, server: usize, ask: Ask) -> Answer {
    loop {
        if let Some(answer) = network.ask(server, ask, PATIENCE).await {
            return answer;
        }
        network.sleep(AGAIN).await;
    }
}

async fn read(network: &impl Network, server: usize) -> (u64, Option<u64>) {
    match insist(network, server, Ask::Read).await {
        Answer::State { version, value } => (version, value),
        Answer::Refused => unreachable!("a read is never refused"),
    }
}

/// Asks three replicas at once and waits for two. Gives the newest value of these, unless too few have answered.
async fn majority(network: &impl Network, ask: Ask) -> Option<u64> {
    let answers: FuturesUnordered<_> =
        (0..3).map(|replica| network.ask(replica, ask, PATIENCE_WITH_REPLICAS)).collect();
    let answers: Vec<Answer> = answers.filter_map(ready).take(2).collect().await;
    let values = answers.iter().map(|answer| match answer {
        Answer::State { value, .. } => value.unwrap_or_default(),
        Answer::Refused => unreachable!("a replica refuses nothing"),
    });
    values.max().filter(|_| answers.len() == 2)
}

/// One of the two clients.
pub async fn client(network: impl Network, bug: Bug, is_buggy: bool, number: u32, seen: Arc<Seen>) {
    while network.now() < bug.lasts() {
        match bug {
            Bug::LostUpdate => increment(&network, &seen).await,
            Bug::Retry => {
                let key = seen.count.fetch_add(1, Ordering::Relaxed);
                insist(&network, 0, Ask::Pay { key }).await;
            }
            Bug::StaleFill if number == 0 => {
                let value = seen.count.fetch_add(1, Ordering::Relaxed) + 1;
                insist(&network, 0, Ask::Write { version: 0, value }).await;
                insist(&network, 1, Ask::Delete).await;
            }
            Bug::StaleFill => look_up(&network).await,
            Bug::ReadWithoutWriteBack if number == 0 => {
                let value = seen.count.fetch_add(1, Ordering::Relaxed) + 1;
                majority(&network, Ask::Write { version: 0, value }).await;
            }
            Bug::ReadWithoutWriteBack => look_at_replicas(&network, is_buggy, &seen).await,
        }
        network.sleep(network.below(2 * bug.pause())).await;
    }
}

async fn increment(network: &impl Network, seen: &Seen) {
    loop {
        let (version, value) = read(network, 0).await;
        let write = Ask::Write { version, value: value.unwrap_or_default() + 1 };
        if insist(network, 0, write).await != Answer::Refused {
            seen.count.fetch_add(1, Ordering::Relaxed);
            return;
        }
    }
}

async fn look_up(network: &impl Network) {
    let (lease, entry) = read(network, 1).await;
    if entry.is_none() {
        let (_, value) = read(network, 0).await;
        insist(network, 1, Ask::Fill { lease, value: value.unwrap_or_default() }).await;
    }
}

async fn look_at_replicas(network: &impl Network, is_buggy: bool, seen: &Seen) {
    let Some(value) = majority(network, Ask::Read).await else { return };
    if !is_buggy && majority(network, Ask::Write { version: 0, value }).await.is_none() {
        return;
    }
    if seen.newest.fetch_max(value, Ordering::Relaxed) > value {
        seen.is_stale.store(true, Ordering::Relaxed);
    }
}

/// Judges when all clients are done.
pub async fn judge(network: impl Network, bug: Bug, seen: Arc<Seen>) -> Result<(), Broken> {
    let (_, first) = read(&network, 0).await;
    let count = seen.count.load(Ordering::Relaxed);
    let holds = match bug {
        // An increment may have been done twice, if its answer was lost.
        Bug::LostUpdate => first >= Some(count),
        Bug::Retry => first == Some(count),
        Bug::StaleFill => {
            let (_, cached) = read(&network, 1).await;
            cached.is_none() || cached == first
        }
        Bug::ReadWithoutWriteBack => !seen.is_stale.load(Ordering::Relaxed),
    };
    if holds { Ok(()) } else { Err(Broken) }
}
