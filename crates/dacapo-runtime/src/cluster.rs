//! The loop that joins a world and its nodes.

use std::rc::Rc;

use dacapo_core::{Address, Delivery, Effect, Event, InstanceId, NodeId, World};

use crate::{Runtime, System};

/// The runtimes of the nodes that this loop drives: all of them in Sim, one in Host.
pub struct Cluster {
    system: Rc<System>,
    nodes: Vec<Option<Runtime>>,
}

impl Cluster {
    /// A cluster whose nodes have not booted yet.
    pub fn new(system: Rc<System>) -> Cluster {
        let nodes = system.topology.nodes.iter().map(|_| None).collect();
        Cluster { system, nodes }
    }

    /// Takes one delivery; pushes what comes of it to `out`.
    pub fn deliver(&mut self, delivery: Delivery, out: &mut Vec<(Address, Effect)>) {
        let slot = &mut self.nodes[delivery.to.node.0 as usize];
        match delivery.event {
            Event::Boot { .. } => {
                *slot = Some(Runtime::new(delivery.to.node, Rc::clone(&self.system)));
            }
            Event::Crash => *slot = None,
            _ => {}
        }
        if let Some(runtime) = slot {
            runtime.deliver(delivery, out);
        }
    }

    /// Whether this node is up.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.nodes[node.0 as usize].is_some()
    }
}

/// Runs until the world has nothing more to say.
pub fn run(world: &mut impl World, cluster: &mut Cluster) {
    let mut out = Vec::new();
    while let Some(delivery) = world.next() {
        cluster.deliver(delivery, &mut out);
        for (from, effect) in out.drain(..) {
            world.submit(from, effect);
        }
    }
}

/// The address of the runtime of this node.
pub(crate) fn runtime_of(node: NodeId) -> Address {
    Address { node, instance: InstanceId::RUNTIME }
}
