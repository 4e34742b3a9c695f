//! Hints that overflow: while a replica cannot be reached, its writes are kept as hints, at most 32 of them; what comes
//! beyond is dropped, and nobody remembers that something was.
//!
//! Hinted handoff, as Cassandra and Dynamo do it, needs a repair beside it. The twin notes that hints were dropped, and
//! sends everything. Found by a replica that is out of reach for long, while the sender does *not* crash: at its boot it
//! sends everything anyway.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask_within, insist, millis, numbers, refuse, span, these};

pub(crate) const BUG: Bug = Bug {
    name: "hints-overflow",
    rule: "the replica has what the source has",
    needs: "a replica out of reach for 32 writes in a row, without a crash meanwhile",
    budget: 300,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

const HINTS_MAX: usize = 32;

fn list(values: &BTreeMap<u64, u64>) -> String {
    let words: Vec<String> = values.iter().map(|(key, value)| format!("{key} {value}")).collect();
    words.join(" ")
}

fn take(values: &RefCell<BTreeMap<u64, u64>>, text: &str) {
    for pair in numbers(text).chunks_exact(2) {
        let mut values = values.borrow_mut();
        let entry = values.entry(pair[0]).or_default();
        *entry = pair[1].max(*entry);
    }
}

/// What is written, on a machine that does not fail.
struct Source {
    values: RefCell<BTreeMap<u64, u64>>,
    /// The latest boot of the gateway that it has heard of: what an earlier one has sent comes too late.
    boot: Cell<u64>,
}

impl Service for Source {
    fn start(_: Guest) -> Self {
        Source { values: RefCell::default(), boot: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let text = request.text();
        if request.path() != "/all" {
            let (boot, pairs) = text.split_once(' ').unwrap_or((&text, ""));
            let [boot] = these(boot);
            if boot < self.boot.get() {
                return refuse("the gateway has booted since");
            }
            self.boot.set(boot);
            take(&self.values, pairs);
        }
        Response::text(list(&self.values.borrow()))
    }
}

/// Takes writes, stores them, and passes them on to the replica.
struct Gateway<const BUGGY: bool> {
    guest: Guest,
    boot: i64,
    hints: RefCell<VecDeque<String>>,
    must_send_all: Cell<bool>,
    runs: Cell<bool>,
}

impl<const BUGGY: bool> Gateway<BUGGY> {
    async fn pass_on(self: Rc<Self>) {
        loop {
            if self.must_send_all.get() {
                self.hints.borrow_mut().clear();
                self.must_send_all.set(false);
                let all = insist(&self.guest, "source/list", self.boot.to_string()).await;
                insist(&self.guest, "replica/put", format!("0 {all}")).await;
            }
            let hint = self.hints.borrow().front().cloned();
            let Some(hint) = hint else { return self.runs.set(false) };
            if ask_within(&self.guest, millis(50), "replica/put", format!("0 {hint}")).await.is_some() {
                let mut hints = self.hints.borrow_mut();
                if hints.front() == Some(&hint) {
                    hints.pop_front();
                }
            }
        }
    }
}

impl<const BUGGY: bool> Gateway<BUGGY> {
    async fn write(self: Rc<Self>, write: String) {
        insist(&self.guest, "source/put", format!("{} {write}", self.boot)).await;
        let mut hints = self.hints.borrow_mut();
        hints.push_back(write);
        self.guest.coverage(&format!("{} hints", hints.len() / 4 * 4));
        if hints.len() > HINTS_MAX {
            hints.pop_front();
            if !BUGGY {
                self.must_send_all.set(true);
            }
        }
        if !self.runs.replace(true) {
            self.guest.spawn(Rc::clone(&self).pass_on());
        }
    }
}

impl<const BUGGY: bool> Service for Gateway<BUGGY> {
    fn start(guest: Guest) -> Self {
        let must_send_all = Cell::new(true);
        let boot = guest.wall().as_millis();
        Gateway { guest, boot, hints: RefCell::default(), must_send_all, runs: Cell::new(false) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        // A task of its own, so that it comes to its end whoever waits for it.
        self.guest.spawn(Rc::clone(&self).write(request.text())).await;
        Response::text("")
    }
}

struct Clients {
    guest: Guest,
    next: Cell<u64>,
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest, next: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let write = |w: Rc<Self>, client: u32| async move {
            w.next.set(w.next.get() + 1);
            let write = format!("{} {}", w.next.get(), client + 1);
            ask_within(&w.guest, millis(100), "gateway/put", write).await;
        };
        vec![Driver::new(write).clients(2).pause(millis(40))]
    }

    async fn judge(self: Rc<Self>) {
        // One more write, so that a gateway that has crashed sends what it has.
        insist(&self.guest, "gateway/put", format!("{} 1", self.next.get() + 1)).await;
        let mut stored = String::new();
        let mut copied = String::new();
        for _ in 0..40 {
            self.guest.sleep(millis(1000)).await;
            stored = insist(&self.guest, "source/all", "").await;
            copied = insist(&self.guest, "replica/all", "").await;
            if stored == copied {
                break;
            }
        }
        let count = |text: &str| numbers(text).len() / 2;
        self.guest.always_or(stored == copied, BUG.rule, || {
            format!("{} writes are stored, {} are at the replica", count(&stored), count(&copied))
        });
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Source>("source", &[])
        .singleton::<Gateway<BUGGY>>("gateway", &["source", "replica"])
        .singleton::<Source>("replica", &[])
        .workload::<Clients>()
        .fault("process.crash", &[("every", span(150)), ("down", span(100))], &["source", "replica"])
        .fault("net.partition", &[("every", span(1000)), ("lasts", span(3000))], &["source"])
        .lasts(millis(3000))
        .build()
}
