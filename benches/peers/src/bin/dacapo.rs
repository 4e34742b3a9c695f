//! The ping-pong on Dacapo, as `cargo test` runs an experiment: with the digest of everything.

#![forbid(unsafe_code)]

use dacapo_benches::ping_pong;

fn main() {
    dacapo_peers::main(|calls, in_flight| {
        let report = ping_pong::experiment(calls, in_flight).run(1);
        assert_eq!(report.failure, None);
        assert!(report.events >= 2 * u64::from(calls));
    });
}
