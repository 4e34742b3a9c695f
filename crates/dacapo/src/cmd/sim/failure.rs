//! What a person is told of a failing seed: the rule, the last moments, the next command.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dacapo_lab::{Attempt, Experiment, Report, RunOptions, Shrunk, Strategy};
use dacapo_trace::Part;
use dacapo_trace::print::{Filter, Printer};
use miette::{IntoDiagnostic, WrapErr, miette};

use super::target::Target;
use super::{Args, shrink};
use crate::output::{BAD, FAINT, STRONG, colored, create_private};

/// How many lines before the failure are shown.
const LINES: usize = 24;

pub(crate) fn explain(
    args: &Args,
    target: &Target,
    experiment: &Experiment,
    attempt: &Attempt,
    report: &Report,
) -> miette::Result<()> {
    let name = match attempt.strategy {
        Strategy::Swarm => format!("seed {}", attempt.number),
        strategy => format!("{strategy} {}", attempt.number),
    };
    let path = PathBuf::from(format!(
        ".dacapo/{}-{}.trace",
        target.scenario.name,
        name.replace(' ', "-").replace("seed-", "")
    ));
    std::fs::create_dir_all(".dacapo").into_diagnostic().wrap_err("cannot make the folder .dacapo")?;
    let again = record(target, experiment, attempt, &path)?;
    if again.digest != report.digest {
        return Err(miette!(
            "{name} is not deterministic: digest {} when it failed, {} when it was recorded",
            report.digest,
            again.digest
        ));
    }
    let shrunk = match args.shrink {
        // Somebody has shrunk it before.
        _ if target.script.is_some() => None,
        0 => None,
        seconds => shrink::shrink(experiment, attempt, Duration::from_secs(seconds), args.json),
    };
    if let Some(name) = &args.save {
        save(name, target, attempt, report, shrunk.as_ref())?;
    }
    if args.json {
        return Ok(());
    }
    let Some(failure) = &report.failure else { return Ok(()) };
    anstream::println!("\n{BAD}{name} failed{BAD:#}\n");
    anstream::println!("  {STRONG}{}{STRONG:#}\n", failure.to_string().replace('\n', "\n  "));
    let faults = if report.faults.is_empty() { "none".to_owned() } else { report.faults.join(", ") };
    anstream::println!("faults in use: {faults}\n");
    anstream::println!("{STRONG}the last moments{STRONG:#}");
    for line in last_moments(&path, failure.event())? {
        anstream::println!("  {line}");
    }
    if let Some(shrunk) = &shrunk {
        shrink::tell(shrunk);
    }
    anstream::println!("\n{STRONG}repeat{STRONG:#}  {}", target.repeat(attempt));
    anstream::println!("{STRONG}read{STRONG:#}    dacapo trace {}", path.display());
    anstream::println!("{STRONG}replay{STRONG:#}  dacapo replay {}", path.display());
    if args.save.is_none() && target.saved.is_none() {
        anstream::println!("{STRONG}keep{STRONG:#}    {} --save NAME", target.repeat(attempt));
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
    let experiment = experiment.for_attempt(attempt);
    let file = create_private(path);
    let file = file.wrap_err_with(|| format!("cannot write the recording {}", path.display()))?;
    let mut identity = experiment.identity(attempt.seed, attempt.script.as_ref());
    identity.project = target.project.path().display().to_string();
    identity.engine = target.project.engine_identity();
    identity.config = Some(target.project.config_text().to_owned());
    let options = RunOptions {
        script: attempt.script.clone(),
        record: Some((identity, Box::new(file))),
        ..RunOptions::default()
    };
    let (report, written) = experiment.run_with(attempt.seed, options);
    written.map_err(|e| miette!("the recording {} is incomplete: {e}", path.display()))?;
    Ok(report)
}

fn last_moments(path: &Path, event: Option<u64>) -> miette::Result<Vec<String>> {
    let file = File::open(path).into_diagnostic()?;
    let trace = dacapo_trace::Trace::read(std::io::BufReader::new(file)).map_err(|e| miette!("{e}"))?;
    let filter = Filter { last_event: event, ..Filter::default() };
    let mut printer = Printer::new(&trace.identity, filter);
    let mut lines = Vec::new();
    for record in &trace.records {
        // Housekeeping says little about what went wrong.
        let is_noise = matches!(
            &record.part,
            Part::Effect(_, dacapo_core::Effect::SetTimer(..) | dacapo_core::Effect::ClearTimer(_))
        );
        if let Some(line) = printer.line(record).filter(|_| !is_noise) {
            lines.push(colored(&line));
        }
    }
    let skipped = lines.len().saturating_sub(LINES);
    let mut shown = lines.split_off(skipped);
    if skipped > 0 {
        shown.insert(0, format!("{FAINT}({skipped} lines before){FAINT:#}"));
    }
    Ok(shown)
}

/// Writes the saved seed: shrunk if it could be, and else as the attempt that it is.
fn save(
    name: &str,
    target: &Target,
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
        rule: report.failure.as_ref().map(|f| f.signature()).unwrap_or_default(),
        found: format!("`{}` with {}", target.repeat(attempt), report.faults.join(", ")),
        decisions: shrunk.map(|shrunk| shrunk.script.to_lists()).unwrap_or_default(),
        program: None,
    };
    let text = saved.to_hcl();
    let path = folder.join(format!("{name}.hcl"));
    dacapo_config::parse_seed(name, &text)?;
    std::fs::write(&path, text).into_diagnostic()?;
    anstream::println!("{STRONG}kept{STRONG:#}    sim-scenarios/regressions/{name}.hcl");
    Ok(())
}

/// The way from one folder to another.
fn relative(from: &Path, to: &Path) -> String {
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = to.components().skip(common).map(|c| c.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}
