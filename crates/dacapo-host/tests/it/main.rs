//! The host world against real sockets: a small scripted node instead of a runtime, and clients
//! that do what clients do.

mod client;
mod lab;
mod loops;
mod scenario;
mod server;
mod slow;
mod store;
mod tls;
