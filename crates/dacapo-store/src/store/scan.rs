//! Reading a segment record by record, and what of it counts.

use dacapo_core::{ObjectKey, StorageError};

use super::read::RETRIES;
use super::record::{Head, Place, Record, Summary};
use super::segment::{HEADER, HeaderState, INDEX_MAGIC, read_header};
use super::trail::REACH;
use super::{Damage, FIRST, Store, file, storage};

/// What counts of a segment that was being written to.
pub(super) struct Settled {
    /// So many items.
    pub(super) count: usize,
    /// Where the log ends.
    pub(super) end: u64,
    /// Where the last batch begins; `None`: there is none.
    pub(super) batch: Option<u64>,
}

/// What stands in a segment, read from its start.
pub(super) struct Scan {
    number: u32,
    pub(super) header: HeaderState,
    pub(super) items: Vec<Item>,
    /// What was read.
    pub(super) bytes: Vec<u8>,
}

pub(super) enum Item {
    /// A record, with what it says unless its body is damaged.
    Record(Box<Head>, Option<Record>),
    /// Bytes that are no record, from here to there.
    Gap(u64, u64),
}

impl Item {
    fn start(&self) -> u64 {
        match self {
            Item::Record(head, _) => head.place.offset,
            Item::Gap(start, _) => *start,
        }
    }
}

impl Scan {
    /// Everything in it that is not as it was written.
    pub(super) fn damages(&self) -> impl Iterator<Item = Damage> {
        let file = file::name(self.number);
        let header = match self.header {
            HeaderState::Sound(_) => None,
            HeaderState::Unsound => Some(Damage { file: file.clone(), offset: 0, object: None }),
        };
        let items = self.items.iter().filter_map(move |item| match item {
            Item::Record(_, Some(_)) => None,
            Item::Record(head, None) => {
                Some(Damage { file: file.clone(), offset: head.place.offset, object: Some(head.key.clone()) })
            }
            Item::Gap(start, _) => Some(Damage { file: file.clone(), offset: *start, object: None }),
        });
        header.into_iter().chain(items)
    }

    /// The highest number of a batch.
    pub(super) fn last_batch(&self) -> u64 {
        let batch = |item: &Item| if let Item::Record(head, _) = item { head.position.batch } else { 0 };
        self.items.iter().map(batch).max().unwrap_or(0)
    }

    /// What an index would say.
    pub(super) fn summaries(self) -> Vec<(ObjectKey, Summary, Place)> {
        let summary = |item| match item {
            Item::Record(head, Some(record)) => {
                let head: Head = *head;
                Some((head.key, record.kind.summary(record.seq), head.place))
            }
            _ => None,
        };
        self.items.into_iter().filter_map(summary).collect()
    }

    /// The number of its first record, as far as that can be told without its header: more may be
    /// missing than the first that is there names.
    pub(super) fn first_known(&self) -> u64 {
        match &self.items[..] {
            [Item::Record(head, _), ..] => head.position.number,
            [Item::Gap(start, end), Item::Record(head, _), ..] => {
                let unnamed = u64::from(end - start > REACH);
                let named = head.position.trail.as_slice().len() as u64;
                head.position.number.saturating_sub(named + unnamed)
            }
            _ => 0,
        }
    }

    /// Whether a record stands in it.
    pub(super) fn has_records(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Record(..)))
    }

    /// All of it counts: nothing was under way.
    pub(super) fn settle_all(&self) -> Settled {
        let end = match self.items.last() {
            Some(Item::Record(head, _)) => head.place.offset + head.place.size(),
            Some(Item::Gap(_, end)) => *end,
            None => FIRST,
        };
        Settled { count: self.items.len(), end, batch: None }
    }

    /// Splits what counts of a segment that was being written to from the rest.
    pub(super) fn settle(&self) -> Settled {
        // Behind the end there may be remains of batches that failed: their numbers are lower.
        let mut newest = 0;
        let mut shown = 0;
        for item in &self.items {
            if let Item::Record(head, _) = item {
                if head.position.batch < newest {
                    break;
                }
                newest = head.position.batch;
            }
            shown += 1;
        }
        // If its first record is there the newest batch begins with it, and a gap before it is part of
        // what was acknowledged. Otherwise it begins where the one before it ends.
        let items = &self.items[..shown];
        let is_newest = |item: &&Item| matches!(item, Item::Record(head, _) if head.position.batch == newest);
        let is_before = |item: &Item| matches!(item, Item::Record(head, _) if head.position.batch < newest);
        let begin = match items.iter().position(|item| is_newest(&item)) {
            Some(at) if matches!(&items[at], Item::Record(head, _) if head.position.is_first) => at,
            _ => items.iter().rposition(is_before).map_or(0, |at| at + 1),
        };
        for (at, item) in items[begin..].iter().enumerate() {
            match item {
                Item::Record(head, Some(_)) if head.position.is_last => {
                    let end = head.place.offset + head.place.size();
                    return Settled { count: begin + at + 1, end, batch: Some(items[begin].start()) };
                }
                Item::Record(_, Some(_)) => {}
                Item::Record(_, None) | Item::Gap(..) => break,
            }
        }
        let end = self.items.get(begin).map_or(FIRST, Item::start);
        let batch = items[..begin]
            .iter()
            .rev()
            .find(|item| matches!(item, Item::Record(head, _) if head.position.is_first));
        Settled { count: begin, end, batch: batch.map(Item::start) }
    }
}

impl Store {
    /// Reads a segment from its start. What is not as it was written is read again: a disk may answer
    /// wrongly once, and what is cut off because of that would be lost.
    pub(super) fn scan(&mut self, number: u32) -> Result<Scan, StorageError> {
        let mut scan = self.scan_once(number)?;
        for _ in 0..RETRIES {
            if scan.damages().next().is_none() {
                break;
            }
            let again = self.scan_once(number)?;
            let is_the_same = again.bytes == scan.bytes;
            scan = again;
            if is_the_same {
                break;
            }
        }
        Ok(scan)
    }

    fn scan_once(&mut self, number: u32) -> Result<Scan, StorageError> {
        let name = file::name(number);
        let len = self.disk.len(&name).map_err(storage)?.unwrap_or(0);
        let bytes = file::read_exact(&mut *self.disk, &name, 0, len as usize)?.unwrap_or_default();
        let header = read_header(number, &bytes)?;
        let mut items: Vec<Item> = Vec::new();
        let mut at = HEADER.min(bytes.len());
        while at < bytes.len() {
            match Head::decode(number, at as u64, &bytes[at..]) {
                Some(head) => {
                    let record = head.record(&bytes[at..]);
                    at += head.place.size() as usize;
                    items.push(Item::Record(Box::new(head), record));
                }
                None if bytes[at..].starts_with(INDEX_MAGIC) => break,
                None => {
                    let is_head = |at: &usize| Head::decode(number, *at as u64, &bytes[*at..]).is_some();
                    let next = (at + 1..bytes.len()).find(is_head).unwrap_or(bytes.len());
                    items.push(Item::Gap(at as u64, next as u64));
                    at = next;
                }
            }
        }
        Ok(Scan { number, header, items, bytes })
    }
}
