//! What operations cost.

use std::time::Duration;

use dacapo_core::Decisions;

use super::drive::Drive;

/// The share of syncs that are slow.
const SLOW_SYNCS: f64 = 0.01;

impl Drive {
    /// The time that so many bytes take.
    pub(crate) fn transfer(&self, bytes: u64) -> Duration {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.options.bytes_per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// What a read of so many bytes costs.
    pub(crate) fn read_cost(&mut self, bytes: u64) -> Duration {
        let lane = self.lanes.time;
        // Half to one and a half times the mean.
        let mean = self.options.read;
        mean / 2 + self.decisions().jitter(lane, "read", mean) + self.transfer(bytes)
    }

    /// What a sync costs that has so many bytes to write.
    pub(crate) fn sync_cost(&mut self, bytes: u64) -> Duration {
        let (lane, sync, tail) = (self.lanes.time, self.options.sync, self.options.sync_tail);
        let decisions = self.decisions();
        let mut cost = sync + decisions.exponential(lane, "sync", sync);
        if decisions.rarely(lane, "slow", SLOW_SYNCS) {
            cost += decisions.exponential(lane, "tail", tail);
        }
        cost + self.transfer(bytes)
    }

    /// Lets an operation of this cost pass, whatever slows it down.
    pub(crate) fn spend(&mut self, what: &str, cost: Duration) {
        let mut cost = if self.slowness > 1.0 { cost.mul_f64(self.slowness) } else { cost };
        if let Some(stall) = self.faults.stall.clone()
            && self.hits(&stall, false)
        {
            let lane = stall.lane;
            let stands = self.decisions().up_to(lane, "stands", stall.lasts);
            self.note(format!("disk.stall {} for {stands:?} at {what}", self.name));
            cost += stands;
        }
        // Two operations never take effect at once, so that there is a moment between any two.
        self.pass(cost.max(self.moment));
    }
}

/// Something that never comes from a disk in use: decisions of nobody.
pub(crate) fn no_decisions() -> Decisions {
    Decisions::new(dacapo_core::Seed(0), dacapo_core::Source::Seed)
}
