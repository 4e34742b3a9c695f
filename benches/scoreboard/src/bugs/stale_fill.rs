//! Stale fill: a reader has missed the cache and asked the database; before it fills the cache, a writer changes the row and
//! empties the cache. What the reader then fills in is old, and stays.
//!
//! Nishtala et al., "Scaling Memcache at Facebook" (2013), section 3.2.1: the cache gives out a lease with each miss, and
//! takes no value whose lease was ended by a deletion. So does the twin.

use std::cell::Cell;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{millis, refuse, share, span, these, wait_for};

pub(crate) const BUG: Bug = Bug {
    name: "stale-fill",
    rule: "the cache holds what the database holds",
    needs: "a fill overtaken by a write and its deletion",
    budget: 400,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

struct Database(Cell<u64>);

impl Service for Database {
    fn start(_: Guest) -> Self {
        Database(Cell::new(0))
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/write" {
            let [value] = these(&request.text());
            self.0.set(value);
        }
        Response::text(self.0.get().to_string())
    }
}

struct Cache<const BUGGY: bool> {
    entry: Cell<Option<u64>>,
    /// Grows with each deletion: a lease is its value at the time of the miss.
    lease: Cell<u64>,
}

impl<const BUGGY: bool> Service for Cache<BUGGY> {
    fn start(_: Guest) -> Self {
        Cache { entry: Cell::new(None), lease: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        match request.path() {
            "/fill" => {
                let [lease, value] = these(&request.text());
                if !BUGGY && lease != self.lease.get() {
                    return refuse("it was deleted meanwhile");
                }
                self.entry.set(Some(value));
            }
            "/delete" => {
                self.lease.set(self.lease.get() + 1);
                self.entry.set(None);
            }
            _ => {}
        }
        let entry = self.entry.get().map_or(String::new(), |value| format!(" {value}"));
        Response::text(format!("{}{entry}", self.lease.get()))
    }
}

struct Clients {
    guest: Guest,
    next: Cell<u64>,
}

impl Clients {
    async fn round(self: Rc<Self>, client: u32) {
        if client == 0 {
            self.next.set(self.next.get() + 1);
            wait_for(&self.guest, "database/write", self.next.get().to_string()).await;
            wait_for(&self.guest, "cache/delete", "").await;
            return;
        }
        let Some(entry) = wait_for(&self.guest, "cache/get", "").await else { return };
        if !entry.contains(' ')
            && let Some(value) = wait_for(&self.guest, "database/read", "").await
        {
            wait_for(&self.guest, "cache/fill", format!("{entry} {value}")).await;
        }
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest, next: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Self>> {
        vec![Driver::new(Self::round).clients(2).pause(millis(25))]
    }

    async fn judge(self: Rc<Self>) {
        let cached = wait_for(&self.guest, "cache/get", "").await.expect("nothing fails");
        let stored = wait_for(&self.guest, "database/read", "").await.expect("nothing fails");
        let is_same = cached.split_once(' ').is_none_or(|(_, value)| value == stored);
        self.guest.always_or(is_same, BUG.rule, || format!("cached: {cached}; stored: {stored}"));
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Database>("database", &[])
        .singleton::<Cache<BUGGY>>("cache", &[])
        .workload::<Clients>()
        .nodes(2)
        .fault("net.delay", &[("rate", share(0.002)), ("max", span(20))], &[])
        .lasts(millis(120))
        .build()
}
