//! A run with a durable object: two requests while it is loaded, an alarm, a disk that fails.

use std::time::Duration;

use bytes::Bytes;
use dacapo_core::{
    Address, Body, CallId, Changes, Effect, Entropy, Event, ExchangeId, Fault, FaultKind, Image, InstanceId,
    NodeId, NoteKind, ObjectId, ObjectKey, ServiceId, StorageError, StorageErrorKind, Target, TimerId,
    WallTime,
};
use dacapo_trace::Part;
use http::Method;

use crate::tape::{answer, at, delivery, full, head, note};

/// An account of the ledger.
pub(crate) fn key() -> ObjectKey {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&[0x1f, 0x2e, 0x3d, 0x4c]);
    ObjectKey { namespace: "ledger.Account".into(), id: ObjectId(id) }
}

/// So many seconds after the start, on a wall clock.
pub(crate) fn wall(seconds: u64) -> WallTime {
    WallTime::SIM_START.later(Duration::from_secs(seconds))
}

/// A write to the account that sets its alarm.
fn changes() -> Changes {
    let writes = vec![(24, Bytes::from_static(b"1234")), (4096, Bytes::from(vec![7; 80]))];
    Changes { len: 8192, writes, alarm: Some(Some(wall(30))) }
}

pub(crate) fn disk_failed() -> StorageError {
    StorageError::new(StorageErrorKind::Disk, "input/output error (log.1 at byte 4096)")
}

/// A request that the teller gets, and hands on to the account.
fn through_the_teller(micros: u64, number: u64, method: &Method) -> [Part; 4] {
    let (teller, path) = (at(0, 1), format!("/{number}"));
    let request = |exchange, service, from, object, url: String| Event::Request {
        exchange: ExchangeId(exchange),
        service: ServiceId(service),
        from,
        object,
        head: Box::new(head(method.clone(), &url)),
        body: Body::Empty,
    };
    let inside = format!("https://ledger.internal{path}");
    let fetch = Effect::Fetch {
        call: CallId(number),
        target: Target::Owner(NodeId(1), ServiceId(1), Some(ServiceId(0)), Box::new(key())),
        head: Box::new(head(method.clone(), &inside)),
        body: Body::Empty,
    };
    let carries =
        NoteKind::Carries { exchange: ExchangeId(number + 10), caller: teller, call: CallId(number) };
    [
        delivery(micros, at(0, 0), request(number, 0, None, None, format!("https://bank.example{path}"))),
        Part::Effect(teller, fetch),
        note(micros, carries, ""),
        delivery(
            micros + 500,
            at(1, 0),
            request(number + 10, 1, Some(ServiceId(0)), Some(Box::new(key())), inside),
        ),
    ]
}

fn effect(from: Address, effect: Effect) -> Part {
    Part::Effect(from, effect)
}

fn respond(from: Address, exchange: u64, body: &str) -> Part {
    let exchange = ExchangeId(exchange);
    effect(from, Effect::Respond { exchange, head: answer(200), body: full(body) })
}

fn response(micros: u64, call: u64, body: &str) -> Part {
    delivery(micros, at(0, 1), Event::Response { call: CallId(call), head: answer(200), body: full(body) })
}

/// What a world tells the runtimes, and what they ask of it.
pub(crate) fn counter() -> Vec<Part> {
    let (teller, runtime, account) = (at(0, 1), at(1, 0), at(1, 1));
    let alarm = TimerId(1 << 32 | 1);
    let image = Image { bytes: Bytes::from_static(b"SQLite format 3\0"), alarm: None };
    let quiet = Changes { len: 8192, writes: Vec::new(), alarm: Some(None) };
    let fault = Fault { kind: FaultKind::Storage, message: disk_failed().message, location: None };
    let mut run = vec![
        delivery(0, at(0, 0), Event::Boot { entropy: Entropy([1; 32]), incarnation: 0 }),
        delivery(0, runtime, Event::Boot { entropy: Entropy([2; 32]), incarnation: 0 }),
        delivery(100, runtime, Event::StoreOpened(Ok(Vec::new()))),
    ];
    run.extend(through_the_teller(1_000, 1, &Method::POST));
    run.push(effect(account, Effect::Load(Box::new(key()))));
    run.extend(through_the_teller(2_000, 2, &Method::GET));
    run.extend([
        delivery(3_000, account, Event::Loaded(Ok(Some(image)))),
        effect(account, Effect::Commit(1, Box::new(key()), Box::new(changes()))),
        effect(runtime, Effect::SetTimer(alarm, Duration::from_millis(29_997))),
        delivery(4_000, account, Event::Committed(1, Ok(()))),
        respond(account, 11, "counted"),
        respond(account, 12, "1"),
        response(4_500, 1, "counted"),
        respond(teller, 1, "counted"),
        response(4_500, 2, "1"),
        respond(teller, 2, "1"),
        delivery(30_000_000, runtime, Event::Timer(alarm)),
        effect(account, Effect::Commit(2, Box::new(key()), Box::new(quiet))),
        delivery(30_001_000, account, Event::Committed(2, Err(disk_failed()))),
        effect(runtime, Effect::Ended(InstanceId(1), Box::new(fault))),
        delivery(31_000_000, runtime, Event::Crash),
        delivery(32_000_000, runtime, Event::Boot { entropy: Entropy([3; 32]), incarnation: 1 }),
        delivery(32_000_100, runtime, Event::StoreOpened(Ok(vec![(key(), wall(30))]))),
        effect(runtime, Effect::SetTimer(alarm, Duration::ZERO)),
        delivery(32_000_200, runtime, Event::Timer(alarm)),
        effect(account, Effect::Load(Box::new(key()))),
        delivery(32_000_300, account, Event::Loaded(Err(disk_failed()))),
    ]);
    run
}
