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
    let files = || tree.files().filter_map(|file| Some((file, file.text().parse::<DocumentMut>().ok()?)));
    let manifests = files().filter(|(file, _)| file.name() == "Cargo.toml");
    let needs: BTreeMap<String, Needs> = manifests
        .filter_map(|(_, manifest)| Some((name_of(manifest.get("package")?)?, needs(&manifest))))
        .collect();
    let mut findings = Vec::new();
    for (file, lock) in files().filter(|(file, _)| file.name() == "Cargo.lock" && !file.folder().is_empty()) {
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

fn needs(manifest: &DocumentMut) -> Needs {
    let mut needs = Needs::default();
    let mut take = |tables: &dyn TableLike, is_for_all: bool| {
        for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for (key, item) in
                tables.get(kind).and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter)
            {
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
    for (_, target) in
        manifest.get("target").and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter)
    {
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
    fn our_own_lock_file_is_cargos_affair() {
        let lock = "[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";
        assert!(check(&Tree::of(&[("crates/ours/Cargo.toml", MANIFEST), ("Cargo.lock", lock)])).is_empty());
    }
}
