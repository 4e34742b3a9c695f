//! Drives instances by hand: events in, effects as text out.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::rc::Rc;
use std::time::Duration;

use dacapo_core::{
    Address, Binding, BindingTo, Body, Boot, Code, Digest, Effect, Effects, Engine, Entropy, Event,
    ExchangeId, FaultKind, Files, Headers, Instance, InstanceId, LoadError, MemoryFiles, NodeId, Program,
    RequestHead, ServiceId, Time, Turn, TurnEnd, WallTime, digest_of,
};
use dacapo_js::{JsEngine, JsOptions};

pub fn engine() -> JsEngine {
    JsEngine::new(JsOptions::deterministic()).unwrap()
}

pub fn load(engine: &JsEngine, entry: &str, files: &[(&str, &str)]) -> Result<Rc<dyn Program>, LoadError> {
    let files = MemoryFiles::new(files.iter().copied());
    engine.load(&Code { entry, files: &files })
}

pub fn boot(node: u32) -> Boot {
    Boot {
        address: Address { node: NodeId(node), instance: InstanceId(1) },
        service: ServiceId(0),
        name: "greeter".into(),
        object: None,
        entropy: Entropy([(node as u8).wrapping_add(1); 32]),
        vars: vec![("GREETING".into(), "\"hello\"".into())],
        bindings: vec![Binding { name: "LEDGER".into(), to: BindingTo::Service }],
        turn_budget: 1_000_000,
        memory_max: 64 << 20,
    }
}

/// An instance with its clock.
pub struct Guest {
    pub instance: Box<dyn Instance>,
    pub now: Time,
    pub wall: WallTime,
    exchange: u64,
}

impl Guest {
    pub fn new(program: &Rc<dyn Program>) -> Guest {
        Guest::with(program, boot(0))
    }

    pub fn with(program: &Rc<dyn Program>, boot: Boot) -> Guest {
        Guest {
            instance: program.start(boot),
            now: Time(1_000_000_000),
            wall: WallTime::SIM_START,
            exchange: 0,
        }
    }

    pub fn turn(&mut self, event: Event) -> (Effects, TurnEnd) {
        let mut out = Effects::new();
        let end = self.instance.turn(&Turn { now: self.now, wall: self.wall }, event, &mut out);
        (out, end)
    }

    pub fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.wall = WallTime(self.wall.0 + time.as_nanos() as i64);
    }

    /// What a request gives: its effects as text.
    pub fn get(&mut self, path: &str) -> String {
        let (effects, end) = self.request(path);
        text(&effects, &end)
    }

    pub fn request(&mut self, path: &str) -> (Effects, TurnEnd) {
        self.exchange += 1;
        let event = request(self.exchange, path);
        self.turn(event)
    }
}

pub fn request(exchange: u64, path: &str) -> Event {
    Event::Request {
        exchange: ExchangeId(exchange),
        service: ServiceId(0),
        from: None,
        object: None,
        head: Box::new(RequestHead {
            method: http::Method::GET,
            url: format!("https://shop.example{path}").into(),
            headers: Headers::default(),
        }),
        body: Body::Empty,
    }
}

pub fn text(effects: &[Effect], end: &TurnEnd) -> String {
    let mut lines: Vec<String> = effects.iter().map(line).collect();
    match end {
        TurnEnd::Quiet { busy: false } => {}
        TurnEnd::Quiet { busy: true } => lines.push("busy".to_owned()),
        TurnEnd::Fault(fault) => lines.push(format!("fault {fault}")),
    }
    lines.join("\n")
}

fn line(effect: &Effect) -> String {
    match effect {
        Effect::Respond { exchange, head, body } => {
            format!("{exchange} {} {}", head.status.as_u16(), body_text(body))
        }
        Effect::Fetch { call, target, head, body } => {
            format!("{call} {} {} {target:?} {}", head.method, head.url, body_text(body))
        }
        Effect::Log(level, text) => format!("{level:?} {text}"),
        other => format!("{other:?}"),
    }
}

fn body_text(body: &Body) -> String {
    match body {
        Body::Empty => "-".to_owned(),
        Body::Full(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Body::Stream => "(stream)".to_owned(),
    }
}

pub fn digest(effects: &Effects) -> Digest {
    digest_of(effects)
}

pub fn kind(end: &TurnEnd) -> Option<FaultKind> {
    match end {
        TurnEnd::Fault(fault) => Some(fault.kind),
        TurnEnd::Quiet { .. } => None,
    }
}

/// A service from the body of its `fetch`.
pub fn service(engine: &JsEngine, body: &str) -> Guest {
    let code = format!("export default {{\n  async fetch(request, env, ctx) {{\n{body}\n  }},\n}};\n");
    let program = load(engine, "service.js", &[("service.js", &code)]).unwrap();
    Guest::new(&program)
}

pub fn message(error: &LoadError) -> String {
    let help = error.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    format!("{error}{help}")
}

pub fn load_message(files: &[(&str, &str)]) -> String {
    match load(&engine(), files[0].0, files) {
        Ok(_) => "it loads".to_owned(),
        Err(error) => message(&error),
    }
}

pub struct NoFiles;
impl Files for NoFiles {
    fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    fn kind(&self, _: &str) -> Option<dacapo_core::FileKind> {
        None
    }
}
