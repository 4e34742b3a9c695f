//! Clippy's list of disallowed names, from one source.
//!
//! A crate's own `clippy.toml` *replaces* the one at the root, so the strict list cannot be added to
//! the lax one by hand without drifting: both are written from here, and tidy compares.

use std::fs;
use std::path::Path;

use crate::tidy::DETERMINISTIC;

/// Disallowed everywhere.
const EVERYWHERE: &[(&str, &str)] = &[("std::thread::sleep", "wait for what you wait for, not for time")];

/// Disallowed where every step must be a function of its input.
const DETERMINISTIC_METHODS: &[(&str, &str)] = &[
    ("std::env::var", "the environment of a machine is no input of a run: take an option"),
    ("std::env::var_os", "the environment of a machine is no input of a run: take an option"),
    ("std::thread::spawn", "a run is one thread; the caller owns the others"),
    ("std::time::Instant::elapsed", "time is handed in: take a `Time`"),
    ("std::time::Instant::now", "time is handed in: take a `Time`"),
    ("std::time::SystemTime::now", "time is handed in: take a `Time` or a `WallTime`"),
];

const DETERMINISTIC_TYPES: &[(&str, &str)] = &[
    ("std::collections::HashMap", "its order differs from run to run: use a BTreeMap"),
    ("std::collections::HashSet", "its order differs from run to run: use a BTreeSet"),
    ("std::hash::RandomState", "it is seeded by the operating system"),
];

const HEADER: &str = "# Written by `cargo xtask clippy-toml`; change xtask/src/clippy_toml.rs.\n";

/// Every file with its text, by path from the root.
pub(crate) fn files() -> Vec<(String, String)> {
    let mut files = vec![("clippy.toml".to_owned(), text(EVERYWHERE, &[]))];
    let strict = text(&[EVERYWHERE, DETERMINISTIC_METHODS].concat(), DETERMINISTIC_TYPES);
    files.extend(DETERMINISTIC.iter().map(|name| (format!("crates/{name}/clippy.toml"), strict.clone())));
    files
}

/// Writes the files that differ, for the crates that exist.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    for (path, text) in files() {
        let path = root.join(path);
        let exists = path.parent().is_some_and(Path::is_dir);
        if exists && fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
    }
    Ok(())
}

fn text(methods: &[(&str, &str)], types: &[(&str, &str)]) -> String {
    let mut out = HEADER.to_owned();
    for (key, names) in [("disallowed-methods", methods), ("disallowed-types", types)] {
        if !names.is_empty() {
            out.push_str(&format!("{key} = [\n"));
            for (path, reason) in names {
                out.push_str(&format!("    {{ path = \"{path}\", reason = \"{reason}\" }},\n"));
            }
            out.push_str("]\n");
        }
    }
    out
}
