//! What stands on a disk, or would if everything written were on it: names, files, sectors.
//!
//! No time, no faults, no difference between what is durable and what is not: a disk holds two of
//! these and the list of what lies between them.

use std::collections::BTreeMap;
use std::rc::Rc;

/// One sector; `None` is all zeros. Shared, so that two volumes cost little more than one.
pub(crate) type Sector = Option<Rc<[u8]>>;

/// A file, whatever it is called at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId(pub(crate) u64);

/// The content of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Content {
    pub(crate) len: u64,
    pub(crate) sectors: Vec<Sector>,
}

/// A flat folder of files.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Volume {
    sector: u64,
    pub(crate) names: BTreeMap<String, FileId>,
    pub(crate) files: BTreeMap<FileId, Content>,
}

/// A change of a volume. Each can be made or not made whatever became of the others.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A file is there under a new name.
    Create(String, FileId),
    /// A file has another name.
    Rename(String, String, FileId),
    /// A name is gone.
    Remove(String, FileId),
    /// These sectors, from this one on; the file is at least so long.
    Write { file: FileId, first: u64, sectors: Vec<Sector>, len: u64 },
    /// A file has exactly this length; its last sector as it then is.
    Truncate { file: FileId, len: u64 },
}

impl Change {
    /// The file whose content it changes.
    pub(crate) fn content_of(&self) -> Option<FileId> {
        match self {
            Change::Write { file, .. } | Change::Truncate { file, .. } => Some(*file),
            Change::Create(..) | Change::Rename(..) | Change::Remove(..) => None,
        }
    }

    /// The names that it touches.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let (one, two) = match self {
            Change::Create(name, _) | Change::Remove(name, _) => (Some(name), None),
            Change::Rename(from, to, _) => (Some(from), Some(to)),
            Change::Write { .. } | Change::Truncate { .. } => (None, None),
        };
        one.into_iter().chain(two).map(String::as_str)
    }
}

impl Volume {
    pub(crate) fn new(sector: u64) -> Volume {
        Volume { sector, names: BTreeMap::new(), files: BTreeMap::new() }
    }

    pub(crate) fn find(&self, name: &str) -> Option<FileId> {
        self.names.get(name).copied()
    }

    /// The length of a file; a file without content has none.
    pub(crate) fn len(&self, file: FileId) -> u64 {
        self.files.get(&file).map_or(0, |content| content.len)
    }

    /// How much space all files take, in whole sectors.
    pub(crate) fn used(&self) -> u64 {
        self.names.values().map(|file| self.len(*file).div_ceil(self.sector) * self.sector).sum()
    }

    /// The sector of this number; zeros if nothing is there.
    pub(crate) fn sector(&self, file: FileId, number: u64) -> Sector {
        let content = self.files.get(&file)?;
        content.sectors.get(usize::try_from(number).ok()?)?.clone()
    }

    /// Reads what there is from `offset`; gives how much.
    pub(crate) fn read(&self, file: FileId, offset: u64, buffer: &mut [u8]) -> usize {
        let wanted = self.len(file).saturating_sub(offset).min(buffer.len() as u64) as usize;
        let mut done = 0;
        while done < wanted {
            let at = offset + done as u64;
            let within = (at % self.sector) as usize;
            let part = (self.sector as usize - within).min(wanted - done);
            let out = &mut buffer[done..done + part];
            match self.sector(file, at / self.sector) {
                Some(bytes) => out.copy_from_slice(&bytes[within..within + part]),
                None => out.fill(0),
            }
            done += part;
        }
        wanted
    }

    /// The change that writes `bytes` at `offset`. Every sector of it is a whole one, with what
    /// this volume has around the bytes: that is what goes from a cache to a disk.
    pub(crate) fn write(&self, file: FileId, offset: u64, bytes: &[u8]) -> Change {
        let size = self.sector as usize;
        let first = offset / self.sector;
        let end = offset + bytes.len() as u64;
        let mut sectors = Vec::with_capacity((end.div_ceil(self.sector) - first) as usize);
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done as u64;
            let within = (at % self.sector) as usize;
            let part = (size - within).min(bytes.len() - done);
            let new = &bytes[done..done + part];
            let old = self.sector(file, at / self.sector).filter(|_| part < size);
            let mut sector = old.map_or_else(|| vec![0; size], |old| old.to_vec());
            sector[within..within + part].copy_from_slice(new);
            sectors.push(Some(sector.into()));
            done += part;
        }
        Change::Write { file, first, sectors, len: end }
    }

    /// Makes a change.
    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Create(name, file) => {
                self.names.insert(name.clone(), *file);
                self.files.entry(*file).or_default();
            }
            Change::Rename(from, to, file) => {
                if self.find(from) == Some(*file) {
                    self.names.remove(from);
                }
                self.names.insert(to.clone(), *file);
            }
            Change::Remove(name, file) => {
                if self.find(name) == Some(*file) {
                    self.names.remove(name);
                }
            }
            Change::Write { file, first, sectors, len } => {
                for (number, sector) in (*first..).zip(sectors) {
                    self.put(*file, number, sector.clone());
                }
                self.grow(*file, *len);
            }
            Change::Truncate { file, len } => self.truncate(*file, *len),
        }
    }

    /// Sets one sector, without a word about the length.
    pub(crate) fn put(&mut self, file: FileId, number: u64, sector: Sector) {
        let content = self.files.entry(file).or_default();
        let index = number as usize;
        if content.sectors.len() <= index {
            content.sectors.resize(index + 1, None);
        }
        content.sectors[index] = sector;
    }

    /// A file is at least so long.
    pub(crate) fn grow(&mut self, file: FileId, len: u64) {
        let content = self.files.entry(file).or_default();
        content.len = content.len.max(len);
    }

    fn truncate(&mut self, file: FileId, len: u64) {
        let size = self.sector;
        let content = self.files.entry(file).or_default();
        content.len = len;
        content.sectors.truncate(len.div_ceil(size) as usize);
        // What was behind the end must not come back when the file grows.
        let within = (len % size) as usize;
        if within > 0
            && let Some(Some(last)) = content.sectors.get_mut((len / size) as usize)
        {
            let mut cut = last.to_vec();
            cut[within..].fill(0);
            *last = cut.into();
        }
    }

    /// Forgets files that have no name any more.
    pub(crate) fn forget_nameless(&mut self) {
        let named: std::collections::BTreeSet<FileId> = self.names.values().copied().collect();
        self.files.retain(|file, _| named.contains(file));
    }

    /// Cuts off sectors behind the end of each file.
    pub(crate) fn cut_tails(&mut self) {
        let files: Vec<(FileId, u64)> =
            self.files.iter().map(|(file, content)| (*file, content.len)).collect();
        for (file, len) in files {
            self.truncate(file, len);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: FileId = FileId(1);

    fn content(volume: &Volume) -> Vec<u8> {
        let mut bytes = vec![0xee; volume.len(FILE) as usize + 3];
        let n = volume.read(FILE, 0, &mut bytes);
        bytes.truncate(n);
        bytes
    }

    proptest! {
        #[test]
        fn a_file_of_sectors_reads_like_a_row_of_bytes(
            steps in prop::collection::vec((0..60u64, 0..40usize, any::<u8>(), any::<bool>()), 1..40),
        ) {
            let mut volume = Volume::new(16);
            volume.apply(&Change::Create("a".into(), FILE));
            let mut plain: Vec<u8> = Vec::new();
            for (at, len, fill, is_write) in steps {
                let change = if is_write {
                    if len > 0 {
                        plain.resize(plain.len().max(at as usize + len), 0);
                        plain[at as usize..at as usize + len].fill(fill);
                    }
                    match len {
                        0 => continue,
                        _ => volume.write(FILE, at, &vec![fill; len]),
                    }
                } else {
                    plain.resize(at as usize, 0);
                    Change::Truncate { file: FILE, len: at }
                };
                volume.apply(&change);
                prop_assert_eq!(content(&volume), plain.clone());
            }
        }
    }

    #[test]
    fn a_file_that_was_replaced_leaves_no_content_behind() {
        let mut volume = Volume::new(16);
        for (name, file) in [("old", FileId(1)), ("new", FileId(2))] {
            volume.apply(&Change::Create(name.into(), file));
            volume.apply(&volume.write(file, 0, name.as_bytes()));
        }
        volume.apply(&Change::Rename("new".into(), "old".into(), FileId(2)));
        volume.forget_nameless();
        assert_eq!(volume.names.keys().collect::<Vec<_>>(), ["old"]);
        assert_eq!(volume.files.keys().collect::<Vec<_>>(), [&FileId(2)]);
    }
}
