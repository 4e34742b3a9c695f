//! Who says what happens next.

use crate::{Address, Effect, Event, Time, WallTime};

/// An event with its address and its time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Delivery {
    /// When, on the world's own clock. Never goes back within a run.
    pub at: Time,
    /// When, on the monotonic clock of the node.
    pub now: Time,
    /// When, on the wall clock of the node.
    pub wall: WallTime,
    /// Where to.
    pub to: Address,
    /// What.
    pub event: Event,
}

/// The only place where time passes, and the only way out of a node.
///
/// `Sim`, `Host` and `Replay` are worlds; a `Recorder` wraps any of them.
pub trait World {
    /// The next thing that happens, or `None` when the run is over. Host waits here.
    fn next(&mut self) -> Option<Delivery>;

    /// Takes one effect. What comes of it arrives later, through [`World::next`].
    fn submit(&mut self, from: Address, effect: Effect);
}
