//! `dacapo validate`: is this project usable?

use std::path::PathBuf;
use std::process::ExitCode;

use dacapo::project::Project;

use crate::output::GOOD;

/// Check a project: configuration, modules, everything they import.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    let project = Project::open(&args.path)?;
    project.programs()?;
    for scenario in &project.plan().scenarios {
        project.experiment(scenario)?;
    }
    let (services, scenarios) = (project.plan().services.len(), project.plan().scenarios.len());
    anstream::println!(
        "{GOOD}ok{GOOD:#} {}: {services} services, {scenarios} scenarios",
        args.path.display()
    );
    Ok(ExitCode::SUCCESS)
}
