//! Two-phase commit whose participant times out alone: it has voted yes, hears nothing, and aborts by itself, while the
//! others commit.
//!
//! Gray, "Notes on Data Base Operating Systems" (1978): who has voted yes has given up the right to abort. The twin asks
//! the coordinator until it knows. Found by a decision that is late or lost.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask, insist, millis, refuse, share, span};

pub(crate) const BUG: Bug = Bug {
    name: "two-phase-commit-alone",
    rule: "all participants end a transaction the same way",
    needs: "a decision lost until a timeout",
    budget: 60,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Prepared,
    Committed,
    Aborted,
}

struct Participant<const BUGGY: bool> {
    guest: Guest,
    transactions: RefCell<BTreeMap<String, State>>,
}

impl<const BUGGY: bool> Participant<BUGGY> {
    /// Whoever has heard nothing for a while does something about it.
    async fn resolve(self: Rc<Self>, name: String) {
        self.guest.sleep(millis(600)).await;
        while self.transactions.borrow().get(&name) == Some(&State::Prepared) {
            if BUGGY {
                self.end(&name, State::Aborted);
                break;
            }
            match ask(&self.guest, "coordinator/outcome", &*name).await.as_deref() {
                Some("commit") => self.end(&name, State::Committed),
                Some("abort") => self.end(&name, State::Aborted),
                _ => self.guest.sleep(millis(100)).await,
            }
        }
    }

    /// The first end holds.
    fn end(&self, name: &str, state: State) {
        let mut transactions = self.transactions.borrow_mut();
        let entry = transactions.entry(name.to_owned()).or_insert(state);
        if *entry == State::Prepared {
            *entry = state;
        }
    }
}

impl<const BUGGY: bool> Service for Participant<BUGGY> {
    fn start(guest: Guest) -> Self {
        Participant { guest, transactions: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let name = request.text();
        match request.path() {
            "/prepare" => {
                let state = *self.transactions.borrow_mut().entry(name.clone()).or_insert(State::Prepared);
                if state == State::Aborted {
                    return refuse("it was aborted");
                }
                self.guest.spawn(Rc::clone(&self).resolve(name));
            }
            "/commit" => self.end(&name, State::Committed),
            "/abort" => self.end(&name, State::Aborted),
            _ => return Response::text(format!("{:?}", self.transactions.borrow().get(&name))),
        }
        Response::text("yes")
    }
}

struct Coordinator {
    guest: Guest,
    outcomes: RefCell<BTreeMap<String, Option<bool>>>,
}

impl Coordinator {
    async fn tell(guest: Guest, participant: &'static str, decision: &'static str, name: String) {
        insist(&guest, &format!("{participant}/{decision}"), name).await;
    }
}

impl Service for Coordinator {
    fn start(guest: Guest) -> Self {
        Coordinator { guest, outcomes: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let name = request.text();
        if request.path() == "/outcome" {
            return match self.outcomes.borrow().get(&name) {
                Some(Some(true)) => Response::text("commit"),
                Some(Some(false)) => Response::text("abort"),
                _ => refuse("not yet"),
            };
        }
        self.outcomes.borrow_mut().insert(name.clone(), None);
        let vote = |to: &'static str| {
            let (guest, name) = (self.guest.clone(), name.clone());
            self.guest.spawn(async move { ask(&guest, to, name).await.is_some() })
        };
        let (left, right) = (vote("left/prepare"), vote("right/prepare"));
        let is_commit = left.await & right.await;
        self.outcomes.borrow_mut().insert(name.clone(), Some(is_commit));
        let decision = if is_commit { "commit" } else { "abort" };
        for participant in ["left", "right"] {
            self.guest.spawn(Self::tell(self.guest.clone(), participant, decision, name.clone()));
        }
        Response::text(decision)
    }
}

struct Clients {
    guest: Guest,
    begun: Cell<u64>,
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest, begun: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let begin = |w: Rc<Self>, _| async move {
            w.begun.set(w.begun.get() + 1);
            ask(&w.guest, "coordinator/begin", w.begun.get().to_string()).await;
        };
        vec![Driver::new(begin).pause(millis(100))]
    }

    async fn judge(self: Rc<Self>) {
        self.guest.sleep(millis(20_000)).await;
        for name in 1..=self.begun.get() {
            let left = insist(&self.guest, "left/state", name.to_string()).await;
            let right = insist(&self.guest, "right/state", name.to_string()).await;
            let is_split = (left == "Some(Committed)" && right == "Some(Aborted)")
                || (left == "Some(Aborted)" && right == "Some(Committed)");
            self.guest.always_or(!is_split, BUG.rule, || format!("{name}: left is {left}, right is {right}"));
        }
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Coordinator>("coordinator", &["left", "right"])
        .singleton::<Participant<BUGGY>>("left", &["coordinator"])
        .singleton::<Participant<BUGGY>>("right", &["coordinator"])
        .workload::<Clients>()
        .fault("net.loss", &[("rate", share(0.1))], &[])
        .fault("net.partition", &[("every", span(2000)), ("lasts", span(1500))], &[])
        .faults(&["net.delay"])
        .lasts(millis(1000))
        .build()
}
