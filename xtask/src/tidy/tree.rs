//! The files of the project as the checks see them: paths and texts in memory.
//!
//! Reading happens once, here; a check takes a [`Tree`] and gives findings, so a unit test hands it a
//! small tree of bad examples and never touches a disk.

use std::fs;
use std::path::Path;

use ignore::WalkBuilder;

use super::rust::{self, Token};

/// Lock files are written by tools; the rules for authored text do not concern them.
pub(crate) const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json"];

/// One file: its path from the project root with `/`, its size, and its text where it is text.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) text: Option<String>,
}

impl File {
    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folder of the file, without a `/` at its end; the root is "".
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    pub(crate) fn has_extension(&self, wanted: &[&str]) -> bool {
        self.name().rsplit_once('.').is_some_and(|(_, extension)| wanted.contains(&extension))
    }

    pub(crate) fn is_lock(&self) -> bool {
        LOCK_FILES.contains(&self.name())
    }

    /// The text, or nothing for a file that is not text.
    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or("")
    }

    /// Lines with their numbers, counted from one.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text().lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The Rust tokens of the file: what the compiler sees, so comments and strings are not searched.
    pub(crate) fn tokens(&self) -> Result<Vec<Token>, Finding> {
        rust::tokens(self.text()).map_err(|error| Finding::in_file(self, format!("is not Rust: {error}")))
    }
}

/// All files that git tracks or would track.
pub(crate) struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Walks the project, leaving out what `.gitignore` names.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut files = Vec::new();
        // Only the project's own `.gitignore` counts: what a machine ignores besides must not change a verdict.
        let walk = WalkBuilder::new(root)
            .hidden(false)
            .parents(false)
            .git_global(false)
            .git_exclude(false)
            .require_git(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in walk {
            let entry = entry.map_err(|error| format!("cannot walk {}: {error}", root.display()))?;
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let path = entry.path();
            let raw = match fs::read(path) {
                Ok(raw) => raw,
                // A file that an editor or a test removed between the walk and the read is no finding.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
            };
            let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
            files.push(File { path: relative, bytes: raw.len() as u64, text: String::from_utf8(raw).ok() });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// A tree of examples, for the unit tests of the checks.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File {
            path: (*path).to_owned(),
            bytes: text.len() as u64,
            text: Some((*text).to_owned()),
        });
        Self { files: files.collect() }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// Authored Rust.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files().filter(|file| file.has_extension(&["rs"]))
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether the path names a file or a folder that holds one.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let below = format!("{path}/");
        path.is_empty() || self.files().any(|file| file.path == path || file.path.starts_with(&below))
    }
}

/// The crate that a path lies in: `crates/NAME/…`, or the first folder (`xtask`, `benches`, `fuzz`).
pub(crate) fn crate_of(path: &str) -> &str {
    let rest = path.strip_prefix("crates/").unwrap_or(path);
    rest.split('/').next().unwrap_or(rest)
}

/// One thing to mend: where, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: Option<usize>,
    what: String,
}

impl Finding {
    pub(crate) fn in_file(file: &File, what: impl Into<String>) -> Self {
        Self::at_path(&file.path, what)
    }

    pub(crate) fn at_path(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, what: what.into() }
    }

    pub(crate) fn at(file: &File, line: usize, what: impl Into<String>) -> Self {
        Self { path: file.path.clone(), line: Some(line), what: what.into() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gitignore_names_is_not_read_and_hidden_files_are() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in
            [(".gitignore", "/target\n"), ("target/a.rs", "x"), (".ci/run", "y"), ("src/b.rs", "z")]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = Tree::read(folder.path()).unwrap();
        let paths: Vec<&str> = tree.files().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, [".ci/run", ".gitignore", "src/b.rs"]);
        assert!(tree.holds("src") && tree.holds("src/b.rs") && !tree.holds("target"));
    }

    #[test]
    fn a_path_belongs_to_its_crate() {
        assert_eq!(crate_of("crates/dacapo-core/src/lib.rs"), "dacapo-core");
        assert_eq!(crate_of("xtask/src/main.rs"), "xtask");
    }
}
