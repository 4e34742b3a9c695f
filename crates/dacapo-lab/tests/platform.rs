//! Each fault of the platform fires, and a guest can see it.
//!
//! A worker with a cron line and a class of durable objects, a service of the platform that hands batches to it, and a
//! workload that calls both and notes what it meets. Each test switches one fault on at full strength.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::fault::Param;
use dacapo_lab::prelude::*;
use dacapo_sim::Swarm;

thread_local! {
    /// What happened, seen from outside of every node. (A workload that starts clears it.)
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn note(what: impl Into<String>) {
    LOG.with_borrow_mut(|log| log.push(what.into()));
}

/// Works for a while at what it is asked, and notes when it began and when it was done.
struct Worker {
    guest: Guest,
    served: Cell<u32>,
}

impl Service for Worker {
    fn start(guest: Guest) -> Worker {
        Worker { guest, served: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if request.path() == "/batch" {
            let fields = &request.head.headers.0;
            let field = |name| fields.iter().find(|(n, _)| n.as_str() == name).map(|(_, value)| value);
            note(format!("batch {} {:?} {:?}", request.text(), field("dacapo-event"), field("dacapo-take")));
            return Response::text("done");
        }
        self.served.set(self.served.get() + 1);
        self.guest.sleep(Duration::from_millis(20)).await;
        if request.path() == "/arm" {
            let at = self.guest.wall().later(Duration::from_secs(2));
            self.guest.storage(|s| s.set_alarm(Some(at))).expect("the alarm of a healthy object can be set");
        }
        Response::text(self.served.get().to_string())
    }

    async fn scheduled(self: Rc<Self>, _: ByteString) {
        note(format!("cron {}", self.guest.wall().as_millis() / 60_000));
    }

    async fn alarm(self: Rc<Self>, _: u32) -> Result<(), ()> {
        note(format!("alarm {}", self.guest.wall().as_millis()));
        Ok(())
    }
}

/// The next version of the worker, which says that it is.
struct Newer(Rc<Worker>);

impl Service for Newer {
    fn start(guest: Guest) -> Newer {
        Newer(Rc::new(Worker::start(guest)))
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let answer = Rc::clone(&self.0).fetch(request).await;
        Response::text(format!("new {}", answer.into_text()))
    }
}

/// A service that calls itself one of the platform, or another one that does as if it were.
struct Sender {
    guest: Guest,
}

impl Service for Sender {
    fn start(guest: Guest) -> Sender {
        Sender { guest }
    }

    async fn scheduled(self: Rc<Self>, _: ByteString) {
        let minute = self.guest.wall().as_millis() / 60_000;
        let request = Request::post("https://worker.internal/batch", minute.to_string())
            .with_header("dacapo-event", "queue")
            .with_header("dacapo-take", "10");
        let result = self.guest.fetch(request).await;
        note(format!("sent {minute} {}", result.map_or_else(|e| e.to_string(), |answer| answer.into_text())));
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        Response::text("")
    }
}

struct Caller {
    guest: Guest,
}

impl Caller {
    async fn call(self: Rc<Self>) {
        let result = self.guest.fetch(Request::get("https://worker.example/work")).await;
        note(format!("service {}", said(result)));
        let result = self.guest.object("worker.Thing", "it", Request::get("https://thing/work")).await;
        note(format!("object {}", said(result)));
        let armed = self.guest.object("worker.Thing", "clock", Request::get("https://thing/arm")).await;
        if armed.is_ok_and(|answer| answer.status().is_success()) {
            note(format!("armed {}", self.guest.wall().as_millis()));
        }
        // Of a batch that comes from elsewhere nobody learns.
        let forged =
            Request::post("https://worker.example/batch", "forged").with_header("dacapo-event", "queue");
        let _ = self.guest.fetch(forged).await;
    }
}

fn said(result: Result<Response, FetchError>) -> String {
    result.map_or_else(
        |error| error.to_string(),
        |answer| format!("{} {}", answer.status(), answer.into_text()),
    )
}

impl Workload for Caller {
    fn start(guest: Guest) -> Caller {
        LOG.take();
        Caller { guest }
    }

    async fn judge(self: Rc<Self>) {
        for _ in 0..5 {
            note(format!(
                "at last {}",
                said(self.guest.fetch(Request::get("https://worker.example/work")).await)
            ));
        }
    }

    fn drivers() -> Vec<Driver<Caller>> {
        vec![Driver::new(|w: Rc<Caller>, _| w.call()).pause(Duration::from_secs(20))]
    }
}

/// What happened in half an hour under this fault at full strength.
fn under(fault: &str, params: &[(&str, Param)]) -> Vec<String> {
    let builder = Experiment::native("platform")
        .objects::<Worker, Worker>("worker", "Thing", &[])
        .next::<Newer>()
        .cron("* * * * *")
        .singleton::<Sender>("dacapo:test", &["worker"])
        .cron("* * * * *")
        .singleton::<Sender>("forger", &["worker"])
        .cron("* * * * *")
        .workload::<Caller>();
    let builder = if fault.is_empty() { builder } else { builder.fault(fault, params, &[]) };
    let mut experiment = builder.lasts(Duration::from_secs(1800)).build();
    experiment.options_mut().swarm = Swarm::All;
    let report = experiment.run(1);
    assert!(report.passed(), "{}", report.failure.unwrap());
    assert_eq!(report.digest, experiment.run(1).digest, "the same seed gives the same run");
    LOG.take()
}

fn share(n: f64) -> Param {
    Param::Number(n)
}

fn count(log: &[String], what: &str) -> usize {
    log.iter().filter(|line| line.contains(what)).count()
}

/// How often each line comes that begins so.
fn times(log: &[String], start: &str) -> Vec<usize> {
    let mut lines: Vec<&String> = log.iter().filter(|line| line.starts_with(start)).collect();
    lines.sort();
    lines.chunk_by(|a, b| a == b).map(<[_]>::len).collect()
}

/// What stands behind the word with which these lines begin.
fn numbers(log: &[String], start: &str) -> Vec<i64> {
    log.iter().filter_map(|line| line.strip_prefix(start)?.trim().parse().ok()).collect()
}

/// For each alarm that rang, how long before it was set at last, in milliseconds.
fn waits(log: &[String]) -> Vec<i64> {
    let armed = numbers(log, "armed");
    let set_before = |rung: i64| armed.iter().copied().filter(move |armed| *armed < rung).max();
    numbers(log, "alarm").into_iter().filter_map(|rung| Some(rung - set_before(rung)?)).collect()
}

#[test]
fn without_faults_everything_happens_once_and_in_time() {
    let log = under("", &[]);
    assert_eq!(times(&log, "cron"), [1; 30], "{log:#?}");
    assert_eq!(count(&log, "\"queue\") Some(\"10\")"), 30, "{log:#?}");
    assert_eq!(count(&log, " done"), 2 * 30, "{log:#?}");
    assert_eq!(count(&log, "new"), 0, "{log:#?}");
    let log: Vec<String> = log.into_iter().filter(|line| !line.starts_with("at last")).collect();
    assert_eq!(
        count(&log, "200 OK"),
        log.iter().filter(|line| line.contains("object") || line.contains("service")).count()
    );
    assert!(waits(&log).iter().all(|wait| (1900..2100).contains(wait)), "{log:#?}");
}

#[test]
fn nobody_but_the_platform_can_say_that_a_request_is_an_event() {
    let log = under("", &[]);
    assert_eq!(count(&log, "batch forged None None"), times(&log, "armed").len(), "from outside: {log:#?}");
    // The platform's batch and the forger's come in the same minute: one has the fields, the other has not.
    assert_eq!(count(&log, "batch"), count(&log, "batch forged") + 2 * 30, "{log:#?}");
    assert_eq!(count(&log, "None None"), count(&log, "batch forged") + 30, "from another service: {log:#?}");
}

#[test]
fn a_cron_line_is_skipped() {
    let log = under("cron.skipped", &[("rate", share(0.5))]);
    assert!((8..22).contains(&times(&log, "cron").len()), "{log:#?}");
    assert!(times(&log, "cron").iter().all(|n| *n == 1), "{log:#?}");
}

#[test]
fn a_cron_line_runs_twice() {
    let log = under("cron.doubled", &[("rate", share(0.5))]);
    let times = times(&log, "cron");
    assert!(times.len() == 30 && times.contains(&1) && times.contains(&2), "{log:#?}");
}

#[test]
fn an_alarm_is_late() {
    let log = under("alarm.late", &[("rate", share(1.0))]);
    assert!(waits(&log).into_iter().max() > Some(10_000), "{log:#?}");
}

#[test]
fn an_alarm_rings_twice() {
    let log = under("alarm.duplicated", &[("rate", share(1.0))]);
    assert_eq!(count(&log, "alarm"), 2 * count(&under("", &[]), "alarm"), "{log:#?}");
}

#[test]
fn a_batch_is_handled_and_its_queue_does_not_hear_of_it() {
    let log = under("queue.redelivered", &[("rate", share(0.5))]);
    assert_eq!(count(&log, "\"queue\") Some(\"10\")"), 30, "each was handed over: {log:#?}");
    assert!(count(&log, "connection reset") > 5, "{log:#?}");
}

#[test]
fn a_batch_is_split() {
    let log = under("queue.split", &[("rate", share(0.5))]);
    let whole = count(&log, "\"queue\") Some(\"10\")");
    assert!((5..25).contains(&whole), "{log:#?}");
    assert_eq!(count(&log, "Some(\"queue\")"), 30, "{log:#?}");
    assert_eq!(count(&log, "Some(\"0\")"), 0, "something is left of each: {log:#?}");
}

#[test]
fn an_object_is_evicted_in_the_middle_of_a_request() {
    let log = under("object.evicted", &[("rate", share(0.5))]);
    let hit =
        count(&log, "object 500 Internal Server Error service \"worker\" failed: the instance was evicted");
    assert!(hit > 3, "{log:#?}");
    let services = log.iter().filter(|line| line.starts_with("service")).count();
    assert_eq!(count(&log, "service 200 OK"), services, "services are left alone: {log:#?}");
}

#[test]
fn an_object_moves_to_another_node_in_the_middle_of_a_request() {
    let under = |rate: f64| {
        let builder = Experiment::native("platform")
            .objects::<Worker, Worker>("worker", "Thing", &[])
            .replicas(3)
            .workload::<Caller>()
            .fault("object.moved", &[("rate", share(rate))], &[]);
        let mut experiment = builder.lasts(Duration::from_secs(1800)).build();
        experiment.options_mut().swarm = Swarm::All;
        let report = experiment.run(1);
        assert!(report.passed(), "{}", report.failure.unwrap());
        assert_eq!(report.digest, experiment.run(1).digest, "the same seed gives the same run");
        LOG.take()
    };
    let moved = "object 500 Internal Server Error service \"worker\" failed: the object has moved";
    let log = under(0.3);
    assert!(count(&log, moved) > 3, "{log:#?}");
    assert!(count(&log, "object 200 OK") > 30, "and the next call finds it: {log:#?}");
    assert_eq!(count(&under(0.0), moved), 0);
}

#[test]
fn a_request_for_an_object_goes_astray_and_no_second_object_begins() {
    let log = under("object.doubled", &[("rate", share(0.3))]);
    let astray = count(&log, "object 421 Misdirected Request the object worker.Thing");
    assert!(astray > 3, "{log:#?}");
    assert_eq!(count(&log, "object 200 OK") + astray, count(&log, "object "), "{log:#?}");
}

#[test]
fn a_handler_is_killed_as_if_it_had_used_up_its_budget() {
    let log = under("cpu.killed", &[("rate", share(0.5))]);
    for what in ["service", "object"] {
        let hit = count(
            &log,
            &format!("{what} 500 Internal Server Error service \"worker\" failed: turn budget exhausted"),
        );
        assert!(hit > 3, "{log:#?}");
    }
}

#[test]
fn two_versions_live_while_one_is_deployed_and_at_last_the_new_one_does() {
    let log = under("deploy.rolling", &[("every", Param::Duration(Duration::from_secs(20)))]);
    for what in ["service", "object"] {
        let new = count(&log, &format!("{what} 200 OK new"));
        let all = count(&log, &format!("{what} 200 OK"));
        assert!(
            new > 10 && all - new > 10,
            "{new} of {all} calls of the {what} met the new version: {log:#?}"
        );
    }
    let calls = log.iter().filter(|line| line.starts_with("service")).count();
    assert_eq!(count(&log, "service 200 OK"), calls, "requests under way are finished: {log:#?}");
    assert_eq!(count(&log, "at last 200 OK new"), 5, "{log:#?}");
}

#[test]
fn an_object_whose_code_is_updated_in_the_middle_of_a_request_begins_anew() {
    let log = under("deploy.rolling", &[("every", Param::Duration(Duration::from_millis(20)))]);
    assert!(
        count(
            &log,
            "object 500 Internal Server Error service \"worker\" failed: the instance was evicted: its code was updated"
        ) > 3,
        "{log:#?}"
    );
}
