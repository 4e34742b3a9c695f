//! A V8 context as an instance, with the web platform as bindings.
//!
//! [`JsEngine`] loads ES modules and TypeScript from a project's files, puts probes into them that
//! make the budget of a turn exact, and starts instances: contexts from a startup snapshot that
//! holds the platform library. Time, randomness and everything else that a guest can read comes
//! from its turn and from its boot; nothing comes from the machine.
//!
//! What is deliberately absent: sockets, files, threads and timers. A guest asks for those with
//! effects.

mod coverage;
mod engine;
mod host;
mod instance;
mod load;
mod ops;

pub use engine::{JsEngine, JsOptions, Judge};
pub use host::process::{EngineError, Profile};
