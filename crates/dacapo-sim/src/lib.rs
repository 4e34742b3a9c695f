//! A world from a seed: virtual clock, seeded scheduler, network, processes, clocks, disks, and
//! the faults in all of them.
//!
//! [`Sim`] is event-driven: time jumps from one delivery to the next. Everything that it chooses
//! is a decision (see [`dacapo_core::Decisions`]). It never looks inside a message; whether a run
//! was right is judged elsewhere.

#![forbid(unsafe_code)]

mod agenda;
mod book;
mod cause;
mod clock;
mod crash_point;
mod disk;
mod fault;
mod instant;
mod lease;
mod network;
mod node;
mod options;
mod phase;
mod queue;
mod sim;
mod store;

pub use disk::DiskOptions;
pub use instant::{Footprint, Scheduler, SharedScheduler, UnderWay};
pub use options::{CrashPoint, NodeKind, SimFault, SimNode, SimOptions, Swarm};
pub use phase::Ending;
pub use sim::Sim;
