//! What a workload draws: whose round it belongs to, and that it can be given.

mod common;

use std::time::Duration;

use common::{Guest, engine, load};
use dacapo_core::{Effect, Effects, Event, Inputs, Phase, Rounds, TimerId};

const WORKLOAD: &str = r#"
import { driver, random, sleep } from "dacapo:sim";

const later = (ms, f) => new Promise((resolve) => setTimeout(() => resolve(f()), ms));

export async function setup() {
  random.int(0, 9, "size");
}

export const drivers = {
  work: driver(
    async (env, { client }) => {
      random.pick(["a", "b", "c"], "what");
      await sleep(10 + client);
      random.int(-5, 5);
      await Promise.all([later(3, () => random.chance(0.5)), sleep(3)]);
      random.shuffle([1, 2, 3]);
    },
    { clients: 2, pause: 0 },
  ),
};
"#;

/// Runs the workload for a while, and gives what it draws, without pauses, by the numbers of its turns.
fn drawn(inputs: Inputs) -> Vec<String> {
    let program = load(&engine(), "w.js", &[("w.js", WORKLOAD)]).unwrap();
    let mut guest = Guest::new(&program);
    let mut lines = Vec::new();
    let mut due: Vec<(Duration, TimerId)> = Vec::new();
    let mut now = Duration::ZERO;
    let mut take = |effects: Effects, now: Duration, due: &mut Vec<(Duration, TimerId)>| {
        for effect in effects {
            match effect {
                Effect::SetTimer(timer, after) => due.push((now + after, timer)),
                Effect::Drawn(drawn) if drawn.key.what != "pause" => {
                    lines.push(format!(
                        "{} = {} {}",
                        drawn.key,
                        drawn.chosen,
                        drawn.says.unwrap_or_default()
                    ));
                }
                _ => {}
            }
        }
    };
    for event in [Event::Begin(Box::new(inputs)), Event::Phase(Phase::Drive)] {
        let (effects, _) = guest.turn(event);
        take(effects, now, &mut due);
    }
    while now < Duration::from_millis(20)
        && let Some(next) = (0..due.len()).min_by_key(|at| due[*at])
    {
        let (at, timer) = due.remove(next);
        guest.pass(at - now);
        now = at;
        let (effects, _) = guest.turn(Event::Timer(timer));
        take(effects, now, &mut due);
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn a_draw_belongs_to_the_round_that_it_is_made_in_wherever_that_goes_on() {
    let inputs = Inputs { tells: true, ..Inputs::default() };
    insta::assert_snapshot!(drawn(inputs).join("\n"), @r#"
    workload/size setup #1 = 8
    workload/round work client 0 #1 = 1
    workload/what work client 0 round 1 #1 = 2 "c"
    workload/round work client 1 #1 = 1
    workload/what work client 1 round 1 #1 = 0 "a"
    workload/int work client 0 round 1 #1 = 8 3
    workload/int work client 1 round 1 #1 = 1 -4
    workload/chance work client 0 round 1 #1 = 1 true
    workload/shuffle work client 0 round 1 #1 = 2
    workload/shuffle work client 0 round 1 #2 = 0
    workload/round work client 0 #2 = 1
    workload/what work client 0 round 2 #1 = 0 "a"
    workload/chance work client 1 round 1 #1 = 1 true
    workload/shuffle work client 1 round 1 #1 = 0
    workload/shuffle work client 1 round 1 #2 = 0
    workload/round work client 1 #2 = 1
    workload/what work client 1 round 2 #1 = 1 "b"
    workload/int work client 0 round 2 #1 = 3 -2
    "#);
}

#[test]
fn what_is_given_is_drawn_and_no_round_is_made_that_is_not() {
    let given = [
        ("workload/round work client 1 #2", 1),
        ("workload/what work client 1 round 2 #1", 2),
        ("workload/int work client 1 round 2 #1", 0),
        ("workload/chance work client 1 round 2 #1", 1),
        ("workload/shuffle work client 1 round 2 #1", 2),
        ("workload/size setup #1", 70),
    ];
    let given = given.iter().map(|(key, value)| (key.parse().unwrap(), *value)).collect();
    let inputs = Inputs { given, rounds: Rounds::Given, tells: true, ..Inputs::default() };
    insta::assert_snapshot!(drawn(inputs).join("\n"), @r#"
    workload/size setup #1 = 9
    workload/round work client 1 #1 = 0
    workload/round work client 1 #2 = 1
    workload/what work client 1 round 2 #1 = 2 "c"
    workload/int work client 1 round 2 #1 = 0 -5
    workload/chance work client 1 round 2 #1 = 1 true
    workload/shuffle work client 1 round 2 #1 = 2
    workload/shuffle work client 1 round 2 #2 = 1
    "#);
}
