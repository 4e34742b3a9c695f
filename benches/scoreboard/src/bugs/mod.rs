//! The planted bugs, one file each. The correct twin differs in what stands behind `BUGGY`, and in nothing else.

mod abd;
mod clock_lease;
mod dedupe_window;
mod double_cron;
mod dual_write;
mod early_ack;
mod fencing;
mod hints;
mod last_attempt;
mod lost_update;
mod paxos_promise;
mod paxos_value;
mod pool_leak;
mod raft_blind_vote;
mod raft_old_term;
mod raft_truncate;
mod raft_vote;
mod recovery_twice;
mod reorder_buffer;
mod retry;
mod retry_storm;
mod saga;
mod stale_fill;
mod stale_read;
mod stampede;
mod two_objects;
mod two_phase;
mod watch;
mod write_skew;
mod zombie;

use crate::bug::Bug;

/// All of them.
pub const BUGS: &[Bug] = &[
    lost_update::BUG,
    retry::BUG,
    saga::BUG,
    two_phase::BUG,
    fencing::BUG,
    stale_read::BUG,
    stampede::BUG,
    write_skew::BUG,
    clock_lease::BUG,
    double_cron::BUG,
    early_ack::BUG,
    retry_storm::BUG,
    two_objects::BUG,
    watch::BUG,
    paxos_value::BUG,
    paxos_promise::BUG,
    abd::BUG,
    raft_vote::BUG,
    raft_old_term::BUG,
    raft_truncate::BUG,
    raft_blind_vote::BUG,
    dual_write::BUG,
    stale_fill::BUG,
    zombie::BUG,
    dedupe_window::BUG,
    hints::BUG,
    last_attempt::BUG,
    pool_leak::BUG,
    reorder_buffer::BUG,
    recovery_twice::BUG,
];
