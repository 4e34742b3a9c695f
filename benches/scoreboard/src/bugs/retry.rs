//! Retry without idempotency: a payment whose answer was lost is sent again, and charged twice.
//!
//! What `Idempotency-Key` of payment services is for. The twin's ledger remembers the keys that it has seen. Found by
//! the loss of one answer.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{insist, millis, share, these};

pub(crate) const BUG: Bug = Bug {
    name: "retry-without-idempotency",
    rule: "each payment is charged once",
    needs: "an answer lost",
    budget: 3,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

struct Ledger<const BUGGY: bool> {
    charged: Cell<u64>,
    seen: RefCell<BTreeSet<u64>>,
}

impl<const BUGGY: bool> Service for Ledger<BUGGY> {
    fn start(_: Guest) -> Self {
        Ledger { charged: Cell::new(0), seen: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/pay" {
            let [key] = these(&request.text());
            let is_new = self.seen.borrow_mut().insert(key);
            if BUGGY || is_new {
                self.charged.set(self.charged.get() + 1);
            }
        }
        Response::text(self.charged.get().to_string())
    }
}

struct Shop {
    guest: Guest,
    payments: Cell<u64>,
}

impl Workload for Shop {
    fn start(guest: Guest) -> Shop {
        Shop { guest, payments: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Shop>> {
        let pay = |shop: Rc<Shop>, _| async move {
            shop.payments.set(shop.payments.get() + 1);
            insist(&shop.guest, "ledger/pay", shop.payments.get().to_string()).await;
        };
        vec![Driver::new(pay).clients(2).pause(millis(20))]
    }

    async fn judge(self: Rc<Self>) {
        let [charged] = these(&insist(&self.guest, "ledger/read", "").await);
        let payments = self.payments.get();
        self.guest
            .always_or(charged == payments, BUG.rule, || format!("{payments} payments, {charged} charged"));
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Ledger<BUGGY>>("ledger", &[])
        .workload::<Shop>()
        .fault("net.loss", &[("rate", share(0.2))], &[])
        .faults(&["net.delay"])
        .nodes(1)
        .lasts(millis(500))
        .build()
}
