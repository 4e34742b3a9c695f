//! Histories of workflows outside of any world: read from the state of an instance, and compared with code.
//!
//! An instance is started on a state that it is given and asked by a request, with nothing around it: its calls are
//! refused, and its timers are due when nothing else is.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use dacapo_core::plan::ObjectClass;
use dacapo_core::{
    Address, Body, Effect, Effects, Entropy, Event, ExchangeId, Headers, Image, InstanceId, NetError, NodeId,
    ObjectBoot, ObjectId, ObjectKey, RequestHead, ServiceId, SharedStorage, StorageEngine, Time, TimerId,
    Turn, TurnEnd, WallTime,
};
use dacapo_runtime::{System, Topology};
use dacapo_store::Sqlite;
use miette::miette;
use serde_json::Value;

use crate::project::Project;

/// The one request that an instance is asked.
const EXCHANGE: ExchangeId = ExchangeId(1);
/// More turns than any history can need: 1,024 steps, each with a few entries.
const TURNS_MAX: u32 = 1_000_000;

/// The workflows of a project.
pub struct Workflows {
    system: System,
}

/// Whether code fits a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It asks for what the history has, up to its end.
    Fits,
    /// It does not.
    Differs(Difference),
    /// It could not be run.
    Unusable(String),
}

/// Where code asks for something else than a history has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which entry of the history.
    pub entry: u64,
    /// What the history has there.
    pub history: String,
    /// What the code does instead.
    pub code: String,
    /// What to do.
    pub help: String,
    /// The version of the code that began the history, and that of the code now.
    pub versions: (String, String),
}

impl Verdict {
    /// Whether this is the same about another history.
    pub fn is_alike(&self, other: &Verdict) -> bool {
        match (self, other) {
            (Verdict::Differs(a), Verdict::Differs(b)) => {
                (&a.history, &a.code, &a.versions) == (&b.history, &b.code, &b.versions)
            }
            _ => self == other,
        }
    }
}

impl Workflows {
    /// The workflows of this project, with the code as it is now.
    pub fn of(project: &Project) -> miette::Result<Workflows> {
        let plan = project.plan().clone();
        if classes(&plan.services).next().is_none() {
            return Err(miette!(
                help = "add  workflow \"Booking\" {{}}  to a service whose module exports that class",
                "{} has no workflows",
                project.path().display()
            ));
        }
        let topology = Topology::spread(&plan, 1);
        Ok(Workflows { system: System::new(plan, topology, project.programs()?) })
    }

    /// Whether the objects of this namespace are workflows.
    pub fn has(&self, namespace: &str) -> bool {
        classes(&self.system.plan.services).any(|(_, class)| class.namespace == namespace)
    }

    /// The history in the state of an instance, as JSON; `None` if there is none.
    pub fn history(&self, key: &ObjectKey, database: &[u8]) -> miette::Result<Option<Value>> {
        let found = classes(&self.system.plan.services).find(|(_, class)| class.namespace == *key.namespace);
        let Some((service, class)) = found else { return Ok(None) };
        let image = Image { bytes: database.to_vec().into(), alarm: None };
        let answer =
            self.ask(service, class, key.id, Some(&image), None).map_err(|why| miette!("{key}: {why}"))?;
        Ok(Some(answer).filter(|answer| !answer.is_null()))
    }

    /// Compares a history with the code.
    pub fn check(&self, history: &Value) -> Verdict {
        let name = history["workflow"].as_str().unwrap_or_default();
        let of = |service: ServiceId, class: &ObjectClass| {
            format!("{}.{}", self.system.plan.service(service).name, class.name)
        };
        let found = classes(&self.system.plan.services).find(|(service, class)| of(*service, class) == name);
        let Some((service, class)) = found else {
            return Verdict::Unusable(format!("the project has no workflow {name:?}"));
        };
        let id = ObjectId::from_name(&class.namespace, history["id"].as_str().unwrap_or_default());
        match self.ask(service, class, id, None, Some(history)) {
            Ok(answer) => verdict(&answer),
            Err(why) => Verdict::Unusable(why),
        }
    }

    /// Starts an instance on a state, and gives it one request.
    fn ask(
        &self,
        service: ServiceId,
        class: &ObjectClass,
        id: ObjectId,
        image: Option<&Image>,
        body: Option<&Value>,
    ) -> Result<Value, String> {
        let entropy = Entropy([0; 32]);
        let storage = Sqlite.open(image, entropy).map_err(|error| error.to_string())?;
        let storage = SharedStorage(Rc::new(RefCell::new(storage)));
        let object = ObjectBoot {
            class: class.name.as_str().into(),
            key: ObjectKey { namespace: class.namespace.as_str().into(), id },
            name: None,
            storage: storage.clone(),
            workflow: class.workflow.clone(),
        };
        let address = Address { node: NodeId(0), instance: InstanceId(1) };
        let mut boot = self.system.boot_of(address, service, entropy);
        boot.object = Some(object);
        let mut bench = Bench { storage, now: Time::ZERO, timers: BTreeMap::new(), answer: None };
        let mut guest = self.system.programs[service.0 as usize].start(boot);
        let mut events = VecDeque::from([request(service, body)]);
        for _ in 0..TURNS_MAX {
            let Some(event) = events.pop_front().or_else(|| bench.next_timer()) else { break };
            let turn = Turn { now: bench.now, wall: bench.wall() };
            bench.storage.0.borrow_mut().begin_turn(&turn);
            let mut effects = Effects::new();
            let end = guest.turn(&turn, event, &mut effects);
            if let TurnEnd::Fault(fault) = end {
                return Err(fault.to_string());
            }
            for effect in effects {
                bench.take(effect, &mut events);
            }
            if let Some((is_ok, text)) = bench.answer.take() {
                return if is_ok {
                    serde_json::from_str(&text).map_err(|e| e.to_string())
                } else {
                    Err(text)
                };
            }
        }
        Err("the workflow gives no answer".to_owned())
    }
}

fn classes(services: &[dacapo_core::plan::Service]) -> impl Iterator<Item = (ServiceId, &ObjectClass)> {
    (0..).map(ServiceId).zip(services).flat_map(|(id, service)| {
        service.objects.iter().filter(|class| class.workflow.is_some()).map(move |class| (id, class))
    })
}

fn request(service: ServiceId, body: Option<&Value>) -> Event {
    let method = if body.is_some() { "PUT" } else { "GET" };
    Event::Request {
        exchange: EXCHANGE,
        service,
        from: None,
        object: None,
        head: Box::new(RequestHead {
            method: method.parse().expect("a method of HTTP"),
            url: "https://workflow.internal/".into(),
            headers: Headers::default(),
        }),
        body: body.map_or(Body::Empty, |body| Body::Full(body.to_string().into_bytes().into())),
    }
}

fn verdict(answer: &Value) -> Verdict {
    let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    match answer["verdict"].as_str() {
        Some("fits") => Verdict::Fits,
        Some("differs") => Verdict::Differs(Difference {
            entry: answer["entry"].as_u64().unwrap_or_default(),
            history: text("history"),
            code: text("code"),
            help: text("help"),
            versions: (text("was"), text("is")),
        }),
        _ => Verdict::Unusable(text("why")),
    }
}

/// What is around an instance that is asked something.
struct Bench {
    storage: SharedStorage,
    now: Time,
    timers: BTreeMap<(Time, TimerId), ()>,
    answer: Option<(bool, String)>,
}

impl Bench {
    fn wall(&self) -> WallTime {
        WallTime(WallTime::SIM_START.0 + self.now.0 as i64)
    }

    /// Time passes only when nothing else happens.
    fn next_timer(&mut self) -> Option<Event> {
        let ((due, timer), ()) = self.timers.pop_first()?;
        self.now = self.now.max(due);
        Some(Event::Timer(timer))
    }

    fn take(&mut self, effect: Effect, events: &mut VecDeque<Event>) {
        match effect {
            Effect::SetTimer(timer, wait) => {
                self.timers.insert((self.now + wait, timer), ());
            }
            Effect::Sync(timer) => {
                self.timers.insert((self.now, timer), ());
            }
            Effect::ClearTimer(timer) => self.timers.retain(|(_, other), ()| *other != timer),
            Effect::Fetch { call, .. } => events.push_back(Event::Failed(call, NetError::Refused)),
            Effect::Respond { exchange: EXCHANGE, head, body } => {
                let text = match &body {
                    Body::Full(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    Body::Empty | Body::Stream => String::new(),
                };
                self.answer = Some((head.status.is_success(), text));
            }
            _ => {}
        }
    }
}
