//! The runtime of a node: route, admit, run a turn, supervise. The same code in every world.
//!
//! A [`Runtime`] is a deterministic state machine: a delivery goes in, effects come out. It does
//! not know whether the world around it is simulated, real or replayed, and it knows no engine.

#![forbid(unsafe_code)]

mod cluster;
mod cron;
mod rights;
mod route;
mod runtime;
mod topology;

pub use cluster::{Cluster, run};
pub use cron::{CronError, next_after};
pub use rights::resolve;
pub use route::{RouteMiss, host_of, route};
pub use runtime::{Runtime, Vars};
pub use topology::{NodeSpec, Role, System, Topology, owner_of};
