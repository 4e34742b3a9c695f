//! The bytes of one database, as pages, and which of them have changed.
//!
//! It knows nothing of SQLite but the size of its pages.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::undo::Before;

/// The size of a page of every database.
pub(super) const PAGE: usize = 4096;

/// Two ranges nearer than this are one: the place and the length of a range cost as much.
const NEAR: usize = 16;

static ZEROS: Bytes = Bytes::from_static(&[0; PAGE]);

/// The pages of a database.
#[derive(Default)]
pub(super) struct File {
    /// Each is `PAGE` bytes. A page is replaced, never written into: whoever holds it (the image it
    /// was loaded from, `before`) shares it.
    pages: Vec<Bytes>,
    /// How many pages there were at the last take.
    base: usize,
    /// What touched pages below `base` held at the last take.
    before: BTreeMap<usize, Bytes>,
    /// The same since [`File::undo`] was asked, if that was later.
    since: Option<Since>,
    /// What stands on the disk where there is no page now but was one, if there is room for it.
    stale: BTreeMap<usize, Bytes>,
    /// Nobody but ourselves has written yet: what is there counts as nothing.
    blank: bool,
}

#[derive(Default)]
struct Since {
    base: usize,
    before: BTreeMap<usize, Bytes>,
}

impl File {
    /// The file that holds these bytes. `None`: not whole pages.
    pub(super) fn load(bytes: &Bytes) -> Option<File> {
        if !bytes.len().is_multiple_of(PAGE) {
            return None;
        }
        let pages: Vec<Bytes> = (0..bytes.len()).step_by(PAGE).map(|at| bytes.slice(at..at + PAGE)).collect();
        Some(File { base: pages.len(), pages, ..File::default() })
    }

    /// The same with more room than it has pages.
    pub(super) fn load_into_room(bytes: &Bytes, pages: usize) -> Option<File> {
        let mut file = File::load(&bytes.slice(..pages * PAGE))?;
        let slots = (pages * PAGE..bytes.len()).step_by(PAGE).map(|at| bytes.slice(at..at + PAGE));
        file.stale = (pages..).zip(slots).filter(|(_, slot)| *slot != ZEROS).collect();
        Some(file)
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// How many pages there are that count.
    pub(super) fn pages(&self) -> usize {
        if self.blank { 0 } else { self.pages.len() }
    }

    /// How large the state is: nothing as long as nobody but ourselves has written.
    pub(super) fn size(&self) -> u64 {
        if self.blank { 0 } else { self.len() as u64 }
    }

    /// What was written to the empty file so far is how each database begins, not a change.
    pub(super) fn set_blank(&mut self) {
        self.blank = self.base == 0;
    }

    /// Copies what is at `at` to `to`; how much there was.
    pub(super) fn read(&self, at: usize, to: &mut [u8]) -> usize {
        let mut done = 0;
        while done < to.len() {
            let Some(page) = self.pages.get((at + done) / PAGE) else { break };
            let within = (at + done) % PAGE;
            let n = (PAGE - within).min(to.len() - done);
            to[done..done + n].copy_from_slice(&page[within..within + n]);
            done += n;
        }
        done
    }

    /// Writes `data` at `at`. The file grows as far as needed, by whole pages.
    pub(super) fn write(&mut self, at: usize, data: &[u8]) {
        self.blank = false;
        let mut done = 0;
        while done < data.len() {
            let (index, within) = ((at + done) / PAGE, (at + done) % PAGE);
            let n = (PAGE - within).min(data.len() - done);
            let part = &data[done..done + n];
            if self.pages.len() <= index {
                self.pages.resize(index + 1, ZEROS.clone());
            }
            let page = if n == PAGE {
                Bytes::copy_from_slice(part)
            } else {
                let mut page = BytesMut::from(&self.pages[index][..]);
                page[within..within + n].copy_from_slice(part);
                page.freeze()
            };
            let old = std::mem::replace(&mut self.pages[index], page);
            self.remember(index, old);
            done += n;
        }
    }

    /// Cuts the file to `pages` pages.
    pub(super) fn truncate(&mut self, pages: usize) {
        if pages >= self.pages.len() {
            return;
        }
        self.blank = false;
        let cut: Vec<Bytes> = self.pages.drain(pages..).collect();
        for (index, old) in (pages..).zip(cut) {
            self.remember(index, old);
        }
    }

    fn remember(&mut self, index: usize, old: Bytes) {
        if let Some(since) = &mut self.since
            && index < since.base
        {
            since.before.entry(index).or_insert_with(|| old.clone());
        }
        if index < self.base {
            self.before.entry(index).or_insert(old);
        }
    }

    /// Brings back what was before.
    pub(super) fn apply(&mut self, before: &Before) {
        self.truncate(before.low);
        if self.pages.len() < before.pages {
            self.blank = false;
            self.pages.resize(before.pages, ZEROS.clone());
        }
        for (at, bytes) in &before.writes {
            self.write(*at as usize, bytes);
        }
        self.truncate(before.pages);
    }

    /// What there was when this was asked last, or at the last take if that was later; `None`: the same as now.
    pub(super) fn undo(&mut self) -> Option<Before> {
        if self.blank {
            return None;
        }
        let (base, before) = match &self.since {
            Some(since) => (since.base, &since.before),
            None => (self.base, &self.before),
        };
        if before.is_empty() && self.pages.len() == base {
            return None;
        }
        let mut ranges = Vec::new();
        for (&index, old) in before {
            differences(index * PAGE, old, self.pages.get(index).unwrap_or(&ZEROS), &mut ranges);
        }
        if self.pages.len() == base && ranges.iter().all(is_counter) {
            return None;
        }
        let copy = |range: &Range<usize>| {
            let mut bytes = BytesMut::with_capacity(range.len());
            let mut at = range.start;
            while at < range.end {
                let end = range.end.min((at / PAGE + 1) * PAGE);
                let page = before.get(&(at / PAGE)).expect("ranges are of these pages");
                bytes.extend_from_slice(&page[at % PAGE..][..end - at]);
                at = end;
            }
            (range.start as u64, bytes.freeze())
        };
        let writes = ranges.iter().map(copy).collect();
        let undone = Before { low: base.min(self.pages.len()), pages: base, writes, alarm: None };
        self.forget_undo();
        Some(undone)
    }

    /// The next undo leads to what is now.
    pub(super) fn forget_undo(&mut self) {
        self.since = Some(Since { base: self.pages.len(), before: BTreeMap::new() });
    }

    /// How many pages there are, and how many of them are free: SQLite keeps that number at
    /// byte 36 of the file.
    pub(super) fn free_pages(&self) -> (usize, usize) {
        let mut number = [0; 4];
        self.read(36, &mut number);
        (self.pages.len(), u32::from_be_bytes(number) as usize)
    }

    /// Whether something may have changed since the last take.
    pub(super) fn is_touched(&self) -> bool {
        !self.blank && (!self.before.is_empty() || self.pages.len() != self.base)
    }

    /// What has changed since the last take; `None` if nothing. Of the pages in `unknown` nobody knows what stands
    /// on the disk, and beyond the pages there are as many on the disk as there is room for.
    pub(super) fn take(&mut self, unknown: Range<usize>, room: usize) -> Option<Vec<(u64, Bytes)>> {
        if !self.is_touched() && unknown.is_empty() {
            return None;
        }
        let mut ranges = Vec::new();
        let known = |index: &usize| !unknown.contains(index);
        for (&index, old) in self.before.range(..self.pages.len()).filter(|(index, _)| known(index)) {
            differences(index * PAGE, old, &self.pages[index], &mut ranges);
        }
        for (index, page) in self.pages.iter().enumerate().skip(self.base).filter(|(index, _)| known(index)) {
            let old = self.stale.get(&index).unwrap_or(&ZEROS);
            differences(index * PAGE, old, page, &mut ranges);
        }
        // A rollback makes SQLite count a commit that changed nothing. What is left here so stays
        // touched: it goes with the next change.
        if unknown.is_empty() && self.pages.len() == self.base && ranges.iter().all(is_counter) {
            return None;
        }
        for index in unknown.start..unknown.end.min(self.pages.len()) {
            ranges.push(index * PAGE..(index + 1) * PAGE);
        }
        ranges.sort_by_key(|range| range.start);
        for index in unknown {
            self.stale.remove(&index);
        }
        let pages = self.pages.len();
        self.stale.extend(std::mem::take(&mut self.before).into_iter().filter(|(index, _)| *index >= pages));
        self.stale.retain(|index, _| (pages..room).contains(index));
        self.base = pages;
        self.since = None;
        Some(ranges.iter().map(|range| (range.start as u64, self.copy(range))).collect())
    }

    fn copy(&self, range: &Range<usize>) -> Bytes {
        let mut bytes = BytesMut::zeroed(range.end - range.start);
        self.read(range.start, &mut bytes);
        bytes.freeze()
    }
}

/// Whether a range is within one of the two places where SQLite counts commits.
fn is_counter(range: &Range<usize>) -> bool {
    (24 <= range.start && range.end <= 28) || (92 <= range.start && range.end <= 96)
}

/// Adds the ranges in which the page at `at` differs.
fn differences(at: usize, old: &[u8], new: &[u8], ranges: &mut Vec<Range<usize>>) {
    const BLOCK: usize = 64;
    for start in (0..PAGE).step_by(BLOCK) {
        let (old, new) = (&old[start..start + BLOCK], &new[start..start + BLOCK]);
        if old == new {
            continue;
        }
        for (i, _) in old.iter().zip(new).enumerate().filter(|(_, (old, new))| old != new) {
            let place = at + start + i;
            match ranges.last_mut() {
                Some(last) if place < last.end + NEAR => last.end = place + 1,
                _ => ranges.push(place..place + 1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dacapo_core::Changes;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize, Vec<u8>),
        Truncate(usize),
        Take,
    }

    fn step() -> impl Strategy<Value = Step> {
        let data = prop_oneof![
            prop::collection::vec(any::<u8>(), 1..100),
            (0u8..3, 1..3 * PAGE).prop_map(|(byte, n)| vec![byte; n]),
        ];
        prop_oneof![
            4 => (0..5 * PAGE, data).prop_map(|(at, data)| Step::Write(at, data)),
            2 => (0..6usize, 0u8..3).prop_map(|(page, byte)| Step::Write(page * PAGE, vec![byte; PAGE])),
            2 => (0..6usize).prop_map(Step::Truncate),
            2 => Just(Step::Take),
        ]
    }

    /// But for what `is_counter` leaves for the next time.
    fn without_counters(bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for counter in [24..28, 92..96] {
            if let Some(counter) = bytes.get_mut(counter) {
                counter.fill(0);
            }
        }
        bytes
    }

    proptest! {
        #[test]
        fn the_ranges_are_all_that_has_changed(steps in prop::collection::vec(step(), 1..40)) {
            let mut file = File::default();
            let mut model = Vec::new();
            let mut image = Vec::new();
            for step in steps.into_iter().chain([Step::Take]) {
                match step {
                    Step::Write(at, data) => {
                        file.write(at, &data);
                        let end = at + data.len();
                        model.resize(model.len().max(end.next_multiple_of(PAGE)), 0);
                        model[at..end].copy_from_slice(&data);
                    }
                    Step::Truncate(pages) => {
                        file.truncate(pages);
                        model.truncate(pages * PAGE);
                    }
                    Step::Take => {
                        if let Some(writes) = file.take(0..0, 0) {
                            let ends = writes.iter().map(|(at, bytes)| at + bytes.len() as u64);
                            let gaps = writes.iter().skip(1).zip(ends).map(|((at, _), end)| at - end);
                            prop_assert!(gaps.into_iter().all(|gap| gap >= NEAR as u64));
                            Changes { len: file.size(), writes, alarm: None }.apply(&mut image);
                        }
                        prop_assert_eq!(without_counters(&image), without_counters(&model));
                    }
                }
                let mut bytes = vec![0; file.len() + 1];
                prop_assert_eq!(file.read(0, &mut bytes), model.len());
                prop_assert_eq!(&bytes[..model.len()], &model[..]);
            }
        }
    }
}
