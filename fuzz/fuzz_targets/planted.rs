//! `just fuzz planted`: what it is for stands in `targets/src/planted.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dacapo_fuzz_targets::planted::run(bytes));
