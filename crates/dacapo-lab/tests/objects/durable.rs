//! What was acknowledged is on the disk; what is not on the disk was told to nobody.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_lab::RunOptions;
use dacapo_lab::prelude::*;
use dacapo_trace::{Memory, Reader, ReplayEnd};

use crate::thing::{Passes, Thing, Witness, ask, clear_log, insist, read, told_max};

/// What each client does with an object of its own, and what it demands in the end.
trait Habit: 'static {
    const PATH: &'static str;
    /// Clients for each object.
    const CLIENTS: u32 = 1;
    /// Whether what failed was surely not stored.
    const FAILS_CLEANLY: bool = false;
    /// With what alone a request may fail; empty: with anything.
    const ERRORS: &'static [&'static str] = &[];
}

struct Clients<H> {
    guest: Guest,
    acknowledged: RefCell<BTreeMap<String, u64>>,
    tried: RefCell<BTreeMap<String, u64>>,
    habit: std::marker::PhantomData<H>,
}

impl<H: Habit> Clients<H> {
    async fn round(self: Rc<Self>, client: u32) {
        let name = format!("object {}", client / H::CLIENTS);
        *self.tried.borrow_mut().entry(name.clone()).or_default() += 1;
        match ask(&self.guest, &name, H::PATH, "").await {
            Ok(_) => *self.acknowledged.borrow_mut().entry(name.clone()).or_default() += 1,
            Err(error) => {
                self.guest.sometimes(error.contains("the storage failed"), "a commit fails");
                let is_allowed = H::ERRORS.is_empty() || H::ERRORS.contains(&error.as_str());
                self.guest.always_or(is_allowed, "nothing that is under way breaks", || error.clone());
                if H::FAILS_CLEANLY && H::CLIENTS == 1 {
                    self.compare(&name, true).await;
                }
            }
        }
    }

    /// Compares what is stored with what was said.
    async fn compare(&self, name: &str, is_exact: bool) {
        let found = read(&self.guest, name).await;
        let said = self.acknowledged.borrow().get(name).copied().unwrap_or(0);
        let tried = self.tried.borrow().get(name).copied().unwrap_or(0);
        let details = || format!("{name}: {said} acknowledged of {tried}, {found} stored");
        self.guest.always_or(found >= said, "what was acknowledged is stored", details);
        let max = if is_exact { said } else { tried };
        self.guest.always_or(found <= max, "what was not tried is not stored", details);
    }
}

impl<H: Habit> Workload for Clients<H> {
    fn start(guest: Guest) -> Self {
        clear_log();
        Clients {
            guest,
            acknowledged: RefCell::default(),
            tried: RefCell::default(),
            habit: Default::default(),
        }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let driver = Driver::new(|w: Rc<Self>, client| w.round(client));
        vec![driver.clients(3 * H::CLIENTS).pause(Duration::from_millis(40))]
    }

    async fn judge(self: Rc<Self>) {
        let names: Vec<String> = self.tried.borrow().keys().cloned().collect();
        for name in names {
            self.compare(&name, H::FAILS_CLEANLY).await;
        }
    }
}

struct Add;
impl Habit for Add {
    const PATH: &'static str = "/add";
}

struct AddTogether;
impl Habit for AddTogether {
    const PATH: &'static str = "/add";
    const CLIENTS: u32 = 8;
}

struct AddOnFullDisk;
impl Habit for AddOnFullDisk {
    const PATH: &'static str = "/add";
    const FAILS_CLEANLY: bool = true;
}

struct AddTogetherOnFullDisk;
impl Habit for AddTogetherOnFullDisk {
    const PATH: &'static str = "/add";
    const CLIENTS: u32 = 8;
    const FAILS_CLEANLY: bool = true;
}

struct AddSlowly;
impl Habit for AddSlowly {
    const PATH: &'static str = "/slow";
    const CLIENTS: u32 = 2;
    const FAILS_CLEANLY: bool = true;
    const ERRORS: &'static [&'static str] = &["connection refused", "503: this node is stopping"];
}

type Faults<'a> = &'a [(&'a str, &'a [(&'a str, Param)])];

fn experiment<W: Workload>(faults: Faults<'_>) -> Experiment {
    let builder = Experiment::native("durable").objects::<(), Thing>("things", "Thing", &["witness"]);
    let builder = builder.service::<Witness>("witness", &[]).workload::<W>().nodes(2);
    let builder = faults.iter().fold(builder, |b, (name, params)| b.fault(name, params, &[]));
    builder.lasts(Duration::from_secs(10)).build()
}

fn secs(n: u64) -> Param {
    Param::Duration(Duration::from_secs(n))
}

const CRASHES: &[(&str, Param)] = &[("every", Param::Duration(Duration::from_millis(700)))];

#[test]
fn an_acknowledged_write_survives_a_crash() {
    experiment::<Clients<Add>>(&[("process.crash", CRASHES), ("disk.torn", &[])]).seeds(0..40).passes();
}

#[test]
fn acknowledged_writes_of_many_to_one_object_survive_a_crash() {
    let faults: Faults<'_> = &[("process.crash", CRASHES), ("disk.torn", &[]), ("disk.latency", &[])];
    experiment::<Clients<AddTogether>>(faults).seeds(0..12).passes();
}

#[test]
fn a_write_that_the_disk_fails_is_never_told_as_success() {
    let eio = [("sync", Param::Number(0.05)), ("rate", Param::Number(0.01))];
    let faults: Faults<'_> = &[("disk.eio", &eio), ("disk.torn", &[])];
    experiment::<Clients<Add>>(faults).seeds(0..24).check();
    experiment::<Clients<AddTogether>>(faults).seeds(0..6).passes();
}

#[test]
fn an_object_whose_write_finds_no_space_goes_back_to_what_the_disk_has() {
    let full = [("every", secs(2)), ("lasts", secs(1))];
    experiment::<Clients<AddOnFullDisk>>(&[("disk.full", &full)]).seeds(0..20).check();
    experiment::<Clients<AddTogetherOnFullDisk>>(&[("disk.full", &full), ("disk.stall", &[])])
        .seeds(0..10)
        .passes();
}

#[test]
fn a_graceful_stop_finishes_what_is_under_way() {
    let stops: Faults<'_> = &[("process.stop", &[("every", Param::Duration(Duration::from_secs(2)))])];
    experiment::<Clients<AddSlowly>>(stops).seeds(0..30).passes();
}

/// Objects that tell somebody else what they have just written.
struct Tellers {
    guest: Guest,
}

impl Workload for Tellers {
    fn start(guest: Guest) -> Tellers {
        clear_log();
        Tellers { guest }
    }

    fn drivers() -> Vec<Driver<Tellers>> {
        let tell = |w: Rc<Tellers>, _| async move { drop(ask(&w.guest, "x", "/tell", "").await) };
        vec![Driver::new(tell).pause(Duration::from_millis(5))]
    }

    async fn judge(self: Rc<Self>) {
        let (told, found) = (told_max(), read(&self.guest, "x").await);
        let details = || format!("{told} was told, {found} is stored");
        self.guest.always_or(found >= told, "nothing leaves an object before it is durable", details);
    }
}

#[test]
fn nothing_leaves_an_object_before_it_is_durable() {
    // Slow disks and many crashes: what left too early would have the time to arrive.
    let slow = [("every", secs(1)), ("lasts", secs(5))];
    let faults: Faults<'_> = &[
        ("process.crash", CRASHES),
        ("disk.torn", &[("rate", Param::Number(1.0))]),
        ("disk.latency", &slow),
        ("disk.stall", &[("rate", Param::Number(0.05))]),
    ];
    experiment::<Tellers>(faults).seeds(0..60).check();
}

/// Two keys that are always written together.
struct Pairs {
    guest: Guest,
    acknowledged: Cell<u64>,
}

impl Pairs {
    async fn look(&self) {
        let pair = insist(&self.guest, "x", "/read-pair", "").await;
        let (a, b) = pair.split_once(' ').expect("two numbers");
        self.guest.always_or(a == b, "the writes of one turn are there together", || pair.clone());
    }
}

impl Workload for Pairs {
    fn start(guest: Guest) -> Pairs {
        Pairs { guest, acknowledged: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Pairs>> {
        let write = |w: Rc<Pairs>, _| async move {
            if ask(&w.guest, "x", "/pair", "").await.is_ok() {
                w.acknowledged.set(w.acknowledged.get() + 1);
            }
            w.look().await;
        };
        vec![Driver::new(write).pause(Duration::from_millis(10))]
    }

    async fn judge(self: Rc<Self>) {
        self.look().await;
        self.guest.sometimes(self.acknowledged.get() > 10, "pairs are written");
    }
}

#[test]
fn the_writes_of_one_turn_are_atomic() {
    let eio = [("sync", Param::Number(0.02)), ("rate", Param::Number(0.01))];
    let faults: Faults<'_> = &[("process.crash", CRASHES), ("disk.torn", &[]), ("disk.eio", &eio)];
    experiment::<Pairs>(faults).seeds(0..24).check();
}

#[test]
fn a_run_with_objects_replays_from_its_recording_without_a_disk() {
    let experiment = experiment::<Clients<Add>>(&[("process.crash", CRASHES), ("disk.torn", &[])]);
    let first = experiment.run(7);
    let memory = Memory::new();
    let identity = experiment.identity(first.seed, None);
    let options = RunOptions { record: Some((identity, Box::new(memory.clone()))), ..RunOptions::default() };
    let (again, written) = experiment.run_with(first.seed, options);
    written.expect("memory takes everything");
    assert_eq!(again, first);
    let recording = memory.take();
    let end = experiment.replay(Reader::open(recording.as_slice()).expect("a whole recording"));
    assert!(matches!(end, ReplayEnd::Same { digest, .. } if digest == first.digest), "{end:?}");
}
