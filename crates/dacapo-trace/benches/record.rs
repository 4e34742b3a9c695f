//! What recording costs per record (a delivery or an effect), and how many bytes it takes.
//!
//! The run is a ping-pong of requests between two services with small JSON bodies: three
//! deliveries and three effects a round, as a simulated run has them.

use std::hint::black_box;
use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dacapo_core::{
    Address, Body, CallId, Delivery, Effect, Event, ExchangeId, Headers, InstanceId, NodeId, RequestHead,
    ResponseHead, ServiceId, Target, Time, TimerId, WallTime, World,
};
use dacapo_trace::{Identity, Memory, Outcome, Part, Reader, Recorder};
use http::{HeaderName, HeaderValue, Method, StatusCode};

const ROUNDS: u64 = 2_000;
const RECORDS: u64 = ROUNDS * 6;

fn address(node: u32, instance: u32) -> Address {
    Address { node: NodeId(node), instance: InstanceId(instance) }
}

fn run() -> Vec<Part> {
    let mut parts = Vec::new();
    for i in 0..ROUNDS {
        let mut at = Time(i * 3_000_017);
        let mut deliver = |to: Address, event: Event| {
            at = at + Duration::from_nanos(800_003);
            let wall = WallTime(WallTime::SIM_START.0 + at.0 as i64);
            Part::Delivery(Delivery { at, now: at, wall, to, event })
        };
        let json = (HeaderName::from_static("content-type"), HeaderValue::from_static("application/json"));
        let head = RequestHead {
            method: Method::POST,
            url: format!("https://pong.internal/hit/{i}").into(),
            headers: Headers(vec![json.clone()]),
        };
        let answer = ResponseHead { status: StatusCode::OK, headers: Headers(vec![json]) };
        let body = Body::Full(Bytes::from(format!(r#"{{"round":{i},"from":"ping","to":"pong"}}"#)));
        let (ping, pong) = (address(0, 1), address(1, 1));
        parts.push(deliver(ping, Event::Timer(TimerId(i))));
        parts.push(Part::Effect(
            ping,
            Effect::Fetch {
                call: CallId(i),
                target: Target::Service(NodeId(1), ServiceId(1), Some(ServiceId(0))),
                head: Box::new(head.clone()),
                body: body.clone(),
            },
        ));
        parts.push(deliver(
            address(1, 0),
            Event::Request {
                exchange: ExchangeId(i),
                service: ServiceId(1),
                from: Some(ServiceId(0)),
                object: None,
                head: Box::new(head),
                body: body.clone(),
            },
        ));
        parts.push(Part::Effect(
            pong,
            Effect::Respond { exchange: ExchangeId(i), head: answer.clone(), body: body.clone() },
        ));
        parts.push(deliver(ping, Event::Response { call: CallId(i), head: answer, body }));
        parts.push(Part::Effect(ping, Effect::SetTimer(TimerId(i + 1), Duration::from_millis(1))));
    }
    parts
}

/// A world that hands out a list and forgets what it is given.
struct List(std::vec::IntoIter<Delivery>);

impl World for List {
    fn next(&mut self) -> Option<Delivery> {
        self.0.next()
    }
    fn submit(&mut self, _from: Address, effect: Effect) {
        black_box(effect);
    }
}

struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Turns = (List, Vec<Option<(Address, Effect)>>);

fn prepare(parts: &[Part]) -> Turns {
    let deliveries: Vec<Delivery> = parts
        .iter()
        .filter_map(|part| if let Part::Delivery(delivery) = part { Some(delivery.clone()) } else { None })
        .collect();
    let steps = parts
        .iter()
        .map(|part| if let Part::Effect(from, effect) = part { Some((*from, effect.clone())) } else { None })
        .collect();
    (List(deliveries.into_iter()), steps)
}

fn drive(world: &mut impl World, steps: Vec<Option<(Address, Effect)>>) {
    for step in steps {
        match step {
            None => drop(black_box(world.next())),
            Some((from, effect)) => world.submit(from, effect),
        }
    }
}

fn record(c: &mut Criterion) {
    let parts = run();
    let mut group = c.benchmark_group("record");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("nothing", |b| {
        b.iter_batched(
            || prepare(&parts),
            |(mut list, steps)| drive(&mut list, steps),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("digest", |b| {
        b.iter_batched(
            || prepare(&parts),
            |(list, steps)| {
                let mut recorder = Recorder::new(list);
                drive(&mut recorder, steps);
                recorder.digest()
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("file", |b| {
        b.iter_batched(
            || prepare(&parts),
            |(list, steps)| {
                let mut recorder = Recorder::with_writer(list, &Identity::default(), Box::new(Nowhere));
                drive(&mut recorder, steps);
                recorder.finish(Outcome::Passed).1
            },
            BatchSize::LargeInput,
        );
    });
    let memory = Memory::new();
    let (list, steps) = prepare(&parts);
    let mut recorder = Recorder::with_writer(list, &Identity::default(), Box::new(memory.clone()));
    drive(&mut recorder, steps);
    drop(recorder.finish(Outcome::Passed));
    let bytes = memory.take();
    let read = Reader::open(&bytes[..]).map(Iterator::count);
    assert_eq!(read.ok(), Some(RECORDS as usize), "what is measured is a whole recording");
    println!("bytes per record: {:.1}", bytes.len() as f64 / RECORDS as f64);
    group.bench_function("read", |b| b.iter(|| Reader::open(&bytes[..]).map(Iterator::count)));
    group.finish();
}

criterion_group!(benches, record);
criterion_main!(benches);
