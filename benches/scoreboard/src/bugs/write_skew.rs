//! Write skew: two doctors are on call, each sees that the other is, and both go home.
//!
//! Snapshot isolation allows it (Berenson et al., 1995; the doctors are from Cahill, Röhm and Fekete, "Serializable
//! Isolation for Snapshot Databases", 2008). Each transaction writes a row that the other only read, so the check of what was
//! *written* twice finds nothing; the twin checks what was *read* as well.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{millis, refuse, these, wait_for};

pub(crate) const BUG: Bug = Bug {
    name: "write-skew",
    rule: "somebody is on call",
    needs: "two transactions that overlap",
    budget: 5,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// Two rows with versions, and transactions on snapshots of them.
struct Database<const BUGGY: bool> {
    guest: Guest,
    /// For each doctor: the number of the transaction that wrote last, and whether the doctor is on call.
    rows: RefCell<[(u64, bool); 2]>,
    commits: Cell<u64>,
}

impl<const BUGGY: bool> Service for Database<BUGGY> {
    fn start(guest: Guest) -> Self {
        Database { guest, rows: RefCell::new([(0, true); 2]), commits: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let mut rows = self.rows.borrow_mut();
        if request.path() == "/commit" {
            let [snapshot, doctor, is_on_call] = these(&request.text());
            let row = &mut rows[doctor as usize];
            let is_overwritten = row.0 > snapshot;
            if is_overwritten || (!BUGGY && self.commits.get() > snapshot) {
                return refuse("somebody else has committed meanwhile");
            }
            self.commits.set(self.commits.get() + 1);
            *row = (self.commits.get(), is_on_call == 1);
            self.guest.always(rows.iter().any(|(_, is_on_call)| *is_on_call), BUG.rule);
        }
        let on_call = |row: (u64, bool)| u8::from(row.1);
        Response::text(format!("{} {} {}", self.commits.get(), on_call(rows[0]), on_call(rows[1])))
    }
}

struct Doctors {
    guest: Guest,
}

impl Doctors {
    /// Goes home if the other stays, or comes back.
    async fn decide(self: Rc<Self>, doctor: u32) {
        let Some(read) = wait_for(&self.guest, "database/snapshot", "").await else { return };
        let [snapshot, first, second] = these(&read);
        let (mine, other) = if doctor == 0 { (first, second) } else { (second, first) };
        if mine == 0 || other == 1 {
            wait_for(&self.guest, "database/commit", format!("{snapshot} {doctor} {}", 1 - mine)).await;
        }
    }
}

impl Workload for Doctors {
    fn start(guest: Guest) -> Self {
        Doctors { guest }
    }

    fn drivers() -> Vec<Driver<Self>> {
        vec![Driver::new(Self::decide).clients(2).pause(millis(20))]
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Database<BUGGY>>("database", &[])
        .workload::<Doctors>()
        .nodes(1)
        .lasts(millis(200))
        .build()
}
