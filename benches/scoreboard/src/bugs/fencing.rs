//! Lease without fencing: a worker stands still longer than its lease lasts, and writes afterwards what it has read
//! before, over the writes of the next holder.
//!
//! Kleppmann, "How to do distributed locking" (2016). The twin's storage refuses a token older than one that it has
//! seen. Found by a pause between two messages of a few milliseconds, which is longer than the lease, while another
//! worker comes, works and goes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use dacapo_core::Time;
use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask, insist, millis, numbers, refuse, span, these};

pub(crate) const BUG: Bug = Bug {
    name: "lease-without-fencing",
    rule: "an acknowledged entry stays",
    needs: "a pause between read and write that outlasts the lease, and another holder meanwhile",
    budget: 500,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// Longer than any work under the lease takes, one would think.
const LEASE: u64 = 300;

/// Gives the lease to one worker at a time, with a number that grows.
struct Locks {
    guest: Guest,
    token: Cell<u64>,
    ends: Cell<Time>,
    is_free: Cell<bool>,
}

impl Service for Locks {
    fn start(guest: Guest) -> Self {
        Locks { guest, token: Cell::new(0), ends: Cell::new(Time::ZERO), is_free: Cell::new(true) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let now = self.guest.now();
        if request.path() == "/release" {
            let [token] = these(&request.text());
            if token == self.token.get() {
                self.ends.set(now);
                self.is_free.set(true);
            }
            return Response::text("");
        }
        if now < self.ends.get() {
            return refuse("it is held");
        }
        if self.ends.get() > Time::ZERO && now >= self.ends.get() && !self.is_free.get() {
            self.guest.coverage("a lease has run out");
        }
        self.is_free.set(false);
        self.token.set(self.token.get() + 1);
        self.ends.set(now + millis(LEASE));
        Response::text(self.token.get().to_string())
    }
}

/// A file that is read and written whole.
struct Storage<const BUGGY: bool> {
    seen: Cell<u64>,
    file: RefCell<String>,
}

impl<const BUGGY: bool> Service for Storage<BUGGY> {
    fn start(_: Guest) -> Self {
        Storage { seen: Cell::new(0), file: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let text = request.text();
        let (token, file) = text.split_once(':').unwrap_or((&text, ""));
        let [token] = these(token);
        if !BUGGY && token < self.seen.get() {
            return refuse("a later holder was here");
        }
        self.seen.set(token.max(self.seen.get()));
        if request.path() == "/write" {
            *self.file.borrow_mut() = file.to_owned();
        }
        Response::text(self.file.borrow().clone())
    }
}

struct Worker {
    guest: Guest,
}

impl Worker {
    async fn add(&self, entry: &str) -> Option<()> {
        let token = ask(&self.guest, "locks/acquire", "").await?;
        let begun = self.guest.now();
        let file = ask(&self.guest, "storage/read", &*token).await?;
        // The careful think of it: a read that took too long is no ground to write on.
        if self.guest.now().since(begun) > millis(LEASE / 2) {
            return None;
        }
        self.guest.sleep(millis(3)).await;
        ask(&self.guest, "storage/write", format!("{token}:{file} {entry}")).await?;
        let held = self.guest.now().since(begun).as_millis() as u64;
        self.guest.coverage(&format!("written within {} ms", held.div_ceil(50) * 50));
        ask(&self.guest, "locks/release", token).await;
        Some(())
    }
}

impl Service for Worker {
    fn start(guest: Guest) -> Self {
        Worker { guest }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        match self.add(&request.text()).await {
            Some(()) => Response::text("added"),
            None => refuse("not this time"),
        }
    }
}

struct Clients {
    guest: Guest,
    next: Cell<u64>,
    added: RefCell<Vec<u64>>,
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest, next: Cell::new(0), added: RefCell::default() }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let add = |w: Rc<Self>, client: u32| async move {
            let entry = w.next.get() + 1;
            w.next.set(entry);
            let worker = if client == 0 { "one/add" } else { "two/add" };
            if ask(&w.guest, worker, entry.to_string()).await.is_some() {
                w.added.borrow_mut().push(entry);
            }
        };
        vec![Driver::new(add).clients(2).pause(millis(30))]
    }

    async fn judge(self: Rc<Self>) {
        self.guest.sleep(millis(3000)).await;
        let file = numbers(&insist(&self.guest, "storage/read", u64::MAX.to_string()).await);
        for entry in self.added.borrow().iter() {
            self.guest.always_or(file.contains(entry), BUG.rule, || {
                format!("{entry} was acknowledged, the file is {file:?}")
            });
        }
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Locks>("locks", &[])
        .singleton::<Storage<BUGGY>>("storage", &[])
        .singleton::<Worker>("one", &["locks", "storage"])
        .singleton::<Worker>("two", &["locks", "storage"])
        .workload::<Clients>()
        .fault("process.pause", &[("every", span(1500)), ("lasts", span(1500))], &["locks", "storage"])
        .fault("process.crash", &[("every", span(1500)), ("down", span(500))], &["locks", "storage"])
        .faults(&["net.loss"])
        .nodes(4)
        .lasts(millis(2000))
        .build()
}
