//! Each fault fires, and a guest can see it.
//!
//! One echo service on three nodes; a workload that calls it and counts what it meets. Each test
//! switches one fault on at full strength and reads what the guests saw.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_core::{Time, WallTime};
use dacapo_lab::prelude::*;
use dacapo_sim::Swarm;

/// Answers with its clocks, and counts what it has served since it booted.
struct Echo {
    guest: Guest,
    served: Cell<u64>,
}

impl Service for Echo {
    fn start(guest: Guest) -> Echo {
        Echo { guest, served: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        self.served.set(self.served.get() + 1);
        if request.path() == "/slowly" {
            self.guest.sleep(Duration::from_secs(1)).await;
        }
        let (now, wall) = (self.guest.now().0, self.guest.wall().0);
        Response::text(format!("{now} {wall} {} {}", self.served.get(), "x".repeat(request.body.len())))
    }
}

/// What the workload saw. (A thread-local, because a workload starts itself: tests run one
/// experiment at a time on their thread.)
#[derive(Clone, Debug, Default)]
struct Seen {
    answers: u64,
    errors: Vec<String>,
    slowest: Duration,
    slowest_in_heal: Duration,
    walls: Vec<i64>,
    monos: Vec<i64>,
    served_max: u64,
}

thread_local! {
    static SEEN: RefCell<Seen> = RefCell::default();
}

struct Caller {
    guest: Guest,
    sent: Cell<u64>,
}

impl Caller {
    async fn call(self: Rc<Self>, body: usize) {
        let begun: Time = self.guest.now();
        self.sent.set(self.sent.get() + 1);
        let request = Request::new(http::Method::PUT, "https://echo.example/");
        let request = Request { body: vec![b'x'; body].into(), ..request };
        let result = self.guest.timeout(Duration::from_secs(40), self.guest.fetch(request)).await;
        let took = self.guest.now().since(begun);
        SEEN.with_borrow_mut(|seen| {
            seen.slowest = seen.slowest.max(took);
            match result {
                Some(Ok(response)) => {
                    seen.answers += 1;
                    let text = response.into_text();
                    let mut words = text.split(' ').map(|w| w.parse::<i64>().unwrap_or(0));
                    let here = self.guest.now().0 as i64;
                    seen.monos.push(words.next().unwrap() - here);
                    seen.walls.push(words.next().unwrap() - here - WallTime::SIM_START.0);
                    seen.served_max = seen.served_max.max(words.next().unwrap() as u64);
                }
                Some(Err(error)) => seen.errors.push(error.to_string()),
                None => seen.errors.push("gave up".into()),
            }
        });
    }
}

impl Workload for Caller {
    fn start(guest: Guest) -> Caller {
        SEEN.take();
        Caller { guest, sent: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Caller>> {
        let small = Driver::new(|w: Rc<Caller>, _| w.call(3)).clients(5).pause(Duration::from_millis(50));
        let large = Driver::new(|w: Rc<Caller>, _| w.call(100_000)).pause(Duration::from_millis(200));
        vec![small, large]
    }

    async fn judge(self: Rc<Self>) {
        let before = SEEN.with_borrow(|seen| seen.errors.len());
        let slowest = SEEN.with_borrow(|seen| seen.slowest);
        SEEN.with_borrow_mut(|seen| seen.slowest = Duration::ZERO);
        for _ in 0..20 {
            Rc::clone(&self).call(3).await;
        }
        SEEN.with_borrow_mut(|seen| {
            seen.slowest_in_heal = seen.slowest;
            seen.slowest = slowest;
            assert_eq!(seen.errors.len(), before, "after healing every call succeeds: {:?}", seen.errors);
        });
    }
}

/// What is seen under this fault at full strength.
fn under(fault: &str, params: &[(&str, Param)]) -> Seen {
    let builder = Experiment::native("echo").service::<Echo>("echo", &[]).workload::<Caller>();
    let builder = if fault.is_empty() { builder } else { builder.fault(fault, params, &[]) };
    let mut experiment = builder.lasts(Duration::from_secs(60)).build();
    experiment.options_mut().swarm = Swarm::All;
    let report = experiment.run(1);
    assert!(report.passed(), "{}", report.failure.unwrap());
    let again = experiment.run(1);
    assert_eq!(report.digest, again.digest, "the same seed gives the same run");
    assert_ne!(report.digest, experiment.run(2).digest, "another seed gives another run");
    experiment.run(1);
    SEEN.take()
}

fn secs(n: u64) -> Param {
    Param::Duration(Duration::from_secs(n))
}

fn share(n: f64) -> Param {
    Param::Number(n)
}

fn has_error(seen: &Seen, text: &str) -> bool {
    seen.errors.iter().any(|e| e.contains(text))
}

#[test]
fn without_faults_every_call_is_answered_soon() {
    let seen = under("", &[]);
    assert!(seen.errors.is_empty(), "{:?}", seen.errors);
    assert!(seen.answers > 1000, "{}", seen.answers);
    assert!(seen.slowest < Duration::from_millis(20), "{:?}", seen.slowest);
    let errors = seen.walls.iter().map(|w| w.abs()).max().unwrap();
    assert!(errors < 20_000_000, "clocks agree but for the way of the message: {errors} ns");
}

#[test]
fn delay_makes_some_calls_slow_and_none_fail() {
    let seen = under("net.delay", &[]);
    assert!(seen.slowest > Duration::from_secs(1), "{:?}", seen.slowest);
    assert!(seen.errors.is_empty());
    assert!(seen.slowest_in_heal < Duration::from_millis(20));
}

#[test]
fn loss_is_seen_as_a_failed_or_a_hanging_call() {
    let seen = under("net.loss", &[]);
    assert!(has_error(&seen, "reset") && has_error(&seen, "timed out"), "{:?}", seen.errors);
}

#[test]
fn a_duplicated_request_is_served_twice_and_answered_once() {
    let calm = under("", &[]);
    let seen = under("net.duplicate", &[("rate", share(1.0))]);
    assert!(seen.errors.is_empty());
    let per_answer = |s: &Seen| s.served_max as f64 / s.answers as f64;
    assert!(per_answer(&seen) > 1.6 * per_answer(&calm), "{} of {}", seen.served_max, seen.answers);
}

#[test]
fn a_partition_cuts_calls_until_it_heals() {
    let seen = under("net.partition", &[]);
    assert!(has_error(&seen, "timed out"), "{:?}", seen.errors);
    assert!(seen.answers > 100);
}

#[test]
fn a_oneway_partition_lets_the_request_through_and_not_the_answer() {
    let seen = under("net.partition", &[("oneway", share(1.0))]);
    assert!(has_error(&seen, "timed out"), "{:?}", seen.errors);
}

#[test]
fn a_clogged_link_holds_calls_back_and_lets_them_through() {
    let seen = under("net.clog", &[("every", secs(1))]);
    assert!(seen.slowest > Duration::from_millis(500), "{:?}", seen.slowest);
    assert!(seen.errors.is_empty());
}

#[test]
fn a_reset_breaks_a_response_in_its_middle() {
    let seen = under("net.reset", &[]);
    assert!(has_error(&seen, "broke off: connection reset"), "{:?}", seen.errors);
}

#[test]
fn a_narrow_link_makes_long_bodies_slow() {
    let seen = under("net.bandwidth", &[("bytes_per_second", share(1_000_000.0))]);
    assert!(seen.slowest > Duration::from_millis(900), "{:?}", seen.slowest);
    assert!(seen.errors.is_empty());
}

#[test]
fn a_crash_refuses_calls_and_loses_memory() {
    let calm = under("", &[]);
    let seen = under("process.crash", &[("every", secs(5))]);
    assert!(has_error(&seen, "refused"), "{:?}", seen.errors);
    assert!(seen.served_max < calm.served_max, "a counter in memory begins anew");
}

#[test]
fn a_pause_makes_calls_wait_and_none_fail() {
    let seen = under("process.pause", &[("every", secs(3))]);
    assert!(seen.slowest > Duration::from_millis(500), "{:?}", seen.slowest);
    assert!(seen.errors.is_empty(), "{:?}", seen.errors);
}

#[test]
fn a_graceful_stop_breaks_no_call_that_is_under_way() {
    let seen = under("process.stop", &[("every", secs(5))]);
    assert!(has_error(&seen, "refused"), "{:?}", seen.errors);
    assert!(!has_error(&seen, "reset"), "{:?}", seen.errors);
}

#[test]
fn a_slow_node_answers_late() {
    let seen = under("process.slow", &[("every", secs(3))]);
    assert!(seen.slowest > Duration::from_millis(100), "{:?}", seen.slowest);
    assert!(seen.errors.is_empty());
}

#[test]
fn skewed_clocks_differ_by_a_constant() {
    let seen = under("clock.skew", &[]);
    let (min, max) = (seen.walls.iter().min().unwrap(), seen.walls.iter().max().unwrap());
    assert!(max - min > 100_000_000, "{min} to {max}");
    let off = seen.monos.iter().map(|m| m.abs()).max().unwrap();
    assert!(off < 20_000_000, "the monotonic clock is not skewed: {off}");
}

#[test]
fn drifting_clocks_part_from_each_other() {
    let seen = under("clock.drift", &[("max", share(0.05))]);
    let (first, last) = (&seen.monos[..50], &seen.monos[seen.monos.len() - 50..]);
    let spread = |part: &[i64]| part.iter().max().unwrap() - part.iter().min().unwrap();
    assert!(spread(last) > 10 * spread(first), "{} then {}", spread(first), spread(last));
}

#[test]
fn a_jumping_clock_leaves_the_monotonic_one_alone() {
    let seen = under("clock.jump", &[("every", secs(2))]);
    let (min, max) = (seen.walls.iter().min().unwrap(), seen.walls.iter().max().unwrap());
    assert!(max - min > 1_000_000_000, "{min} to {max}");
    let off = seen.monos.iter().map(|m| m.abs()).max().unwrap();
    assert!(off < 20_000_000, "{off}");
}
