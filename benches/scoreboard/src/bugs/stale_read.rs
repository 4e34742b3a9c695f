//! Stale read after failover: a primary that was cut off does not know that another was made, and goes on answering
//! reads from its memory.
//!
//! Jepsen has found it in many systems (Elasticsearch 1.1, MongoDB 2.4, etcd before quorum reads). The twin asks before
//! it answers whether it still is the primary. Found by a partition that hides the primary from whoever watches it,
//! and a client that still knows the old one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask, ask_within, millis, refuse, span, these};

pub(crate) const BUG: Bug = Bug {
    name: "stale-read-after-failover",
    rule: "a read sees every write that was acknowledged before it began",
    needs: "a primary cut off for 200 ms, and a client that has not heard of the next one",
    budget: 20,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// Knows who is the primary, and makes the other one primary when that is silent.
struct Views {
    guest: Guest,
    /// 0: nobody has asked yet, so nobody is watched. 1: `one` leads and `two` follows. 2: `two` leads alone.
    epoch: Cell<u64>,
}

impl Views {
    fn name(epoch: u64) -> &'static str {
        if epoch < 2 { "one" } else { "two" }
    }

    async fn watch(self: Rc<Self>) {
        let mut missed = 0;
        while self.epoch.get() == 1 {
            self.guest.sleep(millis(50)).await;
            let answer = ask_within(&self.guest, millis(50), "one/ping", String::new()).await;
            missed = if answer.is_some() { 0 } else { missed + 1 };
            // `two` takes the state along that it has as a follower, and from then on refuses what `one` sends.
            if missed >= 3 && ask_within(&self.guest, millis(200), "two/lead", String::new()).await.is_some()
            {
                self.epoch.set(2);
            }
        }
    }
}

impl Service for Views {
    fn start(guest: Guest) -> Self {
        Views { guest, epoch: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        if self.epoch.get() == 0 {
            self.epoch.set(1);
            self.guest.spawn(Rc::clone(&self).watch());
        }
        Response::text(self.epoch.get().to_string())
    }
}

/// One of the two that keep the register. `BUGGY`: it takes itself for the primary until it hears otherwise.
struct Replica<const BUGGY: bool, const IS_FIRST: bool> {
    guest: Guest,
    leads: Cell<bool>,
    value: Cell<u64>,
}

impl<const BUGGY: bool, const IS_FIRST: bool> Service for Replica<BUGGY, IS_FIRST> {
    fn start(guest: Guest) -> Self {
        Replica { guest, leads: Cell::new(IS_FIRST), value: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let body = request.text();
        match request.path() {
            "/ping" => {}
            "/lead" => self.leads.set(true),
            "/copy" if self.leads.get() => return refuse("it leads"),
            "/copy" => {
                let [value] = these(&body);
                self.value.set(value.max(self.value.get()));
            }
            _ if !self.leads.get() => return refuse("not the primary"),
            "/write" => {
                let [value] = these(&body);
                if IS_FIRST && ask(&self.guest, "two/copy", body).await.is_none() {
                    return refuse("the follower does not agree");
                }
                self.value.set(value.max(self.value.get()));
            }
            _ => {
                let value = self.value.get().to_string();
                let epoch = if IS_FIRST { "1" } else { "2" };
                if !BUGGY && ask(&self.guest, "views/now", "").await.as_deref() != Some(epoch) {
                    return refuse("not the primary any more");
                }
                return Response::text(value);
            }
        }
        Response::text("")
    }
}

struct Clients {
    guest: Guest,
    next: Cell<u64>,
    acknowledged: Cell<u64>,
    /// Where each client last found the primary.
    known: RefCell<[u64; 2]>,
}

impl Clients {
    async fn round(self: Rc<Self>, client: u32) {
        let epoch = self.known.borrow()[client as usize];
        let primary = Views::name(epoch);
        let done = if client == 0 {
            self.next.set(self.next.get() + 1);
            let value = self.next.get();
            let done = ask(&self.guest, &format!("{primary}/write"), value.to_string()).await;
            if done.is_some() {
                self.acknowledged.set(value.max(self.acknowledged.get()));
            }
            done
        } else {
            let before = self.acknowledged.get();
            let read = ask(&self.guest, &format!("{primary}/read"), "").await;
            if let Some(read) = &read {
                let [found] = these(read);
                self.guest.always_or(found >= before, BUG.rule, || {
                    format!("{before} was acknowledged before the read began, {primary} answered {found}")
                });
            }
            read
        };
        if done.is_none()
            && let Some(now) = ask(&self.guest, "views/now", "").await
        {
            let [epoch] = these(&now);
            self.known.borrow_mut()[client as usize] = epoch;
        }
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        let known = RefCell::new([1; 2]);
        Clients { guest, next: Cell::new(0), acknowledged: Cell::new(0), known }
    }

    async fn setup(self: Rc<Self>) {
        ask(&self.guest, "views/now", "").await.expect("nothing fails yet");
    }

    fn drivers() -> Vec<Driver<Self>> {
        vec![Driver::new(Self::round).clients(2).pause(millis(30))]
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Views>("views", &["one", "two"])
        .singleton::<Replica<BUGGY, true>>("one", &["views", "two"])
        .singleton::<Replica<BUGGY, false>>("two", &["views"])
        .workload::<Clients>()
        .fault("net.partition", &[("every", span(1000)), ("lasts", span(2000))], &[])
        .faults(&["net.delay"])
        .lasts(millis(3000))
        .settles(millis(3000))
        .build()
}
