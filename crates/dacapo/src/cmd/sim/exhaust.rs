//! `dacapo sim --strategy exhaustive`: all orders within bounds, one after the other, in this process.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dacapo_lab::{Bounds, Exhausted, Experiment, RunOptions};
use indicatif::{ProgressBar, ProgressStyle};
use miette::miette;
use serde_json::json;

use super::target::Target;
use super::{Args, CAN_STOP, Outcome, STOP, failure, print_json, tell_checks};
use crate::campaign::End;
use crate::campaign::record::Finished;
use crate::campaign::summary::Summary;
use crate::output::{BAD, GOOD, STRONG, grouped};

/// Searches, and tells what came of it.
pub(super) fn run(
    args: &Args,
    target: &Target,
    experiment: &Experiment,
    bounds: Bounds,
    lasts: Option<Duration>,
) -> miette::Result<Outcome> {
    let is_campaign = args.results.is_some() || args.queue.is_some() || args.jobs.is_some();
    if is_campaign || args.verify || args.keep_going || args.coverage.is_wanted() {
        return Err(miette!(
            help = "--seeds N, --faults N and --for DURATION bound it; each run of it is compared with those before as far as \
                    they have the same beginning, so there is no need of --verify",
            "an exhaustive search is made by one process and ends with the first failure: leave --results, --queue, --jobs, \
             --verify, --keep-going, --coverage and --lcov out"
        ));
    }
    let executions = match (&args.seeds, lasts) {
        (Some(seeds), _) => seeds.end,
        (None, Some(_)) => u64::MAX,
        (None, None) => bounds.executions,
    };
    let bounds = Bounds { faults: args.faults, executions, ..bounds };
    let begun = Instant::now();
    let bar = if args.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    let style = ProgressStyle::with_template("{prefix:.bold} {spinner:.green} {msg}");
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(target.scenario.name.clone());
    let mut summary = Summary::default();
    let mut orders = 0;
    CAN_STOP.store(true, Ordering::SeqCst);
    let exhausted = experiment.exhaust(&bounds, &mut |report| {
        summary.checks.merge(&report.checks);
        summary.virtual_ns += u128::from(report.time.0);
        orders += 1;
        bar.set_message(format!("{} orders", grouped(orders)));
        bar.tick();
        !STOP.load(Ordering::SeqCst) && lasts.is_none_or(|lasts| begun.elapsed() < lasts)
    });
    CAN_STOP.store(false, Ordering::SeqCst);
    bar.finish_and_clear();
    summary.attempts = exhausted.executions;
    let mut outcome = Outcome {
        name: target.name(),
        made: exhausted.executions,
        seconds: begun.elapsed().as_secs_f64(),
        summary,
        divergence: exhausted.diverged.then(|| exhausted.to_string()),
        coverage: None,
        end: if STOP.load(Ordering::SeqCst) { End::Stopped } else { End::Done },
    };
    let finished = exhausted.found.as_ref().map(|found| {
        let options = RunOptions { coverage: true, ..RunOptions::default() };
        let run = experiment.run_attempt(&found.attempt, options);
        Finished::of(&found.attempt, &run, 0)
    });
    if args.json {
        print(target, &exhausted);
    } else {
        tell(&outcome, &exhausted);
    }
    if let Some(finished) = finished {
        outcome.summary.add(&finished);
        if args.json {
            print_json(target, &finished);
        }
        failure::explain(args, target, experiment, &finished)?;
        outcome.end = End::Failed(Box::new(finished));
    }
    Ok(outcome)
}

fn tell(outcome: &Outcome, exhausted: &Exhausted) {
    let (mark, style) = match (&exhausted.found, exhausted.holds()) {
        (Some(_), _) => ("FAILED", BAD),
        (None, true) => ("ok", GOOD),
        (None, false) if exhausted.diverged => ("NOT DETERMINISTIC", BAD),
        // No failure, and no proof.
        (None, false) => ("open", STRONG),
    };
    anstream::println!(
        "{style}{mark}{style:#} {STRONG}{}{STRONG:#}: {exhausted} in {:.2} s",
        outcome.name,
        outcome.seconds
    );
    tell_checks(&outcome.summary);
}

fn print(target: &Target, exhausted: &Exhausted) {
    let line = json!({
        "project": target.project.path().display().to_string(),
        "scenario": target.scenario.name,
        "strategy": target.strategy.to_string(),
        "executions": exhausted.executions,
        "orders": exhausted.orders,
        "holds": exhausted.holds(),
        "complete": exhausted.complete,
        "text": exhausted.to_string(),
    });
    println!("{line}");
}
