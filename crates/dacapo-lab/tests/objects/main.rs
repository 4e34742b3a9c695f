//! What a durable object promises, by experiment: native guests on simulated nodes and disks.

mod alarms;
mod crashes;
mod durable;
mod gates;
mod memory;
mod thing;
mod turns;
