//! Runs that are written down by hand, for the other tests.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::{
    Address, Body, CallId, Check, CheckKind, Delivery, Digest, Effect, Entropy, Event, ExchangeId, Headers,
    InstanceId, Level, Location, NodeId, Note, NoteKind, Phase, RequestHead, ResponseHead, Seed, ServiceId,
    Target, Time, TimerId, WallTime, World,
};
use dacapo_trace::{Identity, Memory, Outcome, Part, Recorder, Summary, WorldKind};
use http::{HeaderName, HeaderValue, Method, StatusCode};

/// A world that does what it is told.
#[derive(Default)]
pub(crate) struct Tape {
    parts: VecDeque<Part>,
    notes: Vec<Note>,
}

impl Tape {
    pub(crate) fn of(parts: &[Part]) -> Tape {
        Tape { parts: parts.to_vec().into(), notes: Vec::new() }
    }
}

impl World for Tape {
    fn next(&mut self) -> Option<Delivery> {
        while let Some(Part::Note(note)) = self.parts.front() {
            self.notes.push(note.clone());
            self.parts.pop_front();
        }
        match self.parts.pop_front()? {
            Part::Delivery(delivery) => Some(delivery),
            part => panic!("{part:?} stands where a delivery should"),
        }
    }

    fn submit(&mut self, _from: Address, _effect: Effect) {
        assert!(matches!(self.parts.pop_front(), Some(Part::Effect(..))));
    }

    fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }
}

/// Records these parts; gives the bytes of the recording.
pub(crate) fn record(identity: &Identity, parts: &[Part], outcome: Outcome) -> (Vec<u8>, Summary) {
    let memory = Memory::new();
    let mut recorder = Recorder::with_writer(Tape::of(parts), identity, Box::new(memory.clone()));
    play(&mut recorder, parts);
    let (_, summary, written) = recorder.finish(outcome);
    written.expect("memory can be written to");
    (memory.take(), summary)
}

/// Drives a world by a list of parts: asks for its deliveries, submits the effects.
pub(crate) fn play(world: &mut impl World, parts: &[Part]) {
    let mut is_over = false;
    for part in parts {
        match part {
            Part::Delivery(_) => is_over = world.next().is_none(),
            Part::Effect(from, effect) => world.submit(*from, effect.clone()),
            Part::Note(_) => {}
        }
        if is_over {
            return;
        }
    }
    assert!(world.next().is_none(), "the world has more than the list");
}

pub(crate) fn identity() -> Identity {
    Identity {
        tool: "dacapo 0.1.0".into(),
        project: "examples/bank".into(),
        world: WorldKind::Sim,
        scenario: Some("transfers".into()),
        seed: Some(Seed(42)),
        overrides: [("net.loss".to_owned(), vec![0, 1])].into(),
        programs: vec![("teller".into(), Digest(7)), ("ledger".into(), Digest(8))],
        engine: "v8 15.2.124.1".into(),
        plan: Digest(9),
        config: Some("service \"teller\" {}".into()),
        nodes: vec!["n0".into(), "n1".into()],
        services: vec!["teller".into(), "ledger".into()],
    }
}

pub(crate) fn at(node: u32, instance: u32) -> Address {
    Address { node: NodeId(node), instance: InstanceId(instance) }
}

pub(crate) fn delivery(micros: u64, to: Address, event: Event) -> Part {
    let at = Time(micros * 1000);
    let wall = WallTime(WallTime::SIM_START.0 + at.0 as i64);
    Part::Delivery(Delivery { at, now: at, wall, to, event })
}

pub(crate) fn note(micros: u64, kind: NoteKind, text: &str) -> Part {
    Part::Note(Note { at: Time(micros * 1000), kind, text: text.into() })
}

pub(crate) fn head(method: Method, url: &str) -> RequestHead {
    let headers = vec![(HeaderName::from_static("accept"), HeaderValue::from_static("application/json"))];
    RequestHead { method, url: url.into(), headers: Headers(headers) }
}

pub(crate) fn full(text: &str) -> Body {
    Body::from_bytes(Bytes::copy_from_slice(text.as_bytes()))
}

pub(crate) fn answer(status: u16) -> ResponseHead {
    ResponseHead { status: StatusCode::from_u16(status).unwrap(), headers: Headers::default() }
}

/// A transfer: outside → teller on n0 → ledger on n1, with a lost message and a broken check.
pub(crate) fn transfer() -> Vec<Part> {
    let (teller, ledger) = (at(0, 1), at(1, 1));
    let outside = head(Method::POST, "https://bank.example/transfer");
    let inside = head(Method::POST, "https://ledger.internal/transfer");
    let order = r#"{"from":"ann","to":"bob","amount":25}"#;
    vec![
        delivery(0, at(0, 0), Event::Boot { entropy: Entropy([1; 32]), incarnation: 0 }),
        delivery(0, at(1, 0), Event::Boot { entropy: Entropy([2; 32]), incarnation: 0 }),
        note(900, NoteKind::FaultBegins, "process.slow n1"),
        delivery(
            1_250,
            at(0, 0),
            Event::Request {
                exchange: ExchangeId(1),
                service: ServiceId(0),
                from: None,
                object: None,
                head: Box::new(outside),
                body: full(order),
            },
        ),
        Part::Effect(teller, Effect::Log(Level::Info, "transfer \u{1b}[31m25".into())),
        Part::Effect(
            teller,
            Effect::Fetch {
                call: CallId(1),
                target: Target::Service(NodeId(1), ServiceId(1), Some(ServiceId(0))),
                head: Box::new(inside.clone()),
                body: full(order),
            },
        ),
        Part::Effect(teller, Effect::SetTimer(TimerId(1), Duration::from_millis(1500))),
        note(1_250, NoteKind::Carries { exchange: ExchangeId(2), caller: teller, call: CallId(1) }, ""),
        delivery(
            3_000,
            at(1, 0),
            Event::Request {
                exchange: ExchangeId(2),
                service: ServiceId(1),
                from: Some(ServiceId(0)),
                object: None,
                head: Box::new(inside),
                body: full(order),
            },
        ),
        Part::Effect(
            ledger,
            Effect::Respond { exchange: ExchangeId(2), head: answer(200), body: full("ok") },
        ),
        note(3_000, NoteKind::Fault, "net.loss the response to x2 is lost, n1 → n0"),
        delivery(1_501_250, teller, Event::Timer(TimerId(1))),
        Part::Effect(
            teller,
            Effect::Check(Box::new(Check {
                kind: CheckKind::Always,
                holds: false,
                message: "every transfer is answered".into(),
                details: Some("x1".into()),
                location: Some(Location { file: ByteString::from("teller.ts"), line: 12, column: 3 }),
            })),
        ),
        Part::Effect(
            teller,
            Effect::Respond { exchange: ExchangeId(1), head: answer(504), body: Body::Empty },
        ),
        note(1_600_000, NoteKind::FaultEnds, "process.slow n1"),
        delivery(2_000_000, at(1, 0), Event::Phase(Phase::Judge)),
    ]
}
