//! The world of both ping-pongs on turmoil.

use std::time::Duration;

use turmoil::Builder;

/// A calm network in which each way takes one tick. Turmoil counts time in ticks, and what a tick costs is paid by whatever happens
/// in it, so no tick shall pass without a delivery; with its default latency (up to 100 ticks) it would look many times slower.
pub fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .rng_seed(1)
        .simulation_duration(Duration::from_secs(1_000_000))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(1));
    builder
}
