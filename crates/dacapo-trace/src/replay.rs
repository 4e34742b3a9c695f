//! The replay world: it delivers what was recorded, and compares every effect with the recorded
//! one. It never looks into the future of a run that has left the recording: there it stops.

use std::collections::VecDeque;

use dacapo_core::{Address, Delivery, Digest, Effect, Note, Time, World};

use crate::digest::Rolling;
use crate::divergence::{Context, Divergence, REPLAY};
use crate::names::Names;
use crate::{Ending, Identity, Part, ReadError, Reader, Record};

/// Where the entries of a replay come from.
pub trait Source: Iterator<Item = Result<Record, ReadError>> {
    /// How the recording ends, once the last entry was given.
    fn ending(&self) -> Option<&Ending>;
}

impl<R: std::io::Read> Source for Reader<R> {
    fn ending(&self) -> Option<&Ending> {
        Reader::ending(self)
    }
}

/// A world that plays a recording.
pub struct Replay<S> {
    source: S,
    names: Names,
    /// The next entry that is no note, once somebody has looked.
    peeked: Option<Record>,
    notes: Vec<Note>,
    turn: Option<Record>,
    rolling: Rolling,
    events: u64,
    stopped: Option<Stop>,
}

enum Stop {
    Diverged(Box<Divergence>),
    Unreadable(ReadError),
    /// The last event was delivered.
    Over,
}

/// How a replay came out.
#[derive(Debug)]
pub enum ReplayEnd {
    /// Every effect was the recorded one, to the end of the recording.
    Same {
        /// How many events were played.
        events: u64,
        /// The digest over all that was played.
        digest: Digest,
        /// How the recording ends: in full, or cut off.
        ending: Ending,
    },
    /// The first difference.
    Diverged(Box<Divergence>),
    /// The recording cannot be read further. Up to there all was the same.
    Unreadable(ReadError),
    /// Whoever ran the replay stopped before the recording ended. Up to there all was the same.
    Early {
        /// How many events were played.
        events: u64,
    },
}

impl<R: std::io::Read> Replay<Reader<R>> {
    /// Plays this recording from its start. Compare the identities first
    /// ([`Identity::difference`]): a replay of another program diverges without saying why.
    pub fn new(reader: Reader<R>) -> Replay<Reader<R>> {
        let identity = reader.identity().clone();
        Replay::of(&identity, reader)
    }
}

impl<S: Source> Replay<S> {
    /// Plays these entries.
    pub fn of(identity: &Identity, source: S) -> Replay<S> {
        Replay {
            source,
            names: Names::new(identity),
            peeked: None,
            notes: Vec::new(),
            turn: None,
            rolling: Rolling::default(),
            events: 0,
            stopped: None,
        }
    }

    /// The first difference, if there was one: nothing is delivered from then on.
    pub fn divergence(&self) -> Option<&Divergence> {
        match &self.stopped {
            Some(Stop::Diverged(divergence)) => Some(divergence),
            _ => None,
        }
    }

    /// How many events were played: the first part of the present moment.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The time of the last event that was played.
    pub fn at(&self) -> Time {
        self.turn.as_ref().map_or(Time::ZERO, |record| record.at)
    }

    /// Ends the replay and says how it came out.
    pub fn finish(mut self) -> ReplayEnd {
        // The last turn may have done less than the recorded one.
        if self.stopped.is_none() {
            match self.peek() {
                Some(Record { part: Part::Effect(..), .. }) => self.did_less(),
                Some(_) => return ReplayEnd::Early { events: self.events },
                None => {}
            }
        }
        match self.stopped {
            Some(Stop::Diverged(divergence)) => ReplayEnd::Diverged(divergence),
            Some(Stop::Unreadable(error)) => ReplayEnd::Unreadable(error),
            Some(Stop::Over) | None => {
                let ending = match self.source.ending() {
                    Some(Ending::Finished(summary)) => Ending::Finished(summary.clone()),
                    Some(Ending::Cut { event, offset }) => Ending::Cut { event: *event, offset: *offset },
                    None => Ending::Cut { event: self.events, offset: 0 },
                };
                ReplayEnd::Same { events: self.events, digest: self.rolling.digest(), ending }
            }
        }
    }

    fn peek(&mut self) -> Option<&Record> {
        while self.peeked.is_none() && self.stopped.is_none() {
            match self.source.next() {
                Some(Ok(Record { part: Part::Note(note), .. })) => self.notes.push(note),
                Some(Ok(record)) => self.peeked = Some(record),
                Some(Err(error)) => self.stopped = Some(Stop::Unreadable(error)),
                None => self.stopped = Some(Stop::Over),
            }
        }
        self.peeked.as_ref()
    }

    fn diverge(&mut self, expected: Option<Part>, got: Option<Part>) {
        for part in [&expected, &got].into_iter().flatten() {
            self.names.learn(part);
        }
        let context = Context {
            names: &self.names,
            event: self.events,
            at: self.at(),
            cause: self.turn.as_ref().map(|record| &record.part),
        };
        let divergence = Divergence::new(&context, &REPLAY, expected, got);
        self.stopped = Some(Stop::Diverged(Box::new(divergence)));
    }

    fn did_less(&mut self) {
        let expected = self.peeked.take().map(|record| record.part);
        self.diverge(expected, None);
    }

    /// Whether the recording was cut off here, so that nothing can be said of further effects.
    fn is_cut(&self) -> bool {
        matches!(self.source.ending(), Some(Ending::Cut { .. }))
    }
}

impl<S: Source> World for Replay<S> {
    fn next(&mut self) -> Option<Delivery> {
        match self.peek()?.part {
            Part::Effect(..) => {
                self.did_less();
                return None;
            }
            Part::Delivery(_) | Part::Note(_) => {}
        }
        let record = self.peeked.take()?;
        let Part::Delivery(delivery) = &record.part else { return None };
        let delivery = delivery.clone();
        self.names.learn(&record.part);
        self.rolling.delivery(&delivery);
        self.events = record.event;
        self.turn = Some(record);
        Some(delivery)
    }

    fn submit(&mut self, from: Address, effect: Effect) {
        let got = Part::Effect(from, effect);
        self.peek();
        match self.peeked.take() {
            Some(record) if record.part == got => {
                self.names.learn(&got);
                if let Part::Effect(from, effect) = &got {
                    self.rolling.effect(*from, effect);
                }
            }
            Some(Record { part: Part::Delivery(_), .. }) => self.diverge(None, Some(got)),
            Some(record) => self.diverge(Some(record.part), Some(got)),
            // After the last entry of a whole recording there is nothing that may still be done.
            None if matches!(self.stopped, Some(Stop::Over)) && !self.is_cut() => {
                self.diverge(None, Some(got));
            }
            None => {}
        }
    }

    fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }
}

/// The entries of a recording in memory.
pub struct Entries {
    records: VecDeque<Record>,
    ending: Ending,
}

impl Iterator for Entries {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.records.pop_front().map(Ok)
    }
}

impl Source for Entries {
    fn ending(&self) -> Option<&Ending> {
        self.records.is_empty().then_some(&self.ending)
    }
}

impl From<crate::Trace> for Replay<Entries> {
    fn from(trace: crate::Trace) -> Replay<Entries> {
        let crate::Trace { identity, records, ending } = trace;
        Replay::of(&identity, Entries { records: records.into(), ending })
    }
}
