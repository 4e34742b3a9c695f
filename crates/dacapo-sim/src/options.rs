//! What a simulated run is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_core::{NodeId, ServiceId};

use crate::disk::DiskOptions;

/// What a node is for, as far as the simulator cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A node of the system: every kind of fault may hit it.
    Cluster,
    /// The workload: its process and its clock stay whole, its network does not.
    Workload,
    /// Stands in for the world outside: likewise.
    Stub,
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub struct SimNode {
    /// Its name, for notes.
    pub name: String,
    /// What it is for.
    pub kind: NodeKind,
}

/// A fault that may happen in this run.
#[derive(Clone, Debug, PartialEq)]
pub struct SimFault {
    /// Its name in [`dacapo_core::fault::CATALOGUE`].
    pub name: String,
    /// Parameters that differ from their defaults.
    pub params: BTreeMap<String, Param>,
    /// Nodes that it leaves alone.
    pub spare: Vec<NodeId>,
}

impl SimFault {
    /// The fault of this name with its defaults.
    pub fn named(name: &str) -> SimFault {
        SimFault { name: name.to_owned(), params: BTreeMap::new(), spare: Vec::new() }
    }

    /// The same with another value for a parameter.
    pub fn with(mut self, param: &str, value: Param) -> SimFault {
        self.params.insert(param.to_owned(), value);
        self
    }
}

/// How much of what is allowed a seed uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swarm {
    /// A random subset, each with a random strength (Groce et al., "Swarm Testing", ISSTA 2012):
    /// a run in which one fault reigns finds what a run with a little of each does not.
    Subset,
    /// The same, and half of the seeds leave out a random part of what the workload does: of its drivers, and of the
    /// alternatives of each choice.
    Wide,
    /// All of them at full strength.
    All,
}

/// A simulated run, but for its seed.
#[derive(Clone, Debug, PartialEq)]
pub struct SimOptions {
    /// The nodes; a [`NodeId`] is an index into it.
    pub nodes: Vec<SimNode>,
    /// The faults that may happen.
    pub faults: Vec<SimFault>,
    /// How much of them a seed uses.
    pub swarm: Swarm,
    /// How long faults happen and drivers run.
    pub lasts: Duration,
    /// How long each of the other phases may take.
    pub settles: Duration,
    /// The run ends as [`crate::Ending::Endless`] after so many deliveries.
    pub deliveries_max: u64,
    /// The nodes that keep the states of durable objects: each has a store on a disk of its own.
    pub stores: BTreeSet<NodeId>,
    /// The services of the platform itself: what they ask of others are events of queues.
    pub builtins: BTreeSet<ServiceId>,
    /// Whether a service has a next version, so that there is something to deploy.
    pub has_next: bool,
    /// What those disks are like.
    pub disk: DiskOptions,
    /// A crash at a chosen point, besides those that the faults bring.
    pub crash_at: Option<CrashPoint>,
}

/// Where a node crashes, so that a caller can let it crash at each such point in turn: a run without
/// a crash says how many there are ([`crate::Sim::disk_operations`], [`crate::Sim::messages`]).
/// Points are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// Just before its disk does the operation of this number, of those that change something (a
    /// write, a sync, a truncation, a rename, a removal): of a read nothing stays behind.
    Disk(NodeId, u64),
    /// Just before the message of this number, of all requests, responses and messages of
    /// runtimes to or from this node.
    Message(NodeId, u64),
}

impl SimOptions {
    /// A run of `cluster` nodes and, as the last node, a workload; without faults.
    pub fn new(cluster: u32) -> SimOptions {
        let node = |name: String, kind| SimNode { name, kind };
        let mut nodes: Vec<SimNode> =
            (0..cluster).map(|i| node(format!("n{i}"), NodeKind::Cluster)).collect();
        nodes.push(node("workload".into(), NodeKind::Workload));
        SimOptions {
            nodes,
            faults: Vec::new(),
            swarm: Swarm::Subset,
            lasts: Duration::from_secs(60),
            settles: Duration::from_secs(60),
            deliveries_max: 20_000_000,
            stores: BTreeSet::new(),
            builtins: BTreeSet::new(),
            has_next: false,
            disk: DiskOptions::default(),
            crash_at: None,
        }
    }
}
