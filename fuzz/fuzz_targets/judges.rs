//! `just fuzz judges`: what it is for stands in `targets/src/judges.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dacapo_fuzz_targets::judges::run(bytes));
