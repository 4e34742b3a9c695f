//! Protocols that more than one planted bug is in. Which line is wrong is said by a type.

pub(crate) mod paxos;
pub(crate) mod raft;
