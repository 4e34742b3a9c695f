//! Lost update: two clients read a number, add one, and write it back; the second overwrites the first.
//!
//! The anomaly P4 of Berenson et al., "A Critique of ANSI SQL Isolation Levels" (1995). The twin writes only if
//! nobody wrote since (compare and set by version), and tries again. No fault is needed.

use std::cell::Cell;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{millis, refuse, these, wait_for};

pub(crate) const BUG: Bug = Bug {
    name: "lost-update",
    rule: "no increment is lost",
    needs: "two reads before the first write",
    budget: 5,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

struct Counter<const BUGGY: bool> {
    version: Cell<u64>,
    value: Cell<u64>,
}

impl<const BUGGY: bool> Service for Counter<BUGGY> {
    fn start(_: Guest) -> Self {
        Counter { version: Cell::new(0), value: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/write" {
            let [read, value] = these(&request.text());
            if !BUGGY && read != self.version.get() {
                return refuse("somebody else wrote in between");
            }
            self.version.set(self.version.get() + 1);
            self.value.set(value);
        }
        Response::text(format!("{} {}", self.version.get(), self.value.get()))
    }
}

struct Clients {
    guest: Guest,
    increments: Cell<u64>,
}

impl Clients {
    async fn increment(self: Rc<Self>) {
        loop {
            let read = wait_for(&self.guest, "counter/read", "").await.expect("a read is never refused");
            let [version, value] = these(&read);
            if wait_for(&self.guest, "counter/write", format!("{version} {}", value + 1)).await.is_some() {
                break self.increments.set(self.increments.get() + 1);
            }
        }
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Clients {
        Clients { guest, increments: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Clients>> {
        vec![Driver::new(|w: Rc<Clients>, _| w.increment()).clients(2).pause(millis(10))]
    }

    async fn judge(self: Rc<Self>) {
        let read = wait_for(&self.guest, "counter/read", "").await.expect("a read is never refused");
        let ([_, value], expected) = (these(&read), self.increments.get());
        self.guest.always_or(value == expected, BUG.rule, || {
            format!("{expected} increments were acknowledged, the number is {value}")
        });
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Counter<BUGGY>>("counter", &[])
        .workload::<Clients>()
        .nodes(1)
        .lasts(millis(50))
        .build()
}
