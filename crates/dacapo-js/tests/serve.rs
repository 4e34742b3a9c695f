//! The other profile: what a guest sees and does is the same under both.

mod common;

use common::{Guest, boot, load};
use dacapo_core::{Digest, digest_of};
use dacapo_js::{EngineError, JsEngine, JsOptions, Profile};

const CODE: &str = "const kept = []; export default { async fetch(request) {
  let sum = 0;
  for (let i = 0; i < 200000; i++) { kept[i % 5000] = { i }; sum += Math.random(); }
  return new Response([sum, new Date().toISOString(), performance.now(), crypto.randomUUID()].join());
} };";

fn run(options: JsOptions) -> (Digest, Digest) {
    let engine = JsEngine::new(options).unwrap();
    let program = load(&engine, "a.ts", &[("a.ts", CODE)]).unwrap();
    let mut guest = Guest::with(&program, boot(1));
    let turns: Vec<Digest> = (0..10).map(|_| common::digest(&guest.request("/").0)).collect();
    (program.digest(), digest_of(&turns.iter().map(|digest| digest.0).collect::<Vec<_>>()))
}

// The two tests run in two processes; the text that both expect ties them together.
const EXPECTED: &str = "1d50d90f0092e00ab573d87b19f8371b";

#[test]
fn a_run_under_the_profile_for_serving_has_the_same_digest() {
    assert_eq!(run(JsOptions::serve()).1.to_string(), EXPECTED);
}

#[test]
fn a_run_under_the_deterministic_profile_has_the_same_digest() {
    assert_eq!(run(JsOptions::deterministic()).1.to_string(), EXPECTED);
}

#[test]
fn many_threads_have_an_engine_each() {
    let first = run(JsOptions::serve());
    let others: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| run(JsOptions::serve()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(others.iter().all(|other| *other == first));
}

#[test]
fn a_second_profile_is_refused() {
    let _first = JsEngine::new(JsOptions::serve()).unwrap();
    let error = JsEngine::new(JsOptions::deterministic()).err().unwrap();
    assert_eq!(error, EngineError::OtherProfile { running: Profile::Serve });
}
