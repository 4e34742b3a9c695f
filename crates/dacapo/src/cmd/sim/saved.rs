//! What a person is told of a saved seed that does not fail: whether it still tests anything.

use std::collections::BTreeSet;

use dacapo_core::{Decision, Seed, digest_of};
use dacapo_lab::{Experiment, RunOptions};

use super::target::Target;
use crate::output::STRONG;

/// Names of decisions that are written out.
const NAMED: usize = 3;

/// Stands for all programs of an experiment, with the platform library that they run on.
pub(super) fn program(experiment: &Experiment) -> String {
    digest_of(&experiment.identity(Seed(0), None).programs).to_string()
}

/// Tells why a saved seed may be stale: decisions that did not come up, and a program that has changed.
pub(super) fn tell(target: &Target, experiment: &Experiment) {
    let Some(saved) = &target.saved else { return };
    let (before, now) = (saved.program.as_deref(), program(experiment));
    let attempt = target.only(experiment);
    let mut lines = vec![format!("\"{}\" is not broken any more", saved.rule)];
    if let Some(script) = &attempt.script
        && !script.decisions().is_empty()
    {
        let options = RunOptions { remember: true, inputs: true, ..RunOptions::default() };
        let run = experiment.run_attempt(&attempt, options);
        let asked: BTreeSet<_> = run.decisions.into_iter().map(|Decision { key, .. }| key).collect();
        let missing: Vec<_> = script.decisions().keys().filter(|key| !asked.contains(key)).collect();
        let count = script.decisions().len();
        lines.push(match missing.len() {
            0 => format!(
                "each of its {count} decisions came up: the program does something else about them now"
            ),
            absent => format!("{absent} of its {count} decisions did not come up, so it may test nothing:"),
        });
        lines.extend(missing.iter().take(NAMED).map(|key| format!("  {key}")));
        if missing.len() > NAMED {
            lines.push(format!("  and {} more", missing.len() - NAMED));
        }
    }
    lines.push(match before {
        Some(before) if before == now => "the program is the one in which it failed".to_owned(),
        Some(_) => "the program is not the one in which it failed".to_owned(),
        None => "it was saved without the digest of its program".to_owned(),
    });
    for (at, line) in lines.iter().enumerate() {
        let head = if at == 0 { "saved" } else { "" };
        anstream::println!("{STRONG}{head:<7}{STRONG:#} {line}");
    }
    let (path, scenario) = (target.project.path().display(), &target.scenario.name);
    anstream::println!(
        "{STRONG}search{STRONG:#}  dacapo sim {path} --scenario {scenario} --save {}",
        saved.name
    );
}
