//! What is small is searched completely: each client of a workload makes one round, in all orders.

#![cfg(feature = "js")]

mod common;

use std::fs;

use common::{BROKEN, PASSED, run};
use tempfile::TempDir;

const PROJECT: &str = r#"
service "counter" {
  module    = "counter.js"
  routes    = ["https://counter.example/*"]
  calls     = { LIMITS = "limits" }
  instances = 1
}
service "limits" { module = "limits.js" }
scenario "counting" {
  workload = "counting.sim.js"
  nodes    = 2
}
"#;

const COUNTER: &str = r#"
let count = 0;
export default {
  async fetch(request, env) {
    if (request.method !== "POST") return Response.json(count);
    const before = count;
    await env.LIMITS.fetch("https://limits.internal/");
    count = before + 1;
    return Response.json(count);
  },
};
"#;

const LIMITS: &str = "export default { fetch: () => new Response('many') };";

const COUNTING: &str = r#"
import { driver, equal } from "dacapo:sim";
let acknowledged = 0;
async function count() {
  await fetch("https://counter.example/", { method: "POST" });
  acknowledged++;
}
export const drivers = { count: driver(count, { clients: 2 }) };
export const judgments = {
  async all() {
    equal(acknowledged, 2, "both clients make a round");
    const answer = await fetch("https://counter.example/");
    equal(await answer.json(), acknowledged, "what was acknowledged is counted");
  },
};
"#;

fn project(counter: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let files = [
        ("dacapo.hcl", PROJECT),
        ("counter.js", counter),
        ("limits.js", LIMITS),
        ("counting.sim.js", COUNTING),
    ];
    files.iter().for_each(|(name, text)| fs::write(home.path().join(name), text).unwrap());
    home
}

#[test]
fn an_order_that_breaks_a_rule_is_found_repeated_and_replayed() {
    let home = project(COUNTER);
    let text = run(home.path(), &["sim", ".", "--strategy", "exhaustive"], BROKEN);
    let repeat =
        text.lines().find_map(|line| line.strip_prefix("repeat  dacapo ")).expect("how to repeat it");
    let repeat: Vec<&str> = repeat.split(' ').collect();
    assert!(text.contains("2 rounds of the workload"), "{text}");
    assert!(run(home.path(), &repeat, BROKEN).contains("what was acknowledged is counted"));
    let replay =
        text.lines().find_map(|line| line.strip_prefix("replay  dacapo ")).expect("how to replay it");
    assert!(run(home.path(), &replay.split(' ').collect::<Vec<_>>(), PASSED).contains("same"));
}

#[test]
fn where_no_order_breaks_a_rule_all_were_tried() {
    let home = project(&COUNTER.replace("before + 1", "count + 1"));
    let text = run(home.path(), &["sim", ".", "--strategy", "exhaustive"], PASSED);
    let verdict = text.lines().next().unwrap_or_default();
    let verdict = verdict.split(" in ").next().unwrap_or_default();
    insta::assert_snapshot!(verdict, @"ok . counting: all 24 orders were tried: none fails (and nothing else can go wrong)");
}
