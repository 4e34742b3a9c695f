//! The crate table: who may depend on whom, compared with what cargo says, in both directions.
//!
//! The table is the architecture in one place: a star around `dacapo-core`, then a roof. Only the
//! command line names worlds and engines together.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata};

use super::Finding;

/// One row: a crate, the crates of this workspace it is built on, and those its tests use besides.
struct Row {
    name: &'static str,
    needs: &'static [&'static str],
    tests_need: &'static [&'static str],
}

const fn row(name: &'static str, needs: &'static [&'static str]) -> Row {
    Row { name, needs, tests_need: &[] }
}

const TABLE: &[Row] = &[
    row("dacapo-core", &[]),
    // The star: each knows the words, and none knows another.
    row("dacapo-check", &["dacapo-core"]),
    row("dacapo-config", &["dacapo-core"]),
    row("dacapo-host", &["dacapo-core"]),
    row("dacapo-js", &["dacapo-core"]),
    row("dacapo-native", &["dacapo-core"]),
    row("dacapo-runtime", &["dacapo-core"]),
    row("dacapo-sim", &["dacapo-core"]),
    row("dacapo-store", &["dacapo-core"]),
    row("dacapo-trace", &["dacapo-core"]),
    // The roof.
    row(
        "dacapo-lab",
        &[
            "dacapo-check",
            "dacapo-core",
            "dacapo-native",
            "dacapo-runtime",
            "dacapo-sim",
            "dacapo-store",
            "dacapo-trace",
        ],
    ),
    row(
        "dacapo",
        &[
            "dacapo-check",
            "dacapo-config",
            "dacapo-core",
            "dacapo-host",
            "dacapo-js",
            "dacapo-lab",
            "dacapo-native",
            "dacapo-runtime",
            "dacapo-sim",
            "dacapo-store",
            "dacapo-trace",
        ],
    ),
    row("dacapo-proptest", &["dacapo-check", "dacapo-core", "dacapo-lab", "dacapo-native"]),
    row(
        "dacapo-benches",
        &[
            "dacapo",
            "dacapo-check",
            "dacapo-core",
            "dacapo-lab",
            "dacapo-native",
            "dacapo-runtime",
            "dacapo-sim",
        ],
    ),
    row("dacapo-million", &["dacapo-core", "dacapo-host", "dacapo-native", "dacapo-runtime", "dacapo-store"]),
    row("dacapo-scoreboard", &["dacapo-core", "dacapo-lab", "dacapo-sim"]),
    row(
        "dacapo-fuzz-targets",
        &[
            "dacapo-check",
            "dacapo-config",
            "dacapo-core",
            "dacapo-host",
            "dacapo-lab",
            "dacapo-native",
            "dacapo-runtime",
            "dacapo-scoreboard",
            "dacapo-trace",
        ],
    ),
    row("xtask", &[]),
];

/// Heavy crates and the only places where they may be named, in code or in tests. A `*` at the end
/// stands for the rest of a family's names.
const HEAVY: &[(&str, &[&str])] = &[
    ("clap", &["dacapo"]),
    ("hyper*", &["dacapo-host", "dacapo"]),
    ("indicatif", &["dacapo"]),
    ("maud", &["dacapo-trace"]),
    ("oxc*", &["dacapo-js"]),
    ("postgres*", &["dacapo"]),
    ("quick-junit", &["dacapo"]),
    ("libsqlite3-sys", &["dacapo-store"]),
    ("rusqlite", &["dacapo-store"]),
    ("rustls*", &["dacapo-host", "dacapo"]),
    ("tokio*", &["dacapo-host", "dacapo"]),
    ("v8", &["dacapo-js"]),
    ("wasmtime*", &["dacapo-wasi"]),
];

/// A crate of the workspace and the names in its manifest.
pub(crate) struct Member {
    name: String,
    needs: BTreeSet<String>,
    tests_need: BTreeSet<String>,
}

/// What cargo says about the members.
pub(crate) fn members(metadata: &Metadata) -> Vec<Member> {
    let packages = metadata.workspace_packages();
    let members = packages.iter().map(|package| {
        let names = |of_tests: bool| {
            let of_kind = move |kind: DependencyKind| (kind == DependencyKind::Development) == of_tests;
            package.dependencies.iter().filter(move |need| of_kind(need.kind)).map(|need| need.name.clone())
        };
        Member {
            name: package.name.to_string(),
            needs: names(false).collect(),
            tests_need: names(true).collect(),
        }
    });
    members.collect()
}

/// Compares the members with the table, and the heavy crates with the places that may name them.
pub(crate) fn check(members: &[Member]) -> Vec<Finding> {
    let by_name: BTreeMap<&str, &Member> =
        members.iter().map(|member| (member.name.as_str(), member)).collect();
    let mut findings = Vec::new();
    for member in members {
        let manifest = format!("the manifest of {}", member.name);
        let Some(row) = TABLE.iter().find(|row| row.name == member.name) else {
            findings.push(Finding::at_path(
                &manifest,
                "the crate has no row in the table of xtask/src/tidy/crates.rs",
            ));
            continue;
        };
        for (listed, found, kind) in [
            (row.needs, &member.needs, "depends on"),
            (row.tests_need, &member.tests_need, "tests itself with"),
        ] {
            let inside: BTreeSet<&str> =
                found.iter().map(String::as_str).filter(|name| by_name.contains_key(name)).collect();
            let listed: BTreeSet<&str> = listed.iter().copied().collect();
            for name in inside.difference(&listed) {
                findings.push(Finding::at_path(
                    &manifest,
                    format!("it {kind} {name}, and the table does not allow that; is there a way through the door?"),
                ));
            }
            for name in listed.difference(&inside) {
                findings.push(Finding::at_path(
                    &manifest,
                    format!(
                        "the table says it {kind} {name}, and it does not: strike the name from the table"
                    ),
                ));
            }
        }
        for name in member.needs.union(&member.tests_need) {
            if let Some((_, owners)) = HEAVY.iter().find(|(family, _)| in_family(name, family))
                && !owners.contains(&member.name.as_str())
            {
                findings.push(Finding::at_path(
                    &manifest,
                    format!("{name} belongs in {} only", owners.join(", ")),
                ));
            }
        }
    }
    for row in TABLE.iter().filter(|row| !by_name.contains_key(row.name)) {
        findings
            .push(Finding::at_path("xtask/src/tidy/crates.rs", format!("there is no crate {}", row.name)));
    }
    findings
}

fn in_family(name: &str, family: &str) -> bool {
    match family.strip_suffix('*') {
        Some(stem) => name.starts_with(stem),
        None => name == family,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The members exactly as the table has them.
    fn as_listed() -> Vec<Member> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let members = TABLE.iter().map(|row| Member {
            name: row.name.to_owned(),
            needs: owned(row.needs),
            tests_need: owned(row.tests_need),
        });
        members.collect()
    }

    fn member<'a>(members: &'a mut [Member], name: &str) -> &'a mut Member {
        members.iter_mut().find(|member| member.name == name).unwrap()
    }

    fn findings(change: impl FnOnce(&mut Vec<Member>)) -> String {
        let mut members = as_listed();
        change(&mut members);
        let lines: Vec<String> = check(&members).iter().map(ToString::to_string).collect();
        lines.join("\n")
    }

    #[test]
    fn the_table_itself_is_clean() {
        assert_eq!(findings(|_| {}), "");
    }

    #[test]
    fn a_simulator_that_learns_of_the_host_is_found() {
        let text = findings(|all| {
            member(all, "dacapo-sim").needs.insert("dacapo-host".to_owned());
        });
        assert!(text.contains("dacapo-sim: it depends on dacapo-host"), "{text}");
    }

    #[test]
    fn a_row_that_is_no_longer_true_is_found() {
        let text = findings(|all| {
            member(all, "dacapo-lab").needs.remove("dacapo-trace");
        });
        assert!(text.contains("strike the name"), "{text}");
    }

    #[test]
    fn a_crate_without_a_row_and_a_row_without_a_crate_are_found() {
        let text = findings(|all| {
            member(all, "dacapo-sim").name = "dacapo-other".to_owned();
        });
        assert!(text.contains("dacapo-other: the crate has no row"), "{text}");
        assert!(text.contains("there is no crate dacapo-sim"), "{text}");
    }

    #[test]
    fn a_heavy_crate_in_the_wrong_place_is_found_in_tests_too() {
        let text = findings(|all| {
            member(all, "dacapo-lab").tests_need.insert("tokio-util".to_owned());
        });
        assert!(text.contains("tokio-util belongs in dacapo-host, dacapo only"), "{text}");
    }

    #[test]
    fn only_the_command_line_names_worlds_and_engines() {
        for row in TABLE.iter().filter(|row| row.name != "dacapo") {
            let names = |wanted: &[&str]| wanted.iter().filter(|name| row.needs.contains(name)).count();
            assert!(names(&["dacapo-sim", "dacapo-host"]) < 2, "{} names two worlds", row.name);
            assert!(names(&["dacapo-js", "dacapo-wasi"]) == 0, "{} names an engine", row.name);
        }
    }
}
