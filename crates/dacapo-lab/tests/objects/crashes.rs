//! A crash at every operation of every disk and at every message, one after the other.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_lab::prelude::*;
use dacapo_lab::{CrashReport, Failure};
use dacapo_sim::Swarm;

use crate::thing::{ask, clear_log, insist, log, note};

/// A count that knows whom it has counted: the same key twice counts once. After three it sets an
/// alarm, which writes a receipt.
struct Ledger;

/// The planted bug: it counts in memory, answers, and stores a little later.
struct Hasty;

trait Kind: 'static {
    const IS_HASTY: bool;
}

impl Kind for Ledger {
    const IS_HASTY: bool = false;
}

impl Kind for Hasty {
    const IS_HASTY: bool = true;
}

struct Counter<K> {
    guest: Guest,
    /// What the hasty one knows, once it has read it.
    in_memory: RefCell<Option<(u64, Vec<String>)>>,
    kind: std::marker::PhantomData<K>,
}

impl<K: Kind> Counter<K> {
    fn stored(&self) -> (u64, Vec<String>) {
        let get =
            |key| self.guest.storage(|s| s.get(key)).expect("the storage of a healthy object can be read");
        let text = |key| get(key).map_or(String::new(), |v| String::from_utf8_lossy(&v).into_owned());
        (text("count").parse().unwrap_or(0), text("seen").split_whitespace().map(str::to_owned).collect())
    }

    fn store(guest: &Guest, count: u64, seen: &[String]) {
        let put =
            |key, value: String| guest.storage(|s| s.put(key, value.as_bytes())).expect("a short value");
        put("count", count.to_string());
        put("seen", seen.join(" "));
        if count == 3 {
            let at = guest.wall().later(Duration::from_millis(50));
            guest.storage(|s| s.set_alarm(Some(at))).expect("an alarm can be set");
        }
    }

    fn add(&self, key: String) -> u64 {
        let known = self.in_memory.borrow().clone();
        let (mut count, mut seen) = known.unwrap_or_else(|| self.stored());
        if seen.contains(&key) {
            return count;
        }
        count += 1;
        seen.push(key);
        if K::IS_HASTY {
            *self.in_memory.borrow_mut() = Some((count, seen.clone()));
            let guest = self.guest.clone();
            self.guest.spawn(async move {
                guest.sleep(Duration::from_millis(1)).await;
                Self::store(&guest, count, &seen);
            });
        } else {
            Self::store(&self.guest, count, &seen);
        }
        count
    }
}

impl<K: Kind> Service for Counter<K> {
    fn start(guest: Guest) -> Self {
        Counter { guest, in_memory: RefCell::default(), kind: std::marker::PhantomData }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        Response::text(match request.path() {
            "/add" => self.add(request.text()).to_string(),
            "/receipt" => {
                self.guest.storage(|s| s.get("receipt")).expect("it can be read").is_some().to_string()
            }
            _ => {
                let (count, seen) = self.stored();
                format!("{count} {}", seen.join(" "))
            }
        })
    }

    async fn alarm(self: Rc<Self>, _: u32) -> Result<(), ()> {
        note(&self.guest, "alarm");
        self.guest.storage(|s| s.put("receipt", b"yes")).map_err(drop)
    }
}

/// Two clients, each with a list of keys, which they try until they are counted. All of it is in
/// `setup`: there is nothing random in when it happens.
struct Clients {
    guest: Guest,
    acknowledged: RefCell<Vec<String>>,
    /// Keys that were sent once, with whatever answer or none.
    once: RefCell<Vec<String>>,
    saw_failure: Cell<bool>,
}

impl Clients {
    async fn client(&self, name: &str, keys: u64) {
        for number in 0..keys {
            let key = format!("{name}{number}");
            while ask(&self.guest, "x", "/add", &key).await.is_err() {
                self.saw_failure.set(true);
                self.guest.sleep(Duration::from_millis(20)).await;
            }
            self.acknowledged.borrow_mut().push(key);
        }
        // And one that is not tried again: it is there as a whole or not at all.
        let key = format!("{name}-once");
        self.once.borrow_mut().push(key.clone());
        if ask(&self.guest, "x", "/add", &key).await.is_ok() {
            self.acknowledged.borrow_mut().push(key);
        }
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Clients {
        clear_log();
        Clients {
            guest,
            acknowledged: RefCell::default(),
            once: RefCell::default(),
            saw_failure: Cell::new(false),
        }
    }

    async fn setup(self: Rc<Self>) {
        futures::future::join(self.client("a", 3), self.client("b", 2)).await;
    }

    fn drivers() -> Vec<Driver<Clients>> {
        Vec::new()
    }

    async fn judge(self: Rc<Self>) {
        let found = insist(&self.guest, "x", "/read", "").await;
        let mut words = found.split_whitespace();
        let count: usize = words.next().and_then(|n| n.parse().ok()).expect("a number");
        let seen: Vec<&str> = words.collect();
        let acknowledged = self.acknowledged.borrow().clone();
        let details = || format!("acknowledged: {}; stored: {found}", acknowledged.join(" "));
        let has_all = acknowledged.iter().all(|key| seen.contains(&key.as_str()));
        self.guest.always_or(has_all, "no acknowledged write is lost", details);
        self.guest.always_or(count == seen.len(), "no write is half there", details);
        let once = self.once.borrow().clone();
        let is_known = |key: &&str| acknowledged.iter().chain(once.iter()).any(|known| known == key);
        self.guest.always_or(seen.iter().all(is_known), "nothing is there that nobody wrote", details);
        for _ in 0..200 {
            if insist(&self.guest, "x", "/receipt", "").await == "true" {
                break;
            }
            self.guest.sleep(Duration::from_millis(50)).await;
        }
        let has_receipt = insist(&self.guest, "x", "/receipt", "").await == "true";
        self.guest.always_or(has_receipt, "the alarm rings", details);
    }
}

fn everywhere<K: Kind>(seed: u64) -> CrashReport {
    everywhere_on::<K>(seed, 2, 1)
}

fn everywhere_on<K: Kind>(seed: u64, nodes: u32, replicas: u32) -> CrashReport {
    let builder = Experiment::native("everywhere").objects::<(), Counter<K>>("things", "Thing", &[]);
    let builder = builder.replicas(replicas);
    // Each crash is a power failure, with any part of what was not synced.
    let builder = builder.fault("disk.torn", &[("rate", Param::Number(1.0))], &[]).workload::<Clients>();
    let mut experiment = builder.nodes(nodes).lasts(Duration::from_millis(1)).build();
    experiment.options_mut().swarm = Swarm::All;
    experiment.crash_everywhere(seed)
}

#[test]
fn a_crash_at_any_point_loses_no_acknowledged_write_and_leaves_none_half_there() {
    for seed in 0..20 {
        let report = everywhere::<Ledger>(seed);
        report.check();
        assert_eq!(report.runs, report.points + 1);
        assert!(report.points > 40, "{report}");
        assert!(log().iter().any(|what| what == "alarm"));
    }
}

#[test]
fn a_crash_of_any_replica_at_any_point_loses_nothing_either() {
    let report = everywhere_on::<Ledger>(0, 3, 3);
    report.check();
    assert_eq!(report.runs, report.points + 1);
    assert!(report.points > 200, "{report}");
    let Some((Some(_), failed)) = everywhere_on::<Hasty>(0, 3, 3).failed else { panic!("nothing is found") };
    assert!(failed.failure.unwrap().to_string().contains("no acknowledged write is lost"));
}

#[test]
fn an_object_that_answers_before_it_has_stored_is_found() {
    let report = everywhere::<Hasty>(0);
    let Some((Some(_), failed)) = &report.failed else { panic!("{report}") };
    let Some(Failure::Check { check, .. }) = &failed.failure else { panic!("{report}") };
    assert_eq!(check.message, "no acknowledged write is lost", "{report}");
}

#[test]
fn a_crash_at_every_point_is_the_same_each_time() {
    assert_eq!(everywhere::<Hasty>(1), everywhere::<Hasty>(1));
}
