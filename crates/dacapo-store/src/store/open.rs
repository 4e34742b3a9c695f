//! Opening: what the disk has becomes what memory knows.
//!
//! A closed segment is read by its index. The last segment was being written to when the process
//! ended: its records are read one by one. Its last batch counts if it is whole; it was never
//! acknowledged otherwise. Whatever else is not as it was written is damage: the disk has lost it,
//! and `loss` finds out whose it was.
//!
//! Nothing is written before all segments were read: a store of a newer version stays as it is.

use dacapo_core::{ObjectKey, StorageError, StorageErrorKind};

use super::record::{HEAD_MAX, Head, Place, Summary, What};
use super::scan::{Item, Scan};
use super::segment::{HEADER, HeaderState, Index, Segment, read_header};
use super::{Damage, Entry, FIRST, Store, file, storage, trail};

/// The end of the log as it was read: in memory perhaps, and not on the disk.
struct Tail {
    from: u64,
    bytes: Vec<u8>,
}

impl Store {
    /// Reads what the disk has.
    pub(super) fn recover(&mut self) -> Result<(), StorageError> {
        let files = self.disk.list().map_err(storage)?;
        let mut numbers: Vec<u32> = files.iter().filter_map(|name| file::number(name)).collect();
        numbers.sort_unstable();
        let last = numbers.last().copied();
        let mut tail = None;
        let mut before = None;
        for &number in &numbers {
            if let Some(before) = before.replace(number)
                && before + 1 != number
            {
                self.lack_file(before);
            }
            tail = self.recover_segment(number, Some(number) == last)?;
        }
        self.recent.begin(1);
        if self.pending.is_some() {
            // No record follows whose number says how many are lost: at least one.
            self.expect(self.recent.next() + 1, &[], self.head, FIRST);
        }
        if let (Some(number), Some(tail)) = (last, tail) {
            self.make_sure(number, &tail)?;
        }
        if let Some(first) = numbers.first().filter(|first| **first > 1) {
            // The one before may not be gone for good. If it came back once this one is removed, this
            // one would be missed.
            let name = file::name(first - 1);
            self.disk.remove(&name).map_err(storage)?;
            self.sync(&name)?;
        }
        for name in files.iter().filter(|name| file::new_number(name).is_some()) {
            // It was to take the place of a segment, and did not come to it.
            self.disk.remove(name).map_err(storage)?;
        }
        match self.open_segment() {
            // What is there can be read on a full disk, too.
            Err(error) if error.kind == StorageErrorKind::Full => Ok(()),
            begun => begun.map(|_| ()),
        }
    }

    /// What was read may be in the machine's memory only, left there by a process that died before its
    /// sync, or whose sync failed: then the machine may take it for written. Nobody may see it and lose
    /// it again, so what the last sync was for is written anew.
    fn make_sure(&mut self, number: u32, tail: &Tail) -> Result<(), StorageError> {
        let name = file::name(number);
        let end = tail.from + tail.bytes.len() as u64;
        if self.disk.len(&name).map_err(storage)?.is_some_and(|len| len > end) {
            self.disk.truncate(&name, end).map_err(storage)?;
        }
        self.disk.write_at(&name, tail.from, &tail.bytes).map_err(storage)?;
        self.sync(&name)
    }

    /// Reads a segment. Gives the end of the log, if it is in this one.
    fn recover_segment(&mut self, number: u32, is_last: bool) -> Result<Option<Tail>, StorageError> {
        let name = file::name(number);
        let len = self.disk.len(&name).map_err(storage)?.unwrap_or(0);
        let header = file::read_exact(&mut *self.disk, &name, 0, HEADER.min(len as usize))?;
        if let HeaderState::Sound(first) = read_header(number, &header.unwrap_or_default())?
            && let Some(index) = self.read_index(number, len)?
        {
            // It is closed, and is not written to any more.
            self.head = number + 1;
            return self.recover_closed(number, first, index).map(Some);
        }
        let scan = self.scan(number)?;
        self.next_batch = self.next_batch.max(scan.last_batch() + 1);
        let is_sound = matches!(scan.header, HeaderState::Sound(_));
        if is_last && !is_sound && len <= FIRST {
            // The process ended while it made this file.
            self.head = number;
            return Ok(None);
        }
        // If there is nothing left of a file, there is no telling what was under way.
        let is_open = is_last && (is_sound || scan.has_records());
        self.head = if is_open { number } else { number + 1 };
        Ok(self.recover_scanned(number, is_open, scan))
    }

    fn recover_closed(&mut self, number: u32, first: u64, index: Index) -> Result<Tail, StorageError> {
        self.next_batch = self.next_batch.max(index.next_batch);
        self.segments.insert(number, Segment { end: index.start, ..Segment::default() });
        self.recent.begin(first);
        // The index does not say whose the records before this segment were, but its first record does.
        let is_missing = self.recent.next() < first;
        let trail = if is_missing { self.first_trail(number, index.start)? } else { Vec::new() };
        self.expect(first, &trail, number, FIRST);
        for (key, summary, place) in index.records {
            self.recent.push(&key, &place);
            self.take_in(key, summary, place);
        }
        // A hollow segment has none of its records.
        self.recent.skip_to(index.next, &[], number, index.start);
        Ok(Tail { from: index.start, bytes: index.bytes })
    }

    /// What the first record of a segment says of those before it.
    fn first_trail(&mut self, number: u32, end: u64) -> Result<Vec<u32>, StorageError> {
        let size = HEAD_MAX.min((end - FIRST) as usize);
        let bytes = file::read_exact(&mut *self.disk, &file::name(number), FIRST, size)?.unwrap_or_default();
        let head = Head::decode(number, FIRST, &bytes);
        Ok(head.map(|head| head.position.trail.as_slice().to_vec()).unwrap_or_default())
    }

    fn recover_scanned(&mut self, number: u32, is_open: bool, scan: Scan) -> Option<Tail> {
        let settled = if is_open { scan.settle() } else { scan.settle_all() };
        self.segments.insert(number, Segment { end: settled.end, ..Segment::default() });
        match scan.header {
            HeaderState::Sound(first) => self.recent.begin(first),
            HeaderState::Unsound => {
                let damage = Damage { file: file::name(number), offset: 0, object: None };
                self.pending.get_or_insert(damage);
                self.recent.begin(scan.first_known());
            }
        }
        let has_records = scan.has_records();
        let mut items = scan.items.into_iter();
        for item in items.by_ref().take(settled.count) {
            self.take_item(number, item);
        }
        match (items.next(), scan.header) {
            // What is cut off still says what was there before it.
            (Some(Item::Record(head, _)), _) if head.position.is_first => self.expect_head(number, &head),
            (_, HeaderState::Sound(first)) if !has_records => self.expect(first, &[], number, FIRST),
            _ => {}
        }
        if !is_open {
            self.segments.get_mut(&number).expect("just made").index = Vec::new();
            return None;
        }
        let from = settled.batch.unwrap_or(0);
        let bytes = scan.bytes.get(from as usize..settled.end as usize).unwrap_or_default().to_vec();
        Some(Tail { from, bytes })
    }

    fn expect_head(&mut self, number: u32, head: &Head) {
        self.expect(head.position.number, head.position.trail.as_slice(), number, head.place.offset);
    }

    fn take_item(&mut self, number: u32, item: Item) {
        let file = file::name(number);
        match item {
            Item::Record(head, record) => {
                self.expect_head(number, &head);
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
        if !matches!(what, What::Changes) {
            // Whatever of it was lost before is of no use any more.
            self.strangers.remove(&trail::owner(&key));
        }
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
}
