//! `dacapo sim`: run scenarios under many seeds.

pub(crate) mod coverage;
mod exhaust;
mod failure;
pub(crate) mod junit;
mod live;
mod saved;
mod shrink;
mod target;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dacapo::engines::Use;
use dacapo_lab::{Bounds, Coverage, Experiment, Explorer, Strategy};
use miette::miette;
use serde_json::json;

use crate::campaign::crew::{self, Alone, Crew};
use crate::campaign::identity::Identity;
use crate::campaign::pool::Pool;
use crate::campaign::queue::Queue;
use crate::campaign::record::{Finished, Lost};
use crate::campaign::summary::{Simulated, Summary};
use crate::campaign::{Book, End, Happening, Orders, drive};
use crate::output::{BAD, BROKEN, DIVERGED, FAINT, GOOD, NO_VERDICT, STOPPED, STRONG, grouped};
use live::Live;
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
    /// How to get from one run to the next: uniform, swarm, pos, pct1 to pct9, sparse, guided, portfolio, exhaustive (all orders of
    /// messages while each client does one round; exhaustive50: while they run for 50 ms) [default: portfolio, and swarm for a
    /// single seed]
    #[arg(long)]
    strategy: Option<Strategy>,
    /// Of an exhaustive search: at most so many faults in one run
    #[arg(long, value_name = "N", default_value_t = 1)]
    faults: usize,
    /// For how long to go on, as in 90s, 2h or 1h30m; without --seeds there is no other end
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration, conflicts_with = "seed")]
    lasts: Option<Duration>,
    /// How many processes make the attempts [default: one for each core, if there are many attempts]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Keep what came of all attempts in this directory, and go on where an earlier run with it stopped
    #[arg(long, value_name = "DIR", conflicts_with = "seed")]
    results: Option<PathBuf>,
    /// Take ranges of seeds from a table in this PostgreSQL database, as other machines do, and write there what comes
    /// of them: postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL", conflicts_with = "seed")]
    queue: Option<String>,
    /// How many seeds a range of the queue has
    #[arg(long, value_name = "N", default_value_t = 500, requires = "queue", value_parser = clap::value_parser!(u64).range(1..))]
    range: u64,
    /// How long the queue waits for a sign of life before it gives a range to another machine
    #[arg(long, value_name = "DURATION", default_value = "60s", requires = "queue", value_parser = parse_duration)]
    lease: Duration,
    /// How many seconds to look for the few decisions that make it fail; 0: do not [default: 60; with --for, --results
    /// or --queue 0]
    #[arg(long, value_name = "SECONDS")]
    shrink: Option<u64>,
    /// Let a run that fails go on in so many other ways from each of about twenty moments, to see when its failure
    /// became inevitable
    #[arg(long, value_name = "RUNS", default_value_t = 0)]
    branch: u32,
    /// Run every seed again in a second process and compare digests (else a share of them)
    #[arg(long)]
    verify: bool,
    /// Go on after a failure, as a campaign (--for, --results, --queue) always does
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
    #[command(flatten)]
    coverage: coverage::Args,
    /// Keep the failing seed as sim-scenarios/regressions/NAME.hcl
    #[arg(long, value_name = "NAME")]
    save: Option<String>,
}

impl Args {
    /// Whether this is to be more than a look: it goes on after failures, and tells of them briefly.
    fn is_campaign(&self) -> bool {
        self.lasts.is_some() || self.results.is_some() || self.queue.is_some()
    }

    /// What programs are loaded for, if attempts are of this strategy.
    fn usage(&self, strategy: Strategy) -> Use {
        if strategy.learns() || self.coverage.is_wanted() { Use::Explore } else { Use::Simulate }
    }

    fn keeps_going(&self) -> bool {
        self.keep_going || self.is_campaign()
    }

    fn jobs(&self, attempts: u64) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let worth = usize::try_from(attempts / ATTEMPTS_PER_JOB).unwrap_or(usize::MAX);
        let wanted = self.jobs.map_or(cores.min(worth), usize::from);
        wanted.min(usize::try_from(attempts).unwrap_or(usize::MAX)).max(1)
    }
}

/// A process more is started for so many attempts: it has to load the project first.
const ATTEMPTS_PER_JOB: u64 = 50;

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("that is no time at all".to_owned()) } else { Ok(duration) }
}

/// What came of one target.
pub(crate) struct Outcome {
    pub(crate) name: String,
    /// How many attempts were made now, and in how many seconds.
    pub(crate) made: u64,
    pub(crate) seconds: f64,
    /// All attempts, those that were known before too.
    pub(crate) summary: Summary,
    pub(crate) divergence: Option<String>,
    /// What was reached in the code of the services, if that is known.
    coverage: Option<Coverage>,
    end: End,
}

/// Whether somebody wants it to stop, and whether there is something that can.
static STOP: AtomicBool = AtomicBool::new(false);
static CAN_STOP: AtomicBool = AtomicBool::new(false);

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    // A second Ctrl-C, or one while nothing looks at it, ends the process as it would have without this.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) || !CAN_STOP.load(Ordering::SeqCst) {
            std::process::exit(STOPPED.into());
        }
    });
    let targets = target::find(args)?;
    let until = args.lasts.map(|lasts| Instant::now() + lasts);
    let mut outcomes = Vec::new();
    let count = targets.len();
    for (index, target) in targets.iter().enumerate() {
        // What is left of the time is shared among what is left to be done.
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let share = left.map(|left| left / u32::try_from(count - index).unwrap_or(u32::MAX));
        let outcome = run_target(args, target, share)?;
        let is_bad = outcome.summary.failures > 0 || outcome.divergence.is_some();
        let is_stopped = outcome.end == End::Stopped;
        outcomes.push(outcome);
        if is_stopped || is_bad && !args.keeps_going() {
            break;
        }
    }
    if let Some(path) = &args.junit {
        let suites = outcomes.iter().map(|o| junit::Suite {
            name: &o.name,
            summary: &o.summary,
            seconds: o.seconds,
            divergence: o.divergence.as_deref(),
        });
        junit::write(path, suites)?;
    }
    if let Some(path) = &args.coverage.lcov {
        let projects = targets.iter().map(|target| target.project.path().to_owned());
        let known = projects.zip(&mut outcomes).filter_map(|(path, it)| Some((path, it.coverage.take()?)));
        coverage::write(path, &known.collect::<Vec<_>>())?;
    }
    let any = |is: fn(&Outcome) -> bool| outcomes.iter().any(is);
    Ok(match () {
        () if any(|o| o.divergence.is_some()) => DIVERGED.into(),
        () if any(|o| o.summary.failures > 0) => BROKEN.into(),
        () if any(|o| !o.summary.lost.is_empty()) => NO_VERDICT.into(),
        () if any(|o| o.end == End::Stopped) => STOPPED.into(),
        () => ExitCode::SUCCESS,
    })
}

fn run_target(args: &Args, target: &Target, lasts: Option<Duration>) -> miette::Result<Outcome> {
    let experiment = target.experiment()?;
    let seeds = target.seeds.clone();
    let is_one = target.script.is_some() || seeds.end - seeds.start == 1;
    if let Some(bounds) = Bounds::of_strategy(target.strategy).filter(|_| !is_one) {
        return exhaust::run(args, target, &experiment, bounds, lasts);
    }
    if (args.results.is_some() || args.queue.is_some()) && target.saved.is_some() {
        return Err(miette!("a saved seed is one attempt, and no campaign: leave --results and --queue out"));
    }
    let identity = Identity::of(&target.project, &experiment, target.strategy);
    let mut book = match &args.results {
        Some(path) => Book::open(path, &identity, seeds.start)?,
        None => Book::default(),
    };
    if let Some(url) = &args.queue {
        let usual = 0..target.scenario.seeds;
        let adds = if args.seeds.is_some() { &seeds } else { &usual };
        book.queue = Some(Queue::join(url, &identity, adds, args.seeds.is_some(), args.range, args.lease)?);
    }
    check_sample(args, &experiment, &book)?;
    let jobs = if is_one { 1 } else { args.jobs(seeds.end - seeds.start) };
    let mut crew: Box<dyn Crew> = match jobs {
        // While this process makes an attempt it cannot give a sign of life.
        1 if book.queue.is_none() => {
            Box::new(Alone::new(&experiment, target.script.is_some().then(|| target.only(&experiment))))
        }
        _ => {
            let explores = target.project.usage() == Use::Explore;
            Box::new(Pool::start(target.project.path(), &target.scenario.name, explores, jobs)?)
        }
    };
    let total = (seeds.end != u64::MAX && book.queue.is_none()).then_some(seeds.end - seeds.start);
    let mut live = Live::new(&target.scenario.name, total, lasts, jobs, args.json);
    book.notes.iter().for_each(|note| live.note(note));
    if book.summary.attempts > 0 {
        live.note(&format!("{} attempts are known from before", grouped(book.summary.attempts)));
    }
    let orders = Orders {
        strategy: target.strategy,
        seeds,
        keep_going: args.keeps_going(),
        until: lasts.map(|lasts| Instant::now() + lasts),
        stopped: &|| STOP.load(Ordering::SeqCst),
    };
    let mut sample = verify::Sample::new(args.verify);
    CAN_STOP.store(true, Ordering::SeqCst);
    let end = drive(&orders, &mut book, &mut *crew, &mut |summary, happening| match happening {
        Happening::Finished(finished) => {
            live.finished(finished);
            sample.add(finished);
            if args.json {
                print_json(target, finished);
            }
        }
        Happening::Lost(lost) => {
            live.lost(lost);
            if args.json {
                print_lost(target, lost);
            }
        }
        Happening::Tick => live.tick(summary),
        Happening::Waits => live.waits(),
    });
    CAN_STOP.store(false, Ordering::SeqCst);
    live.clear();
    // Workers that are not needed any more leave the cores to what comes now.
    drop(crew);
    let end = end?;
    let (made, seconds) = (live.made, live.seconds());
    let coverage = coverage::of(&experiment, &book.summary);
    let mut outcome = Outcome {
        name: target.name(),
        made,
        seconds,
        summary: book.summary,
        divergence: None,
        coverage,
        end,
    };
    if target.script.is_none() && outcome.end != End::Stopped {
        outcome.divergence = verify::in_another_process(target, sample.names(), jobs)?;
    }
    if let Some(coverage) = outcome.coverage.as_ref().filter(|_| args.json && args.coverage.is_wanted()) {
        let (path, scenario) = (target.project.path().display(), &target.scenario.name);
        let coverage = coverage::to_json(&args.coverage, coverage);
        println!("{}", json!({ "project": path.to_string(), "scenario": scenario, "coverage": coverage }));
    }
    if !args.json {
        summarize(&outcome);
        if let Some(coverage) = &outcome.coverage {
            coverage::tell(&args.coverage, coverage);
        }
        if outcome.summary.failures == 0 && outcome.summary.lost.is_empty() && outcome.end != End::Stopped {
            saved::tell(target, &experiment);
        }
    }
    tell_failures(args, target, &experiment, &outcome)?;
    if let (Some(path), Some(_)) = (&args.record, args.seed) {
        failure::record(target, &experiment, &target.only(&experiment), path)?;
    }
    Ok(outcome)
}

/// Makes one of the attempts again that are known: results that another simulator led to are worth nothing here, even if
/// it had the same version.
fn check_sample(args: &Args, experiment: &Experiment, book: &Book) -> miette::Result<()> {
    let (Some(folder), Some((name, digest))) = (&args.results, &book.sample) else { return Ok(()) };
    let again = crew::make(experiment, &mut Explorer::new(Strategy::Swarm, 0), *name);
    if again.digest == *digest {
        return Ok(());
    }
    Err(miette!(
        help = "results of another build of Dacapo do not count here: give another directory. If it is the same build, then                 the program is not deterministic:  dacapo sim --verify  looks for that",
        "DC0084: {name} in {} has another digest than it has now ({digest}, {})",
        folder.display(),
        again.digest
    ))
}

/// Of failures that are alike, one is told.
fn tell_failures(
    args: &Args,
    target: &Target,
    experiment: &Experiment,
    outcome: &Outcome,
) -> miette::Result<()> {
    if let End::Failed(finished) = &outcome.end {
        return failure::explain(args, target, experiment, finished);
    }
    let bugs = outcome.summary.bugs();
    if !args.json && (outcome.summary.failures > 1 || args.is_campaign() && !bugs.is_empty()) {
        anstream::print!("\n{STRONG}{}{STRONG:#}", outcome.summary.table());
    }
    for bug in bugs {
        if args.is_campaign() && args.shrink.is_none() && args.save.is_none() && args.branch == 0 {
            failure::keep(args, target, experiment, &bug.example)?;
        } else {
            failure::explain(args, target, experiment, &bug.example)?;
        }
    }
    Ok(())
}

fn summarize(outcome: &Outcome) {
    let summary = &outcome.summary;
    let per_second = outcome.made as f64 / outcome.seconds.max(1e-9);
    let digits = usize::from(per_second < 10.0);
    let (mark, style) = match (summary.failures, summary.lost.len()) {
        (0, 0) => ("ok", GOOD),
        (0, _) => ("NO VERDICT", BAD),
        _ => ("FAILED", BAD),
    };
    let known = match summary.attempts - outcome.made.min(summary.attempts) {
        0 => String::new(),
        known => format!(" and {} from before", grouped(known)),
    };
    let end = match outcome.end {
        End::Stopped => ", then stopped",
        _ => "",
    };
    anstream::println!(
        "{style}{mark}{style:#} {STRONG}{}{STRONG:#}: {} seeds{known} in {:.2} s ({per_second:.digits$} seeds/s, {}){end}",
        outcome.name,
        grouped(outcome.made),
        outcome.seconds,
        Simulated(summary.virtual_ns),
    );
    tell_checks(summary);
    if let Some(divergence) = &outcome.divergence {
        anstream::println!("{BAD}NOT DETERMINISTIC{BAD:#} {divergence}");
    }
}

/// So many attempts, without one in which a `sometimes` held, are worth a note.
const VACUOUS_MIN: u64 = 20;

/// What checks came to, and which attempts were lost.
pub(crate) fn tell_checks(summary: &Summary) {
    if !summary.checks.is_empty() {
        anstream::print!("{FAINT}{}{FAINT:#}", summary.checks);
    }
    let vacuous: Vec<&str> = summary.checks.vacuous().collect();
    if summary.attempts >= VACUOUS_MIN && summary.failures == 0 && !vacuous.is_empty() {
        anstream::println!(
            "{STRONG}note{STRONG:#}: in {} seeds this never held, so nothing is known of what follows \
             from it: {}",
            summary.attempts,
            vacuous.join("; ")
        );
    }
    for (name, lost) in &summary.lost {
        anstream::println!("{BAD}lost{BAD:#} {name}: {lost}");
    }
}

fn print_json(target: &Target, finished: &Finished) {
    let failure = finished
        .failure
        .as_ref()
        .map(|f| json!({ "text": f.text, "signature": f.signature, "event": f.event }));
    let line = json!({
        "project": target.project.path().display().to_string(),
        "scenario": target.scenario.name,
        "seed": finished.seed,
        "strategy": finished.name.strategy.to_string(),
        "attempt": finished.name.number,
        "passed": finished.failure.is_none(),
        "failure": failure,
        "digest": finished.digest,
        "events": finished.events,
        "virtual_ns": finished.virtual_ns,
        "faults": finished.faults,
    });
    println!("{line}");
}

fn print_lost(target: &Target, lost: &Lost) {
    let line = json!({
        "project": target.project.path().display().to_string(),
        "scenario": target.scenario.name,
        "strategy": lost.name.strategy.to_string(),
        "attempt": lost.name.number,
        "lost": lost.lost,
    });
    println!("{line}");
}
