//! Which service stands behind an address. The door only knows numbers of instances; which
//! service an instance runs follows from what it was given and what it answered.

use std::collections::BTreeMap;

use bytestring::ByteString;
use dacapo_core::{Address, Effect, Event, InstanceId, NodeId, ServiceId, WallTime};

use crate::{Identity, Part};

/// Learns who is who while a recording is read from its start.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    nodes: Vec<String>,
    services: Vec<String>,
    instances: BTreeMap<Address, Who>,
    /// Whom the present turn is for, when its event named a service instead of an instance.
    turn: Option<(NodeId, Who)>,
    /// Which service has the objects of a namespace: an alarm wakes an object without saying so.
    owners: BTreeMap<ByteString, ServiceId>,
    /// The clock of the node whose turn it is.
    wall: Option<WallTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Service(ServiceId),
    Workload,
}

impl Names {
    pub(crate) fn new(identity: &Identity) -> Names {
        Names {
            nodes: identity.nodes.clone(),
            services: identity.services.clone(),
            instances: BTreeMap::new(),
            turn: None,
            owners: BTreeMap::new(),
            wall: None,
        }
    }

    pub(crate) fn learn(&mut self, part: &Part) {
        match part {
            Part::Delivery(delivery) => {
                let to = delivery.to;
                self.wall = Some(delivery.wall);
                let who = match &delivery.event {
                    Event::Boot { .. } | Event::Crash => {
                        self.instances.retain(|address, _| address.node != to.node);
                        None
                    }
                    Event::Request { service, object, .. } => {
                        if let Some(key) = object {
                            self.owners.insert(key.namespace.clone(), *service);
                        }
                        Some(Who::Service(*service))
                    }
                    Event::Scheduled { service, .. } => Some(Who::Service(*service)),
                    Event::Phase(_) | Event::Begin(_) => Some(Who::Workload),
                    _ => None,
                };
                self.turn = who.map(|who| (to.node, who));
                self.learn_address(to);
            }
            Part::Effect(from, Effect::Ended(instance, _)) => {
                self.learn_address(Address { node: from.node, instance: *instance });
            }
            Part::Effect(from, Effect::Load(key)) => {
                self.learn_address(*from);
                if let Some(owner) = self.owners.get(&key.namespace) {
                    self.instances.entry(*from).or_insert(Who::Service(*owner));
                }
            }
            Part::Effect(from, _) => self.learn_address(*from),
            Part::Note(_) => {}
        }
    }

    fn learn_address(&mut self, address: Address) {
        if let Some((node, who)) = self.turn
            && node == address.node
            && address.instance != InstanceId::RUNTIME
        {
            self.instances.entry(address).or_insert(who);
        }
    }

    /// What the clock of the node shows whose turn it is; `None` before the first delivery.
    pub(crate) fn wall(&self) -> Option<WallTime> {
        self.wall
    }

    pub(crate) fn node(&self, node: NodeId) -> String {
        self.nodes.get(node.0 as usize).cloned().unwrap_or_else(|| node.to_string())
    }

    pub(crate) fn nodes(&self) -> &[String] {
        &self.nodes
    }

    pub(crate) fn services(&self) -> &[String] {
        &self.services
    }

    pub(crate) fn service(&self, service: ServiceId) -> String {
        self.services.get(service.0 as usize).cloned().unwrap_or_else(|| service.to_string())
    }

    /// The service at this address in the present turn.
    pub(crate) fn at(&self, address: Address) -> String {
        let who = if address.instance == InstanceId::RUNTIME {
            self.turn.filter(|(node, _)| *node == address.node).map(|(_, who)| who)
        } else {
            self.instances.get(&address).copied()
        };
        match who {
            Some(Who::Service(service)) => self.service(service),
            Some(Who::Workload) => "workload".to_owned(),
            None if address.instance == InstanceId::RUNTIME => "-".to_owned(),
            None => address.instance.to_string(),
        }
    }
}
