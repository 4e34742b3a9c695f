//! A disk in memory that can be made to fail, and to lose what was not synced.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use dacapo_core::{Disk, DiskError, DiskErrorKind, digest_of};

const SECTOR: usize = 512;

/// The files, shared with the test that looks at them.
#[derive(Clone, Default)]
pub(crate) struct TestDisk(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    /// What a crash leaves at least.
    durable: BTreeMap<String, Vec<u8>>,
    /// What reads see.
    cached: BTreeMap<String, Vec<u8>>,
    /// Operations so far that change something.
    operations: u64,
    /// Fails at the operation of this number, in this way; a power cut fails all that follow, too.
    fault: Option<(u64, Fault)>,
    space: Option<u64>,
    /// Writes that no sync will make durable: one that covered them has failed.
    forgotten: BTreeMap<String, Vec<u8>>,
    /// Names that were given to another file since their last sync.
    renamed: BTreeSet<String>,
    /// The read after so many others gives bytes that are not there.
    misread: Option<u64>,
    /// How often a file was renamed.
    renames: u64,
    /// Bytes that were written.
    written: u64,
    /// All calls, as one number.
    history: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The machine is gone before the operation takes effect.
    PowerCut,
    /// The operation fails, with nothing done.
    Error,
    /// A sync says that it has succeeded.
    Lie,
    /// A write is done and told as failed, and whatever would undo it fails as well.
    Undead,
    /// A sync fails, and from then on the machine takes what it covered for written: reads see it,
    /// and later syncs succeed without it. (That is what Linux does.)
    Forgets,
}

impl TestDisk {
    pub(crate) fn new() -> TestDisk {
        TestDisk::default()
    }

    pub(crate) fn boxed(&self) -> Box<dyn Disk> {
        Box::new(self.clone())
    }

    pub(crate) fn operations(&self) -> u64 {
        self.0.borrow().operations
    }

    pub(crate) fn history(&self) -> u64 {
        self.0.borrow().history
    }

    pub(crate) fn written(&self) -> u64 {
        self.0.borrow().written
    }

    pub(crate) fn renames(&self) -> u64 {
        self.0.borrow().renames
    }

    pub(crate) fn misread_after(&self, reads: u64) {
        self.0.borrow_mut().misread = Some(reads);
    }

    pub(crate) fn fail_at(&self, operation: u64, fault: Fault) {
        self.0.borrow_mut().fault = Some((operation, fault));
    }

    pub(crate) fn heal(&self) {
        self.0.borrow_mut().fault = None;
    }

    pub(crate) fn set_space(&self, space: Option<u64>) {
        self.0.borrow_mut().space = space;
    }

    /// So many bytes more fit on the disk.
    pub(crate) fn leave_room(&self, room: Option<u64>) {
        let inner = &mut *self.0.borrow_mut();
        let used: u64 = inner.cached.values().map(|bytes| bytes.len() as u64).sum();
        inner.space = room.map(|room| used + room);
    }

    /// The machine starts again: of what was not synced, `keeps` says for each sector (and for each
    /// length) whether it survived.
    pub(crate) fn restart(&self, mut keeps: impl FnMut() -> bool) {
        let inner = &mut *self.0.borrow_mut();
        inner.fault = None;
        inner.forgotten.clear();
        let mut after = BTreeMap::new();
        let names: Vec<String> = inner.cached.keys().chain(inner.durable.keys()).cloned().collect();
        for name in names {
            let empty = Vec::new();
            let (old, new) = (inner.durable.get(&name), inner.cached.get(&name));
            if old == new {
                after.insert(name, new.unwrap_or(&empty).clone());
                continue;
            }
            if inner.renamed.contains(&name) || new.is_none() {
                let kept = if keeps() { new } else { old };
                after.extend(kept.map(|bytes| (name, bytes.clone())));
                continue;
            }
            // A name that came or went, and a length, are kept or lost as a whole.
            let has_new_name = keeps();
            let exists = if has_new_name { new.is_some() } else { old.is_some() };
            if !exists {
                continue;
            }
            let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
            let mut bytes = vec![0; if keeps() { new.len() } else { old.len() }];
            for (at, sector) in bytes.chunks_mut(SECTOR).enumerate() {
                let from = if keeps() { new } else { old };
                let start = (at * SECTOR).min(from.len());
                let end = (start + sector.len()).min(from.len());
                sector[..end - start].copy_from_slice(&from[start..end]);
            }
            after.insert(name, bytes);
        }
        inner.renamed.clear();
        inner.cached = after.clone();
        inner.durable = after;
    }

    /// Changes bytes behind everybody's back.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
        let inner = &mut *self.0.borrow_mut();
        change(&mut inner.cached);
        inner.durable = inner.cached.clone();
    }
}

impl Inner {
    fn error(&self, kind: DiskErrorKind, file: &str) -> DiskError {
        DiskError { kind, file: file.into(), offset: 0, message: "".into() }
    }

    /// Counts an operation; whether it takes effect.
    fn operate(&mut self, file: &str) -> Result<bool, DiskError> {
        self.operations += 1;
        match self.fault {
            Some((at, Fault::PowerCut)) if self.operations >= at => {
                Err(self.error(DiskErrorKind::Gone, file))
            }
            Some((at, Fault::Error | Fault::Forgets)) if self.operations == at => {
                Err(self.error(DiskErrorKind::Io, file))
            }
            Some((at, Fault::Lie)) if self.operations == at => Ok(false),
            Some((at, Fault::Undead)) if self.operations == at + 1 => {
                Err(self.error(DiskErrorKind::Io, file))
            }
            _ => Ok(true),
        }
    }

    fn remember(&mut self, what: impl std::hash::Hash) {
        self.history = digest_of(&(self.history, what)).low();
    }
}

impl Disk for TestDisk {
    fn len(&mut self, file: &str) -> Result<Option<u64>, DiskError> {
        Ok(self.0.borrow().cached.get(file).map(|bytes| bytes.len() as u64))
    }

    fn read_at(&mut self, file: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let inner = &mut *self.0.borrow_mut();
        inner.remember(("read", file, offset, buffer.len()));
        let Some(bytes) = inner.cached.get(file) else {
            return Err(inner.error(DiskErrorKind::Missing, file));
        };
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        // A read may be short.
        let n = rest.len().min(buffer.len()).min(3 * SECTOR);
        buffer[..n].copy_from_slice(&rest[..n]);
        inner.misread = match inner.misread {
            Some(0) => {
                buffer[..n].reverse();
                None
            }
            reads => reads.map(|reads| reads - 1),
        };
        Ok(n)
    }

    fn write_at(&mut self, file: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let inner = &mut *self.0.borrow_mut();
        inner.remember(("write", file, offset, bytes));
        if !inner.operate(file)? {
            return Ok(());
        }
        inner.written += bytes.len() as u64;
        let used: u64 = inner.cached.values().map(|bytes| bytes.len() as u64).sum();
        let content = inner.cached.entry(file.to_owned()).or_default();
        let end = offset as usize + bytes.len();
        let grows = end.saturating_sub(content.len()) as u64;
        // As much as fits is written before it is known that the rest does not.
        let fits = inner.space.map_or(usize::MAX, |space| space.saturating_sub(used) as usize);
        let written = if grows as usize > fits { bytes.len() - (grows as usize - fits) } else { bytes.len() };
        let end = offset as usize + written;
        if content.len() < end {
            content.resize(end, 0);
        }
        content[offset as usize..end].copy_from_slice(&bytes[..written]);
        if let Some(forgotten) = inner.forgotten.get_mut(file) {
            // Whatever is written anew is known to be unwritten again, by whole sectors.
            let dirty = (offset as usize / SECTOR * SECTOR)..end.next_multiple_of(SECTOR);
            forgotten.resize(forgotten.len().max(end), 0);
            let dirty = dirty.start..dirty.end.min(forgotten.len()).min(content.len());
            forgotten[dirty.clone()].copy_from_slice(&content[dirty]);
        }
        if inner.fault == Some((inner.operations, Fault::Undead)) {
            return Err(inner.error(DiskErrorKind::Io, file));
        }
        if written < bytes.len() { Err(inner.error(DiskErrorKind::Full, file)) } else { Ok(()) }
    }

    fn sync(&mut self, file: &str) -> Result<(), DiskError> {
        let inner = &mut *self.0.borrow_mut();
        inner.remember(("sync", file));
        if inner.fault == Some((inner.operations + 1, Fault::Forgets)) {
            let durable = inner.durable.get(file).cloned().unwrap_or_default();
            inner.forgotten.insert(file.to_owned(), durable);
        }
        if inner.operate(file)? {
            inner.renamed.remove(file);
            match inner.forgotten.get(file).or(inner.cached.get(file)) {
                Some(bytes) => inner.durable.insert(file.to_owned(), bytes.clone()),
                None => inner.durable.remove(file),
            };
        }
        Ok(())
    }

    fn truncate(&mut self, file: &str, len: u64) -> Result<(), DiskError> {
        let inner = &mut *self.0.borrow_mut();
        inner.remember(("truncate", file, len));
        if inner.operate(file)? {
            inner.cached.entry(file.to_owned()).or_default().resize(len as usize, 0);
            if let Some(forgotten) = inner.forgotten.get_mut(file) {
                forgotten.resize(len as usize, 0);
            }
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        let inner = &mut *self.0.borrow_mut();
        inner.remember(("rename", from, to));
        if inner.operate(from)?
            && let Some(bytes) = inner.cached.remove(from)
        {
            inner.cached.insert(to.to_owned(), bytes);
            inner.renamed.insert(to.to_owned());
            inner.renames += 1;
        }
        Ok(())
    }

    fn remove(&mut self, file: &str) -> Result<(), DiskError> {
        let inner = &mut *self.0.borrow_mut();
        inner.remember(("remove", file));
        if inner.operate(file)? {
            inner.cached.remove(file);
            inner.forgotten.remove(file);
        }
        Ok(())
    }

    fn list(&mut self) -> Result<Vec<String>, DiskError> {
        Ok(self.0.borrow().cached.keys().cloned().collect())
    }
}
