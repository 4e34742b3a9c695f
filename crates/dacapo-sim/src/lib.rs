//! A world from a seed: virtual clock, seeded scheduler, network, processes, clocks, and the
//! faults in all of them.
//!
//! [`Sim`] is event-driven: time jumps from one delivery to the next. Everything that it chooses
//! is a decision (see [`dacapo_core::Decisions`]). It never looks inside a message; whether a run
//! was right is judged elsewhere.

#![forbid(unsafe_code)]

mod book;
mod clock;
mod fault;
mod network;
mod node;
mod options;
mod phase;
mod queue;
mod sim;

pub use options::{NodeKind, SimFault, SimNode, SimOptions, Swarm};
pub use phase::Ending;
pub use sim::Sim;
