//! The plan: what the configuration says, typed and checked. `dacapo-config` makes it from HCL,
//! Rust users make it by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ServiceId;
use crate::fault::Param;

/// A whole project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The services, in the order of the configuration; a [`ServiceId`] is an index into it.
    pub services: Vec<Service>,
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
    /// The queues.
    pub queues: Vec<Queue>,
    /// The names of the KV namespaces.
    pub kv: Vec<String>,
}

impl Plan {
    /// The service of this name.
    pub fn service_named(&self, name: &str) -> Option<ServiceId> {
        self.services.iter().position(|s| s.name == name).map(|i| ServiceId(i as u32))
    }

    /// The service with this id, which must be of this plan.
    pub fn service(&self, id: ServiceId) -> &Service {
        &self.services[id.0 as usize]
    }
}

/// Deployable guest code with its rights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    /// Its name, unique in the plan: lower-case letters, digits and `-`, usable as a DNS label.
    pub name: String,
    /// Path of its entry module, relative to the project.
    pub module: String,
    /// Path of the entry module of its next version, which a simulated deploy brings.
    pub next: Option<String>,
    /// Which URLs from outside reach it. None: it is private.
    pub routes: Vec<Route>,
    /// Binding name → service: the right to call it, as `env.NAME.fetch(..)` and as
    /// `https://service.internal/..`.
    pub calls: BTreeMap<String, String>,
    /// Binding name → class of durable objects, as service and class: the right to call each of them,
    /// as `env.NAME.get(id)`.
    pub object_calls: BTreeMap<String, (String, String)>,
    /// The classes of durable objects that its module exports.
    pub objects: Vec<ObjectClass>,
    /// Namespaces of classes that are no more, whose state is to be removed.
    pub deleted_objects: Vec<String>,
    /// Binding name → queue: the right to send to it, as `env.NAME.send(..)`.
    pub queues: BTreeMap<String, String>,
    /// Binding name → KV namespace: the right to read and write it, as `env.NAME.get(..)`.
    pub kv: BTreeMap<String, String>,
    /// Hosts outside the system that it may call: `api.example.com`, or `*.example.com`.
    pub hosts: Vec<String>,
    /// Variables for `env`; values are JSON texts.
    pub vars: BTreeMap<String, String>,
    /// Names of secrets for `env`; their values come from the environment of the process.
    pub secrets: Vec<String>,
    /// When `scheduled` runs.
    pub cron: Vec<Cron>,
    /// On how many nodes it runs; `None`: on every node. With 1, its memory is the only one.
    pub instances: Option<u32>,
    /// On how many of those nodes' disks each of its durable objects is kept. More than one: its objects
    /// move to another of them when their node is gone. `None`: on one, which they belong to for good.
    pub replicas: Option<u32>,
    /// What it may use up.
    pub limits: Limits,
}

impl Service {
    /// Whether it is a part of the platform: no project can have a service of such a name.
    pub fn is_builtin(&self) -> bool {
        self.name.starts_with(BUILTIN)
    }
}

/// What the names of the platform's own services, and of their modules, begin with.
pub const BUILTIN: &str = "dacapo:";

/// The header fields by which the platform's own services hand an event over to a service: which event it is, and how
/// much of it the service is to take at most (as Sim says). From anybody else they are dropped.
pub const EVENT_FIELDS: [&str; 2] = ["dacapo-event", "dacapo-take"];

/// The header field of a call to a durable object that says by which name it was found, percent-encoded. The
/// runtime takes it away before the object sees the call.
pub const NAME_FIELD: &str = "dacapo-name";

/// The platform's service that keeps queues: each is a durable object of its class [`QUEUE_CLASS`].
pub const QUEUES: &str = "dacapo:queues";
/// The class of queues.
pub const QUEUE_CLASS: &str = "Queue";
/// The platform's service that keeps KV namespaces: each is [`KV_SHARDS`] durable objects of its
/// class [`KV_CLASS`].
pub const KV: &str = "dacapo:kv";
/// The class of the parts of KV namespaces.
pub const KV_CLASS: &str = "Shard";
/// Into how many objects the keys of a KV namespace are spread. What is stored says where it is, so
/// this number never changes.
pub const KV_SHARDS: u32 = 16;

/// What the disk knows a class of a service of the platform by.
pub fn builtin_namespace(service: &str, class: &str) -> String {
    format!("{service}.{class}")
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name, unique in the plan.
    pub name: String,
    /// The service whose `queue` handler takes its messages.
    pub consumer: String,
    /// How many messages one call of the handler gets at most.
    pub batch: u32,
    /// How long a message waits for others before it is handed over.
    pub wait: Duration,
    /// How often a message is tried again.
    pub retries: u32,
    /// How long a message waits before it can be handed over, unless its sender says otherwise.
    pub delay: Duration,
    /// The same before a message is tried again, unless the handler says otherwise.
    pub retry_delay: Duration,
    /// How many batches may be under way at once.
    pub concurrency: u32,
    /// The queue that takes what was tried too often; without one it is dropped.
    pub dead_letter: Option<String>,
}

/// When `scheduled` runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// Five fields: minute, hour, day of the month, month, day of the week.
    pub line: String,
    /// The time zone in which they are meant, by its name in the tz database: `Europe/Berlin`.
    pub zone: String,
}

/// A class of durable objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectClass {
    /// Its name, as the module exports it.
    pub name: String,
    /// What the disk knows it by, unique in the plan: `service.Class`, or what that was when the
    /// class had another name or belonged to another service.
    pub namespace: String,
    /// How long an object stays in memory that has nothing to do.
    pub idle: Duration,
    /// `Some`: it is a class of workflows, and each of its objects is an instance of one.
    pub workflow: Option<Workflow>,
}

/// What is particular to a class of workflows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workflow {
    /// What new instances note as the version of their code; `None`: the digest of the modules.
    pub version: Option<String>,
}

/// What an instance may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Work of one turn, in the engine's unit (see [`crate::Boot::turn_budget`]).
    pub turn_budget: u64,
    /// Memory of one instance, in bytes.
    pub memory_max: u64,
    /// Body of one request, in bytes. A longer one is answered with 413.
    pub request_body_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { turn_budget: 50_000_000, memory_max: 128 << 20, request_body_max: 100 << 20 }
    }
}

/// A pattern for URLs: `https://shop.example/*`. `*` at the end of the path matches the rest, `*.`
/// at the start of the host matches any subdomain, a missing scheme or `*://` any scheme.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    /// `http`, `https`, or `None` for both.
    pub scheme: Option<String>,
    /// Host, with an optional `*.` in front, or `*` for any; lower-case, with a port if one is given.
    pub host: String,
    /// Path, from `/`; everything before a final `*`, or the whole path.
    pub path: String,
    /// Whether the path stood with a final `*`.
    pub is_prefix: bool,
}

/// A topology, a workload, faults and checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name, unique in the plan.
    pub name: String,
    /// Path of the workload module, relative to the project.
    pub workload: String,
    /// How many nodes the cluster has, 1 to 500.
    pub nodes: u32,
    /// How long the drivers run and faults happen, in virtual time.
    pub lasts: Duration,
    /// How long after healing the system may take to become quiet, in virtual time.
    pub settles: Duration,
    /// The faults that may happen.
    pub faults: Vec<FaultSpec>,
    /// Host → module that stands in for it.
    pub stubs: BTreeMap<String, String>,
    /// How many seeds `dacapo sim` runs unless told otherwise.
    pub seeds: u64,
}

/// One fault that a scenario allows, by its name in [`crate::fault::CATALOGUE`].
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSpec {
    /// The full name: `net.loss`.
    pub name: String,
    /// Parameters that differ from their defaults.
    pub params: BTreeMap<String, Param>,
    /// Services whose nodes this fault leaves alone.
    pub spare: Vec<String>,
}
