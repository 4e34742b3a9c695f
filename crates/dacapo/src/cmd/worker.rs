//! `dacapo worker`: a process of a campaign, which makes the attempts that it is told of.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use dacapo::engines::Use;
use dacapo::project::Project;
use dacapo_lab::{Explorer, Strategy};
use miette::{IntoDiagnostic, miette};

use crate::campaign::crew::make;
use crate::campaign::pool::READY;
use crate::campaign::record::Name;

/// Make attempts.
#[derive(clap::Args)]
pub(crate) struct Args {
    path: PathBuf,
    #[arg(long)]
    scenario: String,
    /// Find out what is reached in services
    #[arg(long)]
    explore: bool,
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    let usage = if args.explore { Use::Explore } else { Use::Simulate };
    let project = Project::open_for(&args.path, usage)?;
    let experiment = project.experiment(project.scenario(Some(&args.scenario))?)?;
    let mut explorer = Explorer::new(Strategy::Swarm, 0);
    let mut out = std::io::stdout();
    // Whoever started it may be gone: then nobody reads any more, and it ends as well.
    let mut say = |line: &str| writeln!(out, "{line}").and_then(|()| out.flush()).is_ok();
    if !say(READY) {
        return Ok(ExitCode::SUCCESS);
    }
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let name: Name = serde_json::from_str(&line).into_diagnostic()?;
        if name.strategy == Strategy::Portfolio {
            return Err(miette!("a portfolio has no attempts of its own"));
        }
        let finished = make(&experiment, &mut explorer, name);
        if !say(&serde_json::to_string(&finished).into_diagnostic()?) {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}
