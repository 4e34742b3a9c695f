//! Who may enter an object when.

use std::time::Duration;

use dacapo_lab::Failure;
use dacapo_lab::prelude::*;
use futures::future::{join, join_all};

use crate::thing::{Story, ask, log, read, story};

/// Ten clients add at once.
struct AddAtOnce<const ALONE: bool>;

impl<const ALONE: bool> Story for AddAtOnce<ALONE> {
    async fn tell(guest: Guest) {
        let path = if ALONE { "/alone" } else { "/racy" };
        let results = join_all((0..10).map(|_| ask(&guest, "x", path, ""))).await;
        let added = results.iter().filter(|r| r.is_ok()).count() as u64;
        let found = read(&guest, "x").await;
        guest.always_or(found == added, "no update is lost", || format!("{added} adds, {found} found"));
    }
}

#[test]
fn an_update_across_an_await_is_lost_and_that_is_found() {
    let found = story::<AddAtOnce<false>>().seeds(0..10).finds();
    let Some(Failure::Check { check, .. }) = &found.failure else { panic!("{:?}", found.failure) };
    assert_eq!(check.message, "no update is lost");
}

#[test]
fn an_update_while_alone_is_not_lost() {
    story::<AddAtOnce<true>>().seeds(0..20).check();
}

struct Turns;

impl Story for Turns {
    async fn tell(guest: Guest) {
        let answers = join_all((0..50).map(|_| ask(&guest, "x", "/add", ""))).await;
        let mut numbers: Vec<u64> = answers.into_iter().map(|n| n.unwrap().parse().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
    }
}

#[test]
fn two_requests_do_not_interleave_within_a_turn() {
    story::<Turns>().seeds(0..20).check();
}

struct Alone;

impl Story for Alone {
    async fn tell(guest: Guest) {
        let late = async {
            guest.sleep(Duration::from_millis(50)).await;
            // Long enough to come in pieces: the pieces must not overtake the request.
            ask(&guest, "x", "/enter", &"x".repeat(300_000)).await
        };
        let (first, second) = join(ask(&guest, "x", "/alone-with-calls", ""), late).await;
        assert_eq!((first, second), (Ok(String::new()), Ok("300000".to_owned())));
    }
}

#[test]
fn while_an_object_is_alone_its_own_calls_return_and_nobody_else_enters() {
    for seed in 0..10 {
        let report = story::<Alone>().run(seed);
        assert!(report.passed(), "{}", report.failure.unwrap());
        assert_eq!(log(), ["alone", "answered: true", "no longer alone", "entered 300000"]);
    }
}

struct GivenUp;

impl Story for GivenUp {
    async fn tell(guest: Guest) {
        let call = ask(&guest, "x", "/alone-with-calls", "");
        assert_eq!(guest.timeout(Duration::from_millis(50), call).await, None);
        assert_eq!(ask(&guest, "x", "/enter", "").await, Ok("0".to_owned()));
    }
}

#[test]
fn a_caller_who_gives_up_does_not_leave_the_object_alone_for_ever() {
    let report = story::<GivenUp>().run(1);
    assert!(report.passed(), "{}", report.failure.unwrap());
    assert_eq!(log(), ["alone", "answered: true", "entered 0"]);
}
