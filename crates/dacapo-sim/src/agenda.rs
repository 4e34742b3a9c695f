//! When what is due: gives what comes first.
//!
//! A tournament tree (Knuth, "The Art of Computer Programming", volume 3, section 5.4.1): each number has a leaf, and of two
//! neighbours that which is due sooner goes on to the next round. A change plays one game a round whatever comes of it: there is nothing
//! for a processor to guess, as there is in a heap, where guessing wrong took longer than the work.

use std::hint::select_unpredictable;

use dacapo_core::Time;

/// When something is due, and the number that it goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(crate) at: Time,
    pub(crate) slot: u32,
}

/// Nothing. (What is due at the end of time is due a nanosecond before.)
const NEVER: Due = Due { at: Time(u64::MAX), slot: u32::MAX };

/// What is due, and when. Numbers are small, and nothing has the number of another.
pub(crate) struct Agenda {
    /// The winner of all is at 1; below `n` are `2n` and `2n + 1`; the second half are leaves, by number.
    tree: Vec<Due>,
}

impl Default for Agenda {
    fn default() -> Agenda {
        Agenda { tree: vec![NEVER; 4] }
    }
}

impl Agenda {
    #[inline(always)]
    pub(crate) fn add(&mut self, due: Due) {
        if due.slot as usize >= self.tree.len() / 2 {
            self.grow(due.slot);
        }
        self.play(due.slot, Due { at: due.at.min(Time(u64::MAX - 1)), ..due });
    }

    /// Something new stands at this leaf.
    #[inline(always)]
    fn play(&mut self, slot: u32, due: Due) {
        let mut node = self.tree.len() / 2 + slot as usize;
        let mut winner = due;
        self.tree[node] = winner;
        while node > 1 {
            let other = self.tree[node ^ 1];
            let wins = other.at < winner.at;
            winner.at = select_unpredictable(wins, other.at, winner.at);
            winner.slot = select_unpredictable(wins, other.slot, winner.slot);
            node /= 2;
            self.tree[node] = winner;
        }
    }

    /// What is due first; nobody says which of those that are due at the same time.
    #[inline(always)]
    fn first(&self) -> Option<Due> {
        let first = self.tree[1];
        (first.slot != NEVER.slot).then_some(first)
    }

    /// Takes it out.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> Option<Due> {
        let first = self.first()?;
        self.play(first.slot, NEVER);
        Some(first)
    }

    /// Whether anything is due then, if nothing is due before.
    #[inline(always)]
    pub(crate) fn is_due(&self, at: Time) -> bool {
        self.first().is_some_and(|first| first.at == at)
    }

    #[cold]
    fn grow(&mut self, slot: u32) {
        let leaves = self.tree.split_off(self.tree.len() / 2);
        let len = (slot as usize + 1).next_power_of_two();
        self.tree = vec![NEVER; 2 * len];
        for due in leaves.into_iter().filter(|due| due.slot != NEVER.slot) {
            self.play(due.slot, due);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_due_at_the_end_of_time_is_due() {
        let mut agenda = Agenda::default();
        for slot in 0..3 {
            agenda.add(Due { at: Time(u64::MAX), slot });
        }
        let taken: BTreeSet<u32> = std::iter::from_fn(|| agenda.take()).map(|due| due.slot).collect();
        assert_eq!(taken, BTreeSet::from([0, 1, 2]));
    }

    proptest! {
        #[test]
        fn what_is_due_first_comes_first(steps in prop::collection::vec((0u32..60, 0u64..20), 0..400)) {
            let (mut agenda, mut expected, mut free) = (Agenda::default(), BTreeSet::new(), (0..60).collect::<BTreeSet<u32>>());
            for (slot, at) in steps {
                if at % 2 == 0 && free.remove(&slot) {
                    agenda.add(Due { at: Time(at), slot });
                    expected.insert((at, slot));
                } else {
                    let taken = agenda.take();
                    let first = expected.first().map(|(at, _)| *at);
                    prop_assert_eq!(taken.map(|due| due.at.0), first);
                    if let Some(Due { at, slot }) = taken {
                        prop_assert!(expected.remove(&(at.0, slot)), "nobody has put in {slot} at {}", at.0);
                        free.insert(slot);
                        prop_assert_eq!(agenda.is_due(at), expected.first().is_some_and(|(first, _)| *first == at.0));
                    }
                }
                prop_assert_eq!(agenda.first().is_some(), !expected.is_empty());
            }
        }
    }
}
