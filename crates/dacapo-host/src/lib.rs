//! A world from the operating system: sockets, HTTP, timers, entropy, files.
//!
//! One loop is one thread, one node and one [`Host`]; requests are served on the thread that took
//! the connection in, and loops talk by letters. What a request means, who may call whom and which
//! instance serves it is decided on the other side of the door, in the runtime.
//!
//! Here alone the machine's clocks, entropy, sockets and files are touched.

#![forbid(unsafe_code)]

mod body;
mod client;
mod clock;
mod cluster;
mod disk;
mod error;
mod files;
mod host;
mod lease;
mod listen;
mod mail;
mod options;
mod request_url;
mod server;
mod store;
mod switch;
mod timers;
mod tls;

pub use cluster::{HostCluster, HostHandle, HostLoop};
pub use disk::FileDisk;
pub use error::HostError;
pub use files::OsFiles;
pub use host::Host;
pub use options::{
    CheckSink, ClientOptions, ConnectTo, EndedSink, HostOptions, Listen, LogSink, RouteMiss, Routed, Router,
    Scheme, ServerLimits, Sinks,
};
pub use server::request_head;
pub use store::{OnFailure, Owner, StoreOptions};
pub use tls::{TlsPem, client_tls};
