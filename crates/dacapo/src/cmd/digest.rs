//! `dacapo digest`: what the second process of `dacapo sim` prints.

use std::path::PathBuf;
use std::process::ExitCode;

use dacapo::project::Project;
use dacapo_core::Seed;
use dacapo_lab::RunOptions;

/// Print the digest of each seed.
#[derive(clap::Args)]
pub(crate) struct Args {
    path: PathBuf,
    #[arg(long)]
    scenario: String,
    /// The seeds
    #[arg(required = true)]
    seeds: Vec<u64>,
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    let project = Project::open(&args.path)?;
    let experiment = project.experiment(project.scenario(Some(&args.scenario))?)?;
    for seed in &args.seeds {
        let (report, _) = experiment.run_with(Seed(*seed), RunOptions::default());
        println!("{seed} {}", report.digest);
    }
    Ok(ExitCode::SUCCESS)
}
