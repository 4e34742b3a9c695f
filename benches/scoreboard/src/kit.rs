//! What most of the planted bugs say in the same words: a question with patience, a refusal, numbers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_core::fault::Param;
use dacapo_lab::prelude::*;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::StatusCode;

/// Asks `host/path` and waits so long; `None` for a refusal, an error or silence.
pub(crate) async fn ask_within(guest: &Guest, wait: Duration, to: &str, body: String) -> Option<String> {
    said_yes(guest.timeout(wait, guest.fetch(post(to, body))).await?)
}

/// The same, of the object of this name behind a binding.
pub(crate) async fn ask_object_within(
    guest: &Guest,
    wait: Duration,
    (binding, name): (&str, &str),
    to: &str,
    body: String,
) -> Option<String> {
    said_yes(guest.timeout(wait, guest.object(binding, name, post(to, body))).await?)
}

fn post(to: &str, body: String) -> Request {
    let (host, path) = to.split_once('/').expect("host/path");
    Request::post(format!("https://{host}.internal/{path}"), body)
}

fn said_yes(answer: Result<Response, FetchError>) -> Option<String> {
    answer.ok().filter(|answer| answer.status() == StatusCode::OK).map(Response::into_text)
}

/// Asks and waits as long as it takes: where nothing is lost, who gives up would only not know what was done.
///
/// Panics if there is no answer.
pub(crate) async fn wait_for(guest: &Guest, to: &str, body: impl Into<String>) -> Option<String> {
    let answer = guest.fetch(post(to, body.into())).await;
    said_yes(Ok(answer.expect("nothing is lost here")))
}

/// The same as `ask_within`, with a second of patience.
pub(crate) async fn ask(guest: &Guest, to: &str, body: impl Into<String>) -> Option<String> {
    ask_within(guest, Duration::from_secs(1), to, body.into()).await
}

/// Asks again and again until there is an answer; for what may be done twice.
pub(crate) async fn insist(guest: &Guest, to: &str, body: impl Into<String>) -> String {
    let body = body.into();
    loop {
        if let Some(answer) = ask_within(guest, millis(200), to, body.clone()).await {
            return answer;
        }
        guest.sleep(millis(20)).await;
    }
}

/// An answer that is none.
pub(crate) fn refuse(why: &'static str) -> Response {
    Response::new(StatusCode::CONFLICT, why)
}

/// The numbers in a text.
pub(crate) fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Exactly so many numbers.
///
/// Panics if the text has others: both sides of a protocol are in one file.
pub(crate) fn these<const N: usize>(text: &str) -> [u64; N] {
    numbers(text).try_into().unwrap_or_else(|_| panic!("{N} numbers, and not {text:?}"))
}

pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A parameter of a fault: a length of time.
pub(crate) fn span(n: u64) -> Param {
    Param::Duration(millis(n))
}

/// A parameter of a fault: a share.
pub(crate) fn share(n: f64) -> Param {
    Param::Number(n)
}

/// Asks all of these at once (`host/path` and body) and waits until so many have answered, or nobody is left who could.
/// Gives who answered what, in the order in which it came.
pub(crate) async fn gather(
    guest: &Guest,
    wait: Duration,
    questions: Vec<(String, String)>,
    enough: usize,
) -> Vec<(usize, String)> {
    let ask = |(index, (to, body)): (usize, (String, String))| async move {
        ask_within(guest, wait, &to, body).await.map(|answer| (index, answer))
    };
    let answers: FuturesUnordered<_> = questions.into_iter().enumerate().map(ask).collect();
    answers.filter_map(std::future::ready).take(enough).collect().await
}

thread_local! {
    /// What was said, seen from outside of every node: a crash does not lose it. A run is on one thread.
    static SAID: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// A run begins: nothing was said yet.
pub(crate) fn forget() {
    SAID.with_borrow_mut(BTreeMap::clear);
}

/// Says a number, and gives the largest that was said so far in this run.
pub(crate) fn at_least(number: u64) -> u64 {
    SAID.with_borrow_mut(|said| {
        let latest = said.get("latest").map_or(0, |text| these::<1>(text)[0]).max(number);
        said.insert("latest".into(), latest.to_string());
        latest
    })
}

/// Checks that whoever speaks of `what` in this run says the same.
pub(crate) fn agree(guest: &Guest, rule: &str, what: String, value: String) {
    let before =
        SAID.with_borrow_mut(|said| said.entry(what.clone()).or_insert_with(|| value.clone()).clone());
    guest.always_or(before == value, rule, || format!("{what} was {before}, and now it is {value}"));
}
