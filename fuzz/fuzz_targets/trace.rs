//! `just fuzz trace`: what it is for stands in `targets/src/trace.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dacapo_fuzz_targets::trace::run(bytes));
