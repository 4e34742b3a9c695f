//! A map for what comes and goes with every delivery.

#![expect(clippy::disallowed_types, reason = "the order of the map inside cannot be seen from outside")]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash};

use rustc_hash::FxHasher;

/// What is open at present, by its name: quicker than an ordered map.
///
/// There is no way to go through its entries in the order of the hash, which is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdMap<K: Eq + Hash, V>(HashMap<K, V, BuildHasherDefault<FxHasher>>);

impl<K: Eq + Hash, V> Default for IdMap<K, V> {
    fn default() -> IdMap<K, V> {
        IdMap(HashMap::default())
    }
}

impl<K: Copy + Ord + Hash, V> IdMap<K, V> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of this name.
    pub fn get(&self, id: &K) -> Option<&V> {
        self.0.get(id)
    }

    /// The value of this name.
    pub fn get_mut(&mut self, id: &K) -> Option<&mut V> {
        self.0.get_mut(id)
    }

    /// Gives this name a value; the one that it had.
    pub fn insert(&mut self, id: K, value: V) -> Option<V> {
        self.0.insert(id, value)
    }

    /// The value of this name, which is the default one if it has none yet.
    pub fn get_or_default(&mut self, id: K) -> &mut V
    where
        V: Default,
    {
        self.0.entry(id).or_default()
    }

    /// Takes the value of this name out.
    pub fn remove(&mut self, id: &K) -> Option<V> {
        self.0.remove(id)
    }

    /// Whether any value satisfies `test`.
    pub fn any(&self, test: impl FnMut(&V) -> bool) -> bool {
        self.0.values().any(test)
    }

    /// Takes out all that satisfy `test`, in the order of their names.
    pub fn take_all(&mut self, mut test: impl FnMut(&K, &V) -> bool) -> Vec<(K, V)> {
        let mut taken: Vec<(K, V)> = self.0.extract_if(|id, value| test(id, value)).collect();
        taken.sort_unstable_by_key(|(id, _)| *id);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_comes_in_the_order_of_its_names() {
        let mut map = IdMap::default();
        for id in [70, 3, 500_000, 11, 4, 90_001, 8] {
            map.insert(id, id % 2 == 0);
        }
        let taken: Vec<i32> = map.take_all(|_, is_even| *is_even).into_iter().map(|(id, _)| id).collect();
        assert_eq!(taken, [4, 8, 70, 500_000]);
        assert_eq!((map.len(), map.get(&4), map.get(&3)), (3, None, Some(&false)));
    }
}
