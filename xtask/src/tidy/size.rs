//! Files are rooms: one that has grown past a screenful of pages is asked to become two.

use super::{Finding, Tree};

const LINES_MAX: usize = 800;
const SOURCE: &[&str] = &["hcl", "js", "mjs", "rs", "ts"];

/// Files that may be longer, and why. The list may only shrink: a file that has become small is struck.
const LONG: &[(&str, &str)] = &[(
    "crates/dacapo-js/lib/vendor/web-streams.js",
    "a library as it was published; editing it would make it ours",
)];

/// Finds source files that are too long.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, LONG)
}

fn check_with(tree: &Tree, long: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| file.has_extension(SOURCE)) {
        let lines = file.lines().count();
        let allowed = long.iter().any(|(path, _)| *path == file.path);
        if lines > LINES_MAX && !allowed {
            findings.push(Finding::in_file(
                file,
                format!("{lines} lines, and {LINES_MAX} is the most: is it one room?"),
            ));
        } else if lines <= LINES_MAX && allowed {
            findings.push(Finding::in_file(
                file,
                "is no longer long: strike it from the list in xtask/src/tidy/size.rs",
            ));
        }
    }
    for (path, _) in long.iter().filter(|(path, _)| tree.file(path).is_none()) {
        findings.push(Finding::at_path(path, "is in the list of long files and does not exist: strike it"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found_and_so_is_a_stale_exception() {
        let long = "\n".repeat(LINES_MAX + 1);
        let found = |text: &str, list: &[(&str, &str)]| check_with(&Tree::of(&[("a.rs", text)]), list).len();
        assert_eq!(found(&long, &[]), 1);
        assert_eq!(found(&long, &[("a.rs", "generated")]), 0);
        assert_eq!(found("", &[("a.rs", "generated")]), 1);
        assert_eq!(found("", &[("gone.rs", "generated")]), 1);
    }
}
