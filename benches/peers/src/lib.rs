//! What the programs in `bin` have in common: how they are asked and how they answer.
//! Each is a program of its own, because madsim replaces the clock of the whole process.

#![forbid(unsafe_code)]

pub mod hunt;
pub mod moonpool_world;
pub mod turmoil_world;

use cpu_time::ProcessTime;

/// Runs `ping_pong`, which makes so many calls of which so many are in flight, as the command line
/// asks for (`CALLS IN_FLIGHT`), and prints how many nanoseconds of processor time a delivery took: a
/// call is two deliveries. Each program is one thread, and what else runs on the machine shall not count.
pub fn main(ping_pong: impl FnOnce(u32, u32)) {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let mut next = |what| numbers.next().unwrap_or_else(|| panic!("{what} is missing: CALLS IN_FLIGHT"));
    let (calls, in_flight) = (next("CALLS"), next("IN_FLIGHT"));
    let start = ProcessTime::now();
    ping_pong(calls, in_flight);
    println!("{:.1}", start.elapsed().as_nanos() as f64 / (2.0 * f64::from(calls)));
}
