//! A small Raft: elections, a replicated log, commitment; each replica is a durable object on a node of its own.
//!
//! Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014), without snapshots and changes of
//! membership. What a replica writes to its storage is durable before its answer leaves.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;

use dacapo_core::Time;
use dacapo_lab::prelude::*;

use crate::kit::{agree, ask_object_within, forget, millis, numbers, refuse};

/// What is wrong, if anything.
pub(crate) trait Flavor: 'static {
    /// A vote is written to the storage a moment after the answer.
    const VOTES_UNSYNCED: bool = false;
    /// The leader counts replicas of entries of older terms, too (figure 8 of the paper).
    const COMMITS_OLD_TERMS: bool = false;
    /// A follower cuts its log behind what it was sent, conflict or not.
    const ALWAYS_TRUNCATES: bool = false;
    /// A vote is given without a look at the candidate's log.
    const VOTES_BLINDLY: bool = false;
}

/// Nothing is.
pub(crate) struct Correct;

impl Flavor for Correct {}

pub(crate) const ONE_LEADER: &str = "one leader in a term";
pub(crate) const SAME_ENTRIES: &str = "what is committed stays";

/// Objects that live on three different nodes of three. (A test of this file watches that.)
const NAMES: [&str; 3] = ["r0", "r1", "r2"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    term: u64,
    value: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Follower,
    Candidate,
    Leader,
}

/// What must survive a crash.
#[derive(Clone, Debug, Default)]
struct Durable {
    term: u64,
    /// Who has this term's vote: 1 more than the number of the replica, 0 for nobody.
    vote: u64,
    log: Vec<Entry>,
}

impl Durable {
    fn last(&self) -> (u64, u64) {
        (self.log.last().map_or(0, |entry| entry.term), self.log.len() as u64)
    }

    fn term_at(&self, length: u64) -> u64 {
        if length == 0 { 0 } else { self.log[length as usize - 1].term }
    }
}

pub(crate) struct Replica<F> {
    guest: Guest,
    durable: RefCell<Durable>,
    /// What the storage has of it.
    stored: RefCell<String>,
    role: Cell<Role>,
    heard: Cell<Time>,
    committed: Cell<u64>,
    /// Of a leader: how long the log of each replica surely is as its own, and what to send next.
    matches: RefCell<[u64; 3]>,
    next: RefCell<[u64; 3]>,
    runs: Cell<bool>,
    flavor: PhantomData<F>,
}

fn write(entries: &[Entry]) -> String {
    entries.iter().map(|e| format!(" {} {}", e.term, e.value)).collect()
}

fn read(numbers: &[u64]) -> Vec<Entry> {
    numbers.chunks_exact(2).map(|pair| Entry { term: pair[0], value: pair[1] }).collect()
}

impl<F: Flavor> Replica<F> {
    fn store(&self) {
        let d = self.durable.borrow();
        let text = format!("{} {}{}", d.term, d.vote, write(&d.log));
        if text != *self.stored.borrow() {
            // A full or broken disk is no part of these scenarios.
            self.guest.storage(|s| s.put("state", text.as_bytes())).expect("a healthy disk");
            *self.stored.borrow_mut() = text;
        }
    }

    fn load(guest: &Guest) -> Durable {
        let stored = guest.storage(|s| s.get("state")).expect("a healthy disk");
        let numbers = stored.map(|text| numbers(&String::from_utf8_lossy(&text))).unwrap_or_default();
        match &numbers[..] {
            [term, vote, log @ ..] => Durable { term: *term, vote: *vote, log: read(log) },
            _ => Durable::default(),
        }
    }

    /// A message of a later term makes everybody a follower.
    fn see_term(&self, term: u64) {
        if term > self.durable.borrow().term {
            let mut durable = self.durable.borrow_mut();
            durable.term = term;
            durable.vote = 0;
            self.role.set(Role::Follower);
        }
    }

    async fn call(guest: &Guest, to: usize, path: &str, body: String) -> Option<Vec<u64>> {
        let replica = ("Replica", NAMES[to]);
        let answer = ask_object_within(guest, millis(50), replica, &format!("raft{path}"), body).await;
        answer.map(|text| numbers(&text))
    }

    /// The clock of a replica: followers become candidates, leaders send.
    async fn run(self: Rc<Self>, me: usize) {
        loop {
            if self.role.get() == Role::Leader {
                self.send_to_all(me);
                self.guest.sleep(millis(30)).await;
                continue;
            }
            let patience = millis(100 + self.guest.random_below(100));
            self.guest.sleep(patience).await;
            if self.role.get() != Role::Leader && self.guest.now().since(self.heard.get()) >= patience {
                self.stand_for_election(me);
            }
        }
    }

    fn stand_for_election(self: &Rc<Self>, me: usize) {
        let (term, body) = {
            let mut durable = self.durable.borrow_mut();
            durable.term += 1;
            durable.vote = me as u64 + 1;
            let (last_term, length) = durable.last();
            (durable.term, format!("{} {me} {last_term} {length}", durable.term))
        };
        self.role.set(Role::Candidate);
        self.heard.set(self.guest.now());
        self.store();
        let votes = Rc::new(Cell::new(1));
        self.state("stands");
        for to in (0..3).filter(|to| *to != me) {
            let (replica, votes, body) = (Rc::clone(self), Rc::clone(&votes), body.clone());
            self.guest.spawn(async move {
                let Some(answer) = Self::call(&replica.guest, to, "/vote", format!("{to} {body}")).await
                else {
                    return;
                };
                replica.see_term(answer[0]);
                let still = replica.role.get() == Role::Candidate && replica.durable.borrow().term == term;
                if answer[1] == 1 && still {
                    votes.set(votes.get() + 1);
                    if votes.get() == 2 {
                        replica.lead(me);
                    }
                }
            });
        }
    }

    fn lead(self: &Rc<Self>, me: usize) {
        self.role.set(Role::Leader);
        let (term, length) = (self.durable.borrow().term, self.durable.borrow().log.len() as u64);
        agree(&self.guest, ONE_LEADER, format!("the leader of term {term}"), NAMES[me].into());
        self.state("leads");
        *self.matches.borrow_mut() = [0; 3];
        *self.next.borrow_mut() = [length; 3];
        self.send_to_all(me);
    }

    fn send_to_all(self: &Rc<Self>, me: usize) {
        for to in (0..3).filter(|to| *to != me) {
            self.guest.spawn(Rc::clone(self).send(me, to));
        }
    }

    async fn send(self: Rc<Self>, me: usize, to: usize) {
        let (term, next, length, body) = {
            let durable = self.durable.borrow();
            let next = self.next.borrow()[to].min(durable.log.len() as u64);
            let entries = write(&durable.log[next as usize..]);
            let (term, before) = (durable.term, durable.term_at(next));
            let body = format!("{to} {term} {next} {before} {}{entries}", self.committed.get());
            (term, next, durable.log.len() as u64, body)
        };
        let Some(answer) = Self::call(&self.guest, to, "/append", body).await else { return };
        self.see_term(answer[0]);
        if self.role.get() != Role::Leader || self.durable.borrow().term != term {
            return;
        }
        if answer[1] == 1 {
            let known = self.matches.borrow()[to].max(length);
            self.matches.borrow_mut()[to] = known;
            self.next.borrow_mut()[to] = known;
            self.advance(me);
        } else {
            self.next.borrow_mut()[to] = next.saturating_sub(1).max(self.matches.borrow()[to]);
        }
    }

    /// Where it stands, for the search: what of its log is open, and how old that is.
    fn state(&self, does: &str) {
        let durable = self.durable.borrow();
        let open = &durable.log[(self.committed.get() as usize).min(durable.log.len())..];
        let mut ages: Vec<u64> = open.iter().map(|entry| durable.term - entry.term).collect();
        ages.dedup();
        ages.truncate(3);
        self.guest.coverage(&format!("{does} with entries of {ages:?} terms ago"));
    }

    /// What a majority has is committed.
    fn advance(&self, me: usize) {
        let mut lengths = *self.matches.borrow();
        lengths[me] = self.durable.borrow().log.len() as u64;
        lengths.sort_unstable();
        let by_majority = lengths[1];
        let is_of_this_term = self.durable.borrow().term_at(by_majority) == self.durable.borrow().term;
        if F::COMMITS_OLD_TERMS || is_of_this_term {
            self.commit(by_majority);
        }
    }

    fn commit(&self, length: u64) {
        while self.committed.get() < length {
            let entry = self.durable.borrow().log[self.committed.get() as usize];
            self.committed.set(self.committed.get() + 1);
            let what = format!("entry {}", self.committed.get());
            agree(&self.guest, SAME_ENTRIES, what, format!("{} of term {}", entry.value, entry.term));
        }
    }

    /// `term candidate last_term length`
    fn vote(&self, body: &[u64]) -> Response {
        let &[term, candidate, last_term, length] = body else { return refuse("malformed") };
        self.see_term(term);
        let is_granted = {
            let mut durable = self.durable.borrow_mut();
            let is_free = durable.vote == 0 || durable.vote == candidate + 1;
            let is_as_new = F::VOTES_BLINDLY || (last_term, length) >= durable.last();
            let is_granted = term == durable.term && is_free && is_as_new;
            if is_granted {
                durable.vote = candidate + 1;
                self.heard.set(self.guest.now());
            }
            is_granted
        };
        self.state(if is_granted { "votes" } else { "refuses a vote" });
        let term = self.durable.borrow().term;
        Response::text(format!("{term} {}", u8::from(is_granted)))
    }

    /// `term length_before term_before committed entries..`
    fn append(&self, body: &[u64]) -> Response {
        let [term, before, term_before, committed, entries @ ..] = body else { return refuse("malformed") };
        self.see_term(*term);
        let entries = read(entries);
        let mut durable = self.durable.borrow_mut();
        if *term < durable.term {
            return Response::text(format!("{} 0", durable.term));
        }
        self.role.set(Role::Follower);
        self.heard.set(self.guest.now());
        let length = durable.log.len() as u64;
        if *before > length || durable.term_at(*before) != *term_before {
            return Response::text(format!("{} 0", durable.term));
        }
        let start = *before as usize;
        let conflict = durable.log[start..].iter().zip(&entries).position(|(old, new)| old.term != new.term);
        if F::ALWAYS_TRUNCATES {
            durable.log.truncate(start);
        } else if let Some(at) = conflict {
            durable.log.truncate(start + at);
        }
        let known = durable.log.len() - start;
        durable.log.extend(entries.iter().skip(known));
        drop(durable);
        self.commit((*committed).min(before + entries.len() as u64));
        let term = self.durable.borrow().term;
        Response::text(format!("{term} 1"))
    }

    /// Takes a value if it leads. It is sent with the next heartbeat, together with others.
    fn propose(&self, value: u64) -> Response {
        if self.role.get() != Role::Leader {
            return refuse("not the leader");
        }
        let term = self.durable.borrow().term;
        self.durable.borrow_mut().log.push(Entry { term, value });
        self.store();
        Response::text("")
    }
}

impl<F: Flavor> Service for Replica<F> {
    fn start(guest: Guest) -> Self {
        let durable = RefCell::new(Self::load(&guest));
        let heard = Cell::new(guest.now());
        Replica {
            guest,
            durable,
            stored: RefCell::default(),
            role: Cell::new(Role::Follower),
            heard,
            committed: Cell::new(0),
            matches: RefCell::default(),
            next: RefCell::default(),
            runs: Cell::new(false),
            flavor: PhantomData,
        }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let body = numbers(&request.text());
        // The first word says who is meant: a replica does not know its name.
        let [me, body @ ..] = &body[..] else { return refuse("malformed") };
        let me = *me as usize;
        if !self.runs.replace(true) {
            self.heard.set(self.guest.now());
            self.guest.spawn(Rc::clone(&self).run(me));
        }
        match (request.path(), body) {
            ("/vote", body) => {
                let answer = self.vote(body);
                if F::VOTES_UNSYNCED {
                    let replica = Rc::clone(&self);
                    self.guest.spawn(async move {
                        replica.guest.sleep(millis(5)).await;
                        replica.store();
                    });
                } else {
                    self.store();
                }
                answer
            }
            ("/append", body) => {
                let answer = self.append(body);
                self.store();
                answer
            }
            ("/propose", [value]) => self.propose(*value),
            _ => Response::text(""),
        }
    }
}

/// Proposes numbers to whoever leads.
pub(crate) struct Clients {
    guest: Guest,
    next: Cell<u64>,
    leader: Cell<usize>,
}

impl Clients {
    async fn ask(&self, to: usize, path: &str, body: String) -> bool {
        let (replica, to) = (("raft.Replica", NAMES[to]), format!("raft{path}"));
        ask_object_within(&self.guest, millis(100), replica, &to, body).await.is_some()
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        forget();
        Clients { guest, next: Cell::new(0), leader: Cell::new(0) }
    }

    async fn setup(self: Rc<Self>) {
        for to in 0..3 {
            self.ask(to, "/wake", to.to_string()).await;
        }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let propose = |w: Rc<Self>, _| async move {
            let (to, value) = (w.leader.get(), w.next.get() + 1);
            w.next.set(value);
            if !w.ask(to, "/propose", format!("{to} {value}")).await {
                w.leader.set((to + 1) % 3);
            }
        };
        vec![Driver::new(propose).pause(millis(40))]
    }
}
