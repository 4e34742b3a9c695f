//! `just fuzz config`: what it is for stands in `targets/src/config.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dacapo_fuzz_targets::config::run(bytes));
