//! Dual write: an order is stored, and then the warehouse is told of it; a crash in between loses the parcel.
//!
//! What the *transactional outbox* is for. The twin stores the message with the order, in one commit, and its alarm sends
//! what is stored until the warehouse has it. Found by a crash between the commit and the message.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask_object_within, insist, millis, numbers, span};

pub(crate) const BUG: Bug = Bug {
    name: "dual-write",
    rule: "every order that is stored is shipped",
    needs: "a crash between a commit and a message",
    budget: 500,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// The orders, as a durable object.
struct Orders<const BUGGY: bool> {
    guest: Guest,
}

impl<const BUGGY: bool> Orders<BUGGY> {
    fn list(&self, key: &str) -> BTreeSet<u64> {
        let stored = self.guest.storage(|s| s.get(key)).expect("a healthy disk");
        stored.map(|text| numbers(&String::from_utf8_lossy(&text)).into_iter().collect()).unwrap_or_default()
    }

    fn put(&self, key: &str, list: &BTreeSet<u64>) {
        let text: Vec<String> = list.iter().map(u64::to_string).collect();
        self.guest.storage(|s| s.put(key, text.join(" ").as_bytes())).expect("a healthy disk");
    }
}

impl<const BUGGY: bool> Service for Orders<BUGGY> {
    fn start(guest: Guest) -> Self {
        Orders { guest }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let mut orders = self.list("orders");
        let new: Vec<u64> =
            numbers(&request.text()).into_iter().filter(|order| orders.insert(*order)).collect();
        if !new.is_empty() {
            self.put("orders", &orders);
            if BUGGY {
                let guest = self.guest.clone();
                self.guest.spawn(async move {
                    for order in new {
                        insist(&guest, "warehouse/ship", order.to_string()).await;
                    }
                });
            } else {
                let mut outbox = self.list("outbox");
                outbox.extend(new);
                self.put("outbox", &outbox);
                let now = self.guest.wall();
                self.guest.storage(|s| s.set_alarm(Some(now))).expect("a healthy disk");
            }
        }
        let all: Vec<String> = orders.iter().map(u64::to_string).collect();
        Response::text(all.join(" "))
    }

    async fn alarm(self: Rc<Self>, _: u32) -> Result<(), ()> {
        for order in self.list("outbox") {
            insist(&self.guest, "warehouse/ship", order.to_string()).await;
            let mut outbox = self.list("outbox");
            outbox.remove(&order);
            self.put("outbox", &outbox);
        }
        Ok(())
    }
}

struct Warehouse(RefCell<BTreeSet<u64>>);

impl Service for Warehouse {
    fn start(_: Guest) -> Self {
        Warehouse(RefCell::default())
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        self.0.borrow_mut().extend(numbers(&request.text()));
        let all: Vec<String> = self.0.borrow().iter().map(u64::to_string).collect();
        Response::text(all.join(" "))
    }
}

struct Clients {
    guest: Guest,
    next: Cell<u64>,
}

impl Clients {
    async fn order(&self, order: &str) -> Option<String> {
        let orders = ("shop.Orders", "orders");
        ask_object_within(&self.guest, millis(200), orders, "shop/order", order.to_owned()).await
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest, next: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let order = |w: Rc<Self>, _| async move {
            w.next.set(w.next.get() + 1);
            w.order(&w.next.get().to_string()).await;
        };
        vec![Driver::new(order).pause(millis(50))]
    }

    async fn judge(self: Rc<Self>) {
        // An alarm that a crash interrupted rings again after a while.
        self.guest.sleep(millis(30_000)).await;
        let stored = loop {
            match self.order("").await {
                Some(orders) => break orders,
                None => self.guest.sleep(millis(50)).await,
            }
        };
        let shipped = insist(&self.guest, "warehouse/list", "").await;
        self.guest.always_or(stored == shipped, BUG.rule, || format!("stored: {stored}; shipped: {shipped}"));
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Warehouse>("warehouse", &[])
        .objects::<(), Orders<BUGGY>>("shop", "Orders", &["warehouse"])
        .workload::<Clients>()
        .fault("process.crash", &[("every", span(400)), ("down", span(200))], &["warehouse"])
        .faults(&["net.delay"])
        .nodes(2)
        .lasts(millis(1000))
        .build()
}
