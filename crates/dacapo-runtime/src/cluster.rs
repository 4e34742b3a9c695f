//! The loop that joins a world and its nodes.

use std::rc::Rc;

use dacapo_core::{Address, Delivery, Event, InstanceId, NodeId, Outbox, World};

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
    pub fn deliver(&mut self, mut delivery: Delivery, out: &mut Outbox) {
        self.take(&mut delivery, out);
    }

    /// The same; the event is taken from where it is, because it is large.
    #[inline]
    fn take(&mut self, delivery: &mut Delivery, out: &mut Outbox) {
        let slot = &mut self.nodes[delivery.to.node.0 as usize];
        match delivery.event {
            Event::Boot { .. } => {
                *slot = Some(Runtime::new(delivery.to.node, Rc::clone(&self.system)));
            }
            Event::Crash => *slot = None,
            _ => {}
        }
        if let Some(runtime) = slot {
            runtime.take(delivery, out);
        }
    }

    /// Whether this node is up.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.nodes[node.0 as usize].is_some()
    }
}

/// Runs until the world has nothing more to say.
pub fn run(world: &mut impl World, cluster: &mut Cluster) {
    let mut out = Outbox::new();
    let mut next = None;
    loop {
        world.next_into(&mut next);
        let Some(delivery) = &mut next else { return };
        cluster.take(delivery, &mut out);
        world.submit_all(&mut out);
    }
}

/// The address of the runtime of this node.
pub(crate) fn runtime_of(node: NodeId) -> Address {
    Address { node, instance: InstanceId::RUNTIME }
}
