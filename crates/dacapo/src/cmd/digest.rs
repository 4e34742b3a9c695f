//! `dacapo digest`: what the second process of `dacapo sim` prints.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::process::ExitCode;

use dacapo::engines::Use;
use dacapo::project::Project;
use dacapo_lab::{Experiment, Explorer, RunOptions, Strategy};
use miette::miette;

/// Print the digest of each attempt.
#[derive(clap::Args)]
pub(crate) struct Args {
    path: PathBuf,
    #[arg(long)]
    scenario: String,
    /// The attempts: `sparse:17`
    #[arg(required = true)]
    attempts: Vec<String>,
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    let load = |usage| {
        let project = Project::open_for(&args.path, usage)?;
        project.experiment(project.scenario(Some(&args.scenario))?)
    };
    // By whether it has probes. They must change nothing, so only what cannot do without them has some.
    let mut loaded = BTreeMap::new();
    let mut explorer = Explorer::new(Strategy::Swarm, 0);
    for name in &args.attempts {
        let parsed =
            name.split_once(':').and_then(|(s, n)| Some((s.parse::<Strategy>().ok()?, n.parse().ok()?)));
        let Some((strategy, number)) = parsed.filter(|(strategy, _)| *strategy != Strategy::Portfolio) else {
            return Err(miette!("{name:?} is no attempt: it is STRATEGY:NUMBER, as in sparse:17"));
        };
        let learns = strategy.learns();
        let experiment: &Experiment = match loaded.entry(learns) {
            Entry::Occupied(it) => it.into_mut(),
            Entry::Vacant(it) => it.insert(load(if learns { Use::Explore } else { Use::Simulate })?),
        };
        let attempt = explorer.attempt(experiment, strategy, number);
        let run = experiment.run_attempt(&attempt, RunOptions::default());
        println!("{name} {}", run.report.digest);
        explorer.learn(experiment, &attempt, run);
    }
    Ok(ExitCode::SUCCESS)
}
