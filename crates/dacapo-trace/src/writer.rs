//! Writes a recording while the run goes on, chunk by chunk.
//!
//! A failed write never stops a run: it is remembered, nothing more is written, and whoever
//! finishes the recording is told.

use std::io::Write;

use dacapo_core::{Address, Delivery, Digest, Effect, Note, Time};

use crate::frame::{Kind, Packer, RAW_MAX, prelude};
use crate::v1::{self, ChunkHead, Footer, Header};
use crate::{Identity, Summary, WriteError, codec};

/// A chunk is closed when it has this many bytes or records: what a crash can lose.
const CHUNK_BYTES: usize = 256 * 1024;
const CHUNK_RECORDS: u32 = 4096;

pub(crate) struct Writer {
    out: Box<dyn Write>,
    packer: Option<Packer>,
    /// The records of the open chunk.
    records: Vec<u8>,
    count: u32,
    /// Deliveries in the chunks before the open one, and in it.
    events_before: u64,
    events: u64,
    /// The last delivery in the open chunk.
    at: Time,
    error: Option<WriteError>,
}

impl Writer {
    pub(crate) fn new(identity: &Identity, out: Box<dyn Write>) -> Writer {
        let mut writer = Writer {
            out,
            packer: None,
            records: Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8),
            count: 0,
            events_before: 0,
            events: 0,
            at: Time::ZERO,
            error: None,
        };
        match Packer::new() {
            Ok(packer) => writer.packer = Some(packer),
            Err(error) => writer.error = Some(WriteError::Io(error)),
        }
        writer.put(&prelude());
        let mut raw = Vec::new();
        codec::encode(&Header::from(identity), &mut raw);
        writer.chunk(Kind::Header, &raw);
        writer
    }

    pub(crate) fn delivery(&mut self, delivery: &Delivery) {
        self.events += 1;
        let record = v1::Record::Delivery(v1::Delivery::new(delivery, self.at));
        self.at = delivery.at;
        self.record(&record);
    }

    pub(crate) fn effect(&mut self, from: Address, effect: &Effect) {
        self.record(&v1::Record::Effect(from.into(), effect.into()));
    }

    pub(crate) fn note(&mut self, note: &Note) {
        self.record(&v1::Record::Note(note.into()));
    }

    fn record(&mut self, record: &v1::Record<'_>) {
        if self.error.is_none() {
            codec::encode(record, &mut self.records);
            self.count += 1;
        }
    }

    /// Closes the open chunk if it is full. `digest`: of the run so far.
    pub(crate) fn settle(&mut self, digest: impl FnOnce() -> Digest) {
        if self.records.len() >= CHUNK_BYTES || self.count >= CHUNK_RECORDS {
            self.close(digest());
        }
    }

    /// Closes the open chunk and hands everything to the operating system.
    pub(crate) fn close(&mut self, digest: Digest) {
        if self.count == 0 {
            return;
        }
        let head = ChunkHead { events_before: self.events_before, records: self.count, digest: digest.0 };
        let mut raw = Vec::with_capacity(self.records.len() + 32);
        codec::encode(&head, &mut raw);
        raw.append(&mut self.records);
        self.chunk(Kind::Data, &raw);
        self.records.shrink_to(2 * CHUNK_BYTES);
        self.events_before = self.events;
        self.count = 0;
        self.at = Time::ZERO;
    }

    /// Writes the footer. The open chunk must be closed.
    pub(crate) fn finish(&mut self, summary: &Summary) -> Result<(), WriteError> {
        let mut raw = Vec::new();
        codec::encode(&Footer::from(summary), &mut raw);
        self.chunk(Kind::Footer, &raw);
        self.error.take().map_or(Ok(()), Err)
    }

    pub(crate) fn error(&self) -> Option<&WriteError> {
        self.error.as_ref()
    }

    fn chunk(&mut self, kind: Kind, raw: &[u8]) {
        if self.error.is_some() {
            return;
        }
        if raw.len() > RAW_MAX {
            self.error = Some(WriteError::TooLong(raw.len()));
            return;
        }
        let packer = self.packer.as_mut().expect("a writer without a packer has an error");
        match packer.pack(kind, raw) {
            Ok(bytes) => self.put(&bytes),
            Err(error) => self.error = Some(WriteError::Io(error)),
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.error.is_none()
            && let Err(error) = self.out.write_all(bytes).and_then(|()| self.out.flush())
        {
            self.error = Some(WriteError::Io(error));
        }
    }
}
