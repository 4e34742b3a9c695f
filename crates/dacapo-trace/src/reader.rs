//! Reads a recording, entry by entry. Believes nothing: whatever the bytes are, it ends with
//! entries, an ending or an error, and takes no more memory than what is there calls for.

use std::io::Read;

use dacapo_core::Time;

use crate::digest::Rolling;
use crate::frame::{Kind, PRELUDE_LEN, Prelude, Unpack, Unpacker, VERSION_MAX, VERSION_MIN, read_prelude};
use crate::v1::{self, ChunkHead, Footer, Header};
use crate::{Ending, Identity, Part, ReadError, Record, Summary, codec};

/// A recording that is being read: an iterator over its entries.
///
/// A recording that was cut off gives what it has and then says so in [`Reader::ending`]. A
/// damaged one gives what stands before the damage, and then the error.
pub struct Reader<R> {
    input: R,
    identity: Identity,
    unpacker: Unpacker,
    /// Where the next chunk begins.
    offset: u64,
    /// Where the open chunk begins.
    chunk_offset: u64,
    chunk: Vec<u8>,
    position: usize,
    /// What of the open chunk is still to come, and the digest that must then be reached.
    left: u32,
    digest: u128,
    rolling: Rolling,
    /// The last delivery in the recording.
    event: u64,
    at: Time,
    /// The last delivery in the open chunk.
    before: Time,
    effects: u64,
    notes: u64,
    ending: Option<Ending>,
    has_failed: bool,
}

impl<R: Read> Reader<R> {
    /// Reads whose recording it is.
    pub fn open(mut input: R) -> Result<Reader<R>, ReadError> {
        let mut prelude = Vec::with_capacity(PRELUDE_LEN);
        input
            .by_ref()
            .take(PRELUDE_LEN as u64)
            .read_to_end(&mut prelude)
            .map_err(|source| ReadError::Io { offset: 0, source })?;
        match read_prelude(&prelude) {
            Prelude::Version(found) if found > VERSION_MAX => return Err(ReadError::Newer { found }),
            Prelude::Version(found) if found < VERSION_MIN => return Err(ReadError::Older { found }),
            Prelude::Version(_) => {}
            Prelude::Cut => return Err(ReadError::Headless { offset: prelude.len() as u64 }),
            Prelude::Other => {
                let found = prelude.iter().take(7).map(|byte| byte.escape_ascii().to_string()).collect();
                return Err(ReadError::NotATrace { found });
            }
        }
        let mut reader = Reader {
            input,
            identity: Identity::default(),
            unpacker: Unpacker::default(),
            offset: PRELUDE_LEN as u64,
            chunk_offset: PRELUDE_LEN as u64,
            chunk: Vec::new(),
            position: 0,
            left: 0,
            digest: Rolling::default().digest().0,
            rolling: Rolling::default(),
            event: 0,
            at: Time::ZERO,
            before: Time::ZERO,
            effects: 0,
            notes: 0,
            ending: None,
            has_failed: false,
        };
        match reader.next_chunk()? {
            Some(Kind::Header) => {}
            Some(_) => return Err(reader.senseless("no header at its start")),
            None => return Err(ReadError::Headless { offset: reader.offset }),
        }
        let (header, length) = codec::decode::<Header<'_>>(&reader.chunk).map_err(|e| reader.senseless(e))?;
        if length != reader.chunk.len() {
            return Err(reader.senseless("a header that is longer than it should be"));
        }
        reader.identity = header.into();
        reader.chunk.clear();
        Ok(reader)
    }

    /// Whose recording it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How it ends; known when the last entry has been read.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// The identity and, when the last entry has been read, the ending.
    pub fn into_parts(self) -> (Identity, Option<Ending>) {
        (self.identity, self.ending)
    }

    fn next_chunk(&mut self) -> Result<Option<Kind>, ReadError> {
        self.chunk_offset = self.offset;
        self.position = 0;
        match self.unpacker.unpack(&mut self.input, &mut self.chunk) {
            Ok((kind, length)) => {
                self.offset += length;
                Ok(Some(kind))
            }
            Err(Unpack::Cut) => Ok(None),
            Err(Unpack::Damaged(what)) => Err(self.damaged(what)),
            Err(Unpack::Io(source)) => Err(ReadError::Io { offset: self.offset, source }),
        }
    }

    /// The next entry, or `None` at the end, which `self.ending` then tells of.
    fn advance(&mut self) -> Result<Option<Record>, ReadError> {
        while self.left == 0 {
            if self.position != self.chunk.len() {
                return Err(self.senseless("a chunk that is longer than its records"));
            }
            if self.rolling.digest().0 != self.digest {
                return Err(self.senseless("records that do not add up to the digest after them"));
            }
            let kind = self.next_chunk()?;
            match kind {
                None => {
                    self.ending = Some(Ending::Cut { event: self.event, offset: self.chunk_offset });
                    return Ok(None);
                }
                Some(Kind::Header) => return Err(self.senseless("a second header")),
                Some(Kind::Footer) => {
                    let summary = self.footer()?;
                    self.ending = Some(Ending::Finished(summary));
                    return Ok(None);
                }
                Some(Kind::Data) => {
                    let (head, length) =
                        codec::decode::<ChunkHead>(&self.chunk).map_err(|e| self.senseless(e))?;
                    if head.events_before != self.event || head.records == 0 {
                        return Err(self.senseless("a chunk that does not follow the one before it"));
                    }
                    self.position = length;
                    self.left = head.records;
                    self.digest = head.digest;
                    self.before = Time::ZERO;
                }
            }
        }
        let decoded = codec::decode::<v1::Record<'_>>(&self.chunk[self.position..]);
        let (record, length) = decoded.map_err(|e| self.senseless(e))?;
        let part = match record {
            v1::Record::Delivery(delivery) => {
                let delivery = delivery.into_core(self.before).map_err(|e| self.senseless(e))?;
                self.event += 1;
                self.at = delivery.at;
                self.before = delivery.at;
                self.rolling.delivery(&delivery);
                Part::Delivery(delivery)
            }
            v1::Record::Effect(from, effect) => {
                let (from, effect) = (from.into(), effect.into_core().map_err(|e| self.senseless(e))?);
                self.effects += 1;
                self.rolling.effect(from, &effect);
                Part::Effect(from, effect)
            }
            v1::Record::Note(note) => {
                self.notes += 1;
                Part::Note(note.into())
            }
        };
        self.position += length;
        self.left -= 1;
        let at = if let Part::Note(note) = &part { note.at } else { self.at };
        Ok(Some(Record { event: self.event, at, part }))
    }

    fn footer(&mut self) -> Result<Summary, ReadError> {
        let (footer, length) = codec::decode::<Footer<'_>>(&self.chunk).map_err(|e| self.senseless(e))?;
        let summary = Summary::from(footer);
        let counted = (self.event, self.effects, self.notes, self.digest);
        if length != self.chunk.len()
            || counted != (summary.events, summary.effects, summary.notes, summary.digest.0)
        {
            return Err(self.senseless("a footer that tells of other records than there are"));
        }
        let mut rest = Vec::new();
        let read = self.input.by_ref().take(1).read_to_end(&mut rest);
        match read {
            Ok(0) => Ok(summary),
            Ok(_) => Err(ReadError::Damaged {
                offset: self.offset,
                event: self.event,
                what: "something follows the end of the recording".to_owned(),
            }),
            Err(source) => Err(ReadError::Io { offset: self.offset, source }),
        }
    }

    fn damaged(&self, what: impl Into<String>) -> ReadError {
        ReadError::Damaged { offset: self.chunk_offset, event: self.event, what: what.into() }
    }

    fn senseless(&self, what: impl Into<String>) -> ReadError {
        ReadError::Senseless { offset: self.chunk_offset, event: self.event, what: what.into() }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed || self.ending.is_some() {
            return None;
        }
        let next = self.advance();
        self.has_failed = next.is_err();
        next.transpose()
    }
}
