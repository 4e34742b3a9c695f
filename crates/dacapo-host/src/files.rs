//! A project's files on the machine's disk.

use std::io;
use std::path::{Component, Path, PathBuf};

use dacapo_core::{FileKind, Files};

/// Files below a folder, and, for paths that begin with `../`, beside it.
#[derive(Clone, Debug)]
pub struct OsFiles {
    root: PathBuf,
}

impl OsFiles {
    /// The files below `root`, which must exist. Links in `root` itself are followed once, here.
    pub fn new(root: &Path) -> io::Result<OsFiles> {
        Ok(OsFiles { root: std::fs::canonicalize(root)? })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn locate(&self, path: &str) -> io::Result<PathBuf> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("\"{path}\" {why}"));
        if path.contains('\0') {
            return Err(invalid("contains a NUL character"));
        }
        let relative = Path::new(path);
        if relative.has_root() || matches!(relative.components().next(), Some(Component::Prefix(_))) {
            return Err(invalid("is not relative to the project"));
        }
        Ok(self.root.join(relative))
    }

    /// A path of the machine in the form of [`Files`]: relative to the root, with `/`.
    fn name(&self, path: &Path) -> io::Result<String> {
        let (mut to, mut from) = (path.components().peekable(), self.root.components().peekable());
        while to.peek().is_some() && to.peek() == from.peek() {
            to.next();
            from.next();
        }
        let ups = from.map(|_| Ok("..".to_owned()));
        let downs = to.map(|part| match part {
            Component::Normal(name) => name.to_str().map(str::to_owned).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} is not UTF-8", path.display()))
            }),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} is on another drive than the project", path.display()),
            )),
        });
        Ok(ups.chain(downs).collect::<io::Result<Vec<_>>>()?.join("/"))
    }
}

impl Files for OsFiles {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let at = self.locate(path)?;
        // Opening a pipe would wait for its writer.
        if !std::fs::metadata(&at)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("\"{path}\" is not a file")));
        }
        std::fs::read(at)
    }

    fn kind(&self, path: &str) -> Option<FileKind> {
        let meta = std::fs::metadata(self.locate(path).ok()?).ok()?;
        match meta.file_type() {
            kind if kind.is_file() => Some(FileKind::File),
            kind if kind.is_dir() => Some(FileKind::Folder),
            // Reading a pipe or a device could wait for ever.
            _ => None,
        }
    }

    fn canonical(&self, path: &str) -> io::Result<String> {
        self.name(&std::fs::canonicalize(self.locate(path)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_by_paths_relative_to_the_project() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("app/src")).unwrap();
        std::fs::write(dir.path().join("app/src/main.ts"), "x").unwrap();
        std::fs::write(dir.path().join("beside.js"), "y").unwrap();
        let files = OsFiles::new(&dir.path().join("app")).unwrap();
        assert_eq!(files.read("src/main.ts").unwrap(), b"x");
        assert_eq!(files.read("../beside.js").unwrap(), b"y");
        assert_eq!(files.kind("src"), Some(FileKind::Folder));
        assert_eq!(files.kind(""), Some(FileKind::Folder));
        assert_eq!(files.kind("src/main.ts"), Some(FileKind::File));
        assert_eq!(files.kind("src/none.ts"), None);
        assert_eq!(files.canonical("src/main.ts").unwrap(), "src/main.ts");
        assert_eq!(files.canonical("../beside.js").unwrap(), "../beside.js");
        assert_eq!(files.read("none").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn absolute_paths_and_nul_characters_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let files = OsFiles::new(dir.path()).unwrap();
        assert_eq!(files.read("/etc/hostname").unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(files.read("a\0b").unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(files.kind("/etc"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_node_modules_leads_to_where_it_points() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("app/node_modules")).unwrap();
        std::fs::create_dir_all(dir.path().join("packages/lib")).unwrap();
        std::fs::write(dir.path().join("packages/lib/index.js"), "z").unwrap();
        std::os::unix::fs::symlink("../../packages/lib", dir.path().join("app/node_modules/lib")).unwrap();
        let files = OsFiles::new(&dir.path().join("app")).unwrap();
        assert_eq!(files.read("node_modules/lib/index.js").unwrap(), b"z");
        assert_eq!(files.canonical("node_modules/lib/index.js").unwrap(), "../packages/lib/index.js");
    }
}
