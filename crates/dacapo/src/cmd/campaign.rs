//! `dacapo campaign`: the results of campaigns, of one machine or of many.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dacapo::engines::Use;
use dacapo::project::Project;
use dacapo_core::PointKind;
use dacapo_lab::{Coverage, Strategy};
use miette::{IntoDiagnostic, WrapErr, miette};
use serde_json::json;

use super::sim::{coverage, junit, tell_checks};
use crate::campaign::identity::Identity;
use crate::campaign::queue::{Ranges, Server};
use crate::campaign::results::{self, Batch};
use crate::campaign::summary::{Simulated, Summary};
use crate::output::{BAD, BROKEN, GOOD, NO_VERDICT, STRONG, grouped};

/// Look at the results of campaigns.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Print what came of all attempts together. Exit code 1 if one failed, 4 if one was lost
    Show(Show),
    /// Copy the results of several directories into one
    Merge {
        /// Where all results are to be
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
        /// Directories that `dacapo sim --results DIR` wrote
        #[arg(required = true)]
        from: Vec<PathBuf>,
    },
}

#[derive(clap::Args)]
struct Show {
    /// Directories that `dacapo sim --results DIR` wrote
    #[arg(required_unless_present = "queue")]
    folders: Vec<PathBuf>,
    /// What is in this PostgreSQL database, which `dacapo sim --queue URL` wrote
    #[arg(long, value_name = "URL", conflicts_with = "folders")]
    queue: Option<String>,
    /// JSON instead of text: a line for each campaign
    #[arg(long)]
    json: bool,
    /// Write a JUnit report to this file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    coverage: coverage::Args,
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    match &args.command {
        Command::Show(args) => show(args),
        Command::Merge { into, from } => merge(into, from),
    }
}

/// The results of one campaign.
struct Campaign {
    identity: Identity,
    summary: Summary,
    /// Those of a queue.
    ranges: Option<Ranges>,
}

/// All campaigns of a queue.
fn of_queue(url: &str) -> miette::Result<Vec<Campaign>> {
    let mut server = Server::connect(url)?;
    let mut campaigns = Vec::new();
    for (id, identity) in server.campaigns()? {
        let mut summary = Summary::default();
        server.batches(&id, &mut |batch| batch.add_to(&mut summary))?;
        campaigns.push(Campaign { identity, summary, ranges: Some(server.ranges(&id)?) });
    }
    Ok(campaigns)
}

/// All campaigns in these directories. Refuses results of different programs.
fn read(folders: &[PathBuf], notes: &mut Vec<String>) -> miette::Result<Vec<Campaign>> {
    let mut campaigns: Vec<Campaign> = Vec::new();
    let mut files = BTreeMap::new();
    for folder in folders {
        let found = results::files(folder)?;
        if found.is_empty() {
            return Err(miette!(
                help = "`dacapo sim PATH --results DIR` writes some",
                "{} has no results",
                folder.display()
            ));
        }
        // The same file, copied to two places, counts once.
        files.extend(found.into_iter().map(|path| (path.file_name().map(ToOwned::to_owned), path)));
    }
    for path in files.values() {
        let mut at = None;
        let mut wanted = |identity: Identity| {
            let is_of = campaigns.iter().find(|it| it.identity.is_of(&identity));
            if let Some((other, difference)) =
                is_of.and_then(|it| Some((it, it.identity.difference(&identity)?)))
            {
                let place = path.display().to_string();
                return Err(results::other_program(&place, &other.identity, &difference));
            }
            at = campaigns.iter().position(|it| it.identity.is_same(&identity));
            if at.is_none() {
                at = Some(campaigns.len());
                campaigns.push(Campaign { identity, summary: Summary::default(), ranges: None });
            }
            Ok(true)
        };
        let mut batches = Vec::new();
        let note = results::read(path, &mut wanted, &mut |batch: Batch| batches.push(batch))?;
        notes.extend(note);
        if let Some(at) = at {
            batches.iter().for_each(|batch| batch.add_to(&mut campaigns[at].summary));
        }
    }
    campaigns.sort_by_key(|it| (it.identity.title(), it.identity.strategy.clone()));
    Ok(campaigns)
}

fn show(args: &Show) -> miette::Result<ExitCode> {
    let mut notes = Vec::new();
    let campaigns = match &args.queue {
        Some(url) => of_queue(url)?,
        None => read(&args.folders, &mut notes)?,
    };
    for note in &notes {
        anstream::eprintln!("{STRONG}note{STRONG:#}: {note}");
    }
    let mut coverages = Vec::new();
    for Campaign { identity, summary, ranges } in &campaigns {
        let wanted = args.coverage.is_wanted();
        let coverage = if wanted { coverage_of(identity, summary)? } else { None };
        if args.json {
            let mut line = summary.to_json();
            line["project"] = json!(identity.project);
            line["scenario"] = json!(identity.scenario);
            line["strategy"] = json!(identity.strategy);
            if let Some(Ranges { all, done, held, abandoned }) = ranges {
                line["begun"] = json!(identity.started);
                line["ranges"] = json!({ "all": all, "done": done, "held": held, "abandoned": abandoned });
            }
            if let Some(coverage) = &coverage {
                // `coverage` alone is the number of steps.
                line["code"] = coverage::to_json(&args.coverage, coverage);
            }
            println!("{line}");
        } else {
            tell(identity, summary);
            if let Some(coverage) = &coverage {
                coverage::tell(&args.coverage, coverage);
            }
            if let Some(Ranges { all, done, held, abandoned }) = ranges {
                let abandoned =
                    if *abandoned == 0 { String::new() } else { format!(", {abandoned} abandoned") };
                let begun = &identity.started;
                anstream::println!(
                    "begun {begun}; of {all} ranges {done} are done, {held} being made{abandoned}"
                );
            }
        }
        coverages.extend(coverage.map(|coverage| (PathBuf::from(&identity.project), coverage)));
    }
    if let Some(path) = &args.coverage.lcov {
        coverage::write(path, &coverages)?;
    }
    if let Some(path) = &args.junit {
        let names: Vec<String> = campaigns.iter().map(|it| it.identity.title()).collect();
        let suites = campaigns.iter().zip(&names).map(|(it, name)| junit::Suite {
            name,
            summary: &it.summary,
            seconds: 0.0,
            divergence: None,
        });
        junit::write(path, suites)?;
    }
    Ok(match () {
        () if campaigns.iter().any(|it| it.summary.failures > 0) => BROKEN.into(),
        () if campaigns.iter().any(|it| !it.summary.lost.is_empty()) => NO_VERDICT.into(),
        () => ExitCode::SUCCESS,
    })
}

/// What a campaign has reached in the code of its services, which has to be the code of now.
fn coverage_of(identity: &Identity, summary: &Summary) -> miette::Result<Option<Coverage>> {
    let place = Path::new(&identity.project);
    let project = Project::open_for(place, Use::Explore).wrap_err(
        "what was reached is known by the places of functions and branches, so the project has to be there",
    )?;
    let experiment = project.experiment(project.scenario(Some(&identity.scenario))?)?;
    let now = Identity::of(&project, &experiment, Strategy::Portfolio);
    if let Some(difference) = identity.difference(&now) {
        return Err(results::other_program(&identity.project, identity, &difference));
    }
    let coverage = coverage::of(&experiment, summary);
    if coverage.as_ref().is_some_and(|it| it.share(PointKind::Function).reached == 0) {
        anstream::eprintln!(
            "{STRONG}note{STRONG:#}: nobody has looked what attempts of {} reach: give `dacapo sim` --coverage as well",
            identity.title()
        );
        return Ok(None);
    }
    Ok(coverage)
}

fn tell(identity: &Identity, summary: &Summary) {
    let (mark, style) = match (summary.failures, summary.lost.len()) {
        (0, 0) => ("ok", GOOD),
        (0, _) => ("NO VERDICT", BAD),
        _ => ("FAILED", BAD),
    };
    let again = match summary.again {
        0 => String::new(),
        n => format!(", {} made more than once", grouped(n)),
    };
    anstream::println!(
        "{style}{mark}{style:#} {STRONG}{}{STRONG:#} ({}): {} attempts{again}, {}, {} steps seen",
        identity.title(),
        identity.strategy,
        grouped(summary.attempts),
        Simulated(summary.virtual_ns),
        grouped(summary.coverage() as u64),
    );
    tell_checks(summary);
    if summary.failures == 0 {
        return;
    }
    anstream::print!("{STRONG}{}{STRONG:#}", summary.table());
    for bug in summary.bugs() {
        let name = bug.example.name;
        anstream::println!(
            "{STRONG}repeat{STRONG:#}  dacapo sim {} --scenario {} --strategy {} --seed {}",
            identity.project,
            identity.scenario,
            name.strategy,
            name.number
        );
    }
}

fn merge(into: &Path, from: &[PathBuf]) -> miette::Result<ExitCode> {
    let mut notes = Vec::new();
    let mut all = from.to_vec();
    if !results::files(into)?.is_empty() {
        all.push(into.to_owned());
    }
    // Nothing is copied if they do not belong together.
    let campaigns = read(&all, &mut notes)?;
    fs::create_dir_all(into).into_diagnostic().wrap_err_with(|| format!("cannot make {}", into.display()))?;
    let mut copied = 0;
    for folder in from {
        let entries = fs::read_dir(folder).into_diagnostic();
        for entry in entries.wrap_err_with(|| format!("cannot read {}", folder.display()))? {
            let path = entry.into_diagnostic()?.path();
            let is_ours = path.extension().is_some_and(|e| e == "jsonl" || e == "trace");
            let Some(name) = path.file_name().filter(|_| is_ours) else { continue };
            if !into.join(name).exists() {
                let cannot = || format!("cannot copy {} to {}", path.display(), into.display());
                fs::copy(&path, into.join(name)).into_diagnostic().wrap_err_with(cannot)?;
                copied += 1;
            }
        }
    }
    let attempts: u64 = campaigns.iter().map(|it| it.summary.attempts).sum();
    let plural = if copied == 1 { "" } else { "s" };
    anstream::println!(
        "{} has {} attempts now ({copied} file{plural} copied)",
        into.display(),
        grouped(attempts)
    );
    Ok(ExitCode::SUCCESS)
}
