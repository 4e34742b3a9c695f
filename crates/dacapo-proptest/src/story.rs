//! What a failing case prints: the input that proptest has shrunk, the decisions that Dacapo has.

use std::fmt::Write as _;

use dacapo_core::{Script, Seed};
use dacapo_lab::{Experiment, Report};

use crate::trial::Input;

/// So many runs go into it.
const RUNS: u64 = 2_000;

pub(crate) fn story(
    experiment: &Experiment,
    input: &Input,
    seed: Seed,
    script: &Script,
    report: &Report,
) -> String {
    let failure = report.failure.as_ref().expect("a story is told of what fails");
    let mut text = format!("\nasked for (what proptest has left of it):\n{input}\n\n");
    match experiment.shrink(seed, Some(script), &mut |progress| progress.runs < RUNS) {
        Err(why) => write!(text, "schedule: all decisions of seed {seed}, since {why}\n\n{failure}"),
        Ok(shrunk) => {
            let decisions = shrunk.script.decisions();
            match decisions.len() {
                0 => text.push_str("schedule: calm. Messages are quick, and nothing goes wrong\n"),
                _ => text.push_str("schedule (what dacapo has left of it; everything else is calm):\n"),
            }
            for (key, value) in decisions {
                writeln!(text, "  {key} = {value}").expect("a text can be written to");
            }
            let failure = shrunk.report.failure.as_ref().expect("what is left fails");
            write!(text, "\n{failure}")
        }
    }
    .expect("a text can be written to");
    text.push_str(
        "\n\nagain: proptest keeps this case in proptest-regressions; schedules grow from the seed above\n",
    );
    text
}
