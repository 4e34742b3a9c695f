//! A list that shares its beginning with the lists that it grew from, so that a search may keep thousands.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use rustc_hash::FxHasher;

use crate::history::Value;

/// A list of values.
#[derive(Clone, Debug, Default)]
pub struct Chain(Option<Rc<Link>>);

#[derive(Debug)]
struct Link {
    value: Value,
    before: Chain,
    length: usize,
    hash: u64,
}

impl Chain {
    /// This list with one more value.
    #[must_use]
    pub fn with(&self, value: Value) -> Chain {
        let mut hasher = FxHasher::default();
        (self.hash_so_far(), &value).hash(&mut hasher);
        let hash = hasher.finish();
        Chain(Some(Rc::new(Link { value, before: self.clone(), length: self.len() + 1, hash })))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |link| link.length)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether these are the values.
    pub fn is(&self, values: &[Value]) -> bool {
        self.len() == values.len() && self.backwards().eq(values.iter().rev())
    }

    /// The values in order.
    pub fn items(&self) -> Vec<Value> {
        let mut items: Vec<Value> = self.backwards().cloned().collect();
        items.reverse();
        items
    }

    fn backwards(&self) -> impl Iterator<Item = &Value> {
        std::iter::successors(self.0.as_ref(), |link| link.before.0.as_ref()).map(|link| &link.value)
    }

    fn hash_so_far(&self) -> u64 {
        self.0.as_ref().map_or(0, |link| link.hash)
    }
}

impl PartialEq for Chain {
    fn eq(&self, other: &Chain) -> bool {
        let (mut one, mut two) = (&self.0, &other.0);
        loop {
            match (one, two) {
                (None, None) => return true,
                (Some(a), Some(b)) if Rc::ptr_eq(a, b) => return true,
                (Some(a), Some(b)) if a.hash == b.hash && a.length == b.length && a.value == b.value => {
                    (one, two) = (&a.before.0, &b.before.0);
                }
                _ => return false,
            }
        }
    }
}

impl Eq for Chain {}

impl Hash for Chain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash_so_far());
    }
}

impl Drop for Link {
    // One after the other: a long list would be too deep for the stack.
    fn drop(&mut self) {
        let mut before = self.before.0.take();
        while let Some(link) = before {
            match Rc::try_unwrap(link) {
                Ok(mut link) => before = link.before.0.take(),
                Err(_) => break,
            }
        }
    }
}
