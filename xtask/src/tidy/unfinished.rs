//! What is in the tree is finished: no markers for later, no tests that are switched off.

use super::rust::{lines_with, pattern};
use super::{Finding, Tree};

/// Token patterns in Rust, and what to do instead.
const IN_RUST: &[(&str, &str)] = &[
    ("todo!", "write it, or leave it out"),
    ("unimplemented!", "write it, or leave it out"),
    ("dbg!", "take it out"),
    ("#[ignore", "a test that does not run is no test"),
    ("#[should_panic", "catch the value and compare it: a panic can come from anywhere"),
    ("thread::sleep", "wait for what you wait for, not for time"),
];

/// Words in any source text, comments included. Joined here so that this file does not find itself.
const IN_TEXT: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X")];

const SOURCE: &[&str] = &["hcl", "js", "md", "mjs", "rs", "ts"];

/// Finds markers of unfinished work.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let tokens = match file.tokens() {
            Ok(tokens) => tokens,
            Err(finding) => {
                findings.push(finding);
                continue;
            }
        };
        for (written, instead) in IN_RUST {
            for line in lines_with(&tokens, &open_pattern(written)) {
                findings.push(Finding::at(file, line, format!("`{written}`: {instead}")));
            }
        }
    }
    for file in tree.files().filter(|file| file.has_extension(SOURCE)) {
        for (line, text) in file.lines() {
            for word in IN_TEXT.iter().filter(|word| has_word(text, word)) {
                findings.push(Finding::at(file, line, format!("{word}: mend it now, or say it in an issue")));
            }
        }
    }
    findings
}

/// A pattern whose last bracket is left open on purpose (`#[ignore` with or without a reason).
fn open_pattern(written: &str) -> Vec<String> {
    match written.strip_prefix("#[") {
        Some(name) => ["#", "[", name].map(str::to_owned).to_vec(),
        None => pattern(written),
    }
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&Tree::of(&[("crates/a/src/b.rs", text)])).len()
    }

    #[test]
    fn every_marker_of_unfinished_work_is_found() {
        assert_eq!(found("fn f() { todo!() }"), 1);
        assert_eq!(found("fn f() { dbg!(1); }"), 1);
        assert_eq!(found("#[test] #[ignore] fn f() {}"), 1);
        assert_eq!(found("#[test] #[ignore = \"slow\"] fn f() {}"), 1);
        assert_eq!(found("#[test] #[should_panic(expected = \"x\")] fn f() {}"), 1);
        assert_eq!(found("fn f() { std::thread::sleep(d); }"), 1);
        assert_eq!(found(&format!("// {} later\n", IN_TEXT[0])), 1);
        assert_eq!(found(&format!("// {}: y\n", IN_TEXT[1])), 1);
    }

    #[test]
    fn words_that_only_contain_a_marker_are_left_alone() {
        assert_eq!(found(&format!("// {}Y and a{}\n", IN_TEXT[1], IN_TEXT[0])), 0);
        assert_eq!(found("fn f() { let s = \"todo!()\"; }"), 0);
    }
}
