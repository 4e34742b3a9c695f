//! `dacapo conform`: one scenario in two worlds, the same text.
//!
//! The text is what the workload prints with `console.log`. In Sim the scenario runs without
//! faults; in Host its services listen on a loopback address and the workload's requests take the
//! way through a real socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use dacapo::project::Project;
use dacapo_core::plan::Scenario;
use dacapo_core::{Address, Delivery, Effect, Level, NodeId, Phase, World};
use dacapo_host::{ConnectTo, HostCluster, HostLoop, HostOptions, Listen, Router, Scheme, Sinks};
use dacapo_lab::Experiment;
use dacapo_runtime::{Cluster, run as run_cluster};
use dacapo_sim::{Ending, Sim};
use miette::{IntoDiagnostic, WrapErr, miette};

use crate::output::{BAD, BROKEN, GOOD};

/// How long a phase may take on the real machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Run scenarios in Sim without faults and over loopback, and compare what they print.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A project's folder
    path: PathBuf,
    /// Only this scenario
    #[arg(long)]
    scenario: Option<String>,
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    let project = Project::open(&args.path)?;
    let mut all_agree = true;
    for scenario in project.plan().scenarios.clone() {
        if args.scenario.as_ref().is_some_and(|name| *name != scenario.name) {
            continue;
        }
        let in_sim = simulate(&project, &scenario)?;
        let in_host = host(&args.path, &scenario)?;
        let expected = expected(&args.path)?.unwrap_or_else(|| in_sim.clone());
        let is_same = in_sim == in_host && in_sim == expected;
        let (mark, style) = if is_same { ("same", GOOD) } else { ("DIFFERENT", BAD) };
        anstream::println!("{style}{mark}{style:#} {} {}", args.path.display(), scenario.name);
        if is_same {
            anstream::println!("  {}", in_sim.join("\n  "));
        } else {
            for (world, lines) in [("expected", &expected), ("sim", &in_sim), ("host", &in_host)] {
                anstream::println!("  {world}:\n    {}", lines.join("\n    "));
            }
        }
        all_agree &= is_same;
    }
    Ok(if all_agree { ExitCode::SUCCESS } else { BROKEN.into() })
}

/// The text that both worlds must give, if the project says so.
fn expected(path: &Path) -> miette::Result<Option<Vec<String>>> {
    let file = path.join("expected.txt");
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Some(text.lines().map(str::to_owned).collect())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).into_diagnostic().wrap_err_with(|| file.display().to_string()),
    }
}

/// A world that keeps what one node prints, and whatever check breaks.
struct Listener<W> {
    world: W,
    node: NodeId,
    lines: Vec<String>,
}

fn heard(lines: &mut Vec<String>, effect: &Effect) {
    match effect {
        Effect::Log(Level::Info, text) => lines.extend(text.lines().map(str::to_owned)),
        Effect::Check(check) if check.is_violation() => lines.push(format!("broken: {}", check.message)),
        _ => {}
    }
}

impl<W: World> World for Listener<W> {
    fn next(&mut self) -> Option<Delivery> {
        self.world.next()
    }
    fn submit(&mut self, from: Address, effect: Effect) {
        if from.node == self.node {
            heard(&mut self.lines, &effect);
        }
        self.world.submit(from, effect);
    }
}

fn simulate(project: &Project, scenario: &Scenario) -> miette::Result<Vec<String>> {
    let scenario = Scenario { faults: Vec::new(), ..scenario.clone() };
    let experiment = project.experiment(&scenario)?;
    let decisions = dacapo_core::Decisions::new(dacapo_core::Seed(0), dacapo_core::Source::Seed);
    let node = workload_of(&experiment)?;
    let sim = Sim::with_store(experiment.options().clone(), decisions, dacapo_store::open_store);
    let mut world = Listener { world: sim, node, lines: Vec::new() };
    run_cluster(&mut world, &mut Cluster::new(Rc::clone(experiment.system())));
    match world.world.ending() {
        Some(Ending::Done) => Ok(world.lines),
        Some(ending) => Err(miette!("in Sim: {ending}")),
        None => Err(miette!("in Sim: the run did not end")),
    }
}

fn workload_of(experiment: &Experiment) -> miette::Result<NodeId> {
    experiment.system().topology.workload().ok_or_else(|| miette!("the scenario has no workload"))
}

/// What a loop tells the thread that drives the scenario.
enum Word {
    PhaseDone,
    Lines(Vec<String>),
    Broke(String),
}

fn host(path: &Path, scenario: &Scenario) -> miette::Result<Vec<String>> {
    let plan = Project::open(path)?.plan().clone();
    let router = super::serve::router(plan.clone(), scenario.nodes, None);
    let address = free_address(&router)?;
    let mut options = HostOptions::new(router);
    options.loops = scenario.nodes;
    options.quiet_loops = 1 + scenario.stubs.len() as u32;
    options.grace = super::serve::GRACE;
    // Guests see the URLs of the configuration, whatever the scheme on the wire is.
    options.listens.push(Listen { scheme: Some(Scheme::Https), ..Listen::plain(address) });
    let hosts = plan.services.iter().flat_map(|s| &s.routes).map(|route| route.host.clone());
    options.client.connect = hosts.map(|host| ConnectTo { host, to: address, plain: true }).collect();
    // Kept until the cluster has ended.
    let data = tempfile::tempdir().into_diagnostic()?;
    options.store = Some(super::serve::store(&plan, scenario.nodes, data.path().to_owned()));
    let cluster = HostCluster::bind(options).map_err(|e| miette!("{e}"))?;
    let (say, hear) = mpsc::channel();
    let handle = cluster.handle.clone();
    let workload = NodeId(scenario.nodes);
    let threads: Vec<_> = cluster
        .loops
        .into_iter()
        .map(|one| {
            let (path, scenario, say) = (path.to_owned(), scenario.clone(), say.clone());
            thread::Builder::new().stack_size(16 << 20).spawn(move || {
                if let Err(error) = host_loop(one, &path, &scenario, workload, &say) {
                    let _ = say.send(Word::Broke(format!("{error:?}")));
                }
            })
        })
        .collect();
    let result = drive(scenario, &handle, workload, &hear);
    handle.stop();
    for thread in threads {
        let _ = thread.into_diagnostic()?.join();
    }
    let mut lines = Vec::new();
    for word in hear.try_iter() {
        if let Word::Lines(more) = word {
            lines.extend(more);
        }
    }
    result.map(|()| lines)
}

/// Takes the scenario through its phases on the real clock.
fn drive(
    scenario: &Scenario,
    handle: &dacapo_host::HostHandle,
    workload: NodeId,
    hear: &mpsc::Receiver<Word>,
) -> miette::Result<()> {
    for phase in [Phase::Setup, Phase::Drive, Phase::Heal, Phase::Judge] {
        handle.phase(workload, phase);
        let is_drive = phase == Phase::Drive;
        match hear.recv_timeout(if is_drive { scenario.lasts } else { PATIENCE }) {
            // The drivers run until their time is up, and say nothing.
            Err(mpsc::RecvTimeoutError::Timeout) if is_drive => {}
            Ok(Word::PhaseDone) => {}
            Ok(Word::Broke(text)) => return Err(miette!("in Host: {text}")),
            Ok(Word::Lines(_)) => return Err(miette!("in Host: a loop ended in phase {phase}")),
            Err(_) => return Err(miette!("in Host: the workload did not finish its {phase} phase")),
        }
    }
    Ok(())
}

fn host_loop(
    one: HostLoop,
    path: &Path,
    scenario: &Scenario,
    workload: NodeId,
    say: &mpsc::Sender<Word>,
) -> miette::Result<()> {
    let project = Project::open(path)?;
    let scenario = project.scenario(Some(&scenario.name))?.clone();
    let experiment = project.experiment(&scenario)?;
    let system = experiment.hosted_system();
    let done = say.clone();
    let sinks = Sinks {
        phase_done: Box::new(move |_| {
            let _ = done.send(Word::PhaseDone);
        }),
        ..Sinks::default()
    };
    let node = one.node();
    let host = one.open(sinks).map_err(|e| miette!("{e}"))?;
    let mut world = Listener { world: host, node: workload, lines: Vec::new() };
    run_cluster(&mut world, &mut Cluster::new(Rc::new(system)));
    if node == workload {
        let _ = say.send(Word::Lines(world.lines));
    }
    Ok(())
}

/// An address that is free: it must be known before the loops start, as the workload's loop is told
/// where to connect.
fn free_address(router: &Router) -> miette::Result<SocketAddr> {
    let mut options = HostOptions::new(Router::clone(router));
    options.loops = 1;
    options.listens.push(Listen::plain(([127, 0, 0, 1], 0).into()));
    let probe = HostCluster::bind(options).map_err(|e| miette!("{e}"))?;
    probe.addresses.first().copied().ok_or_else(|| miette!("no address is free"))
}
