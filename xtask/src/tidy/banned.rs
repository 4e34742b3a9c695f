//! Calls and types that would let the machine into a run: clocks, entropy, hash order, threads, disks.
//!
//! It looks at shipped code only; what tests may do is Clippy's to say.

use super::rust::{lines_with, pattern, without_tests};
use super::tree::crate_of;
use super::{Finding, Tree};

/// The crates whose every step must be a function of their input.
pub(crate) const DETERMINISTIC: &[&str] = &[
    "dacapo-check",
    "dacapo-config",
    "dacapo-core",
    "dacapo-js",
    "dacapo-lab",
    "dacapo-native",
    "dacapo-runtime",
    "dacapo-sim",
    "dacapo-trace",
];

/// Programs talk to people; libraries return what they have to say.
const PROGRAMS: &[&str] = &["dacapo", "xtask", "benches", "fuzz"];

/// What a deterministic crate must not name, and what to use in its place.
const BANNED: &[(&str, &str)] = &[
    ("Instant::now", "time is handed in: take a `Time`"),
    ("SystemTime::now", "time is handed in: take a `Time` or a `WallTime`"),
    ("thread_rng", "draw from a named stream of the seed"),
    ("getrandom", "draw from a named stream of the seed"),
    ("OsRng", "draw from a named stream of the seed"),
    ("RandomState", "its order differs from run to run: use a BTreeMap"),
    ("HashMap", "its order differs from run to run: use a BTreeMap"),
    ("HashSet", "its order differs from run to run: use a BTreeSet"),
    ("std::thread", "a run is one thread; the caller owns the others"),
    ("std::fs", "take bytes or `Files`; the command line reads the disk"),
    ("std::net", "send an effect; the world owns the network"),
    ("std::env::var", "the environment of a machine is no input of a run: take an option"),
    ("env::var", "the environment of a machine is no input of a run: take an option"),
];

const PRINTS: &[&str] = &["println!", "eprintln!", "print!", "eprint!"];

/// Where a ban does not hold, and why. A line that no longer applies is a finding.
const ALLOW: &[(&str, &str, &str)] =
    &[("crates/dacapo-core/src/id_map.rs", "HashMap", "nobody outside can go through it in its order")];

/// Finds banned names in `src` of the deterministic crates, and prints outside of programs.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, ALLOW)
}

fn check_with(tree: &Tree, allow: &[(&str, &str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = vec![false; allow.len()];
    for file in tree.rust().filter(|file| file.path.contains("/src/")) {
        let tokens = match file.tokens() {
            Ok(tokens) => without_tests(&tokens),
            Err(finding) => {
                findings.push(finding);
                continue;
            }
        };
        let owner = crate_of(&file.path);
        let calls = BANNED.iter().copied().filter(|_| DETERMINISTIC.contains(&owner));
        let prints = PRINTS.iter().map(|print| (*print, "return it; only programs print"));
        for (written, instead) in calls.chain(prints.filter(|_| !PROGRAMS.contains(&owner))) {
            let lines = lines_with(&tokens, &pattern(written));
            if lines.is_empty() {
                continue;
            }
            if let Some(index) =
                allow.iter().position(|(path, name, _)| *path == file.path && *name == written)
            {
                used[index] = true;
                continue;
            }
            for line in lines {
                findings.push(Finding::at(file, line, format!("`{written}`: {instead}")));
            }
        }
    }
    for ((path, name, _), _) in allow.iter().zip(used).filter(|(_, used)| !used) {
        findings.push(Finding::at_path(
            path,
            format!("`{name}` is allowed here and no longer used: strike the line"),
        ));
    }
    findings.sort_by_key(ToString::to_string);
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check_with(&Tree::of(&[(path, text)]), &[]).len()
    }

    #[test]
    fn a_clock_a_hash_order_and_a_thread_are_found_in_a_deterministic_crate() {
        let path = "crates/dacapo-sim/src/a.rs";
        assert_eq!(found(path, "fn f() { std::time::Instant::now(); }"), 1);
        assert_eq!(found(path, "use std::collections::HashMap;"), 1);
        assert_eq!(found(path, "fn f() { std::thread::spawn(g); }"), 1);
        assert_eq!(found(path, "fn f() { println!(\"x\") }"), 1);
        assert_eq!(found(path, "use std::collections::BTreeMap;"), 0);
    }

    #[test]
    fn hosts_may_read_clocks_but_not_print() {
        let path = "crates/dacapo-host/src/a.rs";
        assert_eq!(found(path, "fn f() { Instant::now(); }"), 0);
        assert_eq!(found(path, "fn f() { eprintln!(\"x\") }"), 1);
        assert_eq!(found("crates/dacapo/src/main.rs", "fn f() { eprintln!(\"x\") }"), 0);
    }

    #[test]
    fn an_exception_holds_while_it_is_needed_and_no_longer() {
        let allow = &[("crates/dacapo-js/src/a.rs", "HashMap", "reason")];
        let with = |text| check_with(&Tree::of(&[("crates/dacapo-js/src/a.rs", text)]), allow).len();
        assert_eq!(with("use std::collections::HashMap;"), 0);
        assert_eq!(with("use std::collections::BTreeMap;"), 1);
    }
}
