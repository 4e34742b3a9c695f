//! `dacapo sim`: run scenarios under many seeds.

mod failure;
mod junit;
mod shrink;
mod target;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use dacapo_check::Table;
use dacapo_core::Time;
use dacapo_lab::{Attempt, Groups, Report, RunOptions, Strategy};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::output::{BAD, BROKEN, DIVERGED, FAINT, GOOD, STRONG, grouped};
use target::Target;

/// Run scenarios under many seeds, and stop at the first that fails.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A project's folder, a folder of projects, or a saved seed
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Only this scenario
    #[arg(long)]
    scenario: Option<String>,
    /// How many attempts, or which: `500`, `100..200` [default: what the scenario says]
    #[arg(long, value_name = "N | A..B", value_parser = target::parse_seeds)]
    seeds: Option<std::ops::Range<u64>>,
    /// Only this seed, or this attempt of the strategy
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// How to get from one run to the next: uniform, swarm, pos, pct1 to pct9, sparse, portfolio [default:
    /// portfolio, and swarm for a single seed]
    #[arg(long)]
    strategy: Option<Strategy>,
    /// How many seconds to look for the few decisions that make it fail; 0: do not
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    shrink: u64,
    /// Let a run that fails go on in so many other ways from each of about twenty moments, to see when its failure
    /// became inevitable
    #[arg(long, value_name = "RUNS", default_value_t = 0)]
    branch: u32,
    /// Run every seed again in a second process and compare digests (else a share of them)
    #[arg(long)]
    verify: bool,
    /// Go on after a failure
    #[arg(long)]
    keep_going: bool,
    /// JSON lines instead of text
    #[arg(long)]
    json: bool,
    /// Write a JUnit report to this file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the recording of the (last) run to this file
    #[arg(long, value_name = "FILE", requires = "seed")]
    record: Option<PathBuf>,
    /// Keep the failing seed as sim-scenarios/regressions/NAME.hcl
    #[arg(long, value_name = "NAME")]
    save: Option<String>,
}

/// What came of one target.
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) seeds: u64,
    pub(crate) seconds: f64,
    pub(crate) virtual_time: f64,
    pub(crate) checks: Table,
    pub(crate) failed: Vec<(Attempt, Report)>,
    pub(crate) divergence: Option<String>,
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    let mut outcomes = Vec::new();
    for target in target::find(args)? {
        let outcome = run_target(args, &target)?;
        let is_bad = !outcome.failed.is_empty() || outcome.divergence.is_some();
        outcomes.push(outcome);
        if is_bad && !args.keep_going {
            break;
        }
    }
    if let Some(path) = &args.junit {
        junit::write(path, &outcomes)?;
    }
    if outcomes.iter().any(|o| o.divergence.is_some()) {
        return Ok(DIVERGED.into());
    }
    let has_failed = outcomes.iter().any(|o| !o.failed.is_empty());
    Ok(if has_failed { BROKEN.into() } else { ExitCode::SUCCESS })
}

fn run_target(args: &Args, target: &Target) -> miette::Result<Outcome> {
    let experiment = target.experiment()?;
    let mut explorer = target.attempts();
    let bar = progress(args, target);
    let begun = Instant::now();
    let mut outcome = Outcome {
        name: target.name(),
        seeds: 0,
        seconds: 0.0,
        virtual_time: 0.0,
        checks: Table::default(),
        failed: Vec::new(),
        divergence: None,
    };
    let mut to_verify = Vec::new();
    for _ in target.seeds.clone() {
        let attempt = target.next(&mut explorer, &experiment);
        let coverage = target.strategy == Strategy::Portfolio;
        let run = experiment.run_attempt(&attempt, RunOptions { coverage, ..RunOptions::default() });
        explorer.learn(&attempt, &run);
        let report = run.report;
        outcome.seeds += 1;
        outcome.virtual_time += report.time.as_secs_f64();
        outcome.checks.merge(&report.checks);
        if args.verify || outcome.seeds % 20 == 1 {
            to_verify.push((attempt.clone(), report.digest));
        }
        bar.inc(1);
        bar.set_message(simulated(outcome.virtual_time));
        if args.json {
            print_json(target, &attempt, &report);
        }
        if !report.passed() {
            outcome.failed.push((attempt, report));
            if !args.keep_going {
                break;
            }
        }
    }
    outcome.seconds = begun.elapsed().as_secs_f64();
    bar.finish_and_clear();
    if target.script.is_none() {
        outcome.divergence = verify::in_another_process(target, &to_verify)?;
    }
    if !args.json {
        summarize(&outcome);
    }
    let mut groups = Groups::default();
    for (attempt, report) in &outcome.failed {
        groups.add(&failure::name(attempt), report);
    }
    if !args.json && outcome.failed.len() > 1 {
        anstream::print!("\n{STRONG}{groups}{STRONG:#}");
    }
    // Of failures that are alike, one is told of.
    for (attempt, report) in outcome.failed.iter().filter(|(it, _)| groups.names(&failure::name(it))) {
        failure::explain(args, target, &experiment, attempt, report)?;
    }
    if let (Some(path), Some(_)) = (&args.record, args.seed) {
        let attempt = target.next(&mut target.attempts(), &experiment);
        failure::record(target, &experiment, &attempt, path)?;
    }
    Ok(outcome)
}

fn progress(args: &Args, target: &Target) -> ProgressBar {
    if args.json {
        return ProgressBar::hidden();
    }
    let style = "{prefix:.bold} {bar:30.green/dim} {pos}/{len} seeds  {per_sec}  {msg}";
    let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(target.seeds.end - target.seeds.start).with_style(style);
    bar.with_prefix(target.scenario.name.clone())
}

fn simulated(seconds: f64) -> String {
    match seconds {
        s if s >= 7200.0 => format!("{:.1} h simulated", s / 3600.0),
        s if s >= 120.0 => format!("{:.1} min simulated", s / 60.0),
        s => format!("{s:.1} s simulated"),
    }
}

fn summarize(outcome: &Outcome) {
    let per_second = outcome.seeds as f64 / outcome.seconds.max(1e-9);
    let (mark, style) = if outcome.failed.is_empty() { ("ok", GOOD) } else { ("FAILED", BAD) };
    anstream::println!(
        "{style}{mark}{style:#} {STRONG}{}{STRONG:#}: {} seeds in {:.2} s ({per_second:.0} seeds/s, {})",
        outcome.name,
        grouped(outcome.seeds),
        outcome.seconds,
        simulated(outcome.virtual_time),
    );
    if !outcome.checks.is_empty() {
        anstream::print!("{FAINT}{}{FAINT:#}", outcome.checks);
    }
    let vacuous: Vec<&str> = outcome.checks.vacuous().collect();
    if outcome.seeds >= 20 && outcome.failed.is_empty() && !vacuous.is_empty() {
        anstream::println!(
            "{STRONG}note{STRONG:#}: in {} seeds this never held, so nothing is known of what follows \
             from it: {}",
            outcome.seeds,
            vacuous.join("; ")
        );
    }
    if let Some(divergence) = &outcome.divergence {
        anstream::println!("{BAD}NOT DETERMINISTIC{BAD:#} {divergence}");
    }
}

fn print_json(target: &Target, attempt: &Attempt, report: &Report) {
    let failure = report
        .failure
        .as_ref()
        .map(|f| json!({ "text": f.to_string(), "signature": f.signature(), "event": f.event() }));
    let Time(nanos) = report.time;
    let line = json!({
        "project": target.project.path().display().to_string(),
        "scenario": target.scenario.name,
        "seed": report.seed.0,
        "strategy": attempt.strategy.to_string(),
        "attempt": attempt.number,
        "passed": report.passed(),
        "failure": failure,
        "digest": report.digest.to_string(),
        "events": report.events,
        "virtual_ns": nanos,
        "faults": report.faults,
    });
    println!("{line}");
}
