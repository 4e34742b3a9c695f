//! The outer form of the file, the same in every version: a prelude, then chunks, each
//! compressed, with its lengths and two checksums in front. Knows nothing of what is in a chunk.
//!
//! ```text
//! prelude  "DACAPO\0"  format u32                                                      11 bytes
//! chunk    kind u8  raw length u32  stored length u32  check of these u32  check u64   21 bytes
//!          the stored bytes (zstd)
//! ```
//! All numbers are little-endian.

use std::hash::Hasher;
use std::io::{self, Read};

use dacapo_core::DigestHasher;

/// The oldest format that this build reads.
pub(crate) const VERSION_MIN: u32 = 1;
/// The newest, which it writes.
pub(crate) const VERSION_MAX: u32 = crate::v1::VERSION;

/// The longest chunk, before compression.
pub(crate) const RAW_MAX: usize = 1 << 30;

const MAGIC: &[u8; 7] = b"DACAPO\0";
pub(crate) const PRELUDE_LEN: usize = 11;
const FRAME_LEN: usize = 21;
/// Fastest of the levels that still halve a typical recording; a run waits for it.
const LEVEL: i32 = 1;
/// What a decoder may keep behind it: more than level 1 ever asks for, and no more than that, so
/// that a forged chunk cannot ask for gigabytes.
const WINDOW_LOG_MAX: u32 = 24;

/// What a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Header = 1,
    Data = 2,
    Footer = 3,
}

/// The first bytes of a file of this build.
pub(crate) fn prelude() -> [u8; PRELUDE_LEN] {
    let mut bytes = [0; PRELUDE_LEN];
    bytes[..7].copy_from_slice(MAGIC);
    bytes[7..].copy_from_slice(&VERSION_MAX.to_le_bytes());
    bytes
}

/// What the first bytes of a file say.
pub(crate) enum Prelude {
    /// A recording in this format.
    Version(u32),
    /// The start of a recording; the rest is missing.
    Cut,
    /// Something else.
    Other,
}

pub(crate) fn read_prelude(bytes: &[u8]) -> Prelude {
    match bytes.split_at_checked(MAGIC.len()) {
        Some((magic, _)) if magic != MAGIC => Prelude::Other,
        Some((_, version)) => match version.try_into() {
            Ok(version) => Prelude::Version(u32::from_le_bytes(version)),
            Err(_) => Prelude::Cut,
        },
        None if MAGIC.starts_with(bytes) => Prelude::Cut,
        None => Prelude::Other,
    }
}

/// Turns chunks into bytes of the file.
pub(crate) struct Packer {
    zstd: zstd::bulk::Compressor<'static>,
    /// Chunks so far: part of each checksum, so that a chunk cannot change its place.
    sequence: u64,
}

impl Packer {
    pub(crate) fn new() -> io::Result<Packer> {
        Ok(Packer { zstd: zstd::bulk::Compressor::new(LEVEL)?, sequence: 0 })
    }

    /// The bytes of a chunk with this content, which is at most [`RAW_MAX`] long.
    pub(crate) fn pack(&mut self, kind: Kind, raw: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; FRAME_LEN + zstd::zstd_safe::compress_bound(raw.len())];
        let stored_len = self.zstd.compress_to_buffer(raw, &mut bytes[FRAME_LEN..])?;
        bytes.truncate(FRAME_LEN + stored_len);
        let (frame, stored) = bytes.split_at_mut(FRAME_LEN);
        frame[0] = kind as u8;
        frame[1..5].copy_from_slice(&(raw.len() as u32).to_le_bytes());
        frame[5..9].copy_from_slice(&(stored_len as u32).to_le_bytes());
        let frame_check = check(self.sequence, &frame[..9]) as u32;
        frame[9..13].copy_from_slice(&frame_check.to_le_bytes());
        frame[13..].copy_from_slice(&check(self.sequence, stored).to_le_bytes());
        self.sequence += 1;
        Ok(bytes)
    }
}

fn check(sequence: u64, bytes: &[u8]) -> u64 {
    let mut hasher = DigestHasher::default();
    hasher.write_u64(sequence);
    hasher.write(bytes);
    hasher.finish()
}

/// A file with sound lengths and checksums around any content: for tests and fuzzing, which would
/// otherwise never get past the checksums. Of each chunk: 1 header, 2 data, else footer.
#[doc(hidden)]
pub fn forge(chunks: &[(u8, &[u8])]) -> Vec<u8> {
    let mut packer = Packer::new().expect("zstd starts");
    let mut bytes = prelude().to_vec();
    for (kind, raw) in chunks {
        let kind = match kind {
            1 => Kind::Header,
            2 => Kind::Data,
            _ => Kind::Footer,
        };
        bytes.extend(packer.pack(kind, raw).expect("memory takes a chunk"));
    }
    bytes
}

/// The content of each chunk of a sound file, as [`forge`] takes it.
#[doc(hidden)]
pub fn unforge(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut unpacker = Unpacker::default();
    let mut chunks = Vec::new();
    bytes = bytes.get(PRELUDE_LEN..).unwrap_or_default();
    loop {
        let mut raw = Vec::new();
        match unpacker.unpack(&mut bytes, &mut raw) {
            Ok((kind, _)) => chunks.push((kind as u8, raw)),
            Err(_) => return chunks,
        }
    }
}

/// Why there is no further chunk.
pub(crate) enum Unpack {
    /// The file ends here, between chunks or within one.
    Cut,
    /// The bytes are not those that were written.
    Damaged(String),
    Io(io::Error),
}

impl From<io::Error> for Unpack {
    fn from(error: io::Error) -> Unpack {
        Unpack::Io(error)
    }
}

/// Turns bytes of the file into chunks.
#[derive(Default)]
pub(crate) struct Unpacker {
    sequence: u64,
    stored: Vec<u8>,
}

impl Unpacker {
    /// Reads the next chunk: puts its content into `raw`, says its kind and its length in the file.
    pub(crate) fn unpack(
        &mut self,
        input: &mut impl Read,
        raw: &mut Vec<u8>,
    ) -> std::result::Result<(Kind, u64), Unpack> {
        let mut frame = Vec::with_capacity(FRAME_LEN);
        input.by_ref().take(FRAME_LEN as u64).read_to_end(&mut frame)?;
        if frame.len() < FRAME_LEN {
            return Err(Unpack::Cut);
        }
        let u32_at = |i: usize| u32::from_le_bytes([frame[i], frame[i + 1], frame[i + 2], frame[i + 3]]);
        if u32_at(9) != check(self.sequence, &frame[..9]) as u32 {
            return Err(Unpack::Damaged("the lengths of a chunk do not match their checksum".to_owned()));
        }
        let (raw_len, stored_len) = (u32_at(1) as usize, u32_at(5) as usize);
        let kind = match frame[0] {
            1 => Kind::Header,
            2 => Kind::Data,
            3 => Kind::Footer,
            other => return Err(Unpack::Damaged(format!("a chunk of the unknown kind {other}"))),
        };
        if raw_len > RAW_MAX || stored_len > zstd::zstd_safe::compress_bound(raw_len) {
            return Err(Unpack::Damaged(format!("a chunk of {stored_len} bytes for {raw_len}")));
        }
        // No length is believed before the bytes are there: both buffers grow with what comes.
        self.stored.clear();
        input.by_ref().take(stored_len as u64).read_to_end(&mut self.stored)?;
        if self.stored.len() < stored_len {
            return Err(Unpack::Cut);
        }
        if frame[13..] != check(self.sequence, &self.stored).to_le_bytes() {
            return Err(Unpack::Damaged("a chunk does not match its checksum".to_owned()));
        }
        raw.clear();
        let inflate = |raw: &mut Vec<u8>| {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(&self.stored[..])?;
            decoder.window_log_max(WINDOW_LOG_MAX)?;
            decoder.take(raw_len as u64 + 1).read_to_end(raw)
        };
        let inflated = inflate(raw).map_err(|e| Unpack::Damaged(format!("a chunk does not unpack: {e}")))?;
        if inflated != raw_len {
            return Err(Unpack::Damaged(format!("a chunk unpacks to another length than {raw_len}")));
        }
        self.sequence += 1;
        Ok((kind, (FRAME_LEN + stored_len) as u64))
    }
}
