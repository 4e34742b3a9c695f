//! `unsafe` only where an engine needs it, and there with its reason beside it.

use super::tree::{File, crate_of};
use super::{Finding, Tree};

/// Crates that speak to C++ and so cannot do without.
const MAY: &[&str] = &["dacapo-js", "dacapo-store"];

/// Every crate root forbids unsafe code; where it may be used, each use says why it is sound.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        if MAY.contains(&crate_of(&file.path)) {
            unexplained(file, &mut findings);
        } else if is_crate_root(file) && !file.text().contains("#![forbid(unsafe_code)]") {
            findings.push(Finding::in_file(file, "a crate root says `#![forbid(unsafe_code)]`"));
        }
    }
    findings
}

fn is_crate_root(file: &File) -> bool {
    file.path.ends_with("src/lib.rs") || file.path.ends_with("src/main.rs")
}

fn unexplained(file: &File, findings: &mut Vec<Finding>) {
    let tokens = match file.tokens() {
        Ok(tokens) => tokens,
        Err(finding) => return findings.push(finding),
    };
    let lines: Vec<&str> = file.text().lines().collect();
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.text == "unsafe") {
        // A declaration (`unsafe fn`) hands the promise to its caller, and the compiler wants a block
        // inside it too; a block, an implementation and an attribute make one.
        let next = tokens.get(index + 1).map_or("", |token| token.text.as_str());
        if matches!(next, "{" | "impl" | "(") && !explained(&lines, token.line) {
            findings.push(Finding::at(
                file,
                token.line,
                "`unsafe` without a `SAFETY:` comment just above it",
            ));
        }
    }
}

/// Whether the comment above the statement that holds the line says `SAFETY:` (or the line itself does).
fn explained(lines: &[&str], line: usize) -> bool {
    let says = |text: &str| text.contains("SAFETY:");
    if lines.get(line - 1).is_some_and(|text| says(text)) {
        return true;
    }
    // A statement may begin a few lines above its `unsafe`, and attributes stand between it and its comment.
    let above = lines[..line - 1].iter().rev().take(STATEMENT_LINES_MAX + COMMENT_LINES_MAX);
    for (distance, text) in above.enumerate() {
        let text = text.trim();
        if says(text) {
            return true;
        }
        let is_comment = text.starts_with("//") || text.starts_with("#[");
        if !is_comment && (text.is_empty() || text.ends_with(['}', ';']) || distance >= STATEMENT_LINES_MAX) {
            return false;
        }
    }
    false
}

const STATEMENT_LINES_MAX: usize = 6;
const COMMENT_LINES_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn a_crate_root_without_the_promise_is_found() {
        assert_eq!(found("crates/dacapo-sim/src/lib.rs", "//! x\n"), 1);
        assert_eq!(found("crates/dacapo-sim/src/lib.rs", "//! x\n#![forbid(unsafe_code)]\n"), 0);
        assert_eq!(found("crates/dacapo-sim/src/a.rs", "//! x\n"), 0);
    }

    #[test]
    fn an_unsafe_without_its_reason_is_found() {
        let path = "crates/dacapo-js/src/a.rs";
        assert_eq!(found(path, "fn f() {\n    unsafe { g() }\n}\n"), 1);
        assert_eq!(found(path, "fn f() {\n    // SAFETY: g has no conditions\n    unsafe { g() }\n}\n"), 0);
        assert_eq!(found(path, "fn f() {\n    // SAFETY: so\n    let x =\n        unsafe { g() };\n}\n"), 0);
        assert_eq!(found(path, "// SAFETY: old\nfn e() {}\n\nunsafe impl Send for A {}\n"), 1);
        assert_eq!(found(path, "// SAFETY: so\nunsafe impl Send for A {}\n"), 0);
        assert_eq!(found(path, "#[unsafe(no_mangle)]\nextern \"C\" fn f() {}\n"), 1);
        assert_eq!(found(path, "unsafe fn f() {}\n"), 0);
        assert_eq!(found(path, "type F = unsafe extern \"C\" fn(u8);\n"), 0);
    }
}
