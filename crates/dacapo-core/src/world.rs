//! Who says what happens next.

use bytestring::ByteString;

use crate::{Address, CallId, Effect, Event, ExchangeId, Outbox, Time, WallTime};

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

    /// The same, to a place of the caller's: a delivery is large, and worlds around worlds only look
    /// at it.
    fn next_into(&mut self, place: &mut Option<Delivery>) {
        *place = self.next();
    }

    /// Takes one effect. What comes of it arrives later, through [`World::next`].
    fn submit(&mut self, from: Address, effect: Effect);

    /// Takes all of these, in order, and leaves none.
    fn submit_all(&mut self, effects: &mut Outbox) {
        effects.take_each(|from, effect| self.submit(from, effect));
    }

    /// What happened in the world since the last call that no node is told. A recorder with a file
    /// asks before it hands on each delivery, and at the end; nobody else does, so a world that
    /// makes notes keeps them only while somebody takes them.
    fn take_notes(&mut self) -> Vec<Note> {
        Vec::new()
    }
}

/// A fact about the world itself: a fault begins, a message is lost. It stands in the recording
/// for people, and is no part of the digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Note {
    /// When, on the world's own clock.
    pub at: Time,
    /// What kind of fact.
    pub kind: NoteKind,
    /// The fact in words; for a fault its full name first: `net.partition n0 | n1 n2`.
    pub text: ByteString,
}

/// The kinds of [`Note`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoteKind {
    /// A fault that lasts begins.
    FaultBegins,
    /// A fault that lasts ends.
    FaultEnds,
    /// A fault strikes once: a message is lost, late or doubled, a clock jumps.
    Fault,
    /// The request that arrives as `exchange` is this call of this instance.
    Carries {
        /// The request, as its server will know it.
        exchange: ExchangeId,
        /// Who made it.
        caller: Address,
        /// The request, as its caller knows it.
        call: CallId,
    },
    /// Anything else worth a line.
    Info,
}
