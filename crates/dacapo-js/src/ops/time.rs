//! Timers, and the time since the start.

use std::time::Duration;

use dacapo_core::{Effect, TimerId};

use super::{Args, Return, Scope, id, number};
use crate::instance::guest;

/// A hundred years, in milliseconds. (What a guest may ask of `setTimeout` is for the library to say.)
const DELAY_MAX: f64 = 100.0 * 365.0 * 86_400_000.0;

pub(super) fn set_timer(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    guest::push(Effect::SetTimer(TimerId(id(&args, 0)), delay(number(&args, 1))));
}

fn delay(millis: f64) -> Duration {
    let millis = if millis.is_finite() { millis.clamp(0.0, DELAY_MAX) } else { 0.0 };
    Duration::from_secs_f64(millis / 1e3)
}

/// The nanoseconds of the timer that so many milliseconds make.
pub(super) fn nanos(millis: f64) -> u64 {
    u64::try_from(delay(millis).as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn clear_timer(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    guest::push(Effect::ClearTimer(TimerId(id(&args, 0))));
}

pub(super) fn now(_: Scope<'_, '_, '_>, _: Args<'_>, mut result: Return<'_>) {
    let since = guest::with(|guest| guest.now.since(guest.started)).unwrap_or_default();
    // Whole microseconds: as fine as browsers show, and exact in a float for 285 years.
    result.set_double(since.as_micros() as f64 / 1e3);
}
