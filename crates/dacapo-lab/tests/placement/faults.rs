//! Whatever happens to nodes, network, clocks, disks and leases, each object stays one.

use std::time::Duration;

use dacapo_core::fault::Param;

use crate::history::{answers, holds, lists, longest_silence};

pub(crate) fn millis(n: u64) -> Param {
    Param::Duration(Duration::from_millis(n))
}

#[test]
fn without_a_fault_everybody_is_answered_at_once() {
    let experiment = lists(3, 3, &[]);
    holds(&experiment, 0..3);
    assert!(answers() > 1000, "{}", answers());
    assert!(longest_silence() < Duration::from_secs(1), "{:?}", longest_silence());
}
