//! The facade for Rust users.
