//! The states of durable objects as they are at the end of a run, put together from what passes the door.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_core::{Address, Changes, Delivery, Effect, Event, ObjectKey};

/// States that a run fills.
pub type SharedStates = Rc<RefCell<States>>;

/// The states of durable objects: the bytes of their databases, by their keys.
#[derive(Debug, Default)]
pub struct States {
    objects: BTreeMap<ObjectKey, Vec<u8>>,
    loading: BTreeMap<Address, ObjectKey>,
    committing: BTreeMap<(Address, u64), (ObjectKey, Changes)>,
}

impl States {
    /// Each object with the bytes of its database.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectKey, &[u8])> {
        self.objects.iter().map(|(key, bytes)| (key, bytes.as_slice()))
    }

    pub(crate) fn submitted(&mut self, from: Address, effect: &Effect) {
        match effect {
            Effect::Load(key) => {
                self.loading.insert(from, (**key).clone());
            }
            Effect::Commit(number, key, changes) => {
                self.committing.insert((from, *number), ((**key).clone(), (**changes).clone()));
            }
            _ => {}
        }
    }

    pub(crate) fn delivered(&mut self, delivery: &Delivery) {
        match &delivery.event {
            // What was committed just before a crash may be durable without an answer; what is loaded is.
            Event::Loaded(Ok(image)) => {
                let Some(key) = self.loading.remove(&delivery.to) else { return };
                let bytes = image.as_ref().map_or_else(Vec::new, |image| image.bytes.to_vec());
                self.objects.insert(key, bytes);
            }
            Event::Committed(number, result) => {
                let Some((key, changes)) = self.committing.remove(&(delivery.to, *number)) else { return };
                if result.is_ok() {
                    changes.apply(self.objects.entry(key).or_default());
                }
            }
            _ => {}
        }
    }
}
