//! Clock-skewed lease: a lease that ends at a time of day, which each side reads from its own clock.
//!
//! Gray and Cheriton, "Leases" (1989), ask for bounded drift and no more; many an implementation since has sent the time
//! of day. The twin sends how long the lease lasts and counts from before it asked, with a margin.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::{Time, WallTime};
use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask, at_least, forget, millis, refuse, span, these};

pub(crate) const BUG: Bug = Bug {
    name: "clock-skewed-lease",
    rule: "one holder at a time",
    needs: "two clocks that differ by more than a lease is idle",
    budget: 20,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

const LEASE: Duration = millis(200);

struct Leases<const BUGGY: bool> {
    guest: Guest,
    token: Cell<u64>,
    ends: Cell<Time>,
    ends_at: Cell<WallTime>,
}

impl<const BUGGY: bool> Service for Leases<BUGGY> {
    fn start(guest: Guest) -> Self {
        let ends_at = Cell::new(guest.wall());
        Leases { guest, token: Cell::new(0), ends: Cell::new(Time::ZERO), ends_at }
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        let (now, wall) = (self.guest.now(), self.guest.wall());
        let is_held = if BUGGY { wall < self.ends_at.get() } else { now < self.ends.get() };
        if is_held {
            return refuse("it is held");
        }
        self.token.set(self.token.get() + 1);
        self.ends.set(now + LEASE);
        self.ends_at.set(wall.later(LEASE));
        Response::text(format!("{} {}", self.token.get(), self.ends_at.get().as_millis()))
    }
}

/// Does something that only the holder may do.
struct Worker<const BUGGY: bool> {
    guest: Guest,
}

impl<const BUGGY: bool> Service for Worker<BUGGY> {
    fn start(guest: Guest) -> Self {
        Worker { guest }
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        let asked = self.guest.now();
        let Some(lease) = ask(&self.guest, "leases/acquire", "").await else { return refuse("it is held") };
        let [token, ends_at] = these(&lease);
        loop {
            let holds = if BUGGY {
                self.guest.wall().as_millis() < ends_at as i64
            } else {
                self.guest.now() < asked + LEASE - millis(50)
            };
            if !holds {
                return Response::text("done");
            }
            // It does what only the holder may do.
            let latest = at_least(token);
            let details = || format!("holder {token} is at work after holder {latest}");
            self.guest.always_or(token >= latest, BUG.rule, details);
            self.guest.sleep(millis(10)).await;
        }
    }
}

struct Clients {
    guest: Guest,
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        forget();
        Clients { guest }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let work = |w: Rc<Self>, client: u32| async move {
            ask(&w.guest, if client == 0 { "one/work" } else { "two/work" }, "").await;
        };
        vec![Driver::new(work).clients(2).pause(millis(40))]
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Leases<BUGGY>>("leases", &[])
        .singleton::<Worker<BUGGY>>("one", &["leases"])
        .singleton::<Worker<BUGGY>>("two", &["leases"])
        .workload::<Clients>()
        .fault("clock.skew", &[("max", span(100))], &[])
        .fault("clock.jump", &[("every", span(2000)), ("max", span(100))], &[])
        .faults(&["clock.drift"])
        .nodes(3)
        .lasts(millis(1500))
        .build()
}
