//! Nothing in the tree knows one machine: no absolute paths of it, no registry that it happens to use.

use super::tree::File;
use super::{Finding, Tree};

/// Roots of absolute paths, joined here so that this file does not find itself. A root that ends in `/`
/// is a finding when a name follows it.
const ROOTS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tm", "p/"), concat!("/ho", "me/")];

/// Where packages come from when nobody says otherwise, which is what lock files write.
const PUBLIC: &[&str] =
    &["registry+https://github.com/rust-lang/crates.io-index", "https://registry.npmjs.org/"];

/// Keys that choose a registry. Which one to use is for the machine to say, in its own configuration.
const REGISTRY_KEYS: &[&str] = &["replace-with", "registry", "registries", "index", "index-url", "[source."];

/// Finds paths of a machine, and settings or lock entries that name a registry.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        for (line, text) in file.lines() {
            if file.is_lock() {
                if let Some(source) = foreign_source(text) {
                    findings.push(Finding::at(
                        file,
                        line,
                        format!("names a registry of one machine: {source}"),
                    ));
                }
            } else {
                for root in ROOTS.iter().filter(|root| names_path(text, root)) {
                    findings.push(Finding::at(
                        file,
                        line,
                        format!("names a path of one machine, under {root}"),
                    ));
                }
                if is_package_configuration(file) && chooses_registry(text) {
                    findings.push(Finding::at(file, line, "chooses a registry: leave that to the machine"));
                }
            }
        }
    }
    findings
}

fn names_path(text: &str, root: &str) -> bool {
    text.match_indices(root).any(|(at, _)| {
        // Inside a longer path or a URL it is somebody's name for a thing, not the machine's root.
        let before = text[..at].chars().next_back();
        let after = text[at + root.len()..].chars().next();
        let begins = !before.is_some_and(|c| c.is_alphanumeric() || "._-}*".contains(c));
        begins && after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_')
    })
}

/// The `source` (cargo) or `resolved` (npm) of a lock file's line, where it is not the public one.
fn foreign_source(line: &str) -> Option<&str> {
    let line = line.trim();
    let value = line.strip_prefix("source = ").or_else(|| line.strip_prefix("\"resolved\": "))?;
    let value = value.trim_matches(['"', ',']);
    (!PUBLIC.iter().any(|public| value.starts_with(public))).then_some(value)
}

fn is_package_configuration(file: &File) -> bool {
    file.name() == ".npmrc" || file.path == ".cargo/config.toml" || file.name() == "Cargo.toml"
}

fn chooses_registry(line: &str) -> bool {
    let line = line.trim();
    REGISTRY_KEYS.iter().any(|key| {
        let rest = line.strip_prefix(key).map(str::trim_start);
        rest.is_some_and(|rest| key.starts_with('[') || rest.starts_with(['=', '.', ']']))
            || line.starts_with(&format!("[{key}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn a_path_of_a_machine_is_found() {
        for root in ROOTS {
            assert_eq!(found("README.md", &format!("see {root}x for more")), 1, "{root}");
        }
        assert_eq!(found("README.md", concat!("GET https://shop.example/ro", "ot/x")), 0);
        assert_eq!(found("README.md", "a folder /tmp and $HOME/x"), 0);
    }

    #[test]
    fn a_registry_of_a_machine_is_found() {
        assert_eq!(found(".cargo/config.toml", "[source.crates-io]\nreplace-with = \"near\"\n"), 2);
        assert_eq!(found(".npmrc", "registry=https://npm.example/\n"), 1);
        assert_eq!(found("Cargo.lock", "source = \"registry+https://cargo.example/index\"\n"), 1);
        assert_eq!(
            found("examples/a/package-lock.json", "\"resolved\": \"https://npm.example/x.tgz\",\n"),
            1
        );
    }

    #[test]
    fn the_public_registries_are_nobodys_machine() {
        assert_eq!(
            found("Cargo.lock", "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"),
            0
        );
        assert_eq!(found("a/package-lock.json", "\"resolved\": \"https://registry.npmjs.org/x.tgz\",\n"), 0);
        assert_eq!(found("Cargo.toml", "indexmap = \"2\"\n"), 0);
    }
}
