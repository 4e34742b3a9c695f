//! The judges over histories that were written by hand, simulated, mutated, and judged by brute force.

mod brute;
mod linear;
mod linear_laws;
mod others;
mod simulate;
mod transaction_laws;
mod transactions;
