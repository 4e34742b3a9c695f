//! Every scenario says why it exists, and every saved seed which rule it broke and where it was found.

use super::tree::File;
use super::{Finding, Tree};

const ROOT: &str = "sim-scenarios/";
const SAVED: &[&str] = &["sim-scenarios/regressions", "sim-scenarios/regressions/open"];

/// Finds projects without a reason and saved seeds without their story.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let plans = tree.files().filter(|file| file.path.starts_with(ROOT) && file.has_extension(&["hcl"]));
    for file in plans.filter(|file| !is_saved_seed(file) && !says_why(file, tree)) {
        findings.push(Finding::in_file(
            file,
            "does not say why it exists: open it with a comment, or add a README.md",
        ));
    }
    for file in tree.files().filter(|file| is_saved_seed(file)) {
        for key in ["seed", "rule", "found"] {
            if !file.lines().any(|(_, line)| sets(line, key)) {
                findings.push(Finding::in_file(file, format!("a saved seed needs `{key} = …`")));
            }
        }
    }
    findings
}

/// A saved seed is a file of its own directly in `regressions`, or in the folder of those still open.
fn is_saved_seed(file: &File) -> bool {
    SAVED.contains(&file.folder()) && !file.has_extension(&["md"])
}

fn says_why(file: &File, tree: &Tree) -> bool {
    let readme = format!("{}/README.md", file.folder());
    file.text().starts_with('#') || file.text().starts_with("//") || tree.file(&readme).is_some()
}

/// Whether the line gives the key a value: `rule = "x"`; `found_at = "x"` counts for `found`.
fn sets(line: &str, key: &str) -> bool {
    let Some(rest) = line.trim().strip_prefix(key) else { return false };
    let rest = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').trim_start();
    rest.strip_prefix('=').is_some_and(|value| !value.trim().trim_matches('"').is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> usize {
        check(&Tree::of(files)).len()
    }

    #[test]
    fn a_scenario_without_a_reason_is_found() {
        let plan = ("sim-scenarios/fast/a/dacapo.hcl", "service \"a\" {}");
        assert_eq!(found(&[plan]), 1);
        assert_eq!(found(&[plan, ("sim-scenarios/fast/a/README.md", "why")]), 0);
        assert_eq!(found(&[("sim-scenarios/fast/a/dacapo.hcl", "# Why.\n")]), 0);
    }

    #[test]
    fn a_saved_seed_without_its_story_is_found() {
        let saved = |text| found(&[("sim-scenarios/regressions/lost.hcl", text)]);
        assert_eq!(saved("seed = 1\nrule = \"r\"\nfound = \"f\"\n"), 0);
        assert_eq!(saved("seed = 1\nrule = \"\"\n"), 2);
        assert_eq!(found(&[("sim-scenarios/regressions/open/lost.hcl", "seed = 1\n")]), 2);
    }
}
