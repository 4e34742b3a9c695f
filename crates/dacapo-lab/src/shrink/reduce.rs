//! The least part of a list that still has a property (after Zeller and Hildebrandt, "Simplifying
//! and Isolating Failure-Inducing Input", 2002): takes out ever smaller pieces.

/// Takes items out of `items` as long as `holds` says that the rest still has the property, which the
/// whole list has. In the end no single item can be taken out any more, unless `holds` said `None`:
/// that ends the search.
pub(super) fn reduce<T: Clone>(items: Vec<T>, mut holds: impl FnMut(&[T]) -> Option<bool>) -> Vec<T> {
    let mut items = items;
    match holds(&[]) {
        None => return items,
        Some(true) => return Vec::new(),
        Some(false) => {}
    }
    let mut piece = items.len().div_ceil(2);
    while piece > 0 && !items.is_empty() {
        let mut end = items.len();
        let mut has_changed = false;
        // From the end: what comes late in a run depends on what came before, not the other way round.
        while end > 0 {
            let start = end.saturating_sub(piece);
            if end - start < items.len() {
                let rest: Vec<T> = items[..start].iter().chain(&items[end..]).cloned().collect();
                match holds(&rest) {
                    None => return items,
                    Some(true) => {
                        items = rest;
                        has_changed = true;
                    }
                    Some(false) => {}
                }
            }
            end = start;
        }
        if piece > 1 {
            piece = piece.div_ceil(2).min(items.len().max(1));
        } else if !has_changed {
            piece = 0;
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::reduce;

    proptest! {
        #[test]
        fn what_is_left_is_what_it_takes(n in 1usize..200, needed in proptest::collection::btree_set(0usize..200, 0..6)) {
            let needed: Vec<usize> = needed.into_iter().filter(|i| *i < n).collect();
            let left = reduce((0..n).collect(), |rest| Some(needed.iter().all(|i| rest.contains(i))));
            prop_assert_eq!(left, needed);
        }

        #[test]
        fn no_single_item_can_be_taken_out(n in 1u32..60, modulus in 2u32..9) {
            // A property that is not about single items: enough of them of one kind.
            let holds = |rest: &[u32]| rest.iter().filter(|i| *i % modulus == 0).count() as u32 * modulus >= n / 2;
            let left = reduce((0..n).collect(), |rest| Some(holds(rest)));
            prop_assert!(holds(&left));
            for out in 0..left.len() {
                let rest: Vec<u32> = left.iter().enumerate().filter(|(i, _)| *i != out).map(|(_, x)| *x).collect();
                prop_assert!(!holds(&rest), "{left:?} without its item {out}");
            }
        }

        #[test]
        fn an_end_of_patience_leaves_something_that_has_the_property(n in 1usize..100, patience in 0usize..30) {
            let mut left = patience;
            let found = reduce((0..n).collect(), |rest| {
                left = left.checked_sub(1)?;
                Some(rest.contains(&(n / 3)))
            });
            prop_assert!(found.contains(&(n / 3)));
        }
    }
}
