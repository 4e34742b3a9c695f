//! Zombie delete: a deletion is tried again because its answer was lost; meanwhile somebody has made the thing anew, under
//! the same name, and the second attempt deletes that.
//!
//! Kubernetes has `preconditions.uid` against it; controllers that delete by name have lost volumes (Sun et al., 2022).
//! The twin says which incarnation it means.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use dacapo_core::Phase;
use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask, ask_within, insist, millis, refuse, these};

pub(crate) const BUG: Bug = Bug {
    name: "zombie-delete",
    rule: "nobody deletes what another has made",
    needs: "a lost answer to a deletion, and the thing made anew before the next attempt",
    budget: 40,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// One name, under which a thing is or is not. An incarnation has a number.
struct Api<const BUGGY: bool> {
    guest: Guest,
    incarnation: Cell<u64>,
    exists: Cell<bool>,
    /// Which incarnation was made for whom.
    owners: RefCell<Vec<u64>>,
}

impl<const BUGGY: bool> Service for Api<BUGGY> {
    fn start(guest: Guest) -> Self {
        Api { guest, incarnation: Cell::new(0), exists: Cell::new(false), owners: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        match request.path() {
            "/create" => {
                let [owner] = these(&request.text());
                let is_mine = self.owners.borrow().last() == Some(&owner);
                if self.exists.get() && !is_mine {
                    return refuse("it exists");
                }
                if !is_mine {
                    self.incarnation.set(self.incarnation.get() + 1);
                    self.exists.set(true);
                    self.owners.borrow_mut().push(owner);
                }
                Response::text(self.incarnation.get().to_string())
            }
            _ => {
                let [incarnation, owner] = these(&request.text());
                let is_it = self.exists.get() && (BUGGY || incarnation == self.incarnation.get());
                if is_it {
                    let made_by = self.owners.borrow().last().copied();
                    self.guest.always_or(made_by == Some(owner), BUG.rule, || {
                        format!("{owner} deletes what was made for {made_by:?}")
                    });
                    self.exists.set(false);
                }
                Response::text("")
            }
        }
    }
}

struct Clients {
    guest: Guest,
    next: Cell<u64>,
}

impl Clients {
    /// Makes the thing, uses it, deletes it.
    async fn round(self: Rc<Self>) {
        self.next.set(self.next.get() + 1);
        let owner = self.next.get();
        let incarnation = loop {
            match ask(&self.guest, "api/create", owner.to_string()).await {
                Some(incarnation) => break incarnation,
                None if self.guest.phase() != Some(Phase::Drive) => return,
                None => self.guest.sleep(millis(10)).await,
            }
        };
        self.guest.sleep(millis(5)).await;
        let body = format!("{incarnation} {owner}");
        if ask_within(&self.guest, millis(30), "api/delete", body.clone()).await.is_none() {
            insist(&self.guest, "api/delete", body).await;
        }
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest, next: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Self>> {
        vec![Driver::new(|w: Rc<Self>, _| w.round()).clients(2).pause(millis(40))]
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Api<BUGGY>>("api", &[])
        .workload::<Clients>()
        .faults(&["net.loss"])
        .nodes(1)
        .lasts(millis(500))
        .build()
}
