//! Every error code that a person can meet has a line in `docs/errors.md`, and the page has no others.

use std::collections::BTreeMap;

use super::tree::File;
use super::{Finding, Tree};

const PAGE: &str = "docs/errors.md";
const SOURCE: &[&str] = &["js", "mjs", "rs", "ts"];

/// Compares the codes in the crates with the codes on the page, in both directions.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    // The first line that names a code is its own; later ones refer to it.
    let mut explained = BTreeMap::new();
    for (line, text) in tree.file(PAGE).into_iter().flat_map(File::lines) {
        for code in codes(text) {
            explained.entry(code).or_insert(line);
        }
    }
    let mut findings = Vec::new();
    let mut used = BTreeMap::new();
    for file in tree.files().filter(|file| file.path.starts_with("crates/") && file.has_extension(SOURCE)) {
        for (line, text) in file.lines() {
            for code in codes(text) {
                used.entry(code).or_insert((file, line));
            }
        }
    }
    for (code, (file, line)) in used.iter().filter(|(code, _)| !explained.contains_key(*code)) {
        findings.push(Finding::at(file, *line, format!("{code} has no line in {PAGE}")));
    }
    for (code, line) in explained.iter().filter(|(code, _)| !used.contains_key(*code)) {
        findings
            .push(Finding::at_path(&format!("{PAGE}:{line}"), format!("nothing reports {code}: strike it")));
    }
    findings
}

/// The codes in a text: `DC` and four digits, and no more of either.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("DC").filter_map(move |(at, _)| {
        let end = at + 2 + 4;
        let code = text.get(at..end)?;
        let alone = !text[..at].ends_with(|c: char| c.is_alphanumeric())
            && !text[end..].starts_with(|c: char| c.is_alphanumeric());
        (alone && code[2..].bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, page: &str) -> Vec<String> {
        let tree = Tree::of(&[("crates/a/src/b.rs", source), (PAGE, page)]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_code_without_a_line_and_a_line_without_a_code_are_found() {
        assert_eq!(found("\"DC0001\"", "| DC0001 | a |"), Vec::<String>::new());
        assert_eq!(found("\n\"DC0002\"", ""), ["crates/a/src/b.rs:2: DC0002 has no line in docs/errors.md"]);
        assert_eq!(found("", "| DC0003 | a |"), ["docs/errors.md:1: nothing reports DC0003: strike it"]);
        assert_eq!(found("ADC00012 DC00012 DC000", ""), Vec::<String>::new());
    }
}
