//! The commands, one file each.

pub(crate) mod campaign;
pub(crate) mod conform;
pub(crate) mod digest;
pub(crate) mod new;
pub(crate) mod replay;
pub(crate) mod serve;
pub(crate) mod sim;
pub(crate) mod store;
pub(crate) mod trace;
pub(crate) mod validate;
pub(crate) mod worker;
pub(crate) mod workflows;
