//! Deduplication with a window: the server remembers the last eight requests, and a retry that comes later than that is a
//! new request to it.
//!
//! Windows are common (five minutes at Amazon's SQS FIFO queues), and so are retries that are later. The twin remembers the
//! last number of each client, which is enough, since a client has one request under way. Found by a request whose answer
//! is lost, twice, while others are busy.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask_within, insist, millis, these};

pub(crate) const BUG: Bug = Bug {
    name: "dedupe-window",
    rule: "each request counts once",
    needs: "answers to the same request lost again and again, while eight others pass",
    budget: 60,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

struct Counter<const BUGGY: bool> {
    guest: Guest,
    taken: Cell<u64>,
    count: Cell<u64>,
    window: RefCell<VecDeque<(u64, u64)>>,
    latest: RefCell<BTreeMap<u64, (u64, u64)>>,
}

impl<const BUGGY: bool> Counter<BUGGY> {
    fn is_new(&self, client: u64, number: u64) -> bool {
        let latest = self.latest.borrow().get(&client).copied().unwrap_or_default();
        if number == latest.0 {
            self.guest.coverage(&format!("the same request after {} others", self.taken.get() - latest.1));
        } else {
            self.taken.set(self.taken.get() + 1);
            self.latest.borrow_mut().insert(client, (number, self.taken.get()));
        }
        if BUGGY {
            let mut window = self.window.borrow_mut();
            let is_new = !window.contains(&(client, number));
            if is_new {
                window.push_back((client, number));
                if window.len() > 8 {
                    window.pop_front();
                }
            }
            return is_new;
        }
        number > latest.0
    }
}

impl<const BUGGY: bool> Service for Counter<BUGGY> {
    fn start(guest: Guest) -> Self {
        Counter {
            guest,
            taken: Cell::new(0),
            count: Cell::new(0),
            window: RefCell::default(),
            latest: RefCell::default(),
        }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/add" {
            let [client, number] = these(&request.text());
            if self.is_new(client, number) {
                self.count.set(self.count.get() + 1);
            }
        }
        Response::text(self.count.get().to_string())
    }
}

struct Clients {
    guest: Guest,
    numbers: RefCell<[u64; 3]>,
}

impl Clients {
    async fn add(self: Rc<Self>, client: u32) {
        let number = self.numbers.borrow()[client as usize] + 1;
        self.numbers.borrow_mut()[client as usize] = number;
        let body = format!("{client} {number}");
        while ask_within(&self.guest, millis(20), "counter/add", body.clone()).await.is_none() {
            self.guest.sleep(millis(5)).await;
        }
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest, numbers: RefCell::default() }
    }

    fn drivers() -> Vec<Driver<Self>> {
        vec![Driver::new(Self::add).clients(3).pause(millis(20))]
    }

    async fn judge(self: Rc<Self>) {
        let [count] = these(&insist(&self.guest, "counter/read", "").await);
        let sent: u64 = self.numbers.borrow().iter().sum();
        self.guest
            .always_or(count == sent, BUG.rule, || format!("{sent} requests, and the count is {count}"));
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Counter<BUGGY>>("counter", &[])
        .workload::<Clients>()
        .faults(&["net.loss"])
        .nodes(1)
        .lasts(millis(400))
        .build()
}
