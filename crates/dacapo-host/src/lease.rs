//! The coordination service of a process: what its loops agree on. One that several machines share
//! will stand behind the same door.

use std::sync::{Arc, Mutex, PoisonError};

use dacapo_core::{Event, LeaseCall, LeaseTable};

use crate::clock::Clock;

/// The way to it, from every loop.
#[derive(Clone)]
pub(crate) struct LeaseDoor(Arc<Mutex<(Clock, LeaseTable)>>);

impl LeaseDoor {
    pub(crate) fn new() -> LeaseDoor {
        LeaseDoor(Arc::new(Mutex::new((Clock::start(), LeaseTable::default()))))
    }

    /// Asks it, and gives the answer.
    pub(crate) fn ask(&self, call: &LeaseCall) -> Event {
        // Whoever panicked while it held the table left it as it was: a call does not panic half way.
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (clock, table) = &mut *guard;
        Event::Leased(call.number, Ok(table.call(clock.now(), call)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dacapo_core::LeaseSwap;
    use std::time::Duration;

    #[test]
    fn all_loops_see_one_table() {
        let (one, two) = (LeaseDoor::new(), LeaseDoor::new());
        let other = one.clone();
        let swap = |value: &'static str| LeaseCall {
            number: 3,
            group: "g".into(),
            swaps: vec![LeaseSwap { key: 1, expected: 0, value: value.into(), ttl: Duration::from_secs(60) }],
        };
        let holder = |event| match event {
            Event::Leased(3, Ok(records)) => records[0].value.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(holder(one.ask(&swap("a"))), "a");
        assert_eq!(holder(other.ask(&swap("b"))), "a");
        assert_eq!(holder(two.ask(&swap("b"))), "b", "another process");
    }
}
