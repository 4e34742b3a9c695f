//! The names of things within a run: small numbers, given out in the order of the run.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty), $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }
    };
}

id!(
    /// One simulated or real process that runs the runtime: its index in the topology.
    NodeId(u32), "n"
);
id!(
    /// A service: its index in [`crate::plan::Plan::services`].
    ServiceId(u32), "s"
);
id!(
    /// One live instance on a node, numbered from 1 in the order of starts since the node's boot.
    /// The runtime itself is instance 0.
    InstanceId(u32), "i"
);
id!(
    /// A request that an instance makes, numbered by that instance.
    CallId(u64), "c"
);
id!(
    /// A request that an instance serves, numbered by the world: unique within a run.
    ExchangeId(u64), "x"
);
id!(
    /// A timer, numbered by the instance that set it.
    TimerId(u64), "t"
);

impl InstanceId {
    /// The runtime of the node itself.
    pub const RUNTIME: InstanceId = InstanceId(0);
}

/// Where an event goes to and an effect comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The node.
    pub node: NodeId,
    /// The instance on it, or [`InstanceId::RUNTIME`].
    pub instance: InstanceId,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.instance)
    }
}
