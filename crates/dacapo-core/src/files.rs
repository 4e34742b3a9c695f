//! A project's files, as engines and the configuration read them while they load.

use std::collections::BTreeMap;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// Read access to the files of a project. Paths are relative to the project, with `/`, without
/// `.` and `..` parts except that a leading `../` run may leave the project (a shared
/// `node_modules` above it).
pub trait Files {
    /// The content of a file.
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>>;

    /// What the path names, if anything.
    fn kind(&self, path: &str) -> Option<FileKind>;

    /// Where a symbolic link leads, in the same form; the path itself for everything else.
    fn canonical(&self, path: &str) -> std::io::Result<String> {
        Ok(path.to_owned())
    }
}

/// Files that live in memory: for tests and for programs that come without a disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles(pub BTreeMap<String, Vec<u8>>);

impl MemoryFiles {
    /// Files with these paths and texts.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> MemoryFiles {
        MemoryFiles(
            files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect(),
        )
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    fn kind(&self, path: &str) -> Option<FileKind> {
        if self.0.contains_key(path) {
            return Some(FileKind::File);
        }
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let is_folder = self.0.range(prefix.clone()..).next().is_some_and(|(p, _)| p.starts_with(&prefix));
        (is_folder || path.is_empty() || path == ".").then_some(FileKind::Folder)
    }
}
