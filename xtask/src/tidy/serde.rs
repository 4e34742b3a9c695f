//! What is written to disk has its own types: the types of the door never derive `Serialize`.

use super::rust::Token;
use super::tree::crate_of;
use super::{Finding, Tree};

/// Where files and reports are written.
const MAY: &[&str] = &["dacapo", "dacapo-lab", "dacapo-trace"];

/// Finds serde derives outside of the crates that own a format.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The peers of the benchmarks are not ours: their own simulators want serde on messages.
    let ours = tree.rust().filter(|file| !file.path.starts_with("benches/peers/"));
    for file in ours.filter(|file| !MAY.contains(&crate_of(&file.path))) {
        match file.tokens() {
            Ok(tokens) => findings.extend(derives(&tokens).into_iter().map(|(line, name)| {
                Finding::at(
                    file,
                    line,
                    format!("derives `{name}`: give the format its own type, in {}", MAY.join(" or ")),
                )
            })),
            Err(finding) => findings.push(finding),
        }
    }
    findings
}

fn derives(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, _) in tokens.iter().enumerate().filter(|(_, token)| token.text == "derive") {
        let list = tokens[index + 1..].iter().take_while(|token| token.text != ")");
        let names = list.filter(|token| matches!(token.text.as_str(), "Serialize" | "Deserialize"));
        found.extend(names.map(|token| (token.line, token.text.clone())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_type_that_derives_serde_is_found() {
        let text =
            "#[derive(Debug, serde::Serialize)]\nstruct A;\n#[cfg_attr(x, derive(Deserialize))] struct B;";
        let found = |path| check(&Tree::of(&[(path, text)])).len();
        assert_eq!(found("crates/dacapo-core/src/a.rs"), 2);
        assert_eq!(found("crates/dacapo-trace/src/a.rs"), 0);
    }
}
