//! Paxos for one value: three acceptors, and proposers that come one after the other or at once.
//!
//! Lamport, "Paxos Made Simple" (2001). Acceptors keep what they promised and accepted in their memory, so nothing may
//! let them crash, but for the bug that is about that.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::kit::{agree, ask, forget, gather, millis, refuse, share, span, these};

/// What is wrong, if anything.
pub(crate) trait Flavor: 'static {
    /// A proposer takes over the first value that it is told of, not that of the highest ballot.
    const TAKES_FIRST: bool = false;
    /// An acceptor accepts under a ballot below one that it has promised.
    const FORGETS_PROMISE: bool = false;
}

/// Nothing is.
pub(crate) struct Correct;

impl Flavor for Correct {}

pub(crate) const ONE_VALUE: &str = "one value is chosen";

pub(crate) struct Acceptor<F> {
    guest: Guest,
    promised: Cell<u64>,
    /// Ballot and value.
    accepted: Cell<(u64, u64)>,
    flavor: PhantomData<F>,
}

impl<F> Acceptor<F> {
    fn state(&self) {
        let (ballot, value) = self.accepted.get();
        self.guest.coverage(&format!("promised {}, accepted {value} under {ballot}", self.promised.get()));
    }
}

impl<F: Flavor> Service for Acceptor<F> {
    fn start(guest: Guest) -> Self {
        Acceptor { guest, promised: Cell::new(0), accepted: Cell::new((0, 0)), flavor: PhantomData }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/prepare" {
            let [ballot] = these(&request.text());
            if ballot <= self.promised.get() {
                return refuse("a higher ballot was promised");
            }
            self.promised.set(ballot);
            self.state();
            let (ballot, value) = self.accepted.get();
            return Response::text(format!("{ballot} {value}"));
        }
        let [ballot, value] = these(&request.text());
        let lowest = if F::FORGETS_PROMISE { self.accepted.get().0 } else { self.promised.get() };
        if ballot < lowest {
            return refuse("a higher ballot was promised");
        }
        self.promised.set(ballot.max(self.promised.get()));
        self.accepted.set((ballot, value));
        self.state();
        Response::text("")
    }
}

pub(crate) struct Proposer<F> {
    guest: Guest,
    round: Cell<u64>,
    flavor: PhantomData<F>,
}

impl<F: Flavor> Proposer<F> {
    fn all(path: &str, body: &str) -> Vec<(String, String)> {
        ["x", "y", "z"].map(|acceptor| (format!("{acceptor}/{path}"), body.to_owned())).into()
    }

    async fn propose(&self, id: u64) -> Option<u64> {
        self.round.set(self.round.get() + 1);
        let ballot = self.round.get() * 10 + id;
        let promises = gather(&self.guest, millis(20), Self::all("prepare", &ballot.to_string()), 2).await;
        if promises.len() < 2 {
            return None;
        }
        let mut accepted = promises.iter().map(|(_, answer)| these::<2>(answer)).filter(|a| a[0] > 0);
        let found = if F::TAKES_FIRST { accepted.next() } else { accepted.max() };
        let value = found.map_or(id, |[_, value]| value);
        let answers =
            gather(&self.guest, millis(20), Self::all("accept", &format!("{ballot} {value}")), 2).await;
        (answers.len() == 2).then_some(value)
    }
}

impl<F: Flavor> Service for Proposer<F> {
    fn start(guest: Guest) -> Self {
        Proposer { guest, round: Cell::new(0), flavor: PhantomData }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let [id] = these(&request.text());
        for _ in 0..5 {
            if let Some(value) = self.propose(id).await {
                agree(&self.guest, ONE_VALUE, "the chosen value".into(), value.to_string());
                break;
            }
            self.guest.sleep(millis(1 + self.guest.random_below(4))).await;
        }
        Response::text("")
    }
}

/// Lets each proposer propose its own number.
pub(crate) struct Clients {
    guest: Guest,
    proposed: RefCell<[bool; 3]>,
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        forget();
        Clients { guest, proposed: RefCell::default() }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let propose = |w: Rc<Self>, client: u32| async move {
            let was_here = std::mem::replace(&mut w.proposed.borrow_mut()[client as usize], true);
            if !was_here {
                w.guest.sleep(millis(w.guest.random_below(8))).await;
                let proposer = ["one/go", "two/go", "three/go"][client as usize];
                ask(&w.guest, proposer, (client + 1).to_string()).await;
            }
        };
        vec![Driver::new(propose).clients(3).pause(millis(50))]
    }
}

/// Acceptors and proposers on a node each.
pub(crate) fn experiment<F: Flavor>(name: &str) -> Experiment {
    let acceptors = &["x", "y", "z"];
    Experiment::native(name)
        .singleton::<Acceptor<F>>("x", &[])
        .singleton::<Acceptor<F>>("y", &[])
        .singleton::<Acceptor<F>>("z", &[])
        .singleton::<Proposer<F>>("one", acceptors)
        .singleton::<Proposer<F>>("two", acceptors)
        .singleton::<Proposer<F>>("three", acceptors)
        .workload::<Clients>()
        .nodes(6)
        .fault("net.delay", &[("rate", share(0.002)), ("max", span(20))], &[])
        .lasts(millis(20))
        .build()
}
