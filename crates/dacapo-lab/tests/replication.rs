//! Primary and backup: a write that was acknowledged must survive a crash of the primary.
//!
//! The eager twin acknowledges first and replicates afterwards; its bug is found, recorded and
//! replayed. The careful twin waits for the backup and survives the same seeds.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_core::{Script, Seed};
use dacapo_lab::prelude::*;
use dacapo_lab::{Attempt, Explorer, Failure, Report, RunOptions, ShrinkError, Strategy};
use dacapo_trace::{Memory, Reader, ReplayEnd};
use http::StatusCode;

/// A register for each key: the number last written.
type Registers = RefCell<BTreeMap<String, u64>>;

fn parse(text: &str) -> Option<(String, u64)> {
    let (key, value) = text.split_once('=')?;
    Some((key.to_owned(), value.parse().ok()?))
}

fn raise(registers: &Registers, key: String, value: u64) {
    let mut registers = registers.borrow_mut();
    let entry = registers.entry(key).or_default();
    *entry = (*entry).max(value);
}

fn dump(registers: &Registers) -> String {
    registers.borrow().iter().map(|(k, v)| format!("{k}={v}\n")).collect()
}

struct Backup(Registers);

impl Service for Backup {
    fn start(_: Guest) -> Backup {
        Backup(Registers::default())
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if let Some((key, value)) = parse(&request.text()) {
            raise(&self.0, key, value);
        }
        Response::text(dump(&self.0))
    }
}

struct Primary<const EAGER: bool> {
    guest: Guest,
    registers: Registers,
    has_recovered: Cell<bool>,
}

impl<const EAGER: bool> Primary<EAGER> {
    /// After a boot the memory is empty: what was acknowledged before stands at the backup.
    async fn recover(&self) -> Result<(), FetchError> {
        if !self.has_recovered.get() {
            let all = self.guest.call("BACKUP", Request::get("https://backup.internal/")).await?;
            for (key, value) in all.into_text().lines().filter_map(parse) {
                raise(&self.registers, key, value);
            }
            self.has_recovered.set(true);
        }
        Ok(())
    }
}

impl<const EAGER: bool> Service for Primary<EAGER> {
    fn start(guest: Guest) -> Self {
        Primary { guest, registers: Registers::default(), has_recovered: Cell::new(false) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let unavailable = Response::new(StatusCode::SERVICE_UNAVAILABLE, "the backup does not answer");
        if self.recover().await.is_err() {
            return unavailable;
        }
        let Some((key, value)) = parse(&request.text()) else { return Response::text(dump(&self.registers)) };
        raise(&self.registers, key, value);
        let copy = Request::post("https://backup.internal/", request.body);
        if EAGER {
            let guest = self.guest.clone();
            self.guest.spawn(async move {
                let _ = guest.call("BACKUP", copy).await;
            });
        } else if self.guest.call("BACKUP", copy).await.is_err() {
            return unavailable;
        }
        Response::text("ok")
    }
}

/// Each client raises its own register and remembers what was acknowledged.
struct Clients {
    guest: Guest,
    acknowledged: Registers,
    next: Cell<u64>,
}

impl Clients {
    async fn write(self: Rc<Self>, client: u32) {
        self.next.set(self.next.get() + 1);
        let (key, value) = (format!("c{client}"), self.next.get());
        let request = Request::post("https://primary.example/", format!("{key}={value}"));
        let answer = self.guest.timeout(Duration::from_secs(2), self.guest.fetch(request)).await;
        if matches!(answer, Some(Ok(response)) if response.status() == StatusCode::OK) {
            raise(&self.acknowledged, key, value);
        }
    }
}

impl Workload for Clients {
    fn start(guest: Guest) -> Clients {
        Clients { guest, acknowledged: Registers::default(), next: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Clients>> {
        vec![Driver::new(|w: Rc<Clients>, client| w.write(client)).clients(3)]
    }

    async fn judge(self: Rc<Self>) {
        let stored =
            self.guest.fetch(Request::get("https://primary.example/")).await.map(Response::into_text);
        let stored: BTreeMap<String, u64> = stored.unwrap_or_default().lines().filter_map(parse).collect();
        for (key, value) in self.acknowledged.borrow().iter() {
            let found = stored.get(key).copied().unwrap_or(0);
            self.guest.always_or(found >= *value, "an acknowledged write survives a crash", || {
                format!("{key}={value} was acknowledged, {key}={found} is stored")
            });
        }
    }
}

fn experiment<const EAGER: bool>() -> Experiment {
    Experiment::native("replication")
        .singleton::<Primary<EAGER>>("primary", &["backup"])
        .singleton::<Backup>("backup", &[])
        .workload::<Clients>()
        .fault("process.crash", &[("every", Param::Duration(Duration::from_secs(3)))], &["backup"])
        .faults(&["net.delay", "net.loss"])
        .lasts(Duration::from_secs(30))
        .build()
}

#[test]
fn an_eager_acknowledgement_is_found_to_lose_writes_and_replays() {
    let eager = experiment::<true>();
    let found = eager.seeds(0..200).finds();
    let Some(Failure::Check { check, .. }) = &found.failure else { panic!("{:?}", found.failure) };
    assert_eq!(check.message, "an acknowledged write survives a crash");

    // The same seed again, recorded this time: the same run.
    let memory = Memory::new();
    let identity = eager.identity(found.seed, None);
    let options = RunOptions { record: Some((identity, Box::new(memory.clone()))), ..RunOptions::default() };
    let (again, written) = eager.run_with(found.seed, options);
    written.expect("memory takes everything");
    assert_eq!((again.digest, again.failure), (found.digest, found.failure));

    // The recording, played back without a simulator: the guests do the same once more.
    let recording = memory.take();
    let end = eager.replay(Reader::open(recording.as_slice()).expect("a whole recording"));
    assert!(matches!(end, ReplayEnd::Same { digest, .. } if digest == found.digest), "{end:?}");

    // Other programs do not do what was recorded, and the replay says where they part.
    let end = experiment::<false>().replay(Reader::open(recording.as_slice()).expect("a whole recording"));
    assert!(matches!(end, ReplayEnd::Diverged(_)), "{end:?}");
}

#[test]
fn a_backup_that_is_asked_first_loses_no_acknowledged_write() {
    experiment::<false>().seeds(0..200).check();
}

#[test]
fn a_seed_runs_the_same_whatever_ran_before_it() {
    let experiment = experiment::<true>();
    let first = experiment.run(77);
    for seed in 0..10 {
        experiment.run(seed);
    }
    assert_eq!(experiment.run(77), first);
    assert_ne!(experiment.run(78).digest, first.digest);
    assert_eq!(first.seed, Seed(77));
}

#[test]
fn a_failing_run_shrinks_to_the_decisions_that_matter() {
    let eager = experiment::<true>();
    let found = eager.seeds(0..200).finds();
    let shrunk = eager.shrink(found.seed, None, &mut |_| true).expect("it fails");
    println!(
        "{} runs, {:?}, {} nodes",
        shrunk.runs,
        shrunk.experiment.options().lasts,
        shrunk.experiment.nodes()
    );
    assert!(shrunk.script.decisions().len() <= 6, "{:#?}", shrunk.script.decisions());
    let signature = |report: &Report| report.failure.as_ref().map(Failure::signature);
    assert_eq!(signature(&shrunk.report), signature(&found));

    // It is a run like any other: the same script leads there again.
    let options = || RunOptions { script: Some(shrunk.script.clone()), ..RunOptions::default() };
    let (again, _) = shrunk.experiment.run_with(found.seed, options());
    assert_eq!(again.digest, shrunk.report.digest);

    // And one decision less leads elsewhere.
    let pivot = shrunk.pivot.expect("some decision matters");
    let rest = shrunk.script.decisions().iter().filter(|(key, _)| **key != pivot);
    let without = Script::new(rest.map(|(key, value)| (key.clone(), *value)), shrunk.script.rest);
    let options = RunOptions { script: Some(without), ..RunOptions::default() };
    assert!(shrunk.experiment.run_with(found.seed, options).0.passed());
}

#[test]
fn a_run_that_passes_is_not_shrunk() {
    let error = experiment::<false>().shrink(Seed(1), None, &mut |_| true).err();
    assert_eq!(error, Some(ShrinkError::Passes));
}

#[test]
fn strategies_find_the_bug() {
    for strategy in [Strategy::Uniform, Strategy::Swarm, Strategy::Sparse, Strategy::Portfolio] {
        let found = experiment::<true>().hunt(strategy, 0, 600);
        assert!(found.is_some(), "{strategy} finds nothing");
    }
}

#[test]
fn an_attempt_is_repeated_by_its_strategy_and_its_number_alone() {
    let eager = experiment::<true>();
    for strategy in Strategy::ARMS {
        let mut explorer = Explorer::new(strategy, 20);
        let mut next = || {
            let attempt = explorer.next(&eager);
            let run = eager.run_attempt(&attempt, RunOptions::default());
            explorer.learn(&eager, &attempt, run);
            attempt
        };
        let attempts: Vec<Attempt> = (0..12).map(|_| next()).collect();
        let Attempt { number, .. } = attempts[11];
        let again = Explorer::new(Strategy::Portfolio, 0).attempt(&eager, strategy, number);
        assert_eq!(again, attempts[11]);
        let digest = |attempt| eager.run_attempt(attempt, RunOptions::default()).report.digest;
        assert_eq!(digest(&again), digest(&attempts[11]));
        assert_ne!(digest(&again), digest(&attempts[10]));
    }
}

#[test]
fn the_careful_twin_survives_every_strategy() {
    for strategy in [Strategy::Pos, Strategy::Pct(3), Strategy::Sparse, Strategy::Portfolio] {
        let found = experiment::<false>().hunt(strategy, 0, 100);
        assert!(found.is_none(), "{strategy}: {:?}", found.map(|found| found.report.failure));
    }
}

#[test]
fn the_moment_is_told_from_which_on_a_failure_is_inevitable() {
    let eager = experiment::<true>();
    let found = eager.seeds(0..200).finds();
    let shrunk = eager.shrink(found.seed, None, &mut |_| true).expect("it fails");
    let mut runs = 0;
    let mut goes_on = || {
        runs += 1;
        runs < 1_000
    };
    let experiment = &shrunk.experiment;
    let branches = experiment.branches(found.seed, Some(&shrunk.script), 10, &mut goes_on).expect("it fails");
    let last = shrunk.report.failure.as_ref().and_then(Failure::event).expect("a check broke");
    // Once all has happened nothing can be otherwise; at the start it could.
    let at =
        |event| branches.iter().find(|branch| branch.event == event).expect("a moment that is looked at");
    assert_eq!(at(last).share(), 1.0);
    assert!(at(0).share() < 0.5, "{branches:#?}");
    assert!(branches.windows(2).all(|pair| pair[0].event < pair[1].event));
}
