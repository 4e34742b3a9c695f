//! `dacapo new`: a project to begin with.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use miette::{IntoDiagnostic, WrapErr, miette};

use crate::output::{GOOD, STRONG};

/// The files of a new project.
const FILES: &[(&str, &str)] = &[
    ("dacapo.hcl", include_str!("../new/dacapo.hcl")),
    ("greeter.ts", include_str!("../new/greeter.ts")),
    ("counter.ts", include_str!("../new/counter.ts")),
    ("greeting.sim.ts", include_str!("../new/greeting.sim.ts")),
    (".gitignore", ".dacapo/\nnode_modules/\n"),
];

/// Make a new project: two services, a workload, one scenario.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder to make
    path: PathBuf,
    /// With a workflow for GitHub Actions that runs a campaign each night
    #[arg(long)]
    github: bool,
}

/// Where GitHub looks for workflows, and what is put there.
const WORKFLOW: (&str, &str) = (".github/workflows/campaign.yml", include_str!("../new/campaign.yml"));

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    let is_empty = |path: &Path| std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if args.path.exists() && !is_empty(&args.path) {
        return Err(miette!(
            help = "name a folder that does not exist",
            "{} is not empty",
            args.path.display()
        ));
    }
    for (name, text) in FILES.iter().chain(args.github.then_some(&WORKFLOW)) {
        let file = args.path.join(name);
        std::fs::create_dir_all(file.parent().unwrap_or(&args.path)).into_diagnostic()?;
        std::fs::write(&file, text)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot write {}", file.display()))?;
    }
    let path = args.path.display();
    anstream::println!("{GOOD}made{GOOD:#} {path}\n");
    anstream::println!("  {STRONG}dacapo sim {path}{STRONG:#}      will it survive?");
    anstream::println!("  {STRONG}dacapo serve {path}{STRONG:#}    serve it on http://127.0.0.1:8080");
    Ok(ExitCode::SUCCESS)
}
