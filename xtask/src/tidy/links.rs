//! Links between pages lead somewhere.

use pulldown_cmark::{Event, Parser, Tag};

use super::tree::File;
use super::{Finding, Tree};

/// Checks every link to a file in the README and in `docs`; addresses on the web are not asked for.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let pages = tree.files().filter(|file| {
        file.has_extension(&["md"]) && (file.path == "README.md" || file.path.starts_with("docs/"))
    });
    pages.flat_map(|page| dead_links(page, tree)).collect()
}

fn dead_links(page: &File, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (event, range) in Parser::new(page.text()).into_offset_iter() {
        let (Event::Start(Tag::Link { dest_url, .. }) | Event::Start(Tag::Image { dest_url, .. })) = event
        else {
            continue;
        };
        let target = dest_url.split(['#', '?']).next().unwrap_or("");
        if target.is_empty() || dest_url.contains("://") || dest_url.starts_with("mailto:") {
            continue;
        }
        if !resolve(page.folder(), target).is_some_and(|path| tree.holds(&path)) {
            let line = page.text()[..range.start].matches('\n').count() + 1;
            findings.push(Finding::at(page, line, format!("the link to `{dest_url}` leads nowhere")));
        }
    }
    findings
}

/// The path of a link as seen from a folder, or nothing where it climbs out of the project.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let found = |text| {
            let tree = Tree::of(&[("docs/a.md", text), ("docs/b.md", ""), ("README.md", "[a](docs/a.md)")]);
            check(&tree).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found("x\n[b](c.md)"), ["docs/a.md:2: the link to `c.md` leads nowhere"]);
        assert_eq!(found("[out](../../x)").len(), 1);
        assert!(
            found("[b](b.md#part) [top](#top) [r](../README.md) [web](https://example.org) `[x](y.md)`")
                .is_empty()
        );
    }
}
