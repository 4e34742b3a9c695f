//! Double cron: a job is started twice for the same minute, and bills everybody twice.
//!
//! Schedulers promise *at least once* (Kubernetes says of its CronJob that two may be created, and that jobs should be
//! idempotent). The twin's ledger knows the period that a bill is for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use bytestring::ByteString;
use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{insist, millis, these};

pub(crate) const BUG: Bug = Bug {
    name: "double-cron",
    rule: "each period is billed once",
    needs: "a cron line that fires twice",
    budget: 20,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

struct Billing {
    guest: Guest,
}

impl Service for Billing {
    fn start(guest: Guest) -> Self {
        Billing { guest }
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        Response::text("")
    }

    async fn scheduled(self: Rc<Self>, _: ByteString) {
        let minute = (self.guest.wall().as_millis() + 30_000) / 60_000;
        insist(&self.guest, "ledger/bill", minute.to_string()).await;
    }
}

struct Ledger<const BUGGY: bool> {
    guest: Guest,
    periods: RefCell<BTreeSet<u64>>,
    bills: Cell<usize>,
}

impl<const BUGGY: bool> Service for Ledger<BUGGY> {
    fn start(guest: Guest) -> Self {
        Ledger { guest, periods: RefCell::default(), bills: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let [period] = these(&request.text());
        let mut periods = self.periods.borrow_mut();
        if periods.insert(period) || BUGGY {
            self.bills.set(self.bills.get() + 1);
        }
        let (bills, periods) = (self.bills.get(), periods.len());
        let details = || format!("{bills} bills for {periods} periods");
        self.guest.always_or(bills == periods, BUG.rule, details);
        Response::text("")
    }
}

/// Time passes.
struct Nobody;

impl Workload for Nobody {
    fn start(_: Guest) -> Self {
        Nobody
    }

    fn drivers() -> Vec<Driver<Self>> {
        Vec::new()
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Billing>("billing", &["ledger"])
        .cron("* * * * *")
        .singleton::<Ledger<BUGGY>>("ledger", &[])
        .workload::<Nobody>()
        .faults(&["cron.doubled", "cron.skipped"])
        .nodes(2)
        .lasts(millis(300_000))
        .build()
}
