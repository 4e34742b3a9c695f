//! The `clippy.toml` files are the generated ones.

use super::{Finding, Tree};
use crate::clippy_toml;

/// Compares each file with what `cargo xtask clippy-toml` would write.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let wrong = clippy_toml::files().into_iter().filter(|(path, text)| {
        // A crate that is not there yet needs no file.
        let home = path
            .rsplit_once('/')
            .map_or("Cargo.toml".to_owned(), |(folder, _)| format!("{folder}/Cargo.toml"));
        tree.file(&home).is_some() && tree.file(path).is_none_or(|file| file.text() != text)
    });
    wrong
        .map(|(path, _)| Finding::at_path(&path, "is not what is generated: run `cargo xtask clippy-toml`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_edited_by_hand_or_is_missing_is_found() {
        let files = clippy_toml::files();
        let mut tree: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        tree.push(("Cargo.toml", ""));
        assert_eq!(check(&Tree::of(&tree)), []);
        tree[0].1 = "# edited\n";
        assert_eq!(check(&Tree::of(&tree)).len(), 1);
        assert_eq!(check(&Tree::of(&[("Cargo.toml", "")])).len(), 1);
    }
}
