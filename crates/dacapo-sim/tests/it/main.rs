//! Nodes with stores on simulated disks, driven by a loop made by hand.

mod counter;
mod crash;
mod fault;
mod lease;
mod log_store;
