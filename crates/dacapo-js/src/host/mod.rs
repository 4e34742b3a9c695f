//! What surrounds an isolate: the process-wide engine with its flags, the clock that guests see,
//! the startup snapshot, and the memory limit.

pub(crate) mod clock;
pub(crate) mod isolate;
pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod snapshot;
