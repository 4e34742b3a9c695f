//! Taste as a test: the rules of the house that a program can watch, one small file each.
//!
//! A check takes what was read (a [`Tree`], or the crate graph) and gives findings. It does not mend
//! anything, and it knows nothing of how it is called: `cargo xtask tidy` prints the findings, and the
//! test at the end of this file fails on them, so `cargo nextest run` keeps the taste too.

mod banned;
mod blob;
mod clippy;
mod codes;
mod crates;
mod links;
mod locks;
mod machine;
mod opening;
mod rust;
mod scenarios;
mod serde;
mod size;
mod tree;
mod unfinished;
mod unsafe_code;

use std::path::Path;

use cargo_metadata::MetadataCommand;
pub(crate) use tree::{Finding, Tree};

pub(crate) use self::banned::DETERMINISTIC;

/// A rule that is read off the files.
type Check = fn(&Tree) -> Vec<Finding>;

const CHECKS: &[(&str, Check)] = &[
    ("banned", banned::check),
    ("blob", blob::check),
    ("clippy", clippy::check),
    ("codes", codes::check),
    ("links", links::check),
    ("locks", locks::check),
    ("machine", machine::check),
    ("opening", opening::check),
    ("scenarios", scenarios::check),
    ("serde", serde::check),
    ("size", size::check),
    ("unfinished", unfinished::check),
    ("unsafe", unsafe_code::check),
];

/// Runs every check and gives the findings as lines; none means that the tree is tidy.
pub(crate) fn run(root: &Path) -> Result<Vec<String>, String> {
    let tree = Tree::read(root)?;
    let metadata = MetadataCommand::new()
        .current_dir(root)
        // Only the members are asked for: reading the whole graph would ask the registry on a fresh machine.
        .no_deps()
        .exec()
        .map_err(|error| format!("cargo metadata failed: {error}"))?;
    let mut lines = Vec::new();
    let crates = ("crates", crates::check(&crates::members(&metadata)));
    for (name, findings) in
        std::iter::once(crates).chain(CHECKS.iter().map(|(name, check)| (*name, check(&tree))))
    {
        lines.extend(findings.iter().map(|finding| format!("{name}: {finding}")));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    #[test]
    fn tidy() {
        let findings = super::run(&crate::root()).unwrap();
        assert!(findings.is_empty(), "{} to mend:\n{}", findings.len(), findings.join("\n"));
    }
}
