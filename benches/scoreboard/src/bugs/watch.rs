//! Watch that misses events on reconnect: a poll was lost, and the next one begins at the present instead of where the
//! last one ended.
//!
//! Many a client of etcd and Kubernetes did (Sun et al., "Automatic Reliability Testing for Cluster Management Controllers",
//! 2022, call them observability gaps). The twin names the revision that it has seen; of what is no longer kept
//! it is told to list anew.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask_within, insist, millis, numbers, share, these};

pub(crate) const BUG: Bug = Bug {
    name: "watch-reconnect",
    rule: "the watcher knows what was set",
    needs: "a lost poll while something is set, and nothing afterwards that covers it",
    budget: 20,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// Keys with values, and the last few changes.
struct Registry {
    guest: Guest,
    values: RefCell<[u64; 4]>,
    revision: Cell<u64>,
    changes: RefCell<VecDeque<(u64, usize, u64)>>,
}

impl Registry {
    fn list(&self) -> String {
        let values = self.values.borrow().map(|value| value.to_string()).join(" ");
        format!("{} {values}", self.revision.get())
    }

    /// The changes after this revision, as soon as there are any: `revision key value ..`.
    async fn changes_after(&self, since: u64) -> Option<String> {
        for _ in 0..4 {
            if self.revision.get() > since {
                break;
            }
            self.guest.sleep(millis(25)).await;
        }
        let changes = self.changes.borrow();
        if changes.front().is_some_and(|(oldest, ..)| *oldest > since + 1) {
            return None;
        }
        let new = changes.iter().filter(|(revision, ..)| *revision > since);
        let words: Vec<String> = new.map(|(r, key, value)| format!("{r} {key} {value}")).collect();
        Some(words.join(" "))
    }
}

impl Service for Registry {
    fn start(guest: Guest) -> Self {
        let values = RefCell::new([0; 4]);
        Registry { guest, values, revision: Cell::new(0), changes: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        match request.path() {
            "/set" => {
                let [key, value] = these(&request.text());
                if self.values.borrow()[key as usize] < value {
                    self.values.borrow_mut()[key as usize] = value;
                    self.revision.set(self.revision.get() + 1);
                    let mut changes = self.changes.borrow_mut();
                    changes.push_back((self.revision.get(), key as usize, value));
                    if changes.len() > 8 {
                        changes.pop_front();
                    }
                }
                Response::text("")
            }
            "/watch" => {
                let [since] = these(&request.text());
                self.changes_after(since).await.map_or(Response::text("list anew"), Response::text)
            }
            _ => Response::text(self.list()),
        }
    }
}

struct Watcher<const BUGGY: bool> {
    guest: Guest,
    seen: Cell<u64>,
    values: RefCell<[u64; 4]>,
}

impl<const BUGGY: bool> Watcher<BUGGY> {
    async fn list(&self) {
        let [revision, values @ ..] = these::<5>(&insist(&self.guest, "registry/list", "").await);
        self.seen.set(revision);
        *self.values.borrow_mut() = values;
    }

    async fn watch(self: Rc<Self>) {
        self.list().await;
        loop {
            let since = self.seen.get().to_string();
            match ask_within(&self.guest, millis(200), "registry/watch", since).await {
                Some(text) if text == "list anew" => self.list().await,
                Some(changes) => {
                    for change in numbers(&changes).chunks_exact(3) {
                        self.seen.set(change[0]);
                        self.values.borrow_mut()[change[1] as usize] = change[2];
                    }
                }
                None if BUGGY => {
                    let list = numbers(&insist(&self.guest, "registry/list", "").await);
                    self.seen.set(list[0]);
                }
                None => {}
            }
        }
    }
}

impl<const BUGGY: bool> Service for Watcher<BUGGY> {
    fn start(guest: Guest) -> Self {
        Watcher { guest, seen: Cell::new(0), values: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/begin" {
            self.guest.spawn(Rc::clone(&self).watch());
        }
        Response::text(self.values.borrow().map(|value| value.to_string()).join(" "))
    }
}

struct Clients {
    guest: Guest,
    next: Cell<u64>,
    set: RefCell<[u64; 4]>,
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest, next: Cell::new(0), set: RefCell::default() }
    }

    async fn setup(self: Rc<Self>) {
        insist(&self.guest, "watcher/begin", "").await;
    }

    fn drivers() -> Vec<Driver<Self>> {
        let set = |w: Rc<Self>, _| async move {
            let (key, value) = (w.guest.random_below(4), w.next.get() + 1);
            w.next.set(value);
            insist(&w.guest, "registry/set", format!("{key} {value}")).await;
            w.set.borrow_mut()[key as usize] = value;
        };
        vec![Driver::new(set).pause(millis(60))]
    }

    async fn judge(self: Rc<Self>) {
        let set = self.set.borrow().map(|value| value.to_string()).join(" ");
        let mut known = String::new();
        for _ in 0..20 {
            self.guest.sleep(millis(1000)).await;
            known = insist(&self.guest, "watcher/known", "").await;
            if known == set {
                break;
            }
        }
        self.guest.always_or(known == set, BUG.rule, || format!("set: {set}; known: {known}"));
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Registry>("registry", &[])
        .singleton::<Watcher<BUGGY>>("watcher", &["registry"])
        .workload::<Clients>()
        .fault("net.loss", &[("rate", share(0.1))], &[])
        .faults(&["net.delay"])
        .nodes(2)
        .lasts(millis(1000))
        .settles(millis(25_000))
        .build()
}
