//! `dacapo replay`: play a recording against the project's programs.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use dacapo::project::Project;
use dacapo_lab::Setup;
use dacapo_runtime::{Cluster, System};
use dacapo_trace::{Ending, Identity, Reader, Replay, ReplayEnd, WorldKind};
use miette::{IntoDiagnostic, WrapErr, miette};

use crate::output::{BAD, DIVERGED, GOOD, STRONG, grouped};

/// Play a recording again, bit for bit, and stop where it differs.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording
    file: PathBuf,
    /// The project's folder [default: the one that the recording names]
    #[arg(long)]
    project: Option<PathBuf>,
    /// Play it even if programs, configuration or engine are not those that were recorded
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    let file = File::open(&args.file)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot open the recording {}", args.file.display()))?;
    let reader = Reader::open(BufReader::new(file)).map_err(|e| miette!("{}: {e}", args.file.display()))?;
    let recorded = reader.identity().clone();
    let path = args.project.clone().unwrap_or_else(|| PathBuf::from(&recorded.project));
    let project = Project::open(&path).wrap_err_with(|| {
        format!("the recording is of the project {}; --project says where it is now", recorded.project)
    })?;
    let (system, mut present) = system_of(&project, &recorded)?;
    present.engine = project.engine_identity();
    if let Some(difference) = recorded.difference(&present) {
        if !args.force {
            return Err(miette!(
                help = "--force plays it nevertheless, up to the first difference",
                "{difference}"
            ));
        }
        anstream::eprintln!("{STRONG}note{STRONG:#}: {difference}");
    }
    let mut world = Replay::new(reader);
    let mut cluster = Cluster::new(system);
    dacapo_runtime::run(&mut world, &mut cluster);
    report(args, world.finish())
}

/// The system that the recording is of, and its identity now.
fn system_of(project: &Project, recorded: &Identity) -> miette::Result<(Rc<System>, Identity)> {
    match (recorded.world, &recorded.scenario) {
        (WorldKind::Sim, Some(name)) => {
            let scenario = project.scenario(Some(name))?.clone();
            let mut experiment = project.experiment(&scenario)?;
            if let Some(setup) = Setup::of_recording(recorded) {
                experiment = experiment.with_setup(setup);
            }
            let seed = recorded.seed.unwrap_or_default();
            let overrides = recorded.overrides.clone();
            let identity = Identity { overrides, ..experiment.identity(seed, None) };
            Ok((Rc::clone(experiment.system()), identity))
        }
        _ => {
            let loops = recorded.nodes.len().max(1) as u32;
            let system = super::serve::system(project, loops)?;
            let identity = super::serve::identity(project, &system);
            Ok((Rc::new(system), identity))
        }
    }
}

fn report(args: &Args, end: ReplayEnd) -> miette::Result<ExitCode> {
    match end {
        ReplayEnd::Same { events, digest, ending } => {
            let events = grouped(events);
            anstream::println!("{GOOD}same{GOOD:#} {events} events played, digest {digest}");
            match ending {
                Ending::Finished(_) => anstream::println!("{ending}"),
                Ending::Cut { .. } => anstream::println!("{STRONG}note{STRONG:#}: {ending}"),
            }
            Ok(ExitCode::SUCCESS)
        }
        ReplayEnd::Diverged(divergence) => {
            anstream::println!("{BAD}diverged{BAD:#}\n{divergence}");
            Ok(DIVERGED.into())
        }
        ReplayEnd::Unreadable(error) => Err(miette!("{}: {error}", args.file.display())),
        ReplayEnd::Early { events } => Err(miette!("the replay stopped early, after {events} events")),
    }
}
