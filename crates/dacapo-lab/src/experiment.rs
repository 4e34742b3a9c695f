//! A scenario with everything that it needs to run: the system, its nodes, its faults.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_core::plan::{Cron, FaultSpec, ObjectClass, Plan, Route, Scenario, Service};
use dacapo_core::{NodeId, Program, ServiceId};
use dacapo_native as native;
use dacapo_runtime::{NodeSpec, Role, System, Topology};
use dacapo_sim::{NodeKind, SimFault, SimNode, SimOptions, Swarm};
use dacapo_store::Sqlite;

/// A scenario that can be run under any seed.
#[derive(Clone)]
pub struct Experiment {
    pub(crate) name: String,
    pub(crate) system: Rc<System>,
    pub(crate) options: SimOptions,
    nodes: u32,
    /// What it was made of.
    origin: Rc<Origin>,
}

/// The size and the length of a run, where they differ from those of the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Nodes of the cluster.
    pub nodes: u32,
    /// How long faults happen and drivers run.
    pub lasts: Duration,
    /// How much of the faults is used.
    pub swarm: Swarm,
}

/// The name under which a setup stands among the decisions of a recording.
const SETUP: &str = "setup";

impl Setup {
    pub(crate) fn to_lists(self) -> (String, Vec<u64>) {
        let lasts = u64::try_from(self.lasts.as_nanos()).unwrap_or(u64::MAX);
        let swarm = match self.swarm {
            Swarm::Subset => 0,
            Swarm::All => 1,
            Swarm::Wide => 2,
        };
        (SETUP.to_owned(), vec![u64::from(self.nodes), lasts, swarm])
    }

    /// The setup that a recording was made with, if it differs from the scenario's.
    pub fn of_recording(identity: &dacapo_trace::Identity) -> Option<Setup> {
        let [nodes, lasts, swarm] = identity.overrides.get(SETUP)?.as_slice() else { return None };
        Some(Setup {
            nodes: u32::try_from(*nodes).ok().filter(|nodes| (1..=NODES_MAX).contains(nodes))?,
            lasts: Duration::from_nanos(*lasts),
            swarm: match swarm {
                1 => Swarm::All,
                2 => Swarm::Wide,
                _ => Swarm::Subset,
            },
        })
    }
}

/// The largest cluster.
const NODES_MAX: u32 = 500;

struct Origin {
    plan: Plan,
    scenario: Scenario,
    programs: Vec<Rc<dyn Program>>,
}

impl Experiment {
    /// An experiment for a scenario of a plan.
    ///
    /// `programs` holds the program of each service of the plan in order, then the workload's,
    /// then one for each stub in the order of `scenario.stubs`, then one for each service that has a next
    /// version.
    pub fn from_plan(plan: &Plan, scenario: &Scenario, mut programs: Vec<Rc<dyn Program>>) -> Experiment {
        let origin = Origin { plan: plan.clone(), scenario: scenario.clone(), programs: programs.clone() };
        let (plan, topology) = extend(plan, scenario);
        let next = programs.split_off(plan.services.len());
        let with_next = (0..).map(ServiceId).zip(&plan.services).filter(|(_, s)| s.next.is_some());
        let next: BTreeMap<_, _> = with_next.map(|(id, _)| id).zip(next).collect();
        let options = SimOptions {
            nodes: sim_nodes(&topology),
            faults: scenario.faults.iter().map(|spec| sim_fault(spec, &plan, &topology)).collect(),
            swarm: Swarm::Subset,
            lasts: scenario.lasts,
            settles: scenario.settles,
            stores: stores(&plan, &topology),
            builtins: builtins(&plan),
            has_next: !next.is_empty(),
            ..SimOptions::new(0)
        };
        Experiment {
            name: scenario.name.clone(),
            system: Rc::new(
                System::new(plan, topology, programs).with_next(next).with_storage(Rc::new(Sqlite)),
            ),
            options,
            nodes: scenario.nodes,
            origin: Rc::new(origin),
        }
    }

    /// What the workload does without is told by the script of a run, and not drawn. (Faults that are in use at full strength
    /// stay so: a script cannot say that of them.)
    pub(crate) fn narrow_by_script(&mut self) {
        if self.options.swarm == Swarm::Wide {
            self.options.swarm = Swarm::Subset;
        }
    }

    /// What differs from the scenario, if anything does.
    pub fn setup(&self) -> Option<Setup> {
        let Scenario { nodes, lasts, .. } = self.origin.scenario;
        let own = Setup { nodes, lasts, swarm: Swarm::Subset };
        let present = Setup { nodes: self.nodes(), lasts: self.options.lasts, swarm: self.options.swarm };
        (own != present).then_some(present)
    }

    /// The experiment with another size and length.
    pub fn with_setup(&self, setup: Setup) -> Experiment {
        let mut experiment = match setup.nodes == self.nodes() {
            true => self.clone(),
            false => self.on_nodes(setup.nodes).unwrap_or_else(|| self.clone()),
        };
        experiment.options.lasts = setup.lasts;
        experiment.options.swarm = setup.swarm;
        experiment
    }

    /// How many nodes the cluster has.
    pub fn nodes(&self) -> u32 {
        self.nodes
    }

    /// The same on another number of nodes; `None` if the faults would not mean the same there.
    pub fn on_nodes(&self, nodes: u32) -> Option<Experiment> {
        let scenario = Scenario { nodes, ..self.origin.scenario.clone() };
        let mut other = Experiment::from_plan(&self.origin.plan, &scenario, self.origin.programs.clone());
        // Points of a crash name nodes.
        let is_same = self.options.crash_at.is_none();
        other.options = SimOptions {
            nodes: other.options.nodes,
            stores: other.options.stores,
            faults: other.options.faults,
            ..self.options.clone()
        };
        other.origin = Rc::clone(&self.origin);
        is_same.then_some(other)
    }

    /// Begins an experiment with native guests.
    pub fn native(name: &str) -> ExperimentBuilder {
        ExperimentBuilder::new(name)
    }

    /// The name of the scenario.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The system: its plan with the workload and the stubs, its topology and programs.
    pub fn system(&self) -> &Rc<System> {
        &self.system
    }

    /// The programs of the project's services, next versions too: neither the workload's nor those of stubs.
    pub(crate) fn services(&self) -> impl Iterator<Item = &Rc<dyn Program>> {
        let services = &self.system.programs[..self.origin.plan.services.len()];
        services.iter().chain(self.system.next.values())
    }

    /// The same system for the Host world: nodes are loops of one process, and the workload reaches
    /// routes through real sockets.
    pub fn hosted_system(&self) -> System {
        let mut topology = self.system.topology.clone();
        topology.prefers_local = true;
        topology.routes_inside = false;
        let system = System::new(self.system.plan.clone(), topology, self.system.programs.clone());
        system.with_storage(Rc::new(Sqlite))
    }

    /// How the simulator is set up; may be changed before a run.
    pub fn options_mut(&mut self) -> &mut SimOptions {
        &mut self.options
    }

    /// How the simulator is set up.
    pub fn options(&self) -> &SimOptions {
        &self.options
    }
}

/// The plan of a scenario's run: that of the project, plus the workload and the stubs as services
/// of their own on nodes of their own.
pub(crate) fn extend(plan: &Plan, scenario: &Scenario) -> (Plan, Topology) {
    let mut topology = Topology::spread(plan, scenario.nodes);
    topology.routes_inside = true;
    let mut plan = plan.clone();
    let services = || plan.services.iter().filter(|service| !service.is_builtin());
    let calls: BTreeMap<String, String> =
        services().map(|s| (s.name.to_uppercase().replace('-', "_"), s.name.clone())).collect();
    let object_calls = services().flat_map(|s| {
        s.objects.iter().map(|class| {
            let callee = (s.name.clone(), class.name.clone());
            (format!("{}.{}", callee.0, callee.1), callee)
        })
    });
    let object_calls = object_calls.collect();
    let queues = plan.queues.iter().map(|q| (format!("queue.{}", q.name), q.name.clone())).collect();
    let kv = plan.kv.iter().map(|name| (format!("kv.{name}"), name.clone())).collect();
    let workload = ServiceId(plan.services.len() as u32);
    plan.services.push(Service {
        name: "workload".into(),
        module: scenario.workload.clone(),
        calls,
        object_calls,
        queues,
        kv,
        ..Service::default()
    });
    topology.add(NodeSpec { name: "workload".into(), role: Role::Workload, services: vec![workload] });
    for (host, module) in &scenario.stubs {
        let stub = ServiceId(plan.services.len() as u32);
        plan.services.push(Service { name: host.clone(), module: module.clone(), ..Service::default() });
        topology.add(NodeSpec { name: host.clone(), role: Role::Stub, services: vec![stub] });
        topology.stubs.insert(host.clone(), stub);
    }
    (plan, topology)
}

fn sim_nodes(topology: &Topology) -> Vec<SimNode> {
    let kind = |role| match role {
        Role::Cluster => NodeKind::Cluster,
        Role::Workload => NodeKind::Workload,
        Role::Stub => NodeKind::Stub,
    };
    topology.nodes.iter().map(|n| SimNode { name: n.name.clone(), kind: kind(n.role) }).collect()
}

/// The nodes that keep durable objects.
fn stores(plan: &Plan, topology: &Topology) -> BTreeSet<NodeId> {
    let has_objects = |id: &ServiceId| !plan.service(*id).objects.is_empty();
    let nodes = (0..).map(NodeId).zip(&topology.nodes);
    nodes.filter(|(_, node)| node.services.iter().any(has_objects)).map(|(id, _)| id).collect()
}

/// The services of the platform itself.
fn builtins(plan: &Plan) -> BTreeSet<ServiceId> {
    (0..).map(ServiceId).zip(&plan.services).filter(|(_, s)| s.is_builtin()).map(|(id, _)| id).collect()
}

fn sim_fault(spec: &FaultSpec, plan: &Plan, topology: &Topology) -> SimFault {
    let spared = |service: &String| plan.service_named(service).map(|id| topology.hosts_of(id));
    let mut spare: Vec<NodeId> = spec.spare.iter().filter_map(spared).flatten().collect();
    spare.sort_unstable();
    spare.dedup();
    SimFault { name: spec.name.clone(), params: spec.params.clone(), spare }
}

/// Puts an experiment together from native guests.
pub struct ExperimentBuilder {
    plan: Plan,
    programs: Vec<Rc<dyn Program>>,
    next: Vec<Rc<dyn Program>>,
    workload: Option<Rc<dyn Program>>,
    scenario: Scenario,
}

impl ExperimentBuilder {
    fn new(name: &str) -> ExperimentBuilder {
        let scenario = Scenario {
            name: name.to_owned(),
            workload: String::new(),
            nodes: 3,
            lasts: Duration::from_secs(60),
            settles: Duration::from_secs(60),
            faults: Vec::new(),
            stubs: BTreeMap::new(),
            seeds: 100,
        };
        ExperimentBuilder {
            plan: Plan::default(),
            programs: Vec::new(),
            next: Vec::new(),
            workload: None,
            scenario,
        }
    }

    /// Adds a service that runs on every node, and may call the services named in `calls` (by
    /// `https://name.internal/` or by its name in capitals).
    pub fn service<S: native::Service>(self, name: &str, calls: &[&str]) -> ExperimentBuilder {
        self.service_on::<S>(name, calls, None)
    }

    /// Adds a service that runs on one node only.
    pub fn singleton<S: native::Service>(self, name: &str, calls: &[&str]) -> ExperimentBuilder {
        self.service_on::<S>(name, calls, Some(1))
    }

    /// Adds a service whose module has a class of durable objects, `O`. It calls its own objects by
    /// the name of the class.
    pub fn objects<S: native::Service, O: native::Service>(
        mut self,
        name: &str,
        class: &str,
        calls: &[&str],
    ) -> ExperimentBuilder {
        self = self.service_on::<S>(name, calls, None);
        let service = self.plan.services.last_mut().expect("just added");
        service.objects.push(ObjectClass {
            name: class.to_owned(),
            namespace: format!("{name}.{class}"),
            idle: Duration::from_secs(10),
            workflow: None,
        });
        service.object_calls.insert(class.to_owned(), (name.to_owned(), class.to_owned()));
        self.programs.pop();
        self.programs.push(native::program_with_object::<S, O>(name));
        self
    }

    /// After how long without use the objects that were added last leave memory (without this:
    /// 10 s).
    ///
    /// Panics if the service that was added last has none.
    pub fn idle(mut self, idle: Duration) -> ExperimentBuilder {
        let class = self.plan.services.last_mut().and_then(|service| service.objects.last_mut());
        class.expect("the last service has durable objects").idle = idle;
        self
    }

    /// On how many nodes the objects that were added last are kept.
    ///
    /// Panics if the service that was added last has none.
    pub fn replicas(mut self, replicas: u32) -> ExperimentBuilder {
        let service = self.plan.services.last_mut().filter(|service| !service.objects.is_empty());
        service.expect("the last service has durable objects").replicas = Some(replicas);
        self
    }

    /// Gives the service that was added last a next version, which the fault `deploy.rolling` brings.
    ///
    /// Panics if there is no service.
    pub fn next<S: native::Service>(mut self) -> ExperimentBuilder {
        let service = self.plan.services.last_mut().expect("a service was added");
        service.next = Some(String::new());
        self.next.push(native::program_with_object::<S, S>(&service.name));
        self
    }

    /// Adds a cron line, in UTC, to the service that was added last.
    ///
    /// Panics if there is no service.
    pub fn cron(mut self, line: &str) -> ExperimentBuilder {
        let service = self.plan.services.last_mut().expect("a service was added");
        service.cron.push(Cron { line: line.to_owned(), zone: "UTC".to_owned() });
        self
    }

    fn service_on<S: native::Service>(
        mut self,
        name: &str,
        calls: &[&str],
        instances: Option<u32>,
    ) -> ExperimentBuilder {
        let binding = |n: &&str| (n.to_uppercase().replace('-', "_"), (*n).to_owned());
        let any = Route { scheme: None, host: format!("{name}.example"), path: "/".into(), is_prefix: true };
        self.plan.services.push(Service {
            name: name.to_owned(),
            routes: vec![any],
            calls: calls.iter().map(binding).collect(),
            instances,
            ..Service::default()
        });
        self.programs.push(native::program::<S>(name));
        self
    }

    /// Sets the workload.
    pub fn workload<W: native::Workload>(mut self) -> ExperimentBuilder {
        self.workload = Some(native::workload::<W>("workload"));
        self
    }

    /// Sets a workload that `make` makes of more than its guest; `input` tells what that is.
    pub fn workload_with<W: native::Workload>(
        mut self,
        input: &str,
        make: impl Fn(native::Guest) -> W + 'static,
    ) -> ExperimentBuilder {
        self.workload = Some(native::workload_with("workload", input, make));
        self
    }

    /// How many nodes the cluster has.
    pub fn nodes(mut self, nodes: u32) -> ExperimentBuilder {
        self.scenario.nodes = nodes;
        self
    }

    /// How long faults happen and drivers run.
    pub fn lasts(mut self, lasts: Duration) -> ExperimentBuilder {
        self.scenario.lasts = lasts;
        self
    }

    /// How long each phase but that of the drivers may take (without this: 60 s). Where something talks without
    /// end, as heartbeats do, that is also how long it is waited for before the system is judged.
    pub fn settles(mut self, settles: Duration) -> ExperimentBuilder {
        self.scenario.settles = settles;
        self
    }

    /// Allows the faults of this name or group.
    ///
    /// Panics if there is no such fault: a test that names one that does not exist tests nothing.
    pub fn faults(mut self, names: &[&str]) -> ExperimentBuilder {
        for name in names {
            let mut kinds: Vec<_> = dacapo_core::fault::group(name).collect();
            kinds.extend(dacapo_core::fault::find(name));
            assert!(!kinds.is_empty(), "there is no fault and no group called {name}");
            for kind in kinds {
                let spec = FaultSpec { name: kind.name.into(), params: BTreeMap::new(), spare: Vec::new() };
                self.scenario.faults.push(spec);
            }
        }
        self
    }

    /// Allows a fault with parameters of its own, on nodes other than those of the services that it
    /// spares.
    ///
    /// Panics if there is no such fault.
    pub fn fault(mut self, name: &str, params: &[(&str, Param)], spare: &[&str]) -> ExperimentBuilder {
        assert!(dacapo_core::fault::find(name).is_some(), "there is no fault called {name}");
        self.scenario.faults.push(FaultSpec {
            name: name.into(),
            params: params.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            spare: spare.iter().map(|s| (*s).to_owned()).collect(),
        });
        self
    }

    /// The experiment. Panics without a workload.
    pub fn build(mut self) -> Experiment {
        self.programs.push(self.workload.expect("an experiment needs a workload"));
        self.programs.append(&mut self.next);
        Experiment::from_plan(&self.plan, &self.scenario, self.programs)
    }
}
