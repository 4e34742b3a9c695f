//! Any schedule of a correct system: its check holds.
//!
//! The systems are the correct twins of the scoreboard; the first byte says which, and the others decide what in a run
//! is left to chance: who is late, what is lost, who crashes, and when. What happens is then told in few decisions.

use dacapo_core::{Rest, Script, Seed, decisions_to_bytes};
use dacapo_lab::{Experiment, RunOptions};
use dacapo_scoreboard::{BUGS, Bug};

/// So many runs go into making a failure small.
const PATIENCE: u64 = 3_000;

/// A run of a twin. Panics if it fails.
pub fn run(bytes: &[u8]) {
    let Some((bug, decisions)) = choose(bytes) else { return };
    if let Some(story) = failure(&(bug.correct)(), decisions) {
        panic!("the twin of {} is accused: {story}", bug.name);
    }
}

/// The bug that is meant, and the bytes that decide.
pub(crate) fn choose(bytes: &[u8]) -> Option<(&'static Bug, &[u8])> {
    let (number, decisions) = bytes.split_first()?;
    Some((&BUGS[usize::from(*number) % BUGS.len()], decisions))
}

/// Why the run in which these bytes decide fails, if it does, and what it takes.
pub(crate) fn failure(experiment: &Experiment, bytes: &[u8]) -> Option<String> {
    let options = |remember| RunOptions { bytes: Some(bytes.to_vec()), remember, ..RunOptions::default() };
    let (report, _) = experiment.run_with(Seed(0), options(false));
    let failure = report.failure?;
    let run = experiment.run_fully(Seed(0), options(true));
    let log = run.decisions.into_iter().map(|decision| (decision.key, decision.chosen));
    let script = Script::new(log, Rest::default());
    let story = match experiment.shrink(Seed(0), Some(&script), &mut |progress| progress.runs < PATIENCE) {
        Err(why) => format!("{failure}\n(its decisions are not made fewer: {why})"),
        Ok(small) => {
            let given: Vec<String> =
                small.script.decisions().iter().map(|(key, value)| format!("  {key} = {value}")).collect();
            let failure = small.report.failure.expect("what is left fails");
            format!(
                "{failure}\nwhen this happens in a calm run of {:?}:\n{}",
                small.experiment.options().lasts,
                given.join("\n")
            )
        }
    };
    Some(story)
}

/// The bytes of a run under this seed.
pub(crate) fn bytes_of(experiment: &Experiment, seed: u64) -> Vec<u8> {
    let run = experiment.run_fully(Seed(seed), RunOptions { remember: true, ..RunOptions::default() });
    decisions_to_bytes(&run.decisions)
}

/// Runs of each twin under two seeds.
pub fn seeds() -> Vec<Vec<u8>> {
    let runs = (0u8..).zip(BUGS).flat_map(|(number, bug)| (0..2).map(move |seed| (number, bug, seed)));
    runs.map(|(number, bug, seed)| [vec![number], bytes_of(&(bug.correct)(), seed)].concat()).collect()
}
