//! What the four programs beside this file have in common: how they are asked and how they answer.
//! Each is a program of its own, because madsim replaces the clock of the whole process.

#![forbid(unsafe_code)]

use std::time::Instant;

/// Runs `ping_pong`, which makes so many calls of which so many are in flight, as the command line
/// asks for (`CALLS IN_FLIGHT`), and prints how many nanoseconds a delivery took. A call is two
/// deliveries.
pub fn main(ping_pong: impl FnOnce(u32, u32)) {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let mut next = |what| numbers.next().unwrap_or_else(|| panic!("{what} is missing: CALLS IN_FLIGHT"));
    let (calls, in_flight) = (next("CALLS"), next("IN_FLIGHT"));
    let start = Instant::now();
    ping_pong(calls, in_flight);
    println!("{:.1}", start.elapsed().as_nanos() as f64 / (2.0 * f64::from(calls)));
}
