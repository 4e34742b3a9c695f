//! Which node runs which service.

use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_core::plan::{Plan, Service};
use dacapo_core::{
    Address, Binding, BindingTo, Boot, Entropy, NodeId, ObjectKey, Program, ServiceId, StorageEngine,
};

use crate::runtime::{Vars, replicas};

/// What a node is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A node of the system.
    Cluster,
    /// The scenario's workload: outside of the system, but with the right to call every service.
    Workload,
    /// Stands in for a host outside of the system.
    Stub,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSpec {
    /// Its name, for people: `n0`, `workload`.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The services that run on it.
    pub services: Vec<ServiceId>,
}

/// The nodes of a run and what they can reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// The nodes; a [`NodeId`] is an index into it.
    pub nodes: Vec<NodeSpec>,
    /// Hosts outside of the system for which a service of the plan stands in.
    pub stubs: BTreeMap<String, ServiceId>,
    /// Whether a call goes to the caller's own node if its target runs there too. True where
    /// nodes are the loops of one process; false in Sim, where a node is a machine of its own and
    /// a call that never leaves it would never meet the network.
    pub prefers_local: bool,
    /// Whether the workload's calls to a route go straight to the service. False in Host, where
    /// they take the way through a real socket.
    pub routes_inside: bool,
}

impl Topology {
    /// Spreads the first `services` services of the plan over `nodes` cluster nodes: a service
    /// with `instances = k` on k nodes, in turn, so that singletons do not pile up on one node.
    pub fn spread(plan: &Plan, nodes: u32) -> Topology {
        let mut specs: Vec<NodeSpec> = (0..nodes)
            .map(|i| NodeSpec { name: format!("n{i}"), role: Role::Cluster, services: Vec::new() })
            .collect();
        let mut next = 0;
        for (index, service) in plan.services.iter().enumerate() {
            let count = service.instances.unwrap_or(nodes).min(nodes);
            for _ in 0..count {
                specs[next as usize].services.push(ServiceId(index as u32));
                next = (next + 1) % nodes;
            }
        }
        Topology { nodes: specs, ..Topology::default() }
    }

    /// Adds a node and says which one it is.
    pub fn add(&mut self, spec: NodeSpec) -> NodeId {
        self.nodes.push(spec);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// The role of this node.
    pub fn role(&self, node: NodeId) -> Role {
        self.nodes[node.0 as usize].role
    }

    /// The nodes that run this service, in order.
    pub fn hosts_of(&self, service: ServiceId) -> Vec<NodeId> {
        let runs = |spec: &NodeSpec| spec.services.contains(&service);
        (0..).map(NodeId).zip(&self.nodes).filter(|(_, spec)| runs(spec)).map(|(node, _)| node).collect()
    }

    /// The node that owns an object of a service: by the object's id, among the nodes that run it.
    pub(crate) fn owner(hosts: &[NodeId], key: &ObjectKey) -> Option<NodeId> {
        let first = key.id.0[..8].try_into().expect("8 of 32 bytes");
        let at = u64::from_be_bytes(first).checked_rem(hosts.len() as u64)?;
        Some(hosts[at as usize])
    }

    /// The node of the workload, if there is one.
    pub fn workload(&self) -> Option<NodeId> {
        self.nodes.iter().position(|n| n.role == Role::Workload).map(|i| NodeId(i as u32))
    }
}

/// The node that owns a durable object, if a class has its namespace.
pub fn owner_of(plan: &Plan, topology: &Topology, key: &ObjectKey) -> Option<NodeId> {
    let has = |service: &Service| service.objects.iter().any(|class| class.namespace == *key.namespace);
    let service = plan.services.iter().position(has)?;
    Topology::owner(&topology.hosts_of(ServiceId(service as u32)), key)
}

/// The nodes of each slice of a service, if it keeps its objects on several. Where nodes are loops of one
/// process they share a disk, so there is nothing to gain.
fn placed(service: &Service, hosts: &[NodeId], topology: &Topology) -> Option<Vec<Vec<NodeId>>> {
    let count = service.replicas.unwrap_or(1).min(hosts.len() as u32);
    if count < 2 || service.objects.is_empty() || topology.prefers_local {
        return None;
    }
    let name = |node: &NodeId| (*node, topology.nodes[node.0 as usize].name.as_str());
    Some(replicas(&service.name, &hosts.iter().map(name).collect::<Vec<_>>(), count))
}

/// Everything that the nodes of a run share: the plan, the topology and the loaded programs.
pub struct System {
    /// The plan, to which a scenario adds its workload and its stubs as further services.
    pub plan: Plan,
    /// The topology.
    pub topology: Topology,
    /// The program of each service of the plan.
    pub programs: Vec<Rc<dyn Program>>,
    /// The program of the next version of those services that have one.
    pub next: BTreeMap<ServiceId, Rc<dyn Program>>,
    /// Values of `env` for each service of the plan, as JSON texts.
    pub vars: Vec<Vars>,
    /// What opens the storage of durable objects; without it there are none.
    pub storage: Option<Rc<dyn StorageEngine>>,
    pub(crate) hosts: Vec<Vec<NodeId>>,
    /// Of each service that keeps its objects on several nodes: the nodes of each slice.
    pub(crate) placed: Vec<Option<Vec<Vec<NodeId>>>>,
}

impl System {
    /// A system. Vars come from the plan; `secrets` are added by [`System::with_secrets`].
    pub fn new(plan: Plan, topology: Topology, programs: Vec<Rc<dyn Program>>) -> System {
        assert_eq!(plan.services.len(), programs.len(), "each service has one program");
        let hosts: Vec<Vec<NodeId>> =
            (0..plan.services.len()).map(|i| topology.hosts_of(ServiceId(i as u32))).collect();
        let placed = plan.services.iter().zip(&hosts).map(|(s, hosts)| placed(s, hosts, &topology)).collect();
        let vars = plan
            .services
            .iter()
            .map(|s| s.vars.iter().map(|(k, v)| (k.as_str().into(), v.as_str().into())).collect())
            .collect();
        System { plan, topology, programs, next: BTreeMap::new(), vars, storage: None, hosts, placed }
    }

    /// The service that has the class of an object now.
    pub(crate) fn service_of(&self, key: &ObjectKey) -> Option<ServiceId> {
        let has = |s: &Service| s.objects.iter().any(|class| class.namespace == *key.namespace);
        self.plan.services.iter().position(has).map(|at| ServiceId(at as u32))
    }

    /// Gives durable objects their storage.
    pub fn with_storage(mut self, storage: Rc<dyn StorageEngine>) -> System {
        self.storage = Some(storage);
        self
    }

    /// Gives services their next versions.
    pub fn with_next(mut self, next: BTreeMap<ServiceId, Rc<dyn Program>>) -> System {
        self.next = next;
        self
    }

    /// The program of a version of a service: the next one, if it has one and any but the first is wanted.
    pub(crate) fn program(&self, service: ServiceId, version: u32) -> &Rc<dyn Program> {
        let next = self.next.get(&service).filter(|_| version > 0);
        next.unwrap_or(&self.programs[service.0 as usize])
    }

    /// What a new instance of a service is told. For a durable object its own part is added to that.
    pub fn boot_of(&self, address: Address, service: ServiceId, entropy: Entropy) -> Boot {
        let plan = self.plan.service(service);
        Boot {
            address,
            service,
            name: plan.name.as_str().into(),
            object: None,
            entropy,
            vars: self.vars[service.0 as usize].clone(),
            bindings: self.bindings_of(service),
            turn_budget: plan.limits.turn_budget,
            memory_max: plan.limits.memory_max,
        }
    }

    /// What a service may call, as its instances are told.
    fn bindings_of(&self, service: ServiceId) -> Vec<Binding> {
        let plan = self.plan.service(service);
        let binding = |name: &String, to| Binding { name: name.as_str().into(), to };
        let services = plan.calls.keys().map(|name| binding(name, BindingTo::Service));
        let objects = plan.object_calls.iter().map(|(name, (owner, class))| {
            let classes = self.plan.service_named(owner).map(|id| &self.plan.service(id).objects);
            let found = classes.into_iter().flatten().find(|c| c.name == *class);
            let namespace = found.map_or_else(|| format!("{owner}.{class}"), |c| c.namespace.clone());
            let is_workflow = found.is_some_and(|class| class.workflow.is_some());
            let to = if is_workflow { BindingTo::Workflows } else { BindingTo::Objects };
            binding(name, to(namespace.into()))
        });
        let queue = |(name, to): (&String, &String)| binding(name, BindingTo::Queue(to.as_str().into()));
        let kv = |(name, to): (&String, &String)| binding(name, BindingTo::Kv(to.as_str().into()));
        let (queues, kv) = (plan.queues.iter().map(queue), plan.kv.iter().map(kv));
        services.chain(objects).chain(queues).chain(kv).collect()
    }

    /// Adds a value of `env` that does not stand in the configuration; `json` is its JSON text.
    pub fn with_secret(mut self, service: ServiceId, name: &str, json: &str) -> System {
        self.vars[service.0 as usize].push((name.into(), json.into()));
        self
    }
}
