//! Time as a number that is handed in. Nobody in a turn reads a clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Nanoseconds since the start of the run, on the world's clock (in a [`crate::Delivery`]) or on
/// a node's monotonic clock (in a [`crate::Turn`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// The start of the run.
    pub const ZERO: Time = Time(0);
    /// Later than every moment of a run (584 years).
    pub const MAX: Time = Time(u64::MAX);

    /// The time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// So many nanoseconds later, or as late as there is.
    #[inline]
    pub fn later(self, nanos: u64) -> Time {
        Time(self.0.saturating_add(nanos))
    }

    /// Seconds since the start of the run.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, d: Duration) -> Time {
        Time(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, d: Duration) -> Time {
        Time(self.0.saturating_sub(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Time {
    /// Seconds with microseconds: `12.345678s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}s", self.0 / 1_000_000_000, self.0 % 1_000_000_000 / 1_000);
        f.pad(&text)
    }
}

/// Nanoseconds since the Unix epoch, as a node's wall clock shows them. It may jump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub i64);

impl WallTime {
    /// Where the wall clock of a simulated run starts unless a scenario says otherwise:
    /// 2025-01-01T00:00:00Z.
    pub const SIM_START: WallTime = WallTime(1_735_689_600_000_000_000);

    /// Whole milliseconds since the Unix epoch, as `Date.now()` counts them.
    pub fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// So much later, or as late as there is.
    pub fn later(self, by: Duration) -> WallTime {
        WallTime(self.0.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)))
    }
}
