//! Queue consumer that acknowledges too early: it answers "accepted", works afterwards, and dies in between.
//!
//! At least once becomes at most once (RabbitMQ's guide on acknowledgements warns of automatic ones for this reason). The
//! twin answers when the work is done. Found by a crash within the few milliseconds of work.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask_within, insist, millis, numbers, refuse, span, these};

pub(crate) const BUG: Bug = Bug {
    name: "early-ack",
    rule: "every message is handled",
    needs: "a crash between the answer and the work",
    budget: 60,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// Hands each message over until it is acknowledged.
struct Queue {
    guest: Guest,
    waiting: RefCell<BTreeSet<u64>>,
}

impl Queue {
    async fn hand_over(self: Rc<Self>, message: u64) {
        while ask_within(&self.guest, millis(200), "consumer/handle", message.to_string()).await.is_none() {
            self.guest.sleep(millis(50)).await;
        }
        self.waiting.borrow_mut().remove(&message);
    }
}

impl Service for Queue {
    fn start(guest: Guest) -> Self {
        Queue { guest, waiting: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/put" {
            let [message] = these(&request.text());
            if self.waiting.borrow_mut().insert(message) {
                self.guest.spawn(Rc::clone(&self).hand_over(message));
            }
        }
        if self.waiting.borrow().is_empty() || request.path() == "/put" {
            Response::text("")
        } else {
            refuse("not empty yet")
        }
    }
}

struct Consumer<const BUGGY: bool> {
    guest: Guest,
}

impl<const BUGGY: bool> Consumer<BUGGY> {
    async fn handle(guest: Guest, message: String) {
        guest.sleep(millis(2)).await;
        insist(&guest, "results/put", message).await;
    }
}

impl<const BUGGY: bool> Service for Consumer<BUGGY> {
    fn start(guest: Guest) -> Self {
        Consumer { guest }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let work = self.guest.spawn(Self::handle(self.guest.clone(), request.text()));
        if !BUGGY {
            work.await;
        }
        Response::text("accepted")
    }
}

struct Results(RefCell<BTreeSet<u64>>);

impl Service for Results {
    fn start(_: Guest) -> Self {
        Results(RefCell::default())
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        self.0.borrow_mut().extend(numbers(&request.text()));
        let all: Vec<String> = self.0.borrow().iter().map(u64::to_string).collect();
        Response::text(all.join(" "))
    }
}

struct Producer {
    guest: Guest,
    put: Cell<u64>,
}

impl Workload for Producer {
    fn start(guest: Guest) -> Self {
        Producer { guest, put: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let put = |w: Rc<Self>, _| async move {
            w.put.set(w.put.get() + 1);
            insist(&w.guest, "queue/put", w.put.get().to_string()).await;
        };
        vec![Driver::new(put).pause(millis(50))]
    }

    async fn judge(self: Rc<Self>) {
        insist(&self.guest, "queue/drained", "").await;
        self.guest.sleep(millis(20_000)).await;
        let handled = numbers(&insist(&self.guest, "results/list", "").await);
        for message in 1..=self.put.get() {
            self.guest.always_or(handled.contains(&message), BUG.rule, || format!("{message} is lost"));
        }
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Queue>("queue", &["consumer"])
        .singleton::<Consumer<BUGGY>>("consumer", &["results"])
        .singleton::<Results>("results", &[])
        .workload::<Producer>()
        .fault("process.crash", &[("every", span(500)), ("down", span(500))], &["queue", "results"])
        .faults(&["net.delay", "net.loss"])
        .lasts(millis(1000))
        .build()
}
