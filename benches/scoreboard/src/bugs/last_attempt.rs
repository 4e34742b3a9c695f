//! The last attempt: a sender tries five times, and after the fifth it leaves its loop and says that all went well.
//!
//! Yuan et al., "Simple Testing Can Prevent Most Critical Failures" (OSDI 2014): most catastrophes come of errors that
//! were noticed, and swallowed. The twin says that it gave up. Found by five messages to the same place lost in a row.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask_within, insist, millis, numbers, refuse};

pub(crate) const BUG: Bug = Bug {
    name: "last-attempt",
    rule: "what was sent has arrived",
    needs: "five attempts lost in a row",
    budget: 2000,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

const ATTEMPTS: u32 = 5;

struct Inbox(RefCell<BTreeSet<u64>>);

impl Service for Inbox {
    fn start(_: Guest) -> Self {
        Inbox(RefCell::default())
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        self.0.borrow_mut().extend(numbers(&request.text()));
        let all: Vec<String> = self.0.borrow().iter().map(u64::to_string).collect();
        Response::text(all.join(" "))
    }
}

struct Sender<const BUGGY: bool> {
    guest: Guest,
}

impl<const BUGGY: bool> Service for Sender<BUGGY> {
    fn start(guest: Guest) -> Self {
        Sender { guest }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let letter = request.text();
        for attempt in 1..=ATTEMPTS {
            self.guest.coverage(&format!("attempt {attempt}"));
            if ask_within(&self.guest, millis(20), "inbox/put", letter.clone()).await.is_some() {
                return Response::text("sent");
            }
            self.guest.sleep(millis(u64::from(attempt))).await;
        }
        if BUGGY { Response::text("sent") } else { refuse("the inbox does not answer") }
    }
}

struct Clients {
    guest: Guest,
    next: Cell<u64>,
    sent: RefCell<Vec<u64>>,
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest, next: Cell::new(0), sent: RefCell::default() }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let send = |w: Rc<Self>, _| async move {
            let letter = w.next.get() + 1;
            w.next.set(letter);
            if ask_within(&w.guest, millis(500), "sender/send", letter.to_string()).await.is_some() {
                w.sent.borrow_mut().push(letter);
            }
        };
        vec![Driver::new(send).clients(2).pause(millis(20))]
    }

    async fn judge(self: Rc<Self>) {
        let arrived = numbers(&insist(&self.guest, "inbox/list", "").await);
        for letter in self.sent.borrow().iter() {
            self.guest.always_or(arrived.contains(letter), BUG.rule, || format!("{letter} is missing"));
        }
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Inbox>("inbox", &[])
        .singleton::<Sender<BUGGY>>("sender", &["inbox"])
        .workload::<Clients>()
        .faults(&["net.loss"])
        .nodes(2)
        .lasts(millis(500))
        .build()
}
