//! The recorder: a world around any world, that sees everything which passes the door.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::{Address, Delivery, Digest, Effect, Note, Outbox, Time, World};

use crate::digest::Rolling;
use crate::writer::Writer;
use crate::{Identity, Outcome, Summary, WriteError};

/// Keeps the digest of a run, and a recording of it when it is given something to write to.
///
/// Dropped without [`Recorder::finish`] (a panic, an early return), it still writes what it has;
/// the recording then has no footer.
pub struct Recorder<W> {
    world: W,
    tape: Tape,
}

struct Tape {
    rolling: Rolling,
    events: u64,
    effects: u64,
    notes: u64,
    at: Time,
    writer: Option<Writer>,
    /// How much time may gather unwritten, and when that began.
    every: Option<Duration>,
    unwritten_since: Time,
}

impl<W: World> Recorder<W> {
    /// A recorder that keeps the digest only.
    pub fn new(world: W) -> Recorder<W> {
        let tape = Tape {
            rolling: Rolling::default(),
            events: 0,
            effects: 0,
            notes: 0,
            at: Time::ZERO,
            writer: None,
            every: None,
            unwritten_since: Time::ZERO,
        };
        Recorder { world, tape }
    }

    /// A recorder that also writes everything to `out`, about 256 KiB at a time, so `out` needs no
    /// buffer of its own. What it writes is as secret as the run: bodies, headers, and the entropy
    /// that keys were drawn from.
    pub fn with_writer(world: W, identity: &Identity, out: Box<dyn Write>) -> Recorder<W> {
        let mut recorder = Recorder::new(world);
        recorder.tape.writer = Some(Writer::new(identity, out));
        recorder
    }

    /// Also writes what has gathered over this much of the world's time, however little it is: for
    /// worlds that go on for days and may be killed at any moment.
    pub fn writing_every(mut self, every: Duration) -> Recorder<W> {
        self.tape.every = Some(every);
        self
    }

    /// The digest over every delivery and effect so far.
    pub fn digest(&self) -> Digest {
        self.tape.rolling.digest()
    }

    /// How many deliveries there were: the first part of the present moment.
    pub fn events(&self) -> u64 {
        self.tape.events
    }

    /// The recorded world.
    pub fn world(&self) -> &W {
        &self.world
    }

    /// The recorded world. What is delivered or submitted behind the recorder's back is not in
    /// the recording.
    pub fn world_mut(&mut self) -> &mut W {
        &mut self.world
    }

    /// The error that ended the writing, if one did. The run need not care.
    pub fn error(&self) -> Option<&WriteError> {
        self.tape.writer.as_ref()?.error()
    }

    /// Writes what has gathered: for worlds that wait long, so that a crash loses little.
    pub fn flush(&mut self) {
        self.tape.flush();
    }

    /// Ends the recording and gives the world back. The second part is an error if the recording
    /// is incomplete.
    pub fn finish(mut self, outcome: Outcome) -> (W, Summary, Result<(), WriteError>) {
        if self.tape.writer.is_some() {
            self.tape.notes(self.world.take_notes());
        }
        let tape = &mut self.tape;
        tape.flush();
        let summary = Summary {
            outcome,
            digest: tape.rolling.digest(),
            events: tape.events,
            effects: tape.effects,
            notes: tape.notes,
            end: tape.at,
        };
        let written = tape.writer.take().map_or(Ok(()), |mut writer| writer.finish(&summary));
        (self.world, summary, written)
    }
}

impl Tape {
    fn notes(&mut self, notes: Vec<Note>) {
        let Some(writer) = &mut self.writer else { return };
        for note in notes {
            self.notes += 1;
            writer.note(&note);
            writer.settle(|| self.rolling.digest());
        }
    }

    #[inline]
    fn effect(&mut self, from: Address, effect: &Effect) {
        self.effects += 1;
        self.rolling.effect(from, effect);
        if self.writer.is_some() {
            self.write_effect(from, effect);
        }
    }

    #[inline(never)]
    fn write_effect(&mut self, from: Address, effect: &Effect) {
        if let Some(writer) = &mut self.writer {
            writer.effect(from, effect);
            writer.settle(|| self.rolling.digest());
        }
    }

    #[inline(never)]
    fn write_delivery(&mut self, delivery: &Delivery) {
        if let Some(writer) = &mut self.writer {
            writer.delivery(delivery);
            writer.settle(|| self.rolling.digest());
        }
    }

    fn flush(&mut self) {
        if let Some(writer) = &mut self.writer {
            writer.close(self.rolling.digest());
        }
    }

    #[inline]
    fn flush_if_due(&mut self) {
        let Some(every) = self.every else { return };
        if self.at.0.saturating_sub(self.unwritten_since.0) >= every.as_nanos() as u64 {
            self.unwritten_since = self.at;
            self.flush();
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.flush();
    }
}

impl<W: World> World for Recorder<W> {
    fn next(&mut self) -> Option<Delivery> {
        let mut delivery = None;
        self.next_into(&mut delivery);
        delivery
    }

    #[inline]
    fn next_into(&mut self, place: &mut Option<Delivery>) {
        self.tape.flush_if_due();
        self.world.next_into(place);
        let tape = &mut self.tape;
        if tape.writer.is_some() {
            tape.notes(self.world.take_notes());
        }
        if let Some(delivery) = place {
            tape.events += 1;
            tape.at = delivery.at;
            tape.rolling.delivery(delivery);
            if tape.writer.is_some() {
                tape.write_delivery(delivery);
            }
        }
    }

    fn submit(&mut self, from: Address, effect: Effect) {
        self.tape.effect(from, &effect);
        self.world.submit(from, effect);
    }

    fn submit_all(&mut self, effects: &mut Outbox) {
        for (from, effect) in effects.iter() {
            self.tape.effect(from, effect);
        }
        self.world.submit_all(effects);
    }
}

/// Memory to write a recording to, of which a handle can be kept.
#[derive(Clone, Debug, Default)]
pub struct Memory(Rc<RefCell<Vec<u8>>>);

impl Memory {
    /// Empty memory.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// What was written since the last call.
    pub fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
