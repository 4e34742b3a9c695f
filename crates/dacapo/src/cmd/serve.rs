//! `dacapo serve`: the same bundle, over real HTTP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use dacapo::engines::Use;
use dacapo::project::Project;
use dacapo_core::plan::Plan;
use dacapo_core::{Level, NodeId, ObjectKey, digest_of};
use dacapo_host::{
    HostCluster, HostLoop, HostOptions, Listen, RouteMiss, Routed, Router, Sinks, StoreOptions, TlsPem,
};
use dacapo_runtime::{Cluster, System, Topology, owner_of, route, run as run_cluster};
use dacapo_store::Sqlite;
use dacapo_trace::{Identity, Outcome, Recorder, WorldKind};
use miette::{IntoDiagnostic, WrapErr, miette};

use crate::lifecycle;
use crate::output::{self, BAD, DISK_FAILED, FAINT, GOOD, STRONG};

/// Serve a project over real HTTP: HTTP/1.1 and HTTP/2, TLS if a certificate is given.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    listen: SocketAddr,
    /// Certificate chain (PEM)
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key (PEM)
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// How many loops [default: one for each core]
    #[arg(long)]
    loops: Option<u32>,
    /// Send requests for hosts without a route to the service that has a route for this host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Write a recording for each loop into this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Where the states of durable objects are kept [default: .dacapo/data in the project's folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> miette::Result<ExitCode> {
    // Everything is loaded once here, so that a mistake is told before anything is bound.
    let project = Project::open_for(&args.path, Use::Serve)?;
    project.programs()?;
    let plan = project.plan().clone();
    drop(project);
    if plan.services.iter().all(|s| s.routes.is_empty()) {
        return Err(miette!(
            help = "add  routes = [\"http://localhost:8080/*\"]  to a service",
            "no service has a route, so nothing could be reached"
        ));
    }
    let mut options = HostOptions::new(Arc::new(|_, _| Err(RouteMiss(String::new()))));
    if let Some(loops) = args.loops {
        options.loops = loops;
    }
    options.router = router(plan.clone(), options.loops, args.host.clone());
    options.listens.push(listen(args)?);
    if plan.services.iter().any(|s| !s.objects.is_empty() || !s.deleted_objects.is_empty()) {
        let folder = args.data.clone().unwrap_or_else(|| args.path.join(".dacapo/data"));
        for (namespace, count) in lifecycle::settle(&plan, &folder)? {
            let count = lifecycle::objects(count);
            anstream::println!("{STRONG}removed{STRONG:#} {count} of {namespace}, as deleted_objects says");
        }
        options.store = Some(store(&plan, options.loops, folder));
    }
    let loops = options.loops;
    let cluster = HostCluster::bind(options).map_err(|e| miette!("{e}"))?;
    if let Some(folder) = &args.record {
        std::fs::create_dir_all(folder).into_diagnostic()?;
    }
    announce(&plan, &cluster.addresses, args.tls_cert.is_some(), loops);
    let handle = cluster.handle.clone();
    let mut asked = false;
    ctrlc::set_handler(move || {
        if asked {
            handle.abandon();
        } else {
            anstream::eprintln!(
                "{STRONG}stopping{STRONG:#}: requests under way are finished; again to stop at once"
            );
            handle.stop();
            asked = true;
        }
    })
    .into_diagnostic()?;
    let threads: Vec<_> = cluster
        .loops
        .into_iter()
        .map(|one| {
            let (path, record) = (args.path.clone(), args.record.clone());
            let name = format!("loop {}", one.node());
            let builder = thread::Builder::new().name(name).stack_size(16 << 20);
            builder
                .spawn(move || serve_loop(one, &path, record.as_deref(), loops).map_err(|e| format!("{e:?}")))
        })
        .collect();
    let mut code = ExitCode::SUCCESS;
    for thread in threads {
        match thread.into_diagnostic()?.join() {
            Ok(Ok(())) => {}
            Ok(Err(text)) => {
                anstream::eprintln!("{text}");
                code = ExitCode::from(2);
            }
            Err(_) => {
                return Err(miette!("a loop panicked: that is a mistake of Dacapo, not of the project"));
            }
        }
    }
    Ok(code)
}

/// The system that `loops` loops serve.
pub(crate) fn system(project: &Project, loops: u32) -> miette::Result<System> {
    let plan = project.plan().clone();
    let mut topology = Topology::spread(&plan, loops);
    topology.prefers_local = true;
    let mut system = System::new(plan.clone(), topology, project.programs()?).with_storage(Rc::new(Sqlite));
    for (index, service) in plan.services.iter().enumerate() {
        for name in &service.secrets {
            let value = std::env::var(name).map_err(|_| {
                miette!(
                    help = format!("set it: {name}=... dacapo serve ..."),
                    "service \"{}\" asks for the secret {name}, which is not in the environment",
                    service.name
                )
            })?;
            let json = serde_json::to_string(&value).into_diagnostic()?;
            system = system.with_secret(dacapo_core::ServiceId(index as u32), name, &json);
        }
    }
    Ok(system)
}

/// One store for all loops: an object is on the same loop as long as there are as many, and its state is
/// found by any.
pub(crate) fn store(plan: &Plan, loops: u32, folder: PathBuf) -> StoreOptions {
    let (plan, topology) = (plan.clone(), Topology::spread(plan, loops));
    let owner = move |key: &ObjectKey| owner_of(&plan, &topology, key);
    let place = folder.display().to_string();
    let on_failure = move |_| {
        anstream::eprintln!(
            "{BAD}the disk failed{BAD:#}: what {place} has is not known until it is read anew, so this process ends. Look \
             at the disk (the kernel's log says more), then start it again; `dacapo store check {place}` reads everything."
        );
        std::process::exit(DISK_FAILED.into());
    };
    StoreOptions {
        folder,
        open: dacapo_store::open_store,
        owner: Arc::new(owner),
        on_failure: Arc::new(on_failure),
    }
}

/// What a recording of this system says about itself.
pub(crate) fn identity(project: &Project, system: &System) -> Identity {
    let names: Vec<String> = system.plan.services.iter().map(|s| s.name.clone()).collect();
    Identity {
        tool: format!("dacapo {}", env!("CARGO_PKG_VERSION")),
        project: project.path().display().to_string(),
        world: WorldKind::Host,
        programs: names.iter().cloned().zip(system.programs.iter().map(|p| p.digest())).collect(),
        engine: project.engine_identity(),
        plan: digest_of(&format!("{:?}", system.plan.services)),
        config: Some(project.config_text().to_owned()),
        nodes: system.topology.nodes.iter().map(|n| n.name.clone()).collect(),
        services: names,
        ..Identity::default()
    }
}

/// Finds the service for a request, and the loop that serves it.
pub(crate) fn router(plan: Plan, loops: u32, host: Option<String>) -> Router {
    let topology = Topology::spread(&plan, loops);
    Arc::new(move |node, head| {
        let found = route(&plan, head).or_else(|miss| {
            // For a first try on a laptop: http://127.0.0.1:8080/ stands for the host that was named.
            let (scheme, rest) = head.url.split_once("://").ok_or(miss.clone())?;
            let tail = rest.find(['/', '?', '#']).map_or("/", |at| &rest[at..]);
            let host = host.as_deref().ok_or(miss.clone())?;
            for scheme in [scheme, "https", "http"] {
                let url = format!("{scheme}://{host}{tail}").into();
                if let Ok(service) = route(&plan, &dacapo_core::RequestHead { url, ..head.clone() }) {
                    return Ok(service);
                }
            }
            Err(miss)
        });
        let service = found.map_err(|miss| RouteMiss(format!("{miss}\n")))?;
        let hosts = topology.hosts_of(service);
        let node = if hosts.contains(&node) { node } else { hosts.first().copied().unwrap_or(NodeId(0)) };
        Ok(Routed { node, service, request_body_max: plan.service(service).limits.request_body_max })
    })
}

fn listen(args: &Args) -> miette::Result<Listen> {
    match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => {
            let pem = TlsPem::from_files(cert, key).map_err(|e| miette!("{e}"))?;
            Ok(Listen::tls(args.listen, pem))
        }
        _ => Ok(Listen::plain(args.listen)),
    }
}

fn announce(plan: &Plan, addresses: &[SocketAddr], tls: bool, loops: u32) {
    let scheme = if tls { "https" } else { "http" };
    for address in addresses {
        anstream::println!("{GOOD}serving{GOOD:#} on {scheme}://{address} ({loops} loops)");
    }
    for service in &plan.services {
        for route in &service.routes {
            let scheme = route.scheme.as_deref().unwrap_or("*");
            let star = if route.is_prefix { "*" } else { "" };
            anstream::println!("  {scheme}://{}{}{star} → {}", route.host, route.path, service.name);
        }
    }
}

/// Prints the log of a loop: its own lines, whole.
fn log_line(node: NodeId, level: Level, text: &str) {
    let (mark, style) = match level {
        Level::Debug => ("debug", FAINT),
        Level::Info => ("info", FAINT),
        Level::Warn => ("warn", STRONG),
        Level::Error => ("error", BAD),
    };
    anstream::eprintln!("{FAINT}{node}{FAINT:#} {style}{mark}{style:#} {text}");
}

fn serve_loop(one: HostLoop, path: &Path, record: Option<&Path>, loops: u32) -> miette::Result<()> {
    let project = Project::open_for(path, Use::Serve)?;
    let system = system(&project, loops)?;
    let identity = identity(&project, &system);
    let node = one.node();
    let sinks = Sinks {
        log: Box::new(move |from, level, text| log_line(from.node, level, text)),
        ..Sinks::default()
    };
    let host = one.open(sinks).map_err(|e| miette!("{e}"))?;
    let mut recorder = match record {
        Some(folder) => {
            let file = folder.join(format!("loop-{}.trace", node.0));
            let out = output::create_private(&file).wrap_err_with(|| format!("{}", file.display()))?;
            Recorder::with_writer(host, &identity, Box::new(out)).writing_every(Duration::from_secs(1))
        }
        None => Recorder::new(host),
    };
    let mut cluster = Cluster::new(Rc::new(system));
    run_cluster(&mut recorder, &mut cluster);
    let (_, _, written) = recorder.finish(Outcome::Stopped("the server was asked to stop".into()));
    written.map_err(|e| miette!("the recording of {node} is incomplete: {e}"))
}

/// How long a stop may take in a conformance run.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
