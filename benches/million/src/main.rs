//! A million durable objects, of which ten thousand are active, on the machine's own disk and clock.
//!
//!   cargo run --release -p dacapo-million -- [OBJECTS] [FOLDER]
//!
//! Three processes, one after the other, on the same folder: the first writes each object once and lets it leave memory;
//! the second keeps a hundredth of them active and now and then calls one of the others, which comes from the disk; the
//! third asks again what all of that has left. Each answer is compared with what it must be. Every write is synced
//! before its answer. The objects are native guests, so what is measured is the runtime, the storage and the disk, not V8.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use dacapo_core::plan::{ObjectClass, Plan, Service as Planned};
use dacapo_core::{NodeId, ObjectKey, Phase, ServiceId};
use dacapo_host::{HostCluster, HostLoop, HostOptions, RouteMiss, Sinks, StoreOptions};
use dacapo_native::{Driver, Guest, Request, Response, Service, Workload, program_with_object, workload};
use dacapo_runtime::{Cluster, NodeSpec, Role, System, Topology, owner_of, run};
use dacapo_store::Sqlite;

const USAGE: &str = "usage: million [OBJECTS [FOLDER]], with 100,000 objects or more";
const NAMESPACE: &str = "things.Counter";
const CALLER: NodeId = NodeId(1);
/// Calls at once.
const CLIENTS: u64 = 256;
/// How long the active ones are under load.
const LOAD: Duration = Duration::from_secs(20);
/// In the second process one call of so many goes to any object at all.
const ANY_OF: u64 = 16;

/// Objects in memory: every object of the process is on one loop, and the caller on another.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// Counts in its storage.
struct Counter(Guest);

impl Service for Counter {
    fn start(guest: Guest) -> Counter {
        ACTIVE.fetch_add(1, Ordering::Relaxed);
        Counter(guest)
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let text = self.0.storage(|s| s.get("value")).expect("the state can be read");
        let mut value: u64 = text.map_or(0, |text| String::from_utf8_lossy(&text).parse().expect("a number"));
        if request.path() == "/add" {
            value += 1;
            let text = value.to_string();
            self.0.storage(|s| s.put("value", text.as_bytes())).expect("a short value is taken");
        }
        Response::text(value.to_string())
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        ACTIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Calls the objects and knows what each must answer.
struct Caller {
    guest: Guest,
    objects: u64,
    /// What was added to each object after the first time.
    added: RefCell<BTreeMap<u64, u64>>,
    next: Cell<u64>,
}

/// How long calls took, in nanoseconds.
type Times = Rc<RefCell<Vec<u64>>>;

impl Workload for Caller {
    fn start(guest: Guest) -> Caller {
        let objects = guest.var("OBJECTS").and_then(|text| text.parse().ok()).expect("main sets it");
        Caller { guest, objects, added: RefCell::default(), next: Cell::new(0) }
    }

    async fn setup(self: Rc<Self>) {
        match self.guest.var("PART").as_deref() {
            Some("\"create\"") => self.create().await,
            Some("\"use\"") => self.load().await,
            _ => self.check().await,
        }
    }

    fn drivers() -> Vec<Driver<Caller>> {
        Vec::new()
    }
}

impl Caller {
    fn active(&self) -> u64 {
        self.objects / 100
    }

    /// Calls an object, and insists on its answer.
    async fn call(&self, object: u64, path: &str, expected: u64) {
        let request = Request::get(format!("https://things.example{path}"));
        let answer = self.guest.object("COUNTERS", &object.to_string(), request).await;
        let text = answer.map_or_else(|error| error.to_string(), Response::into_text);
        let details = || format!("object {object}: {text} instead of {expected}");
        self.guest.always_or(text == expected.to_string(), "every answer is right", details);
    }

    /// What an object must have.
    fn value(&self, object: u64) -> u64 {
        1 + self.added.borrow().get(&object).copied().unwrap_or(0)
    }

    /// Runs clients until each has nothing more to do.
    async fn clients<F: Future<Output = ()> + 'static>(&self, client: impl Fn(u64) -> F) {
        let tasks: Vec<_> = (0..CLIENTS).map(|number| self.guest.spawn(client(number))).collect();
        for task in tasks {
            task.await;
        }
    }

    /// Each number below `end` once, spread over the clients.
    fn take(&self, end: u64) -> Option<u64> {
        let number = self.next.get();
        self.next.set(number + 1);
        (number < end).then_some(number)
    }

    fn say(&self, text: &str) {
        println!("{text}; {} objects in memory, {}", ACTIVE.load(Ordering::Relaxed), memory());
    }

    async fn until_all_have_left(&self) {
        while ACTIVE.load(Ordering::Relaxed) > 0 {
            self.guest.sleep(Duration::from_millis(100)).await;
        }
    }

    async fn create(self: Rc<Self>) {
        let begun = Instant::now();
        self.clients(|_| {
            let this = Rc::clone(&self);
            async move {
                while let Some(object) = this.take(this.objects) {
                    this.call(object, "/add", 1).await;
                    if object % (this.objects / 5) == 0 {
                        this.say(&format!("  {object} written"));
                    }
                }
            }
        })
        .await;
        let rate = self.objects as f64 / begun.elapsed().as_secs_f64();
        self.say(&format!(
            "{} objects written in {:.1?}: {rate:.0} per second",
            self.objects,
            begun.elapsed()
        ));
        self.until_all_have_left().await;
        self.say("all have left memory");
    }

    async fn load(self: Rc<Self>) {
        self.say("the store is open");
        let begun = Instant::now();
        // The active ones are spread over all that there are.
        let spread = self.objects / self.active();
        self.clients(|_| {
            let this = Rc::clone(&self);
            async move {
                while let Some(number) = this.take(this.active()) {
                    this.call(number * spread, "/read", 1).await;
                }
            }
        })
        .await;
        let rate = self.active() as f64 / begun.elapsed().as_secs_f64();
        self.say(&format!("{} made active in {:.1?}: {rate:.0} per second", self.active(), begun.elapsed()));
        let (hot, cold) = (Times::default(), Times::default());
        let begun = Instant::now();
        self.next.set(0);
        self.clients(|_| {
            let (this, hot, cold) = (Rc::clone(&self), Rc::clone(&hot), Rc::clone(&cold));
            async move {
                while begun.elapsed() < LOAD {
                    let number = this.next.get();
                    this.next.set(number + 1);
                    let is_any = this.guest.random_below(ANY_OF) == 0;
                    let asked = Instant::now();
                    if is_any {
                        let object = this.guest.random_below(this.active()) * spread;
                        let object = object + 1 + this.guest.random_below(spread - 1);
                        this.call(object, "/read", 1).await;
                        cold.borrow_mut().push(asked.elapsed().as_nanos() as u64);
                    } else {
                        this.count(number % this.active() * spread).await;
                        hot.borrow_mut().push(asked.elapsed().as_nanos() as u64);
                    }
                }
            }
        })
        .await;
        let seconds = begun.elapsed().as_secs_f64();
        self.say(&format!("under load for {seconds:.0} s"));
        println!("  durable increments of active objects: {}", told(&hot, seconds));
        println!("  reads of any other object: {}", told(&cold, seconds));
        self.keep();
    }

    /// Increments an active object. There are more of them than clients, so at most one client is at each.
    async fn count(&self, object: u64) {
        *self.added.borrow_mut().entry(object).or_default() += 1;
        self.call(object, "/add", self.value(object)).await;
    }

    /// Leaves for the next process what it must find.
    fn keep(&self) {
        let lines = self
            .added
            .borrow()
            .iter()
            .map(|(object, count)| format!("{object} {count}\n"))
            .collect::<String>();
        std::fs::write(self.ledger(), lines).expect("the ledger can be written");
    }

    fn ledger(&self) -> PathBuf {
        let text = self.guest.var("LEDGER").expect("main sets it");
        PathBuf::from(text.trim_matches('"'))
    }

    async fn check(self: Rc<Self>) {
        self.say("the store is open");
        let text = std::fs::read_to_string(self.ledger()).expect("the second process has written it");
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        *self.added.borrow_mut() = pairs
            .map(|(object, count)| (object.parse().expect("a number"), count.parse().expect("a number")))
            .collect();
        let asked: Vec<u64> = self.added.borrow().keys().copied().collect();
        let asked: Vec<u64> = asked
            .into_iter()
            .chain((0..self.active()).map(|_| self.guest.random_below(self.objects)))
            .collect();
        let (asked, begun) = (Rc::new(asked), Instant::now());
        self.clients(|_| {
            let (this, asked) = (Rc::clone(&self), Rc::clone(&asked));
            async move {
                while let Some(at) = this.take(asked.len() as u64) {
                    let object = asked[at as usize];
                    this.call(object, "/read", this.value(object)).await;
                }
            }
        })
        .await;
        self.say(&format!("{} objects asked again in {:.1?}", asked.len(), begun.elapsed()));
    }
}

/// Rate and percentiles.
fn told(times: &Times, seconds: f64) -> String {
    let mut times = times.borrow_mut();
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0);
    let millis = |share| at(share) as f64 / 1e6;
    let rate = times.len() as f64 / seconds;
    format!("{rate:.0} per second, p50 {:.2} ms, p99 {:.2} ms", millis(0.5), millis(0.99))
}

/// The memory of this process, where the system tells it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
    };
    match (mib("VmRSS:"), mib("VmHWM:")) {
        (Some(now), Some(most)) => format!("{now} MiB, at most {most}"),
        _ => "memory unknown".to_owned(),
    }
}

fn plan(part: &str, objects: u64, folder: &Path) -> Plan {
    // Whoever writes a million objects once does not keep each of them for long.
    let idle = if part == "create" { Duration::from_millis(200) } else { Duration::from_secs(10) };
    let class = ObjectClass { name: "Counter".into(), namespace: NAMESPACE.into(), idle, workflow: None };
    let things = Planned { name: "things".into(), objects: vec![class], ..Planned::default() };
    let mut caller = Planned { name: "caller".into(), ..Planned::default() };
    caller.object_calls.insert("COUNTERS".into(), ("things".into(), "Counter".into()));
    caller.vars.insert("OBJECTS".into(), objects.to_string());
    caller.vars.insert("PART".into(), format!("{part:?}"));
    caller.vars.insert("LEDGER".into(), format!("{:?}", folder.join("ledger.txt").display().to_string()));
    Plan { services: vec![things, caller], ..Plan::default() }
}

fn topology() -> Topology {
    let spec =
        |name: &str, role, service| NodeSpec { name: name.into(), role, services: vec![ServiceId(service)] };
    let nodes = vec![spec("objects", Role::Cluster, 0), spec("caller", Role::Workload, 1)];
    Topology { nodes, prefers_local: true, ..Topology::default() }
}

fn serve(one: HostLoop, plan: Plan, failed: Arc<AtomicUsize>, done: mpsc::Sender<()>) {
    let broken = Arc::clone(&failed);
    let sinks = Sinks {
        log: Box::new(|from, _, text| eprintln!("{from}: {text}")),
        check: Box::new(move |_, check| {
            if check.is_violation() && failed.fetch_add(1, Ordering::Relaxed) < 10 {
                eprintln!("broken: {} {}", check.message, check.details.as_deref().unwrap_or_default());
            }
        }),
        ended: Box::new(move |from, fault| {
            broken.fetch_add(1, Ordering::Relaxed);
            eprintln!("{from} has ended: {fault:?}");
        }),
        phase_done: Box::new(move |_| {
            // Nobody listens any more after the first.
            let _ = done.send(());
        }),
    };
    let programs = vec![program_with_object::<(), Counter>("things"), workload::<Caller>("caller")];
    let system = System::new(plan, topology(), programs).with_storage(Rc::new(Sqlite));
    let mut host = one.open(sinks).expect("a loop without sockets opens");
    run(&mut host, &mut Cluster::new(Rc::new(system)));
}

/// One of the three processes.
fn part(part: &str, objects: u64, folder: &Path) -> ExitCode {
    let begun = Instant::now();
    let plan = plan(part, objects, folder);
    let owner = {
        let plan = plan.clone();
        move |key: &ObjectKey| owner_of(&plan, &topology(), key)
    };
    let store = StoreOptions {
        folder: folder.join("store"),
        open: dacapo_store::open_store,
        owner: Arc::new(owner),
        on_failure: Arc::new(|kind| eprintln!("the disk failed: {kind:?}")),
    };
    let router = Arc::new(|_, _: &_| Err(RouteMiss(String::new())));
    let options = HostOptions { loops: 0, quiet_loops: 2, store: Some(store), ..HostOptions::new(router) };
    let cluster = HostCluster::bind(options).expect("the folder can be used");
    let (failed, (done, told)) = (Arc::new(AtomicUsize::new(0)), mpsc::channel());
    let threads: Vec<_> = cluster
        .loops
        .into_iter()
        .map(|one| {
            let (plan, failed, done) = (plan.clone(), Arc::clone(&failed), done.clone());
            std::thread::spawn(move || serve(one, plan, failed, done))
        })
        .collect();
    drop(done);
    cluster.handle.phase(CALLER, Phase::Setup);
    let is_done = told.recv().is_ok();
    cluster.handle.stop();
    let is_well = threads.into_iter().all(|thread| thread.join().is_ok());
    let failed = failed.load(Ordering::Relaxed);
    println!("{part}: {failed} wrong answers, {:.1?}", begun.elapsed());
    ExitCode::from(u8::from(!is_done || !is_well || failed > 0))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [name, objects, folder] = &arguments[..]
        && ["create", "use", "check"].contains(&name.as_str())
    {
        return part(name, objects.parse().expect("this program has written it"), Path::new(folder));
    }
    let objects = arguments.first().map_or(Ok(1_000_000), |text| text.parse::<u64>());
    let Some(objects) = objects.ok().filter(|objects| *objects >= 100_000) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let folder = arguments.get(1).map_or_else(|| PathBuf::from("target/million"), PathBuf::from);
    if folder.join("store").exists() {
        eprintln!("{} is there already: remove it, or name another folder", folder.join("store").display());
        return ExitCode::from(2);
    }
    let this = std::env::current_exe().expect("this program has a file");
    for name in ["create", "use", "check"] {
        let status = Command::new(&this).args([name, &objects.to_string()]).arg(&folder).status();
        if !status.is_ok_and(|status| status.success()) {
            eprintln!("{name} failed; what it has left is in {}", folder.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
