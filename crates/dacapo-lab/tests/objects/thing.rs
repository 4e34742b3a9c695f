//! The object that most tests use, and how they talk to it.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use dacapo_core::Time;
use dacapo_lab::Campaign;
use dacapo_lab::prelude::*;
use http::StatusCode;

thread_local! {
    /// What happened, with the time, seen from outside of every node: a crash does not lose it.
    /// (Tests run one experiment at a time on their thread; a workload that starts clears it.)
    static LOG: RefCell<Vec<(Time, String)>> = const { RefCell::new(Vec::new()) };
}

/// Notes that something happened.
pub(crate) fn note(guest: &Guest, what: impl Into<String>) {
    LOG.with_borrow_mut(|log| log.push((guest.now(), what.into())));
}

/// What happened.
pub(crate) fn log() -> Vec<String> {
    LOG.with_borrow(|log| log.iter().map(|(_, what)| what.clone()).collect())
}

/// When this happened, by the clock of whoever noted it.
pub(crate) fn times(of: &str) -> Vec<Time> {
    LOG.with_borrow(|log| log.iter().filter(|(_, what)| what == of).map(|(time, _)| *time).collect())
}

pub(crate) fn clear_log() {
    LOG.with_borrow_mut(Vec::clear);
}

/// A durable object with a verb for each thing that a test wants to see.
pub(crate) struct Thing {
    guest: Guest,
    /// Requests since it came into memory.
    served: Cell<u64>,
}

impl Thing {
    fn number(&self, key: &str) -> u64 {
        let value = self.guest.storage(|s| s.get(key)).expect("the storage of a healthy object can be read");
        value.map_or(0, |v| String::from_utf8_lossy(&v).parse().expect("a number"))
    }

    fn set(&self, key: &str, value: u64) {
        self.guest.storage(|s| s.put(key, value.to_string().as_bytes())).expect("a short value is taken");
    }

    async fn add_across_an_await(&self) -> u64 {
        let next = self.number("n") + 1;
        self.guest.sleep(Duration::from_millis(1)).await;
        self.set("n", next);
        next
    }
}

impl Service for Thing {
    fn start(guest: Guest) -> Thing {
        Thing { guest, served: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        self.served.set(self.served.get() + 1);
        let guest = &self.guest;
        let text = match request.path() {
            "/read" => self.number("n").to_string(),
            "/served" => self.served.get().to_string(),
            "/add" => {
                let next = self.number("n") + 1;
                self.set("n", next);
                next.to_string()
            }
            "/racy" => self.add_across_an_await().await.to_string(),
            "/alone" => guest.alone(self.add_across_an_await()).await.to_string(),
            "/slow" => {
                guest.sleep(Duration::from_millis(300)).await;
                let next = self.number("n") + 1;
                self.set("n", next);
                next.to_string()
            }
            // Two writes and many bytes between them, in one turn.
            "/pair" => {
                let next = self.number("a") + 1;
                self.set("a", next);
                guest.storage(|s| s.put("between", &vec![next as u8; 10_000])).expect("room in memory");
                self.set("b", next);
                next.to_string()
            }
            "/read-pair" => format!("{} {}", self.number("a"), self.number("b")),
            // Tells somebody else what it has just written.
            "/tell" => {
                let next = self.number("n") + 1;
                self.set("n", next);
                let told = Request::post("https://witness.internal/", next.to_string());
                let _ = guest.call("WITNESS", told).await;
                next.to_string()
            }
            // Alone while it asks somebody else and waits; one section in another.
            "/alone-with-calls" => {
                note(guest, "alone");
                guest
                    .alone(async {
                        let inner =
                            guest.alone(guest.call("WITNESS", Request::get("https://witness.internal/")));
                        let answer = inner.await.is_ok();
                        note(guest, format!("answered: {answer}"));
                        guest.sleep(Duration::from_millis(100)).await;
                    })
                    .await;
                note(guest, "no longer alone");
                String::new()
            }
            "/enter" => {
                note(guest, format!("entered {}", request.text().len()));
                request.text().len().to_string()
            }
            path => return Response::new(StatusCode::NOT_FOUND, path.to_owned()),
        };
        Response::text(text)
    }
}

/// Remembers the largest number that it was told, beyond any crash.
pub(crate) struct Witness(Guest);

impl Service for Witness {
    fn start(guest: Guest) -> Witness {
        Witness(guest)
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        if !request.body.is_empty() {
            note(&self.0, format!("told {}", request.text()));
        }
        Response::text("heard")
    }
}

/// The largest number that the witness was told.
pub(crate) fn told_max() -> u64 {
    let number = |what: &String| what.strip_prefix("told ").and_then(|n| n.parse().ok());
    log().iter().filter_map(number).max().unwrap_or(0)
}

/// An object's answer, or what was wrong, in a word or two.
pub(crate) async fn ask(guest: &Guest, name: &str, path: &str, body: &str) -> Result<String, String> {
    let request = Request::post(format!("https://things.example{path}"), body.to_owned());
    match guest.timeout(Duration::from_secs(5), guest.object("things.Thing", name, request)).await {
        None => Err("no answer".into()),
        Some(Err(error)) => Err(error.to_string()),
        Some(Ok(response)) if response.status() == StatusCode::OK => Ok(response.into_text()),
        Some(Ok(response)) => Err(format!("{}: {}", response.status().as_u16(), response.into_text())),
    }
}

/// The same, again and again until there is an answer; for what may be repeated.
pub(crate) async fn insist(guest: &Guest, name: &str, path: &str, body: &str) -> String {
    loop {
        match ask(guest, name, path, body).await {
            Ok(answer) => return answer,
            Err(_) => guest.sleep(Duration::from_millis(50)).await,
        }
    }
}

pub(crate) async fn read(guest: &Guest, name: &str) -> u64 {
    insist(guest, name, "/read", "").await.parse().expect("a number")
}

/// What a workload without drivers does, when all is quiet.
pub(crate) trait Story: 'static {
    fn tell(guest: Guest) -> impl Future<Output = ()>;
}

/// The workload that tells a story.
pub(crate) struct Teller<S>(Guest, PhantomData<S>);

impl<S: Story> Workload for Teller<S> {
    fn start(guest: Guest) -> Self {
        clear_log();
        Teller(guest, PhantomData)
    }

    fn drivers() -> Vec<Driver<Self>> {
        Vec::new()
    }

    async fn judge(self: Rc<Self>) {
        S::tell(self.0.clone()).await;
    }
}

/// A story about things.
pub(crate) fn story<S: Story>() -> Experiment {
    story_with::<S, Thing>(Duration::from_secs(10))
}

/// A story about objects of another kind, which leave memory so soon.
pub(crate) fn story_with<S: Story, O: Service>(idle: Duration) -> Experiment {
    let builder = Experiment::native("story").objects::<(), O>("things", "Thing", &["witness"]);
    let builder = builder.idle(idle).service::<Witness>("witness", &[]).workload::<Teller<S>>();
    builder.nodes(2).lasts(Duration::from_millis(1)).build()
}

/// For campaigns in which not everything that the workload looks for can happen.
pub(crate) trait Passes {
    /// Demands that no run fails.
    fn passes(&self);
}

impl Passes for Campaign<'_> {
    fn passes(&self) {
        if let Some(report) = self.run().failed {
            panic!(
                "\nseed {}: {}\nfaults: {}\n",
                report.seed,
                report.failure.unwrap(),
                report.faults.join(", ")
            );
        }
    }
}
