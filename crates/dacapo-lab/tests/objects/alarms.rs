//! Alarms: once the time has come, at least once, whatever happens to the node meanwhile.

use std::rc::Rc;
use std::time::Duration;

use dacapo_core::Time;
use dacapo_core::fault::Param;
use dacapo_lab::prelude::*;
use http::StatusCode;

use crate::thing::{Passes, Story, Witness, ask, clear_log, insist, log, note, story_with, times};

/// An object with an alarm. What its handler does stands in its storage.
struct Clock {
    guest: Guest,
}

impl Clock {
    fn number(&self, key: &str) -> Option<u64> {
        let value = self.guest.storage(|s| s.get(key)).expect("the storage of a healthy object can be read");
        value.map(|v| String::from_utf8_lossy(&v).parse().expect("a number"))
    }

    fn set(&self, key: &str, value: u64) {
        self.guest.storage(|s| s.put(key, value.to_string().as_bytes())).expect("a short value is taken");
    }

    fn set_alarm(&self, millis: Option<u64>) {
        let at = millis.map(|millis| self.guest.wall().later(Duration::from_millis(millis)));
        self.guest.storage(|s| s.set_alarm(at)).expect("the alarm of a healthy object can be set");
    }
}

impl Service for Clock {
    fn start(guest: Guest) -> Clock {
        Clock { guest }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let body: Option<u64> = request.text().parse().ok();
        let answer = match request.path() {
            "/set" => {
                self.set_alarm(body);
                String::new()
            }
            // `/every` etc.: what the handler shall do, and how often or how long.
            "/every" | "/fails" | "/panics" | "/slow" | "/next-then-fails" => {
                self.set(&request.path()[1..], body.unwrap_or(1));
                String::new()
            }
            "/alarm" => self.guest.storage(|s| s.alarm()).expect("it can be read").is_some().to_string(),
            "/rung" => self.number("rung").unwrap_or(0).to_string(),
            path => return Response::new(StatusCode::NOT_FOUND, path.to_owned()),
        };
        Response::text(answer)
    }

    async fn alarm(self: Rc<Self>, retry: u32) -> Result<(), ()> {
        let guest = &self.guest;
        note(guest, format!("rings, retry {retry}"));
        let is_set = guest.storage(|s| s.alarm());
        assert_eq!(is_set, Ok(None), "while it rings there is none");
        self.set("rung", self.number("rung").unwrap_or(0) + 1);
        if let Some(millis) = self.number("slow") {
            guest.sleep(Duration::from_millis(millis)).await;
            note(guest, "is done");
        }
        if let Some(millis) = self.number("every") {
            self.set_alarm(Some(millis));
        }
        if self.number("panics").is_some_and(|times| u64::from(retry) < times) {
            panic!("the handler breaks");
        }
        if let Some(millis) = self.number("next-then-fails") {
            self.set_alarm(Some(millis));
            guest.storage(|s| s.delete("next-then-fails")).expect("it can be deleted");
            guest.sleep(Duration::from_millis(100)).await;
            panic!("after the next one was set");
        }
        match self.number("fails") {
            Some(times) if u64::from(retry) < times => Err(()),
            _ => Ok(()),
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Tells the story under some seeds without a fault; gives when the handler was called each time.
fn tell<S: Story>() -> Vec<String> {
    let mut experiment = story_with::<S, Clock>(Duration::from_secs(10));
    experiment.options_mut().settles = 60 * DAY;
    experiment.seeds(0..3).check();
    log()
}

async fn say(guest: &Guest, path: &str, body: &str) -> String {
    ask(guest, "x", path, body).await.expect("nothing fails")
}

/// How long after `begin` something happened each time.
fn since(begin: Time, what: &str) -> Vec<Duration> {
    times(what).iter().map(|time| time.since(begin)).collect()
}

fn is_about(found: &[Duration], expected: &[u64]) -> bool {
    let near = |(found, expected): (&Duration, &u64)| {
        found.abs_diff(Duration::from_secs(*expected)) < Duration::from_millis(100)
    };
    found.len() == expected.len() && found.iter().zip(expected).all(near)
}

struct Once;
impl Story for Once {
    async fn tell(guest: Guest) {
        let begin = guest.now();
        say(&guest, "/set", "5000").await;
        assert_eq!(say(&guest, "/alarm", "").await, "true");
        // It rings an object that has left memory, and one that is in it.
        guest.sleep(Duration::from_secs(60)).await;
        assert!(is_about(&since(begin, "rings, retry 0"), &[5]));
        assert_eq!(say(&guest, "/alarm", "").await, "false");
        say(&guest, "/set", "60000").await;
        guest.sleep(Duration::from_secs(300)).await;
        assert!(is_about(&since(begin, "rings, retry 0"), &[5, 120]));
        // One in the past rings at once.
        say(&guest, "/set", "0").await;
        guest.sleep(Duration::from_secs(1)).await;
        assert_eq!(times("rings, retry 0").len(), 3);
    }
}

#[test]
fn an_alarm_rings_once_when_its_time_has_come() {
    assert_eq!(tell::<Once>(), ["rings, retry 0"; 3]);
}

struct Changed;
impl Story for Changed {
    async fn tell(guest: Guest) {
        let begin = guest.now();
        say(&guest, "/set", "5000").await;
        say(&guest, "/set", "2000").await;
        say(&guest, "/set", "9000").await;
        guest.sleep(Duration::from_secs(60)).await;
        assert!(is_about(&since(begin, "rings, retry 0"), &[9]));
        say(&guest, "/set", "5000").await;
        say(&guest, "/set", "none").await;
        assert_eq!(say(&guest, "/alarm", "").await, "false");
        guest.sleep(Duration::from_secs(60)).await;
    }
}

#[test]
fn an_alarm_that_is_set_anew_rings_then_only_and_a_deleted_one_never() {
    assert_eq!(tell::<Changed>(), ["rings, retry 0"]);
}

struct Fails;
impl Story for Fails {
    async fn tell(guest: Guest) {
        let begin = guest.now();
        say(&guest, "/fails", "3").await;
        say(&guest, "/set", "1000").await;
        guest.sleep(DAY).await;
        for (retry, at) in [(0, 1), (1, 3), (2, 7), (3, 15)] {
            assert!(is_about(&since(begin, &format!("rings, retry {retry}")), &[at]), "{retry}");
        }
        assert_eq!(
            (say(&guest, "/alarm", "").await, say(&guest, "/rung", "").await),
            ("false".into(), "4".into())
        );
    }
}

#[test]
fn a_handler_that_fails_is_tried_again_with_growing_waits() {
    assert_eq!(tell::<Fails>().len(), 4);
}

struct Panics;
impl Story for Panics {
    async fn tell(guest: Guest) {
        let begin = guest.now();
        say(&guest, "/panics", "2").await;
        say(&guest, "/set", "1000").await;
        guest.sleep(DAY).await;
        assert!(is_about(&since(begin, "rings, retry 2"), &[7]));
        assert_eq!(say(&guest, "/rung", "").await, "1", "a turn that breaks leaves nothing");
    }
}

#[test]
fn a_handler_that_breaks_its_object_is_tried_again() {
    assert_eq!(tell::<Panics>().len(), 3);
}

struct AlwaysFails;
impl Story for AlwaysFails {
    async fn tell(guest: Guest) {
        say(&guest, "/fails", "1000").await;
        say(&guest, "/set", "1000").await;
        guest.sleep(DAY).await;
        assert_eq!(say(&guest, "/alarm", "").await, "false");
    }
}

#[test]
fn a_handler_that_always_fails_is_given_up_after_six_retries() {
    assert_eq!(tell::<AlwaysFails>().last().unwrap(), "rings, retry 6");
}

struct NextThenFails;
impl Story for NextThenFails {
    async fn tell(guest: Guest) {
        let begin = guest.now();
        say(&guest, "/next-then-fails", "20000").await;
        say(&guest, "/set", "1000").await;
        guest.sleep(DAY).await;
        assert!(is_about(&since(begin, "rings, retry 0"), &[1, 21]));
    }
}

#[test]
fn an_alarm_that_a_handler_sets_replaces_its_own_even_if_it_breaks_afterwards() {
    assert_eq!(tell::<NextThenFails>().len(), 2);
}

struct Slow;
impl Story for Slow {
    async fn tell(guest: Guest) {
        // The handler takes two seconds; half a second after it began the next one is due.
        say(&guest, "/slow", "2000").await;
        say(&guest, "/set", "1000").await;
        guest.sleep(Duration::from_millis(1200)).await;
        say(&guest, "/set", "300").await;
        guest.sleep(Duration::from_secs(60)).await;
        assert_eq!(say(&guest, "/alarm", "").await, "false");
    }
}

#[test]
fn an_alarm_waits_while_the_handler_of_the_one_before_runs() {
    let rings = "rings, retry 0";
    assert_eq!(tell::<Slow>(), [rings, "is done", rings, "is done"]);
}

struct Month;
impl Story for Month {
    async fn tell(guest: Guest) {
        let begin = guest.now();
        say(&guest, "/every", "3600000").await;
        say(&guest, "/set", "3600000").await;
        guest.sleep(30 * DAY + Duration::from_secs(60)).await;
        assert_eq!(say(&guest, "/rung", "").await, "720");
        let last = *times("rings, retry 0").last().unwrap();
        assert!(last.since(begin) < 30 * DAY + Duration::from_secs(10));
    }
}

#[test]
fn a_month_of_hourly_alarms_passes_in_a_moment() {
    let mut experiment = story_with::<Month, Clock>(Duration::from_secs(10));
    experiment.options_mut().settles = 60 * DAY;
    let report = experiment.run(1);
    assert!(report.passed(), "{}", report.failure.unwrap());
    // A few deliveries for each alarm and none in between.
    assert!(report.time.since(Time::ZERO) > 30 * DAY && report.events < 720 * 10, "{}", report.events);
}

/// Sets alarms while nodes crash; each must ring at least once.
struct Setter {
    guest: Guest,
    set: std::cell::Cell<u64>,
}

impl Workload for Setter {
    fn start(guest: Guest) -> Setter {
        clear_log();
        Setter { guest, set: std::cell::Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Setter>> {
        let set = |w: Rc<Setter>, _| async move {
            let name = format!("clock {}", w.set.get());
            w.set.set(w.set.get() + 1);
            insist(&w.guest, &name, "/slow", "20").await;
            insist(&w.guest, &name, "/set", "500").await;
        };
        vec![Driver::new(set).clients(3).pause(Duration::from_millis(200))]
    }

    async fn judge(self: Rc<Self>) {
        // What did not get through waits a while before it is tried again.
        self.guest.sleep(Duration::from_secs(150)).await;
        for number in 0..self.set.get() {
            let name = format!("clock {number}");
            let rung: u64 = insist(&self.guest, &name, "/rung", "").await.parse().unwrap();
            self.guest.always_or(rung > 0, "every alarm rings", || name.clone());
            self.guest.sometimes(rung > 1, "an alarm rings twice");
            let is_set = insist(&self.guest, &name, "/alarm", "").await == "true";
            self.guest.always_or(!is_set, "an alarm that has rung is gone", || name.clone());
        }
    }
}

fn under(faults: &[(&str, &[(&str, Param)])]) -> Experiment {
    let builder = Experiment::native("alarms").objects::<(), Clock>("things", "Thing", &["witness"]);
    let builder = builder.service::<Witness>("witness", &[]).workload::<Setter>().nodes(2);
    let builder = faults.iter().fold(builder, |b, (name, params)| b.fault(name, params, &[]));
    let mut experiment = builder.lasts(Duration::from_secs(10)).build();
    experiment.options_mut().settles = Duration::from_secs(300);
    experiment
}

fn millis(n: u64) -> Param {
    Param::Duration(Duration::from_millis(n))
}

#[test]
fn every_alarm_rings_whatever_crashes() {
    under(&[("process.crash", &[("every", millis(400))]), ("disk.torn", &[])]).seeds(0..25).check();
}

#[test]
fn every_alarm_rings_though_disks_fail_and_are_full() {
    let eio = [("sync", Param::Number(0.02)), ("rate", Param::Number(0.02))];
    let full = [("every", millis(1000)), ("lasts", millis(1500))];
    under(&[("disk.eio", &eio), ("disk.full", &full)]).seeds(0..25).check();
}

#[test]
fn every_alarm_rings_though_nodes_are_stopped() {
    under(&[("process.stop", &[("every", millis(500))])]).seeds(0..20).passes();
}
