//! Numbers that are done, as ranges: millions of them take no room.

use std::collections::BTreeMap;

/// A set of numbers, most of which follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Intervals(BTreeMap<u64, u64>);

impl Intervals {
    /// Adds a number; false: it was there.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        if self.contains(number) {
            return false;
        }
        let after = number.saturating_add(1);
        let end = self.0.remove(&after).unwrap_or(after);
        match self.0.range_mut(..number).next_back() {
            Some((_, before)) if *before == number => *before = end,
            _ => {
                self.0.insert(number, end);
            }
        }
        true
    }

    /// Whether a number is there.
    pub(crate) fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, end)| number < *end)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(numbers in prop::collection::vec(0u64..60, 0..200)) {
            let (mut intervals, mut set) = (Intervals::default(), BTreeSet::new());
            for number in numbers {
                prop_assert_eq!(intervals.insert(number), set.insert(number));
            }
            for number in 0..61 {
                prop_assert_eq!(intervals.contains(number), set.contains(&number));
            }
        }
    }

    #[test]
    fn numbers_in_a_row_are_one_range_in_whatever_order_they_come() {
        let mut intervals = Intervals::default();
        for number in (0..1000).rev().step_by(2).chain((0..1000).step_by(2)) {
            intervals.insert(number);
        }
        assert_eq!(intervals.0, BTreeMap::from([(0, 1000)]));
    }
}
