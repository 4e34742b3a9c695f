//! A map for what is named by numbers that are given out one after the other.

use std::hash::Hash;

use crate::{CallId, ExchangeId, IdMap, TimerId};

/// A name that is a number.
pub trait Numbered: Copy + Ord + Hash {
    /// The number.
    fn number(self) -> u64;
}

macro_rules! numbered {
    ($($name:ident),*) => {
        $(impl Numbered for $name {
            #[inline]
            fn number(self) -> u64 {
                self.0
            }
        })*
    };
}
numbered!(CallId, ExchangeId, TimerId);

/// What is open at present, by its number: quicker than an [`IdMap`], because numbers that follow each
/// other need no hash to be spread.
///
/// What stays open for long does not keep room for all that comes and goes after it.
#[derive(Clone, Debug)]
pub struct IdRing<K: Numbered, V> {
    /// What is named `n` stands at `n` modulo the length, which is a power of two.
    ring: Vec<Option<(K, V)>>,
    in_ring: usize,
    /// What found its place taken.
    others: IdMap<K, V>,
}

impl<K: Numbered, V> Default for IdRing<K, V> {
    fn default() -> IdRing<K, V> {
        IdRing { ring: Vec::new(), in_ring: 0, others: IdMap::default() }
    }
}

impl<K: Numbered, V> IdRing<K, V> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.in_ring + self.others.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.in_ring == 0 && self.others.is_empty()
    }

    /// The value of this name.
    #[inline]
    pub fn get(&self, id: K) -> Option<&V> {
        match self.ring.get(self.place(id)) {
            Some(Some((name, value))) if *name == id => Some(value),
            _ if self.others.is_empty() => None,
            _ => self.others.get(&id),
        }
    }

    /// The value of this name.
    #[inline]
    pub fn get_mut(&mut self, id: K) -> Option<&mut V> {
        let place = self.place(id);
        match self.ring.get_mut(place) {
            Some(Some((name, value))) if *name == id => Some(value),
            _ if self.others.is_empty() => None,
            _ => self.others.get_mut(&id),
        }
    }

    /// Gives this name a value.
    #[inline]
    pub fn insert(&mut self, id: K, value: V) {
        self.insert_with(id, || value);
    }

    /// The same; the value is made where it is to stand, which is quicker if it is large.
    #[inline]
    pub fn insert_with(&mut self, id: K, value: impl FnOnce() -> V) {
        if self.in_ring >= self.ring.len() / 2 {
            self.grow();
        }
        if !self.others.is_empty() {
            self.others.remove(&id);
        }
        self.put(id, value);
    }

    #[inline]
    fn put(&mut self, id: K, value: impl FnOnce() -> V) {
        let place = self.place(id);
        match &mut self.ring[place] {
            empty @ None => {
                *empty = Some((id, value()));
                self.in_ring += 1;
            }
            Some((name, old)) if *name == id => *old = value(),
            Some(_) => drop(self.others.insert(id, value())),
        }
    }

    /// Takes the value of this name out.
    #[inline]
    pub fn remove(&mut self, id: K) -> Option<V> {
        self.remove_if(id, |_| true)
    }

    /// The same, if the value satisfies `test`.
    #[inline]
    pub fn remove_if(&mut self, id: K, test: impl Fn(&V) -> bool) -> Option<V> {
        let place = self.place(id);
        match self.ring.get_mut(place) {
            Some(taken @ Some(_)) if taken.as_ref().is_some_and(|(name, _)| *name == id) => {
                let (_, value) = taken.take_if(|(_, value)| test(value))?;
                self.in_ring -= 1;
                Some(value)
            }
            _ if self.others.is_empty() => None,
            _ if self.others.get(&id).is_some_and(test) => self.others.remove(&id),
            _ => None,
        }
    }

    /// Whether any value satisfies `test`.
    pub fn any(&self, mut test: impl FnMut(&V) -> bool) -> bool {
        self.ring.iter().flatten().any(|(_, value)| test(value)) || self.others.any(test)
    }

    /// Takes out all that satisfy `test`, in the order of their names.
    pub fn take_all(&mut self, mut test: impl FnMut(&K, &V) -> bool) -> Vec<(K, V)> {
        let mut taken = self.others.take_all(&mut test);
        for entry in &mut self.ring {
            if let Some(entry) = entry.take_if(|(id, value)| test(id, value)) {
                self.in_ring -= 1;
                taken.push(entry);
            }
        }
        taken.sort_unstable_by_key(|(id, _)| *id);
        taken
    }

    /// (In an empty ring there is no place, and this is none.)
    #[inline]
    fn place(&self, id: K) -> usize {
        id.number() as usize & self.ring.len().wrapping_sub(1)
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let len = (self.ring.len() * 2).max(8);
        let all = self.take_all(|_, _| true);
        self.ring.resize_with(len, || None);
        for (id, value) in all {
            self.put(id, || value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_an_ordered_map_holds(steps in prop::collection::vec((0u8..5, 0usize..40), 0..400)) {
            let (mut ring, mut map, mut next) = (IdRing::default(), BTreeMap::new(), 0);
            for (what, nth) in steps {
                let open: Vec<u64> = map.keys().copied().collect();
                let id = open.get(nth % open.len().max(1)).copied().unwrap_or(1_000_000);
                match what {
                    0 | 1 => {
                        // Some numbers are given to others.
                        next += 1 + nth as u64 / 8;
                        ring.insert(CallId(next), next * 3);
                        map.insert(next, next * 3);
                    }
                    2 => {
                        ring.insert(CallId(id), 5);
                        map.insert(id, 5);
                    }
                    3 if nth % 4 == 0 => {
                        let is_even = |value: &u64| value.is_multiple_of(2);
                        let removed = if map.get(&id).is_some_and(is_even) { map.remove(&id) } else { None };
                        prop_assert_eq!(ring.remove_if(CallId(id), is_even), removed);
                    }
                    3 => prop_assert_eq!(ring.remove(CallId(id)), map.remove(&id)),
                    _ => prop_assert_eq!(ring.get_mut(CallId(id)).copied(), map.get(&id).copied()),
                }
                prop_assert_eq!((ring.len(), ring.is_empty()), (map.len(), map.is_empty()));
                prop_assert!(map.iter().all(|(id, value)| ring.get(CallId(*id)) == Some(value)));
            }
            let even = ring.take_all(|_, value| value % 2 == 0);
            let expected: Vec<_> = map.extract_if(.., |_, value| *value % 2 == 0).collect();
            prop_assert_eq!(even.into_iter().map(|(id, value)| (id.0, value)).collect::<Vec<_>>(), expected);
            prop_assert_eq!(ring.any(|_| true), !map.is_empty());
        }
    }

    #[test]
    fn what_stays_open_keeps_no_room_for_what_came_after_it() {
        let mut ring = IdRing::default();
        ring.insert(ExchangeId(0), 7);
        for n in 1..100_000 {
            ring.insert(ExchangeId(n), 8);
            ring.remove(ExchangeId(n));
        }
        assert_eq!((ring.get(ExchangeId(0)), ring.ring.len()), (Some(&7), 8));
    }
}
