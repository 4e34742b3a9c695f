//! Shrinking a failing run, and telling what is left of it.

use std::time::{Duration, Instant};

use dacapo_core::{DecisionKey, RoundKey};
use dacapo_lab::{Attempt, Experiment, Shrunk};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::{FAINT, STRONG, grouped};

/// Looks for the decisions that matter, for so long. `None` if there is nothing to be told that is less than
/// the run itself.
pub(crate) fn shrink(
    experiment: &Experiment,
    attempt: &Attempt,
    budget: Duration,
    quiet: bool,
) -> Option<Shrunk> {
    let begun = Instant::now();
    let style = ProgressStyle::with_template("shrinking {spinner:.green} {msg}");
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let mut goes_on = |progress: dacapo_lab::Progress| {
        bar.set_message(format!("{} runs, {} decisions left", grouped(progress.runs), progress.decisions));
        bar.tick();
        begun.elapsed() < budget
    };
    let experiment = experiment.for_attempt(attempt);
    let shrunk = experiment.shrink(attempt.seed, attempt.script.as_ref(), &mut goes_on);
    bar.finish_and_clear();
    match shrunk {
        Ok(shrunk) => Some(shrunk),
        Err(error) => {
            anstream::eprintln!("{STRONG}note{STRONG:#}: not shrunk: {error}");
            None
        }
    }
}

/// What is decided about a fault besides that it strikes.
const DETAILS: [&str; 12] =
    ["lasts", "down", "late", "stands", "hangs", "victim", "far", "oneway", "from", "to", "strength", "off"];

/// Of more pauses than these only the number is told.
const PAUSES_MAX: usize = 6;

/// Whether a decision is told with the round that it belongs to.
fn is_of_round(key: &DecisionKey) -> bool {
    let belongs = RoundKey::of_round(key).or_else(|| RoundKey::of_detail(key));
    belongs.is_some() && !RoundKey::is_pause(key)
}

/// The decisions in words, line by line: first what the workload does, then what goes wrong, then how.
pub(crate) fn decisions(shrunk: &Shrunk) -> Vec<String> {
    let is_detail = |key: &DecisionKey| DETAILS.contains(&&*key.what);
    let pauses = shrunk.script.decisions().keys().filter(|key| RoundKey::is_pause(key)).count();
    let is_told = |key: &DecisionKey| !(is_of_round(key) || pauses > PAUSES_MAX && RoundKey::is_pause(key));
    let decisions = || shrunk.script.decisions().iter().filter(|(key, _)| is_told(key));
    let main = decisions().filter(|(key, _)| !is_detail(key));
    let all = main.chain(decisions().filter(|(key, _)| is_detail(key)));
    let line = |(key, value): (&DecisionKey, &u64)| {
        let mark = if shrunk.pivot.as_ref() == Some(key) { "▸" } else { " " };
        format!("{mark} {}", in_words(key, *value))
    };
    let many = (pauses > PAUSES_MAX).then(|| format!("  {pauses} pauses of clients, as they were"));
    shrunk.rounds().into_iter().map(|round| format!("  {round}")).chain(all.map(line)).chain(many).collect()
}

/// What it takes to fail.
pub(crate) fn tell(shrunk: &Shrunk) {
    let is_wrong = |key: &&DecisionKey| !DETAILS.contains(&&*key.what) && key.lane != "workload";
    let decisions = shrunk.script.decisions();
    let wrong = decisions.keys().filter(is_wrong).count();
    let rounds = match decisions.keys().filter(|key| RoundKey::of_round(key).is_some()).count() {
        0 => String::new(),
        1 => "one round of the workload, ".to_owned(),
        n => format!("{n} rounds of the workload, "),
    };
    let lasts = shrunk.experiment.options().lasts;
    let nodes = shrunk.experiment.nodes();
    let plural = if nodes == 1 { "" } else { "s" };
    anstream::println!(
        "\n{STRONG}what it takes{STRONG:#}  {nodes} node{plural}, {lasts:?}, {rounds}{} {FAINT}({} runs to find out){FAINT:#}",
        match wrong {
            0 => "and nothing going wrong".to_owned(),
            1 => "and one thing that goes wrong".to_owned(),
            n => format!("and {n} things that go wrong"),
        },
        grouped(shrunk.runs),
    );
    for line in self::decisions(shrunk) {
        anstream::println!("  {line}");
    }
    if shrunk.pivot.is_some() {
        anstream::println!("  {FAINT}without the one marked ▸ the run passes{FAINT:#}");
    }
}

/// A decision as a person says it.
pub(crate) fn in_words(key: &DecisionKey, value: u64) -> String {
    let DecisionKey { lane, what, cause, nth } = key;
    let time = || Duration::from_nanos(value);
    let place = if cause.is_empty() { format!("#{nth}") } else { format!("{cause} (#{nth})") };
    match &**what {
        "hit" => format!("{lane} strikes: {place}"),
        "after_turn" => format!("{lane} right after: {place}"),
        "at_commit" => format!("{lane} when it is stored, and before anybody hears of it: {place}"),
        "wait" => format!("{lane} {:?} after the one before, or the start", time()),
        "extra" => format!("a message takes {:?} longer: {place}", time()),
        "lasts" | "down" | "late" | "stands" => format!("{lane}: {what} {:?}: {place}", time()),
        "pause" => format!("{cause} waits {:?} before its round {nth}", time()),
        "first" => format!("of what is due at once, number {} comes first: {place}", value + 1),
        _ => format!("{lane}/{what} = {value}: {place}"),
    }
}
