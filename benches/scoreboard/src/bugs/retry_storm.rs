//! Unbounded retry storm: a server was slow for a moment, every client asks again at once and again, and the work for
//! those who have gone leaves none for those who wait. It does not end when the cause has.
//!
//! Bronson et al., "Metastable Failures in Distributed Systems" (2021). The twin's clients wait twice as long after each
//! failure, with jitter, and give up after four. Found by a pause that is long enough.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::{Phase, Time};
use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask_within, millis, span};

pub(crate) const BUG: Bug = Bug {
    name: "retry-storm",
    rule: "clients ask three times as much as they want at most",
    needs: "a pause that fills the queue with the work of a timeout",
    budget: 20,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// Three milliseconds for each request, one after the other, whoever still waits.
struct Server {
    guest: Guest,
    waiting: RefCell<VecDeque<u64>>,
    arrived: Cell<u64>,
    done: Cell<u64>,
}

impl Server {
    async fn work(self: Rc<Self>) {
        loop {
            let Some(next) = self.waiting.borrow().front().copied() else { return };
            self.guest.sleep(millis(3)).await;
            self.waiting.borrow_mut().pop_front();
            self.done.set(next);
        }
    }
}

impl Service for Server {
    fn start(guest: Guest) -> Self {
        Server { guest, waiting: RefCell::default(), arrived: Cell::new(0), done: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        let number = self.arrived.get() + 1;
        self.arrived.set(number);
        let is_idle = self.waiting.borrow().is_empty();
        self.waiting.borrow_mut().push_back(number);
        if is_idle {
            self.guest.spawn(Rc::clone(&self).work());
        }
        while self.done.get() < number {
            self.guest.sleep(millis(3 * (number - self.done.get()))).await;
        }
        Response::text("")
    }
}

struct Clients<const BUGGY: bool> {
    guest: Guest,
    /// When requests were sent, within the last second.
    sent: RefCell<VecDeque<Time>>,
}

impl<const BUGGY: bool> Clients<BUGGY> {
    async fn request(self: Rc<Self>) {
        let mut wait = 20;
        loop {
            self.count();
            let answer = ask_within(&self.guest, millis(30), "server/work", String::new()).await;
            let gives_up = !BUGGY && wait > 100;
            if answer.is_some() || gives_up || self.guest.phase() != Some(Phase::Drive) {
                return;
            }
            if !BUGGY {
                self.guest.sleep(millis(wait / 2 + self.guest.random_below(wait))).await;
                wait *= 2;
            }
        }
    }

    /// All clients together want about 120 answers a second.
    fn count(&self) {
        let now = self.guest.now();
        let mut sent = self.sent.borrow_mut();
        sent.push_back(now);
        while sent.front().is_some_and(|first| now.since(*first) > Duration::from_secs(1)) {
            sent.pop_front();
        }
        let many = sent.len();
        self.guest.always_or(many < 350, BUG.rule, || format!("{many} requests in the last second"));
    }
}

impl<const BUGGY: bool> Workload for Clients<BUGGY> {
    fn start(guest: Guest) -> Self {
        Clients { guest, sent: RefCell::default() }
    }

    fn drivers() -> Vec<Driver<Self>> {
        vec![Driver::new(|w: Rc<Self>, _| w.request()).clients(16).pause(millis(120))]
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Server>("server", &[])
        .workload::<Clients<BUGGY>>()
        .fault("process.pause", &[("every", span(3000)), ("lasts", span(150))], &[])
        .nodes(1)
        .lasts(millis(4000))
        .build()
}
