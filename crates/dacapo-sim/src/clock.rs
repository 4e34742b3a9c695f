//! The clock of a node, as far off as the faults make it.

use std::time::Duration;

use dacapo_core::{Time, WallTime};

/// Turns world time into what a node's clocks show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clock {
    /// How much faster than the world's clock it runs, in parts per billion.
    pub(crate) drift_ppb: i64,
    /// How far the wall clock is off, in nanoseconds; jumps are added to it.
    pub(crate) offset_ns: i64,
}

impl Clock {
    pub(crate) const RIGHT: Clock = Clock { drift_ppb: 0, offset_ns: 0 };

    /// The monotonic clock of the node.
    pub(crate) fn now(&self, at: Time) -> Time {
        if self.drift_ppb == 0 {
            return at;
        }
        // Whole numbers only: the same on every machine.
        let shown = i128::from(at.0) + i128::from(at.0) * i128::from(self.drift_ppb) / 1_000_000_000;
        Time(shown.clamp(0, i128::from(u64::MAX)) as u64)
    }

    /// The wall clock of the node.
    pub(crate) fn wall(&self, at: Time) -> WallTime {
        let since_start = i64::try_from(self.now(at).0).unwrap_or(i64::MAX);
        WallTime(WallTime::SIM_START.0.saturating_add(since_start).saturating_add(self.offset_ns))
    }

    /// How long the world waits while this node's clock counts `wait`.
    pub(crate) fn real(&self, wait: Duration) -> Duration {
        let nanos = i128::try_from(wait.as_nanos()).unwrap_or(i128::MAX);
        let scale = 1_000_000_000 + i128::from(self.drift_ppb);
        let real = nanos.saturating_mul(1_000_000_000) / scale.max(1);
        Duration::from_nanos(u64::try_from(real).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_shows_more_and_rings_early() {
        let fast = Clock { drift_ppb: 10_000_000, offset_ns: -5 };
        assert_eq!(fast.now(Time(1_000_000_000)), Time(1_010_000_000));
        assert_eq!(fast.real(Duration::from_millis(1010)), Duration::from_secs(1));
        assert_eq!(fast.wall(Time(0)).0, WallTime::SIM_START.0 - 5);
    }
}
