//! The systems that the measurements run, apart from the measuring: `native.rs`, `parts.rs`,
//! `checkers.rs` and `js.rs` measure them with criterion, `peers` beside other simulators. Nothing here is
//! promised.

#![forbid(unsafe_code)]

pub mod five;
pub mod histories;
pub mod ping_pong;
