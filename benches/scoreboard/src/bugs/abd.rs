//! Quorum reads without a write-back: a read sees a write that has reached one replica, a later one asks the two others
//! and sees the value before.
//!
//! Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message-passing systems" (1995): readers must write. The twin
//! writes back what it has read. Found when a write stays under way to two replicas while two reads come and go; no fault
//! is needed, only order.

use std::cell::Cell;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{gather, millis, share, span, these};

pub(crate) const BUG: Bug = Bug {
    name: "read-without-write-back",
    rule: "a later read is not older",
    needs: "two of three messages of a write overtaken by two reads",
    budget: 1500,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// The newest value that it was told.
struct Replica(Cell<u64>);

impl Service for Replica {
    fn start(_: Guest) -> Self {
        Replica(Cell::new(0))
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/write" {
            let [value] = these(&request.text());
            self.0.set(value.max(self.0.get()));
        }
        Response::text(self.0.get().to_string())
    }
}

struct Clients<const BUGGY: bool> {
    guest: Guest,
    written: Cell<u64>,
    read: Cell<u64>,
}

impl<const BUGGY: bool> Clients<BUGGY> {
    async fn majority(&self, path: &str, body: u64) -> Option<u64> {
        let to = ["x", "y", "z"].map(|replica| (format!("{replica}/{path}"), body.to_string()));
        let answers = gather(&self.guest, millis(1000), to.into(), 2).await;
        let newest = answers.iter().map(|(_, answer)| these::<1>(answer)[0]).max();
        newest.filter(|_| answers.len() == 2)
    }

    async fn round(self: Rc<Self>, client: u32) {
        if client == 0 {
            self.written.set(self.written.get() + 1);
            self.majority("write", self.written.get()).await;
            return;
        }
        let before = self.read.get();
        let Some(value) = self.majority("read", 0).await else { return };
        if !BUGGY && self.majority("write", value).await.is_none() {
            return;
        }
        self.guest.always_or(value >= before, BUG.rule, || format!("first {before} was read, then {value}"));
        self.read.set(value.max(self.read.get()));
    }
}

impl<const BUGGY: bool> Workload for Clients<BUGGY> {
    fn start(guest: Guest) -> Self {
        Clients { guest, written: Cell::new(0), read: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Self>> {
        vec![Driver::new(Self::round).clients(2).pause(millis(1))]
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Replica>("x", &[])
        .singleton::<Replica>("y", &[])
        .singleton::<Replica>("z", &[])
        .workload::<Clients<BUGGY>>()
        .fault("net.delay", &[("rate", share(0.002)), ("max", span(20))], &[])
        .lasts(millis(20))
        .build()
}
