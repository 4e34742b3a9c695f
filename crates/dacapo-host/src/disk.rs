//! A folder of the machine as core's `Disk`.
//!
//! One process at a time: the folder is locked while it is open.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use dacapo_core::{Disk, DiskError, DiskErrorKind};

/// Held by whoever uses the folder. Names with a dot in front are no files of the disk.
const LOCK: &str = ".lock";

/// A folder of the machine.
#[derive(Debug)]
pub struct FileDisk {
    folder: PathBuf,
    files: BTreeMap<String, File>,
    /// Names have come or gone since the folder was synced.
    has_new_names: bool,
    _lock: File,
}

impl FileDisk {
    /// Opens a folder, and makes it if it is not there. Fails with [`io::ErrorKind::WouldBlock`] if
    /// another process uses it.
    pub fn open(folder: &Path) -> io::Result<FileDisk> {
        std::fs::create_dir_all(folder)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
            TryLockError::Error(error) => error,
        })?;
        if let Some(parent) = folder.parent() {
            sync_folder(parent)?;
        }
        // Whoever had it before may have died between a new name and its sync.
        Ok(FileDisk { folder: folder.to_owned(), files: BTreeMap::new(), has_new_names: true, _lock: lock })
    }

    fn path(&self, name: &str) -> Result<PathBuf, DiskError> {
        let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0', ':']);
        match is_plain {
            true => Ok(self.folder.join(name)),
            false => Err(failed(name, 0, &io::Error::other("this cannot be the name of a file on a disk"))),
        }
    }

    /// The file, if it is there; `creates`: in any case.
    fn file(&mut self, name: &str, creates: bool) -> Result<Option<&File>, DiskError> {
        if !self.files.contains_key(name) {
            let path = self.path(name)?;
            let open = |create| OpenOptions::new().read(true).write(true).create_new(create).open(&path);
            let file = match open(false) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && creates => {
                    self.has_new_names = true;
                    open(true)
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                file => file,
            };
            self.files.insert(name.to_owned(), file.map_err(|error| failed(name, 0, &error))?);
        }
        Ok(self.files.get(name))
    }

    fn there(&mut self, name: &str) -> Result<&File, DiskError> {
        let missing = || failed(name, 0, &io::ErrorKind::NotFound.into());
        self.file(name, false)?.ok_or_else(missing)
    }
}

fn failed(file: &str, offset: u64, error: &io::Error) -> DiskError {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            DiskErrorKind::Full
        }
        io::ErrorKind::NotFound => DiskErrorKind::Missing,
        _ => DiskErrorKind::Io,
    };
    DiskError { kind, file: file.into(), offset, message: error.to_string().into() }
}

/// Makes names certain. (Windows has no such call: there a rename is written through.)
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

#[cfg(unix)]
fn read_once(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(unix)]
fn write_once(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_once(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(windows)]
fn write_once(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, offset)
}

fn write_all(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match write_once(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                bytes = &bytes[n..];
                offset += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Disk for FileDisk {
    fn len(&mut self, file: &str) -> Result<Option<u64>, DiskError> {
        let Some(there) = self.file(file, false)? else { return Ok(None) };
        there.metadata().map(|meta| Some(meta.len())).map_err(|error| failed(file, 0, &error))
    }

    fn read_at(&mut self, file: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let there = self.there(file)?;
        loop {
            match read_once(there, buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| failed(file, offset, &error)),
            }
        }
    }

    fn write_at(&mut self, file: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        match self.file(file, true)? {
            Some(there) => write_all(there, bytes, offset).map_err(|error| failed(file, offset, &error)),
            None => Err(failed(file, offset, &io::ErrorKind::NotFound.into())),
        }
    }

    fn sync(&mut self, file: &str) -> Result<(), DiskError> {
        let failed = |error| failed(file, 0, &error);
        if let Some(there) = self.file(file, false)? {
            there.sync_data().map_err(failed)?;
        }
        if self.has_new_names {
            sync_folder(&self.folder).map_err(failed)?;
            self.has_new_names = false;
        }
        Ok(())
    }

    fn truncate(&mut self, file: &str, len: u64) -> Result<(), DiskError> {
        self.there(file)?.set_len(len).map_err(|error| failed(file, len, &error))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        let (old, new) = (self.path(from)?, self.path(to)?);
        // Windows renames no file that is open.
        self.files.remove(from);
        self.files.remove(to);
        std::fs::rename(old, new).map_err(|error| failed(from, 0, &error))?;
        self.has_new_names = true;
        Ok(())
    }

    fn remove(&mut self, file: &str) -> Result<(), DiskError> {
        let path = self.path(file)?;
        self.files.remove(file);
        match std::fs::remove_file(path) {
            Ok(()) => {
                self.has_new_names = true;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(file, 0, &error)),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, DiskError> {
        let failed = |error| failed("", 0, &error);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let is_file = entry.file_type().map_err(failed)?.is_file();
            if let Ok(name) = entry.file_name().into_string()
                && is_file
                && !name.starts_with('.')
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(disk: &mut FileDisk, file: &str) -> Vec<u8> {
        let mut bytes = vec![0; disk.len(file).unwrap().unwrap() as usize];
        let n = disk.read_at(file, 0, &mut bytes).unwrap();
        assert_eq!(n, bytes.len());
        bytes
    }

    #[test]
    fn what_was_written_is_there_when_the_folder_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("not/yet/there");
        let mut disk = FileDisk::open(&folder).unwrap();
        assert_eq!(disk.len("log").unwrap(), None);
        disk.write_at("log", 3, b"later").unwrap();
        disk.write_at("log", 0, b"12").unwrap();
        disk.sync("log").unwrap();
        assert_eq!(read(&mut disk, "log"), b"12\0later");
        disk.truncate("log", 4).unwrap();
        disk.truncate("log", 6).unwrap();
        disk.sync("log").unwrap();
        drop(disk);
        let mut disk = FileDisk::open(&folder).unwrap();
        assert_eq!(read(&mut disk, "log"), b"12\0l\0\0");
        assert_eq!(disk.read_at("log", 6, &mut [0; 4]).unwrap(), 0, "the end");
        assert_eq!(disk.read_at("log", 60, &mut [0; 4]).unwrap(), 0, "behind the end");
    }

    #[test]
    fn a_file_takes_the_name_of_another_and_names_go() {
        let dir = tempfile::tempdir().unwrap();
        let mut disk = FileDisk::open(dir.path()).unwrap();
        disk.write_at("a", 0, b"old").unwrap();
        disk.write_at("b", 0, b"newer").unwrap();
        disk.rename("b", "a").unwrap();
        disk.sync("a").unwrap();
        assert_eq!(read(&mut disk, "a"), b"newer");
        disk.write_at("c", 0, b"").unwrap();
        assert_eq!(disk.list().unwrap(), ["a", "c"]);
        disk.remove("a").unwrap();
        disk.remove("a").unwrap();
        disk.sync("a").unwrap();
        assert_eq!(disk.list().unwrap(), ["c"]);
        assert_eq!(disk.rename("a", "d").unwrap_err().kind, DiskErrorKind::Missing);
        assert_eq!(disk.read_at("a", 0, &mut [0; 4]).unwrap_err().kind, DiskErrorKind::Missing);
        assert_eq!(disk.truncate("a", 0).unwrap_err().kind, DiskErrorKind::Missing);
    }

    #[test]
    fn nobody_leaves_the_folder_by_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let mut disk = FileDisk::open(&dir.path().join("inside")).unwrap();
        for name in ["../out", "", ".", "..", ".lock", "a/b", "a\\b", "a\0"] {
            assert!(disk.write_at(name, 0, b"x").is_err(), "{name:?}");
            assert!(disk.remove(name).is_err(), "{name:?}");
        }
        assert_eq!(disk.list().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_folder_that_is_in_use_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let disk = FileDisk::open(dir.path()).unwrap();
        assert_eq!(FileDisk::open(dir.path()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(disk);
        FileDisk::open(dir.path()).unwrap();
    }
}
