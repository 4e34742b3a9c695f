//! A workload in JavaScript is shrunk as well: to the rounds that matter, with small values.

#![cfg(feature = "js")]

mod common;

use std::fs;

use common::{BROKEN, PASSED, run};
use tempfile::TempDir;

const PROJECT: &str = r#"
service "shelf" {
  module = "shelf.ts"
  routes = ["https://shelf.example/*"]
}
scenario "selling" {
  workload = "selling.sim.ts"
  nodes    = 1
  lasts    = "20s"
  faults   = ["network"]
}
"#;

/// Once something was sealed, more than 90 can be taken although it must not.
const SHELF: &str = r#"
let sealed = false;

export default {
  async fetch(request: Request): Promise<Response> {
    const { what, amount } = await request.json();
    if (what === "seal") sealed = true;
    return new Response(what === "take" && sealed && amount > 90 ? "too much" : "done");
  },
};
"#;

const SELLING: &str = r#"
import { always, driver, random, sleep } from "dacapo:sim";

const ask = async (what: string, amount: number) => {
  const body = JSON.stringify({ what, amount });
  const answer = await fetch("https://shelf.example/", { method: "POST", body });
  return answer.text();
};

export const drivers = {
  work: driver(
    async () => {
      const what = random.pick(["put", "look", "seal", "count", "take"], "what");
      await sleep(random.int(0, 20));
      const amount = random.int(1, 100, "amount");
      always((await ask(what, amount)) === "done", "nobody takes too much of what is sealed");
    },
    { clients: 3, pause: 50 },
  ),
  async look() {
    if (random.chance(0.5)) await ask("look", 0);
  },
};
"#;

fn project() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let files = [("dacapo.hcl", PROJECT), ("shelf.ts", SHELF), ("selling.sim.ts", SELLING)];
    files.iter().for_each(|(name, text)| fs::write(home.path().join(name), text).unwrap());
    home
}

/// The lines from the one that begins like this on, up to an empty one.
fn part(text: &str, begins: &str) -> String {
    let lines = text.lines().skip_while(|line| !line.trim_start().starts_with(begins));
    lines.take_while(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_failing_workload_is_told_by_the_two_rounds_that_matter_with_small_values() {
    let home = project();
    let text =
        run(home.path(), &["sim", ".", "--strategy", "uniform", "--seed", "0", "--save", "sealed"], BROKEN);
    let takes = part(&text, "what it takes");
    let runs = takes.find(" (").zip(takes.find(" runs to find out)"));
    let (from, to) = runs.expect("it is told how many runs it took");
    insta::assert_snapshot!(format!("{}{}", &takes[..from], &takes[to + " runs to find out)".len()..]), @r#"
    what it takes  1 node, 250ms, 2 rounds of the workload, and nothing going wrong
        1 round of `work` by client 0, what "seal", int 0, amount 1
        1 round of `work` by client 0, what "take", int 0, amount 91
    "#);
    // The diagram begins a round with what is drawn in it.
    let drawn: String =
        text.lines().filter(|line| line.contains(" of client ")).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(drawn, @r#"
    ·         │     work: round 1 of client 0, what "seal", int 0
    ·         │     work: round 1 of client 0, amount 1
    ·         │     work: round 2 of client 0, what "take", int 0
    ·         │     work: round 2 of client 0, amount 91
    "#);

    // What is kept can be read, and is the same run.
    let saved = fs::read_to_string(home.path().join("sim-scenarios/regressions/sealed.hcl")).unwrap();
    let kept: Vec<&str> = saved.lines().filter(|line| !line.contains("program")).collect();
    insta::assert_snapshot!(kept.join("\n"), @r#"
    seed "sealed" {
      project   = "../.."
      scenario  = "selling"
      seed      = 0
      nodes     = 1
      lasts     = "250ms"
      rule      = "nobody takes too much of what is sealed"
      found     = "`dacapo sim . --scenario selling --strategy uniform --seed 0` with net.delay, net.loss, net.duplicate, net.partition, net.clog, net.reset, net.bandwidth; what is left of it: 1 round of `work` by client 0, what \"seal\", int 0, amount 1; 1 round of `work` by client 0, what \"take\", int 0, amount 91"
      decisions = {
        "rest" = [0, 0, 0, 0, 1]
        "workload/amount work client 0 round 1 #1" = 1
        "workload/amount work client 0 round 2 #1" = 91
        "workload/int work client 0 round 1 #1" = 0
        "workload/int work client 0 round 2 #1" = 0
        "workload/round work client 0 #1" = 1
        "workload/round work client 0 #2" = 1
        "workload/what work client 0 round 1 #1" = 2
        "workload/what work client 0 round 2 #1" = 4
      }
    }
    "#);
    let again = run(home.path(), &["sim", "sim-scenarios/regressions/sealed.hcl"], BROKEN);
    assert!(again.contains("nobody takes too much of what is sealed"), "{again}");
    for recording in [".dacapo/selling-uniform-0.trace", ".dacapo/selling-uniform-0.shrunk.trace"] {
        assert!(run(home.path(), &["replay", recording], PASSED).contains("same"));
    }
}
