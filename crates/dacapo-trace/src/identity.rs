//! Who ran: everything that decides how a run goes, so that a replay can refuse another program
//! by name.

use std::collections::BTreeMap;

use dacapo_core::{Digest, NodeId, Seed, ServiceId};

/// Which kind of world a recording comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorldKind {
    /// The simulator.
    #[default]
    Sim,
    /// The operating system.
    Host,
}

impl std::fmt::Display for WorldKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            WorldKind::Sim => "sim",
            WorldKind::Host => "host",
        })
    }
}

/// A run's identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Name and version of the program that recorded: `dacapo 0.1.0`. For people.
    pub tool: String,
    /// The project, as the user gave it. For people, and for a replay that is told of no other.
    pub project: String,
    /// The kind of world.
    pub world: WorldKind,
    /// The scenario, if there was one.
    pub scenario: Option<String>,
    /// The seed, if there was one.
    pub seed: Option<Seed>,
    /// Decisions that were given instead of drawn, per lane.
    pub overrides: BTreeMap<String, Vec<u64>>,
    /// Each service with the digest of its program, in the order of the plan.
    pub programs: Vec<(String, Digest)>,
    /// Versions of the engines and those of their flags that a guest can notice. Flags that no
    /// guest can notice (which threads collect garbage) stay out: `serve` and `replay` differ there.
    pub engine: String,
    /// Stands for the whole plan.
    pub plan: Digest,
    /// The text of the configuration.
    pub config: Option<String>,
    /// The name of each node, by its [`NodeId`]. For people.
    pub nodes: Vec<String>,
    /// The name of each service, by its [`ServiceId`]. For people.
    pub services: Vec<String>,
}

impl Identity {
    /// The name of a node, or its number.
    pub fn node_name(&self, node: NodeId) -> String {
        self.nodes.get(node.0 as usize).cloned().unwrap_or_else(|| node.to_string())
    }

    /// The name of a service, or its number.
    pub fn service_name(&self, service: ServiceId) -> String {
        self.services.get(service.0 as usize).cloned().unwrap_or_else(|| service.to_string())
    }

    /// The first field in which `other`, of which a replay is wanted, differs from this recording,
    /// and what to do about it. What is there for people does not count, nor does the world.
    pub fn difference(&self, other: &Identity) -> Option<String> {
        let (what, next) = self.first_difference(other)?;
        Some(format!("DC0068: this recording is of another run: {what}. {next}"))
    }

    fn first_difference(&self, other: &Identity) -> Option<(String, &'static str)> {
        let option = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        if self.scenario != other.scenario {
            let (recorded, now) = (option(self.scenario.clone()), option(other.scenario.clone()));
            return Some((
                format!("the scenario is {now}, recorded was {recorded}"),
                "Name the recorded scenario.",
            ));
        }
        if self.seed != other.seed {
            let text = |seed: Option<Seed>| option(seed.map(|seed| seed.to_string()));
            return Some((
                format!("the seed is {}, recorded was {}", text(other.seed), text(self.seed)),
                "Give the recorded seed.",
            ));
        }
        if self.overrides != other.overrides {
            let lanes = self.overrides.keys().chain(other.overrides.keys());
            let lane = lanes.into_iter().find(|lane| self.overrides.get(*lane) != other.overrides.get(*lane));
            let lane = lane.map_or("", String::as_str);
            return Some((
                format!("the decisions of the lane {lane} are given otherwise"),
                "Use the decisions that were recorded with the run.",
            ));
        }
        let services = |programs: &[(String, Digest)]| {
            programs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (recorded, now) = (services(&self.programs), services(&other.programs));
        if recorded != now {
            return Some((
                format!("the services are {now}, recorded were {recorded}"),
                "Replay it in the project that it comes from, at the commit at which it was made.",
            ));
        }
        for ((name, recorded), (_, now)) in self.programs.iter().zip(&other.programs) {
            if recorded != now {
                return Some((
                    format!("the program of the service {name} is {now}, recorded was {recorded}"),
                    "Its code or a module that it imports has changed: go back to the recorded code, \
                     or record the run again.",
                ));
            }
        }
        if self.engine != other.engine {
            return Some((
                format!("the engine is {:?}, recorded was {:?}", other.engine, self.engine),
                "Replay it with the Dacapo that recorded it, or record the run again.",
            ));
        }
        if self.plan != other.plan {
            return Some((
                format!("the configuration is {}, recorded was {}", other.plan, self.plan),
                "Go back to the recorded configuration, or record the run again.",
            ));
        }
        None
    }
}
