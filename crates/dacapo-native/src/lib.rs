//! Rust services as guests: an `async fn` that answers requests, in the same world as JavaScript
//! and WebAssembly. For fast tests of the runtime and the simulator, and for Rust users.
//!
//! ```
//! use dacapo_native::{Guest, Request, Response, Service, program};
//! use std::rc::Rc;
//!
//! struct Hello;
//! impl Service for Hello {
//!     fn start(_guest: Guest) -> Hello { Hello }
//!     async fn fetch(self: Rc<Self>, request: Request) -> Response {
//!         Response::text(format!("hello, {}", request.path()))
//!     }
//! }
//! let hello = program::<Hello>("hello");
//! ```
//!
//! A guest may read nothing but what [`Guest`] offers: a service that looks at the machine's clock
//! or starts a thread leaves the simulation.

#![forbid(unsafe_code)]

mod answering;
mod guest;
mod input;
mod instance;
mod message;
mod service;
mod slot;
mod tasks;
mod wait;

pub use guest::{FetchError, Guest};
pub use message::{Request, Response};
pub use service::{
    Driver, Service, Workload, drivers, program, program_with_object, workload, workload_with,
};
pub use tasks::Task;
