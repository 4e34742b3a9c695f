//! The timers of one loop: a sorted list of deadlines, not a task each.

use std::collections::BTreeMap;

use dacapo_core::{Address, InstanceId, Time, TimerId};

/// Timers by deadline; among equal deadlines the one that was set first is due first.
#[derive(Default)]
pub(crate) struct Timers {
    by_time: BTreeMap<(Time, u64), (Address, TimerId)>,
    by_name: BTreeMap<(Address, TimerId), (Time, u64)>,
    set: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, owner: Address, timer: TimerId, due: Time) {
        self.clear(owner, timer);
        self.set += 1;
        self.by_time.insert((due, self.set), (owner, timer));
        self.by_name.insert((owner, timer), (due, self.set));
    }

    pub(crate) fn clear(&mut self, owner: Address, timer: TimerId) {
        if let Some(key) = self.by_name.remove(&(owner, timer)) {
            self.by_time.remove(&key);
        }
    }

    /// Forgets every timer of an instance that is gone.
    pub(crate) fn clear_all_of(&mut self, owner: Address) {
        let (first, last) = ((owner, TimerId(0)), (owner, TimerId(u64::MAX)));
        debug_assert_ne!(owner.instance, InstanceId::RUNTIME, "the runtime does not end");
        let gone: Vec<TimerId> = self.by_name.range(first..=last).map(|((_, timer), _)| *timer).collect();
        for timer in gone {
            self.clear(owner, timer);
        }
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        self.by_time.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes the first timer that is due at `now`.
    pub(crate) fn take_due(&mut self, now: Time) -> Option<(Address, TimerId)> {
        let entry = self.by_time.first_entry().filter(|entry| entry.key().0 <= now)?;
        let name = entry.remove();
        self.by_name.remove(&name);
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dacapo_core::NodeId;

    fn instance(n: u32) -> Address {
        Address { node: NodeId(0), instance: InstanceId(n) }
    }

    #[test]
    fn timers_are_due_in_the_order_of_their_deadlines_then_of_their_setting() {
        let mut timers = Timers::default();
        timers.set(instance(1), TimerId(1), Time(20));
        timers.set(instance(1), TimerId(2), Time(10));
        timers.set(instance(2), TimerId(1), Time(10));
        assert_eq!(timers.next_due(), Some(Time(10)));
        assert_eq!(timers.take_due(Time(9)), None);
        let due: Vec<_> = std::iter::from_fn(|| timers.take_due(Time(30))).collect();
        assert_eq!(due, [(instance(1), TimerId(2)), (instance(2), TimerId(1)), (instance(1), TimerId(1))]);
    }

    #[test]
    fn a_timer_that_is_cleared_or_set_anew_is_not_due_at_its_old_time() {
        let mut timers = Timers::default();
        timers.set(instance(1), TimerId(1), Time(10));
        timers.set(instance(1), TimerId(1), Time(50));
        timers.set(instance(1), TimerId(2), Time(10));
        timers.clear(instance(1), TimerId(2));
        timers.set(instance(2), TimerId(7), Time(10));
        timers.clear_all_of(instance(2));
        assert_eq!(timers.take_due(Time(49)), None);
        assert_eq!(timers.take_due(Time(50)), Some((instance(1), TimerId(1))));
        assert_eq!(timers.next_due(), None);
    }
}
