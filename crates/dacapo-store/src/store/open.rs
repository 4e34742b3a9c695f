//! Opening: what the disk has becomes what memory knows.
//!
//! A closed segment is read by its index. The last segment was being written to when the process
//! ended: its records are read one by one. Its last batch counts if it is whole; it was never
//! acknowledged otherwise. Whatever else is not as it was written is damage: the disk has lost it,
//! and `loss` finds out whose it was.

use dacapo_core::{ObjectKey, StorageError};

use super::record::{Head, Place, Record, Summary, What};
use super::segment::{HEADER, HeaderState, INDEX_MAGIC, Segment, read_header};
use super::{Damage, Entry, FIRST, Store, file, storage};

/// What counts of a segment that was being written to.
struct Settled {
    /// So many items.
    count: usize,
    /// Where the log ends.
    end: u64,
    /// Where the last batch begins; `None`: there is none.
    batch: Option<u64>,
}

/// What stands in a segment, read from its start.
pub(super) struct Scan {
    number: u32,
    items: Vec<Item>,
    header: HeaderState,
}

enum Item {
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
    fn last_batch(&self) -> u64 {
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

    /// Splits what counts from the rest.
    fn settle(&self) -> Settled {
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
    /// Reads what the disk has.
    pub(super) fn recover(&mut self) -> Result<(), StorageError> {
        let files = self.disk.list().map_err(storage)?;
        for name in files.iter().filter(|name| file::new_number(name).is_some()) {
            // It was to take the place of a segment, and did not come to it.
            self.disk.remove(name).map_err(storage)?;
        }
        let mut numbers: Vec<u32> = files.iter().filter_map(|name| file::number(name)).collect();
        numbers.sort_unstable();
        let last = numbers.last().copied();
        let mut unsure = 0;
        for (at, &number) in numbers.iter().enumerate() {
            if let Some(before) = at.checked_sub(1).map(|at| numbers[at])
                && before + 1 != number
            {
                self.lack_file(before);
            }
            unsure = self.recover_segment(number, Some(number) == last)?;
        }
        if let Some(number) = last {
            self.make_sure(number, unsure)?;
        }
        // A segment that is closed is not written to any more.
        match last {
            None => self.begin_segment(1),
            Some(number) if self.is_closed(number)? => self.begin_segment(number + 1),
            Some(_) => Ok(()),
        }
    }

    /// What was read may be in the machine's memory only, left there by a process that died before its
    /// sync, or whose sync failed: then the machine may take it for written. Nobody may see it and lose
    /// it again, so what the last sync was for is written anew.
    fn make_sure(&mut self, number: u32, from: u64) -> Result<(), StorageError> {
        let name = file::name(number);
        let len = self.disk.len(&name).map_err(storage)?.unwrap_or(0);
        let size = len.saturating_sub(from) as usize;
        if let Some(bytes) = file::read_exact(&mut *self.disk, &name, from, size)?
            && size > 0
        {
            self.disk.write_at(&name, from, &bytes).map_err(storage)?;
        }
        self.sync(&name)
    }

    fn is_closed(&mut self, number: u32) -> Result<bool, StorageError> {
        let len = self.disk.len(&file::name(number)).map_err(storage)?.unwrap_or(0);
        Ok(len > self.segments[&number].end)
    }

    /// Reads a segment; says from where on it may not be durable.
    fn recover_segment(&mut self, number: u32, is_last: bool) -> Result<u64, StorageError> {
        let name = file::name(number);
        let len = self.disk.len(&name).map_err(storage)?.unwrap_or(0);
        let header =
            file::read_exact(&mut *self.disk, &name, 0, HEADER.min(len as usize))?.unwrap_or_default();
        let header = read_header(number, &header)?;
        match header {
            HeaderState::Sound(first) => self.recent.begin(first),
            HeaderState::Unsound if number == 1 => self.recent.begin(1),
            HeaderState::Unsound => {}
        }
        if let HeaderState::Sound(first) = header
            && let Some(index) = self.read_index(number, len)?
        {
            self.next_batch = self.next_batch.max(index.next_batch);
            self.segments.insert(number, Segment { end: index.start, ..Segment::default() });
            self.expect(first, &[], number, FIRST);
            for (key, summary, place) in index.records {
                self.recent.push(&key, &place);
                self.take_in(key, summary, place);
            }
            // A hollow segment has none of its records.
            self.recent.skip_to(index.next, &[], number, index.start);
            return Ok(index.start);
        }
        let scan = self.scan(number)?;
        self.next_batch = self.next_batch.max(scan.last_batch() + 1);
        let has_records = scan.items.iter().any(|item| matches!(item, Item::Record(..)));
        if is_last && !has_records && matches!(header, HeaderState::Unsound) {
            // The process ended while it made this file.
            self.begin_segment(number)?;
            return Ok(FIRST);
        }
        let settled = if is_last {
            scan.settle()
        } else {
            Settled { count: scan.items.len(), end: scan.end(), batch: None }
        };
        let Settled { count, end, batch } = settled;
        self.segments.insert(number, Segment { end, ..Segment::default() });
        for item in scan.items.into_iter().take(count) {
            self.take_item(number, item);
        }
        if let HeaderState::Sound(first) = header
            && self.recent.next() < first
        {
            self.expect(first, &[], number, FIRST);
        }
        if is_last && len > end {
            self.disk.truncate(&name, end).map_err(storage)?;
        }
        Ok(batch.unwrap_or(0))
    }

    fn take_item(&mut self, number: u32, item: Item) {
        let file = file::name(number);
        match item {
            Item::Record(head, record) => {
                self.expect(head.position.number, head.position.trail.as_slice(), number, head.place.offset);
                self.recent.push(&head.key, &head.place);
                let Head { key, seq, place, .. } = *head;
                let segment = self.segments.get_mut(&number).expect("the segment that is read");
                if let Some(record) = record {
                    let summary = record.kind.summary(record.seq);
                    segment.index.push((key.clone(), summary, place));
                    self.take_in(key, summary, place);
                } else {
                    segment.is_damaged = true;
                    let entry = self.objects.entry(key.clone()).or_default();
                    entry.seq = seq;
                    entry.damage = Some(Damage { file, offset: place.offset, object: Some(key) });
                }
            }
            Item::Gap(start, _) => {
                self.segments.get_mut(&number).expect("the segment that is read").is_damaged = true;
                self.pending.get_or_insert(Damage { file, offset: start, object: None });
            }
        }
    }

    /// A record counts from now on.
    pub(super) fn take_in(&mut self, key: ObjectKey, summary: Summary, place: Place) {
        let Summary { seq, what, alarm } = summary;
        let before = self.objects.get(&key).map_or(0, Entry::size);
        match what {
            What::Image => {
                let entry = Entry { image: Some(place), seq, alarm: alarm.flatten(), ..Entry::default() };
                self.objects.insert(key, entry);
                self.live += place.size();
            }
            What::Changes => {
                let entry = self.objects.entry(key.clone()).or_default();
                if seq != entry.seq + 1 {
                    let file = file::name(place.segment);
                    entry.damage = Some(Damage { file, offset: place.offset, object: Some(key) });
                } else if entry.damage.as_ref().is_some_and(|damage| damage.object.is_none()) {
                    entry.damage = None;
                }
                entry.seq = seq;
                entry.changes.push(place);
                entry.changed += place.size();
                if let Some(alarm) = alarm {
                    entry.alarm = alarm;
                }
                self.live += before + place.size();
            }
            What::Gone => {
                self.objects.remove(&key);
            }
        }
        self.live -= before;
    }

    /// Reads a segment from its start.
    pub(super) fn scan(&mut self, number: u32) -> Result<Scan, StorageError> {
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
        Ok(Scan { number, items, header })
    }
}

impl Scan {
    /// Where the records of a closed segment end.
    fn end(&self) -> u64 {
        match self.items.last() {
            Some(Item::Record(head, _)) => head.place.offset + head.place.size(),
            Some(Item::Gap(_, end)) => *end,
            None => FIRST,
        }
    }
}
