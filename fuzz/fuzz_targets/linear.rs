//! `just fuzz linear`: what it is for stands in `targets/src/linear.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dacapo_fuzz_targets::linear::run(bytes));
