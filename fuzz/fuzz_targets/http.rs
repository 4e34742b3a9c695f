//! `just fuzz http`: what it is for stands in `targets/src/http.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dacapo_fuzz_targets::http::run(bytes));
