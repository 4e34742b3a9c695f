//! `just fuzz schedule`: what it is for stands in `targets/src/schedule.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dacapo_fuzz_targets::schedule::run(bytes));
