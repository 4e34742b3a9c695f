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
    /// Hosts outside the system that it may call: `api.example.com`, or `*.example.com`.
    pub hosts: Vec<String>,
    /// Variables for `env`; values are JSON texts.
    pub vars: BTreeMap<String, String>,
    /// Names of secrets for `env`; their values come from the environment of the process.
    pub secrets: Vec<String>,
    /// Cron lines (five fields, UTC) that run `scheduled`.
    pub cron: Vec<String>,
    /// On how many nodes it runs; `None`: on every node. With 1, its memory is the only one.
    pub instances: Option<u32>,
    /// What it may use up.
    pub limits: Limits,
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
