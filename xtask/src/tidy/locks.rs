//! The lock files of workspaces that stand beside ours know what our crates need: such a workspace is built with `--locked`, and rarely.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{DocumentMut, Item, TableLike};

use super::{Finding, Tree};

/// What the manifest of a crate says that it needs.
#[derive(Default)]
struct Needs {
    /// Whatever features are on.
    always: BTreeSet<String>,
    sometimes: BTreeSet<String>,
}

/// Finds crates of this project of which another workspace's lock file has an older story.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let named = |name: &'static str| tree.files().filter(move |file| file.name() == name);
    // (Whoever writes no TOML into a manifest hears of it from cargo.)
    let manifests = named("Cargo.toml").filter_map(|file| file.text().parse::<DocumentMut>().ok());
    let needs: BTreeMap<String, Needs> = manifests
        .filter_map(|manifest| Some((name_of(manifest.get("package")?)?, needs(&manifest))))
        .collect();
    let mut findings = Vec::new();
    for file in named("Cargo.lock").filter(|file| !file.folder().is_empty()) {
        let lock = match file.text().parse::<DocumentMut>() {
            Ok(lock) => lock,
            Err(error) => {
                findings.push(Finding::in_file(file, format!("is no lock file: {error}")));
                continue;
            }
        };
        let packages = lock.get("package").and_then(Item::as_array_of_tables);
        for package in packages.into_iter().flatten().filter(|package| package.get("source").is_none()) {
            let Some(name) = package.get("name").and_then(Item::as_str) else { continue };
            let Some(needs) = needs.get(name) else { continue };
            // (Where there are several versions of one, that stands behind the name.)
            let locked: BTreeSet<&str> = package
                .get("dependencies")
                .and_then(Item::as_array)
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.as_str()?.split(' ').next())
                .collect();
            let missing = needs.always.iter().find(|it| !locked.contains(it.as_str()));
            let left =
                locked.iter().find(|it| !needs.always.contains(**it) && !needs.sometimes.contains(**it));
            let what = match (missing, left) {
                (Some(new), _) => format!("does not know that {name} needs {new}"),
                (None, Some(old)) => format!("believes that {name} needs {old}"),
                (None, None) => continue,
            };
            findings.push(Finding::in_file(file, format!("{what}: type  cargo metadata > /dev/null  there")));
        }
    }
    findings
}

fn name_of(package: &Item) -> Option<String> {
    package.get("name")?.as_str().map(str::to_owned)
}

/// What is in a table, if there is one.
fn entries(table: Option<&Item>) -> impl Iterator<Item = (&str, &Item)> {
    table.and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter)
}

fn needs(manifest: &DocumentMut) -> Needs {
    let mut needs = Needs::default();
    let mut take = |tables: &dyn TableLike, is_for_all: bool| {
        for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for (key, item) in entries(tables.get(kind)) {
                let name = item.get("package").and_then(Item::as_str).unwrap_or(key).to_owned();
                let is_optional = item.get("optional").and_then(Item::as_bool) == Some(true);
                // What only tests need is locked for the members of a workspace, and not for what they build on.
                match is_for_all && kind != "dev-dependencies" && !is_optional {
                    true => needs.always.insert(name),
                    false => needs.sometimes.insert(name),
                };
            }
        }
    };
    take(manifest.as_table(), true);
    for (_, target) in entries(manifest.get("target")) {
        target.as_table_like().into_iter().for_each(|tables| take(tables, false));
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"ours\"\n[dependencies]\nserde.workspace = true\n\
        tls = { version = \"1\", optional = true, package = \"rustls\" }\n[dev-dependencies]\ninsta = \"1\"\n\
        [target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n";

    fn found(dependencies: &str) -> Vec<String> {
        let lock = format!(
            "[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\ndependencies = [{dependencies}]\n\
             [[package]]\nname = \"serde\"\nversion = \"1.0.0\"\nsource = \"registry\"\ndependencies = [\"odd\"]\n"
        );
        let tree = Tree::of(&[("crates/ours/Cargo.toml", MANIFEST), ("fuzz/Cargo.lock", &lock)]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_lock_file_beside_ours_that_knows_an_older_manifest_is_found() {
        assert_eq!(found("\"serde 1.0.0\", \"libc\", \"rustls\""), Vec::<String>::new());
        assert_eq!(found("\"serde\""), Vec::<String>::new());
        assert!(found("").concat().contains("does not know that ours needs serde"));
        assert!(found("\"serde\", \"rand\"").concat().contains("believes that ours needs rand"));
    }

    #[test]
    fn a_lock_file_that_cannot_be_read_is_found() {
        let findings = check(&Tree::of(&[("fuzz/Cargo.lock", "[[package]")]));
        assert!(findings[0].to_string().contains("is no lock file"));
    }

    #[test]
    fn our_own_lock_file_is_cargos_affair() {
        let lock = "[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";
        assert!(check(&Tree::of(&[("crates/ours/Cargo.toml", MANIFEST), ("Cargo.lock", lock)])).is_empty());
    }
}
