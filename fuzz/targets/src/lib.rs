//! What fuzzers call, as plain functions over bytes. A function that returns is content; what it finds is a panic.
//!
//! libFuzzer calls them from `fuzz/fuzz_targets/`; `tests/` calls them with what fuzzing begins with and with random
//! bytes, so that they hold without a fuzzer, too. What a fuzzer finds becomes a test where the mistake was.

#![forbid(unsafe_code)]

pub mod config;
pub mod http;
pub mod judges;
pub mod linear;
pub mod planted;
pub mod schedule;
pub mod trace;

use std::path::{Path, PathBuf};

/// One of them.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What is called with bytes.
    pub run: fn(&[u8]),
    /// What to begin with; the argument is the root of the repository.
    pub seeds: fn(&Path) -> Vec<Vec<u8>>,
}

/// Those that must hold for all bytes. (`planted` does not: it is there to be broken.)
pub const TARGETS: &[Target] = &[
    Target { name: "config", run: config::run, seeds: config::seeds },
    Target { name: "http", run: http::run, seeds: |_| http::seeds() },
    Target { name: "judges", run: judges::run, seeds: |_| judges::seeds() },
    Target { name: "linear", run: linear::run, seeds: |_| linear::seeds() },
    Target { name: "schedule", run: schedule::run, seeds: |_| schedule::seeds() },
    Target { name: "trace", run: trace::run, seeds: trace::seeds },
];

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The contents of all files with this extension in these folders, in the order of their paths.
///
/// Panics if there are none: a corpus that is empty by mistake tests nothing.
fn files(root: &Path, folders: &[&str], extension: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder);
        let entries = entries.unwrap_or_else(|error| panic!("{} cannot be read: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("a folder can be read to its end").path();
            match path.is_dir() {
                true if path.ends_with("node_modules") => {}
                true => folders.push(path),
                false if path.extension().is_some_and(|it| it == extension) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "there is no file *.{extension} to begin with");
    let read = |path: &PathBuf| {
        std::fs::read(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
    };
    found.iter().map(read).collect()
}
