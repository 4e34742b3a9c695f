//! A file opens with what it is for.

use super::{Finding, Tree};

/// Rust files open with `//!`, the JavaScript of the guest platform with a comment.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| !opens_with(file.text(), &["//! "])) {
        findings.push(Finding::in_file(
            file,
            "opens without `//!`: say what the file is for, and what it is not for",
        ));
    }
    let scripts = tree
        .files()
        .filter(|file| file.path.starts_with("crates/dacapo-js/lib/") && file.has_extension(&["js"]));
    for file in scripts.filter(|file| !opens_with(file.text(), &["// ", "/* ", "/** "])) {
        findings.push(Finding::in_file(file, "opens without a comment: say what the file is for"));
    }
    findings
}

fn opens_with(text: &str, openings: &[&str]) -> bool {
    openings.iter().any(|opening| text.starts_with(opening))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_introduce_itself_is_found() {
        let found = |path, text| check(&Tree::of(&[(path, text)])).len();
        assert_eq!(found("crates/a/src/b.rs", "fn f() {}"), 1);
        assert_eq!(found("crates/a/src/b.rs", "//! B.\n"), 0);
        assert_eq!(found("crates/dacapo-js/lib/url.js", "export {}"), 1);
        assert_eq!(found("crates/dacapo-js/lib/url.js", "// URL.\n"), 0);
    }
}
