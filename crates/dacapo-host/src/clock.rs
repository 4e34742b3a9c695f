//! The one place that reads the operating system's clocks and entropy.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dacapo_core::{Entropy, Time, WallTime};

use crate::HostError;

/// The clocks of one loop. Its monotonic clock begins with the loop.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    pub(crate) fn now(self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    pub(crate) fn wall() -> WallTime {
        let nanos = |d: Duration| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX);
        WallTime(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => nanos(since),
            Err(before) => -nanos(before.duration()),
        })
    }

    /// When `time` is, for the timer of the event loop. `None`: too far away to ever wait for.
    pub(crate) fn instant(self, time: Time) -> Option<Instant> {
        self.start.checked_add(time.since(Time::ZERO))
    }
}

pub(crate) fn entropy() -> Result<Entropy, HostError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| HostError::Entropy { why: e.to_string() })?;
    Ok(Entropy(bytes))
}
