//! A recovery that cannot be repeated: it folds the log into the total and strikes the mark of the torn checkpoint, and
//! only then empties the log. Who crashes in between finds a log without a mark, and counts it once more.
//!
//! ARIES (Mohan et al. 1992) repeats history with compensation records for this reason: recovery must be idempotent, since it
//! crashes, too. The twin strikes the mark together with the log. Found by a crash within a checkpoint, and another one within
//! the recovery from it, each a window of a few milliseconds.

use std::cell::Cell;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask_object_within, millis, numbers, span};

pub(crate) const BUG: Bug = Bug {
    name: "recovery-twice",
    rule: "nothing counts twice",
    needs: "a crash within a checkpoint, and another within the recovery from it",
    budget: 300,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// So many entries make a checkpoint.
const FULL: usize = 5;

/// Keeps what it is told. The log holds what is not yet in the total; during a checkpoint, a mark holds the total before.
struct Ledger<const BUGGY: bool> {
    guest: Guest,
    is_recovered: Cell<bool>,
}

impl<const BUGGY: bool> Ledger<BUGGY> {
    fn get(&self, key: &str) -> Vec<u64> {
        let value = self.guest.storage(|s| s.get(key)).expect("a healthy disk");
        value.map(|text| numbers(&String::from_utf8_lossy(&text))).unwrap_or_default()
    }

    fn put(&self, key: &str, value: &[u64]) {
        let text = value.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        self.guest.storage(|s| s.put(key, text.as_bytes())).expect("a healthy disk");
    }

    /// Both one after the other.
    fn both(&self, first: &str, second: &str) -> Vec<u64> {
        [self.get(first), self.get(second)].concat()
    }

    async fn checkpoint(&self) {
        self.guest.coverage("a checkpoint is marked");
        // 0 is nobody's, so that a mark is never empty.
        self.put("mark", &[&[0], &self.get("total")[..]].concat());
        self.guest.sleep(millis(1)).await;
        self.guest.coverage("a checkpoint is in the total");
        self.put("total", &self.both("mark", "log"));
        self.guest.sleep(millis(1)).await;
        self.put("mark", &[]);
        self.put("log", &[]);
    }

    /// Ends a checkpoint that was torn.
    async fn recover(&self) {
        if self.get("mark").is_empty() {
            return;
        }
        self.guest.coverage("a torn checkpoint is in the total");
        self.put("total", &self.both("mark", "log"));
        if BUGGY {
            self.put("mark", &[]);
        }
        self.guest.sleep(millis(3)).await;
        self.guest.coverage("the log of a torn checkpoint is emptied");
        self.put("mark", &[]);
        self.put("log", &[]);
    }
}

impl<const BUGGY: bool> Service for Ledger<BUGGY> {
    fn start(guest: Guest) -> Self {
        Ledger { guest, is_recovered: Cell::new(false) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if !self.is_recovered.replace(true) {
            self.guest.alone(self.recover()).await;
        }
        if request.path() == "/add" {
            let mut log = self.get("log");
            log.extend(numbers(&request.text()));
            self.put("log", &log);
            if log.len() >= FULL {
                self.guest.alone(self.checkpoint()).await;
            }
        }
        let all: Vec<String> = self.both("total", "log").iter().map(u64::to_string).collect();
        Response::text(all.join(" "))
    }
}

struct Clients {
    guest: Guest,
    sent: Cell<u64>,
}

impl Clients {
    async fn ask(&self, to: &str, body: &str) -> Option<Vec<u64>> {
        let ledger = ("ledger.Ledger", "one");
        let answer = ask_object_within(&self.guest, millis(100), ledger, to, body.to_owned()).await;
        answer.map(|text| numbers(&text))
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest, sent: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let add = |w: Rc<Self>, _| async move {
            w.sent.set(w.sent.get() + 1);
            w.ask("ledger/add", &w.sent.get().to_string()).await;
        };
        vec![Driver::new(add).clients(2).pause(millis(10))]
    }

    async fn judge(self: Rc<Self>) {
        loop {
            if let Some(total) = self.ask("ledger/total", "").await {
                let twice =
                    (1..=self.sent.get()).find(|id| total.iter().filter(|other| *other == id).count() > 1);
                self.guest.always_or(twice.is_none(), BUG.rule, || format!("{twice:?} does: {total:?}"));
                return;
            }
        }
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .objects::<(), Ledger<BUGGY>>("ledger", "Ledger", &[])
        .workload::<Clients>()
        .fault("process.crash", &[("every", span(500)), ("down", span(50))], &[])
        .nodes(1)
        .lasts(millis(300))
        .build()
}
