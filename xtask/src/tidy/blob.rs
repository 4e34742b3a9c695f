//! A repository is cloned by everybody for ever: nothing big goes in.

use super::{Finding, Tree};

const BYTES_MAX: u64 = 256 * 1024;

/// Finds files over the limit; lock files are written by tools and may be long.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let big = tree.files().filter(|file| file.bytes > BYTES_MAX && !file.is_lock());
    big.map(|file| {
        let (kib, max) = (file.bytes / 1024, BYTES_MAX / 1024);
        Finding::in_file(
            file,
            format!("{kib} KiB, and {max} KiB is the most: make it when it is needed, or shrink it"),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_big_file_is_found_and_a_lock_file_is_not() {
        let big = "x".repeat(BYTES_MAX as usize + 1);
        assert_eq!(check(&Tree::of(&[("a.bin", &big)])).len(), 1);
        assert_eq!(check(&Tree::of(&[("Cargo.lock", &big)])).len(), 0);
    }
}
