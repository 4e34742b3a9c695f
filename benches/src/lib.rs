//! The systems that the measurements run, apart from the measuring: `benches/*.rs` measures them with
//! criterion, `benches/peers` beside other simulators. It holds no promise that a user relies on.

#![forbid(unsafe_code)]

pub mod ping_pong;
