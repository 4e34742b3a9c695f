//! A pool that leaks: a connection that broke is made anew, and if that fails, too, nobody gives its place back.
//!
//! The most common end of a service that has run for weeks: each leak takes a rare coincidence and does no harm, the fourth
//! takes the last connection. The twin gives the place back. Found by four times two losses, of a question and of the
//! greeting after it, in one run.

use std::cell::Cell;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask_within, millis, refuse, share};

pub(crate) const BUG: Bug = Bug {
    name: "pool-leak",
    rule: "the gateway answers when all faults are over",
    needs: "four times a question and the greeting after it lost",
    budget: 100,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

const CONNECTIONS: u64 = 4;

struct Database;

impl Service for Database {
    fn start(_: Guest) -> Self {
        Database
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        Response::text("a row")
    }
}

struct Gateway<const BUGGY: bool> {
    guest: Guest,
    /// How many there are, and how many of them nobody uses.
    connections: Cell<u64>,
    idle: Cell<u64>,
}

impl<const BUGGY: bool> Gateway<BUGGY> {
    async fn acquire(&self) -> Option<()> {
        for _ in 0..20 {
            if self.idle.get() > 0 {
                self.idle.set(self.idle.get() - 1);
                return Some(());
            }
            self.guest.sleep(millis(5)).await;
        }
        None
    }

    /// Asks over a connection that was acquired, and says whether it still is one.
    async fn query(&self) -> (Option<String>, bool) {
        let answer = ask_within(&self.guest, millis(20), "db/query", String::new()).await;
        let is_whole = answer.is_some()
            || ask_within(&self.guest, millis(20), "db/hello", String::new()).await.is_some();
        (answer, is_whole)
    }
}

impl<const BUGGY: bool> Service for Gateway<BUGGY> {
    fn start(guest: Guest) -> Self {
        Gateway { guest, connections: Cell::new(CONNECTIONS), idle: Cell::new(CONNECTIONS) }
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        // A task of its own, so that it comes to its end whoever waits for it.
        let me = Rc::clone(&self);
        let answer = self.guest.spawn(async move {
            me.acquire().await?;
            let (answer, is_whole) = me.query().await;
            if is_whole || !BUGGY {
                me.idle.set(me.idle.get() + 1);
            } else {
                me.connections.set(me.connections.get() - 1);
            }
            me.guest.coverage(&format!("{} connections", me.connections.get()));
            answer
        });
        answer.await.map_or_else(|| refuse("the database does not answer"), Response::text)
    }
}

struct Clients {
    guest: Guest,
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let query = |w: Rc<Self>, _| async move {
            ask_within(&w.guest, millis(300), "gateway/query", String::new()).await;
        };
        vec![Driver::new(query).clients(3).pause(millis(10))]
    }

    async fn judge(self: Rc<Self>) {
        let mut answers = false;
        for _ in 0..5 {
            answers |= ask_within(&self.guest, millis(300), "gateway/query", String::new()).await.is_some();
        }
        self.guest.always_or(answers, BUG.rule, || "five questions went unanswered".into());
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Database>("db", &[])
        .singleton::<Gateway<BUGGY>>("gateway", &["db"])
        .workload::<Clients>()
        .fault("net.loss", &[("rate", share(0.01))], &[])
        .nodes(2)
        .lasts(millis(1000))
        .build()
}
