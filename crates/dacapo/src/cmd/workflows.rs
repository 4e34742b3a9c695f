//! `dacapo workflows`: histories of workflows as files, and whether the code still fits them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dacapo::project::Project;
use dacapo::workflows::{Difference, Verdict, Workflows};
use dacapo_core::Seed;
use dacapo_host::FileDisk;
use dacapo_lab::{RunOptions, SharedStates};
use dacapo_store::Store;
use miette::{IntoDiagnostic, WrapErr, miette};
use serde_json::Value;

use crate::output::{self, BAD, BROKEN, FAINT, GOOD, STRONG};

/// Write histories of workflows, and check that the code still fits them.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Replay recorded histories against the code as it is now
    Check {
        /// The folder with the histories
        histories: PathBuf,
        /// The project's folder
        #[arg(long, default_value = ".")]
        project: PathBuf,
    },
    /// Write the histories that a server has stored, a file for each instance
    Export {
        /// The project's folder
        #[arg(default_value = ".")]
        project: PathBuf,
        /// Where to write them
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// What `dacapo serve --data` was given [default: .dacapo/data in the project's folder]
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Write the histories that a scenario makes under a seed, a file for each instance
    Record {
        /// The project's folder
        #[arg(default_value = ".")]
        project: PathBuf,
        /// Where to write them
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// The scenario, if the project has several
        #[arg(long)]
        scenario: Option<String>,
        /// The seed
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    match &args.command {
        Command::Check { histories, project } => check(histories, project),
        Command::Export { project, to, data } => export(project, to, data.as_deref()),
        Command::Record { project, to, scenario, seed } => record(project, to, scenario.as_deref(), *seed),
    }
}

fn export(project: &Path, to: &Path, data: Option<&Path>) -> miette::Result<ExitCode> {
    let folder = data.map_or_else(|| project.join(".dacapo/data"), Path::to_owned);
    // Opening a folder makes one; whoever mistypes a name shall hear of it instead.
    if !folder.is_dir() {
        return Err(miette!(
            help = "`dacapo serve PROJECT` keeps it in PROJECT/.dacapo/data, or where --data says",
            "{} is not a folder",
            folder.display()
        ));
    }
    let workflows = Workflows::of(&Project::open(project)?)?;
    let failed = |error: &dyn std::fmt::Display| miette!("{}: {error}", folder.display());
    let disk = FileDisk::open(&folder).map_err(|error| failed(&error))?;
    let (mut store, _) = Store::open(Box::new(disk)).map_err(|error| failed(&error))?;
    let keys: Vec<_> = store.keys().filter(|key| workflows.has(&key.namespace)).cloned().collect();
    let mut histories = Vec::new();
    for key in &keys {
        let Some(image) = store.load(key).map_err(|error| failed(&error))? else { continue };
        histories.extend(workflows.history(key, &image.bytes)?);
    }
    write(&histories, to)
}

fn record(project: &Path, to: &Path, scenario: Option<&str>, seed: u64) -> miette::Result<ExitCode> {
    let project = Project::open(project)?;
    let workflows = Workflows::of(&project)?;
    let experiment = project.experiment(project.scenario(scenario)?)?;
    let states = SharedStates::default();
    let options = RunOptions { states: Some(states.clone()), ..RunOptions::default() };
    let (report, _) = experiment.run_with(Seed(seed), options);
    if let Some(failure) = &report.failure {
        anstream::eprintln!("{BAD}note{BAD:#}: the scenario fails under seed {seed}: {failure}");
    }
    let mut histories = Vec::new();
    for (key, database) in states.borrow().objects().filter(|(key, _)| workflows.has(&key.namespace)) {
        histories.extend(workflows.history(key, database)?);
    }
    write(&histories, to)
}

fn write(histories: &[Value], to: &Path) -> miette::Result<ExitCode> {
    std::fs::create_dir_all(to).into_diagnostic()?;
    for history in histories {
        // Names of services, classes and instances are safe as names of files.
        let name = |key: &str| history[key].as_str().unwrap_or_default().to_owned();
        let file = to.join(format!("{}.{}.json", name("workflow"), name("id")));
        let text = serde_json::to_string_pretty(history).into_diagnostic()? + "\n";
        // What is recorded is what customers have sent.
        let mut out =
            output::create_private(&file).wrap_err_with(|| format!("cannot write {}", file.display()))?;
        std::io::Write::write_all(&mut out, text.as_bytes()).into_diagnostic()?;
    }
    anstream::println!("{GOOD}wrote{GOOD:#} {} histories to {}", histories.len(), to.display());
    Ok(ExitCode::SUCCESS)
}

fn check(folder: &Path, project: &Path) -> miette::Result<ExitCode> {
    let files = json_files(folder)?;
    if files.is_empty() {
        return Err(miette!(
            help = "`dacapo workflows record` and `dacapo workflows export` write some",
            "{} has no histories: no file *.json",
            folder.display()
        ));
    }
    let workflows = Workflows::of(&Project::open(project)?)?;
    let mut told: Vec<Told> = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).into_diagnostic()?;
        let history: Value = serde_json::from_str(&text)
            .into_diagnostic()
            .wrap_err_with(|| format!("{} is not JSON", file.display()))?;
        let verdict = workflows.check(&history);
        let name = |key: &str| history[key].as_str().unwrap_or_default().to_owned();
        let (workflow, id) = (name("workflow"), name("id"));
        match told.iter_mut().find(|one| one.workflow == workflow && one.verdict.is_alike(&verdict)) {
            _ if verdict == Verdict::Fits => {}
            Some(one) => one.more.push(id),
            None => told.push(Told { workflow, id, file: file.clone(), verdict, more: Vec::new() }),
        }
    }
    let count = files.len();
    if told.is_empty() {
        anstream::println!("{GOOD}ok{GOOD:#} {}: the code fits all {count} histories", folder.display());
        return Ok(ExitCode::SUCCESS);
    }
    told.iter().for_each(Told::print);
    let bad: usize = told.iter().map(|one| 1 + one.more.len()).sum();
    anstream::println!(
        "{BAD}FAILED{BAD:#} {}: the code does not fit {bad} of {count} histories",
        folder.display()
    );
    Ok(BROKEN.into())
}

/// A verdict that is told once, with all instances that it holds for.
struct Told {
    workflow: String,
    id: String,
    file: PathBuf,
    verdict: Verdict,
    more: Vec<String>,
}

/// How many instances are named beside the first.
const NAMED_MAX: usize = 5;

impl Told {
    fn print(&self) {
        let Told { workflow, id, file, verdict, more } = self;
        anstream::println!("{STRONG}{workflow} {id}{STRONG:#}  {FAINT}{}{FAINT:#}", file.display());
        match verdict {
            Verdict::Fits => {}
            Verdict::Unusable(why) => anstream::println!("  cannot be compared: {why}"),
            Verdict::Differs(Difference { entry, history, code, help, versions: (was, is) }) => {
                anstream::println!("  history  entry {entry}: {history}");
                anstream::println!("  code     {BAD}{code}{BAD:#}");
                anstream::println!("  version  {was} began it, the code is {is}");
                anstream::println!("  help     {}", help.replace('\n', "\n           "));
            }
        }
        if !more.is_empty() {
            let rest = more.len().saturating_sub(NAMED_MAX);
            let tail = if rest == 0 { String::new() } else { format!(" and {rest} more") };
            let named: Vec<&str> = more.iter().take(NAMED_MAX).map(String::as_str).collect();
            anstream::println!("  also     {}{tail}", named.join(", "));
        }
        anstream::println!();
    }
}

fn json_files(folder: &Path) -> miette::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot open the folder {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.into_diagnostic()?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
