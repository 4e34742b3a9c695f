//! What a person is told of a failing seed: the rule, what led to it, the next command.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dacapo_core::{Script, Seed};
use dacapo_lab::{Attempt, Experiment, Report, RunOptions, Shrunk, Strategy};
use dacapo_trace::Trace;
use dacapo_trace::diagram::Inevitability;
use miette::{IntoDiagnostic, WrapErr, miette};

use super::target::Target;
use super::{Args, saved, shrink};
use crate::campaign::record::{Finished, Name};
use crate::explain::{self, Explain, Extra};
use crate::output::{BAD, FAINT, STRONG, colored, create_private};

/// For how many seconds decisions that matter are looked for, if nobody says.
const SHRINK: u64 = 60;

/// Where recordings of failing runs go.
fn folder(args: &Args) -> PathBuf {
    args.results.clone().unwrap_or_else(|| PathBuf::from(".dacapo"))
}

/// Records a failing attempt, and says how to go on with it.
pub(super) fn keep(
    args: &Args,
    target: &Target,
    experiment: &Experiment,
    finished: &Finished,
) -> miette::Result<()> {
    let attempt = target.attempt(experiment, finished.name);
    let (path, _) = record_again(args, target, experiment, finished, &attempt)?;
    if args.json {
        return Ok(());
    }
    let Some(failure) = &finished.failure else { return Ok(()) };
    anstream::println!("\n{BAD}{}{BAD:#}  {}", finished.name, failure.text.replace('\n', "\n  "));
    anstream::println!("  {STRONG}repeat{STRONG:#}  {}", target.repeat(finished.name));
    anstream::println!("  {STRONG}read{STRONG:#}    dacapo trace {}", path.display());
    Ok(())
}

/// Runs a failing attempt once more, and writes its recording.
fn record_again(
    args: &Args,
    target: &Target,
    experiment: &Experiment,
    finished: &Finished,
    attempt: &Attempt,
) -> miette::Result<(PathBuf, Report)> {
    let folder = folder(args);
    let name = finished.name.to_string().replace(' ', "-").replace("seed-", "");
    let path = folder.join(format!("{}-{name}.trace", target.scenario.name));
    let cannot = || format!("cannot make the folder {}", folder.display());
    std::fs::create_dir_all(&folder).into_diagnostic().wrap_err_with(cannot)?;
    let again = record(target, experiment, attempt, &path)?;
    if again.digest.to_string() != finished.digest {
        return Err(miette!(
            "{} is not deterministic: digest {} when it failed, {} when it was recorded",
            finished.name,
            finished.digest,
            again.digest
        ));
    }
    Ok((path, again))
}

pub(crate) fn explain(
    args: &Args,
    target: &Target,
    experiment: &Experiment,
    finished: &Finished,
) -> miette::Result<()> {
    let name = finished.name;
    let attempt = &target.attempt(experiment, name);
    let (path, report) = record_again(args, target, experiment, finished, attempt)?;
    let report = &report;
    let shrunk = match args.shrink.unwrap_or(SHRINK) {
        // Somebody has shrunk it before.
        _ if target.script.is_some() => None,
        0 => None,
        seconds => shrink::shrink(experiment, attempt, Duration::from_secs(seconds), args.json),
    };
    if let Some(name) = &args.save {
        save(name, target, experiment, attempt, report, shrunk.as_ref())?;
    }
    if args.json {
        return Ok(());
    }
    let Some(failure) = &report.failure else { return Ok(()) };
    anstream::println!("\n{BAD}{name} failed{BAD:#}\n");
    anstream::println!("  {STRONG}{}{STRONG:#}\n", failure.to_string().replace('\n', "\n  "));
    let faults = if report.faults.is_empty() { "none".to_owned() } else { report.faults.join(", ") };
    anstream::println!("faults in use: {faults}\n");
    let page = path.with_extension("html");
    // What a person goes on with is the shrunk run, if there is one.
    let path = match &shrunk {
        None => path,
        Some(shrunk) => {
            let shorter = path.with_extension("shrunk.trace");
            record_script(target, &shrunk.experiment, attempt.seed, Some(&shrunk.script), &shorter)?;
            shorter
        }
    };
    let trace = read(&path)?;
    let what = if shrunk.is_some() { " (of the shrunk run)" } else { "" };
    anstream::println!("{STRONG}how it came to that{STRONG:#}{FAINT}{what}{FAINT:#}");
    for line in explain::text(&trace, &Explain::default()) {
        anstream::println!("{}", colored(&line));
    }
    let inevitability = branches(args.branch, experiment, attempt, shrunk.as_ref());
    if let Some(inevitability) = &inevitability {
        anstream::println!("\n{STRONG}how probable the failure was{STRONG:#}");
        for line in inevitability.text(explain::WIDTH) {
            anstream::println!("{}", colored(&line));
        }
    }
    write_page(
        &page,
        &trace,
        attempt,
        shrunk.as_ref(),
        inevitability.as_ref(),
        &target.repeat(Name::of(attempt)),
    )?;
    if let Some(shrunk) = &shrunk {
        shrink::tell(shrunk);
    }
    anstream::println!("\n{STRONG}repeat{STRONG:#}  {}", target.repeat(Name::of(attempt)));
    anstream::println!("{STRONG}see{STRONG:#}     {}", page.display());
    anstream::println!("{STRONG}read{STRONG:#}    dacapo trace {}", path.display());
    anstream::println!("{STRONG}replay{STRONG:#}  dacapo replay {}", path.display());
    if args.save.is_none() && target.saved.is_none() {
        anstream::println!("{STRONG}keep{STRONG:#}    {} --save NAME", target.repeat(Name::of(attempt)));
    }
    Ok(())
}

/// Runs an attempt once more and writes its recording.
pub(crate) fn record(
    target: &Target,
    experiment: &Experiment,
    attempt: &Attempt,
    path: &Path,
) -> miette::Result<Report> {
    record_script(target, &experiment.for_attempt(attempt), attempt.seed, attempt.script.as_ref(), path)
}

fn record_script(
    target: &Target,
    experiment: &Experiment,
    seed: Seed,
    script: Option<&Script>,
    path: &Path,
) -> miette::Result<Report> {
    let file = create_private(path);
    let file = file.wrap_err_with(|| format!("cannot write the recording {}", path.display()))?;
    let mut identity = experiment.identity(seed, script);
    identity.project = target.project.path().display().to_string();
    identity.engine = target.project.engine_identity();
    identity.config = Some(target.project.config_text().to_owned());
    let options = RunOptions {
        script: script.cloned(),
        record: Some((identity, Box::new(file))),
        ..RunOptions::default()
    };
    let (report, written) = experiment.run_with(seed, options);
    written.map_err(|e| miette!("the recording {} is incomplete: {e}", path.display()))?;
    Ok(report)
}

fn read(path: &Path) -> miette::Result<Trace> {
    let file = File::open(path).into_diagnostic()?;
    Trace::read(std::io::BufReader::new(file)).map_err(|e| miette!("{}: {e}", path.display()))
}

/// How probable the failure was at each moment, if somebody wants to know.
fn branches(
    runs: u32,
    experiment: &Experiment,
    attempt: &Attempt,
    shrunk: Option<&Shrunk>,
) -> Option<Inevitability> {
    if runs == 0 {
        return None;
    }
    let bar = indicatif::ProgressBar::new_spinner();
    let mut goes_on = || {
        bar.tick();
        bar.set_message(format!("{} continuations", bar.position()));
        bar.inc(1);
        true
    };
    let branches = match shrunk {
        Some(shrunk) => {
            let Shrunk { experiment, script, report, .. } = shrunk;
            experiment.branches(report.seed, Some(script), runs, &mut goes_on)
        }
        None => {
            let experiment = experiment.for_attempt(attempt);
            experiment.branches(attempt.seed, attempt.script.as_ref(), runs, &mut goes_on)
        }
    };
    bar.finish_and_clear();
    branches.ok().map(Inevitability::new)
}

/// Writes the page beside the recording.
fn write_page(
    path: &Path,
    trace: &Trace,
    attempt: &Attempt,
    shrunk: Option<&Shrunk>,
    inevitability: Option<&Inevitability>,
    repeat: &str,
) -> miette::Result<()> {
    let decisions = shrunk.map(shrink::decisions).unwrap_or_default();
    let strategy = attempt.strategy.to_string();
    let extra = Extra { repeat, strategy: &strategy, decisions: &decisions, inevitability };
    let page = explain::page(trace, &Explain::default(), &extra);
    let mut file = create_private(path).wrap_err_with(|| format!("cannot write {}", path.display()))?;
    file.write_all(page.as_bytes()).into_diagnostic()
}

/// Writes the saved seed: shrunk if it could be, and else as the attempt that it is.
fn save(
    name: &str,
    target: &Target,
    experiment: &Experiment,
    attempt: &Attempt,
    report: &Report,
    shrunk: Option<&Shrunk>,
) -> miette::Result<()> {
    let folder = Path::new("sim-scenarios/regressions");
    std::fs::create_dir_all(folder).into_diagnostic()?;
    let project = std::fs::canonicalize(target.project.path()).into_diagnostic()?;
    let folder = std::fs::canonicalize(folder).into_diagnostic()?;
    let saved = dacapo_config::SavedSeed {
        name: name.to_owned(),
        project: relative(&folder, &project),
        scenario: target.scenario.name.clone(),
        seed: if shrunk.is_some() { attempt.seed.0 } else { attempt.number },
        strategy: (shrunk.is_none() && attempt.strategy != Strategy::Swarm)
            .then(|| attempt.strategy.to_string()),
        nodes: shrunk.map(|shrunk| shrunk.experiment.nodes()),
        lasts: shrunk.map(|shrunk| shrunk.experiment.options().lasts),
        rule: report.failure.as_ref().map(|f| f.rule()).unwrap_or_default(),
        found: found(target, attempt, report, shrunk),
        decisions: shrunk.map(|shrunk| shrunk.script.to_lists()).unwrap_or_default(),
        program: Some(saved::program(experiment)),
    };
    let text = saved.to_hcl();
    let path = folder.join(format!("{name}.hcl"));
    dacapo_config::parse_seed(name, &text)?;
    std::fs::write(&path, text).into_diagnostic()?;
    anstream::println!("{STRONG}kept{STRONG:#}    sim-scenarios/regressions/{name}.hcl");
    Ok(())
}

/// How it was found, and what the workload does in it.
fn found(target: &Target, attempt: &Attempt, report: &Report, shrunk: Option<&Shrunk>) -> String {
    let faults = match report.faults.as_slice() {
        [] => "no fault".to_owned(),
        faults => faults.join(", "),
    };
    let mut text = format!("`{}` with {faults}", target.repeat(Name::of(attempt)));
    if let Some(rounds) = shrunk.map(Shrunk::rounds).filter(|rounds| !rounds.is_empty()) {
        text.push_str(&format!("; what is left of it: {}", rounds.join("; ")));
    }
    text
}

/// The way from one folder to another.
fn relative(from: &Path, to: &Path) -> String {
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = to.components().skip(common).map(|c| c.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}
