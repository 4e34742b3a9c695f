//! A segment: its header, and the index that it gets when it is closed.
//!
//! The index says of each record where it stands and what memory needs to know of it, so that opening
//! a store does not read the states themselves.

use dacapo_core::{ObjectId, ObjectKey, StorageError, StorageErrorKind};

use super::record::{Place, Summary, What, put_alarm, sum, take_alarm, take_u64};
use super::{FIRST, Store, file, storage};

/// The version of the format.
const VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"dacapo\0\x01";

/// Bytes of the header: magic, version, number, the number of the first record, checksum.
pub(super) const HEADER: usize = 32;

/// The first bytes of an index.
pub(super) const INDEX_MAGIC: &[u8; 8] = b"index\0\0\x01";

/// The last bytes of a closed segment: where its index begins, and a checksum.
const TRAILER: usize = 16;

/// A segment, as far as memory knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Segment {
    /// Where the records end.
    pub(super) end: u64,
    /// What its index will say. Empty once it is closed.
    pub(super) index: Vec<(ObjectKey, Summary, Place)>,
    /// It has records that cannot be read. It is kept, and gets no index: whoever opens the store
    /// finds the damage again.
    pub(super) is_damaged: bool,
}

/// What a header says.
pub(super) enum HeaderState {
    /// A segment begins, with the record of this number.
    Sound(u64),
    /// There is no header, or it is not as it was written.
    Unsound,
}

fn header(number: u32, first: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&first.to_le_bytes());
    let sum = sum(number, 0, &bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Looks at the header of a segment.
pub(super) fn read_header(number: u32, bytes: &[u8]) -> Result<HeaderState, StorageError> {
    let Some(bytes) = bytes.first_chunk::<HEADER>() else { return Ok(HeaderState::Unsound) };
    let (content, written) = bytes.split_at(HEADER - 8);
    if content[..8] != MAGIC[..] || written != sum(number, 0, content).to_le_bytes() {
        return Ok(HeaderState::Unsound);
    }
    let version = u32::from_le_bytes(content[8..12].try_into().expect("four bytes"));
    if version > VERSION {
        let file = file::name(number);
        let message = format!(
            "{file} was written in format {version} by a newer version, and this one reads up to {VERSION}: \
             use that version, or a newer one"
        );
        return Err(StorageError::new(StorageErrorKind::Newer, message));
    }
    let (first, _) = take_u64(&content[16..]).expect("eight bytes");
    Ok(HeaderState::Sound(first))
}

impl Store {
    /// Makes the segment of this number, empty.
    fn begin_segment(&mut self, number: u32) -> Result<(), StorageError> {
        let file = file::name(number);
        let header = header(number, self.recent.next());
        self.disk.write_at(&file, 0, &header).map_err(storage)?;
        self.disk.truncate(&file, FIRST).map_err(storage)?;
        self.sync(&file)?;
        self.segments.insert(number, Segment { end: FIRST, ..Segment::default() });
        Ok(())
    }

    /// The segment that is written to, and where it ends. It is made if a disk was too full for it.
    pub(super) fn open_segment(&mut self) -> Result<(u32, u64), StorageError> {
        if !self.segments.contains_key(&self.head) {
            self.begin_segment(self.head)?;
        }
        Ok((self.head, self.segments[&self.head].end))
    }

    /// Closes the segment that is written to, and begins the next.
    pub(super) fn seal(&mut self) -> Result<(), StorageError> {
        let number = self.head;
        let Some(segment) = self.segments.get(&number) else { return Ok(()) };
        let file = file::name(number);
        let mut end = segment.end;
        if !segment.is_damaged {
            let bytes = encode_index(number, segment, self.next_batch, self.recent.next());
            self.disk.write_at(&file, end, &bytes).map_err(storage)?;
            end += bytes.len() as u64;
        }
        // Behind the end there may be remains of a batch that failed.
        self.disk.truncate(&file, end).map_err(storage)?;
        self.sync(&file)?;
        // From now on nothing is written to it, even if the next one cannot be made now.
        self.segments.get_mut(&number).expect("just seen").index = Vec::new();
        self.head = number + 1;
        self.begin_segment(self.head)
    }

    /// Puts a segment without records in the place of a closed one whose records are of no use any
    /// more: those before it are still wanted, and a hole would look like a loss.
    pub(super) fn hollow(&mut self, number: u32) -> Result<(), StorageError> {
        let first = self.first_of(number)?;
        let next = self.first_of(number + 1)?;
        let segment = Segment { end: FIRST, ..Segment::default() };
        let mut bytes = header(number, first);
        bytes.extend_from_slice(&encode_index(number, &segment, self.next_batch, next));
        let (file, new) = (file::name(number), file::new_name(number));
        self.disk.write_at(&new, 0, &bytes).map_err(storage)?;
        self.disk.truncate(&new, bytes.len() as u64).map_err(storage)?;
        self.sync(&new)?;
        self.disk.rename(&new, &file).map_err(storage)?;
        self.sync(&file)?;
        self.segments.insert(number, segment);
        Ok(())
    }

    /// The number of the first record of a segment.
    fn first_of(&mut self, number: u32) -> Result<u64, StorageError> {
        let file = file::name(number);
        let bytes = file::read_exact(&mut *self.disk, &file, 0, HEADER)?.unwrap_or_default();
        match read_header(number, &bytes)? {
            HeaderState::Sound(first) => Ok(first),
            HeaderState::Unsound => Err(super::corrupt(&super::Damage { file, offset: 0, object: None })),
        }
    }
}

fn encode_index(number: u32, segment: &Segment, next_batch: u64, next: u64) -> Vec<u8> {
    let mut bytes = INDEX_MAGIC.to_vec();
    bytes.extend_from_slice(&next_batch.to_le_bytes());
    bytes.extend_from_slice(&next.to_le_bytes());
    for (key, summary, place) in &segment.index {
        bytes.push(summary.what as u8);
        put_alarm(&mut bytes, summary.alarm);
        bytes.extend_from_slice(&summary.seq.to_le_bytes());
        bytes.extend_from_slice(&place.offset.to_le_bytes());
        bytes.extend_from_slice(&place.head.to_le_bytes());
        bytes.extend_from_slice(&place.body.to_le_bytes());
        bytes.extend_from_slice(&key.id.0);
        bytes.extend_from_slice(&(key.namespace.len() as u16).to_le_bytes());
        bytes.extend_from_slice(key.namespace.as_bytes());
    }
    let sum = sum(number, segment.end, &bytes);
    bytes.extend_from_slice(&segment.end.to_le_bytes());
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// What an index says.
pub(super) struct Index {
    pub(super) next_batch: u64,
    /// The number of the first record of the next segment.
    pub(super) next: u64,
    /// Where it begins: the end of the records.
    pub(super) start: u64,
    pub(super) records: Vec<(ObjectKey, Summary, Place)>,
    /// Itself, to the end of the file.
    pub(super) bytes: Vec<u8>,
}

impl Store {
    /// The index of a segment that was closed; `None` if it was not, or the index is damaged.
    pub(super) fn read_index(&mut self, number: u32, len: u64) -> Result<Option<Index>, StorageError> {
        let name = file::name(number);
        let Some(at) = len.checked_sub(TRAILER as u64) else { return Ok(None) };
        let Some(trailer) = file::read_exact(&mut *self.disk, &name, at, TRAILER)? else { return Ok(None) };
        let (start, written) = trailer.split_at(8);
        let start = u64::from_le_bytes(start.try_into().expect("eight bytes"));
        if start < FIRST || start > at {
            return Ok(None);
        }
        let size = (len - start) as usize;
        let Some(bytes) = file::read_exact(&mut *self.disk, &name, start, size)? else { return Ok(None) };
        if written != sum(number, start, &bytes[..size - TRAILER]).to_le_bytes() {
            return Ok(None);
        }
        Ok(decode_index(number, start, bytes))
    }
}

fn decode_index(number: u32, start: u64, bytes: Vec<u8>) -> Option<Index> {
    let content = &bytes[..bytes.len() - TRAILER];
    let (next_batch, rest) = take_u64(content.strip_prefix(INDEX_MAGIC)?)?;
    let (next, mut rest) = take_u64(rest)?;
    let mut records = Vec::new();
    while let Some((what, more)) = rest.split_first() {
        let what = match what {
            0 => What::Changes,
            1 => What::Image,
            2 => What::Gone,
            _ => return None,
        };
        let (alarm, more) = take_alarm(more)?;
        let (seq, more) = take_u64(more)?;
        let (offset, more) = take_u64(more)?;
        let (head, more) = more.split_first_chunk()?;
        let (body, more) = more.split_first_chunk()?;
        let (id, more) = more.split_first_chunk()?;
        let (len, more) = more.split_first_chunk()?;
        let (namespace, more) = more.split_at_checked(u16::from_le_bytes(*len) as usize)?;
        let namespace = std::str::from_utf8(namespace).ok()?.into();
        let place = Place {
            segment: number,
            offset,
            head: u32::from_le_bytes(*head),
            body: u32::from_le_bytes(*body),
        };
        let key = ObjectKey { namespace, id: ObjectId(*id) };
        records.push((key, Summary { seq, what, alarm }, place));
        rest = more;
    }
    Some(Index { next_batch, next, start, records, bytes })
}
