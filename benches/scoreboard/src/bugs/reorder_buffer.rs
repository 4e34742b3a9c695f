//! A buffer for what comes too early: messages that overtake an earlier one wait for it, at most eight of them; a ninth is
//! dropped, and acknowledged all the same.
//!
//! Sequence numbers with a window, as transports and replication logs have them. The twin does not acknowledge what it
//! has no room for. Found by a message that is lost again and again, while nine that come after it are not.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask_within, insist, millis, refuse, share, these};

pub(crate) const BUG: Bug = Bug {
    name: "reorder-buffer",
    rule: "what was acknowledged is delivered",
    needs: "a message lost again and again while nine later ones arrive",
    budget: 300,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

const BUFFER: usize = 8;

struct Receiver<const BUGGY: bool> {
    guest: Guest,
    /// All numbers up to this one were delivered.
    delivered: Cell<u64>,
    waiting: RefCell<BTreeSet<u64>>,
}

impl<const BUGGY: bool> Receiver<BUGGY> {
    fn take(&self, number: u64) -> Response {
        let mut waiting = self.waiting.borrow_mut();
        if number > self.delivered.get() + 1 && waiting.len() >= BUFFER && !waiting.contains(&number) {
            return if BUGGY { Response::text("") } else { refuse("no room") };
        }
        if number > self.delivered.get() {
            waiting.insert(number);
        }
        while waiting.remove(&(self.delivered.get() + 1)) {
            self.delivered.set(self.delivered.get() + 1);
        }
        self.guest.coverage(&format!("{} messages wait for an earlier one", waiting.len()));
        Response::text("")
    }
}

impl<const BUGGY: bool> Service for Receiver<BUGGY> {
    fn start(guest: Guest) -> Self {
        Receiver { guest, delivered: Cell::new(0), waiting: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        match request.path() {
            "/put" => self.take(these::<1>(&request.text())[0]),
            _ => Response::text(self.delivered.get().to_string()),
        }
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
        // Each client has one message under way, so that the four of them are a window of four.
        let send = |w: Rc<Self>, _| async move {
            let number = w.next.get() + 1;
            w.next.set(number);
            while ask_within(&w.guest, millis(15), "receiver/put", number.to_string()).await.is_none() {}
        };
        vec![Driver::new(send).clients(4).pause(millis(10))]
    }

    async fn judge(self: Rc<Self>) {
        self.guest.sleep(millis(100)).await;
        let [delivered] = these(&insist(&self.guest, "receiver/count", "").await);
        let sent = self.next.get();
        self.guest.always_or(delivered == sent, BUG.rule, || {
            format!("{sent} messages were acknowledged, {delivered} delivered")
        });
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Receiver<BUGGY>>("receiver", &[])
        .workload::<Clients>()
        .fault("net.loss", &[("rate", share(0.01))], &[])
        .nodes(1)
        .lasts(millis(400))
        .build()
}
