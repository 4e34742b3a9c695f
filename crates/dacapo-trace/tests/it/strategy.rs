//! Any delivery, effect and note, for the laws.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::{
    Address, Body, CallId, Changes, Check, CheckKind, Chunk, DecisionKey, Delivery, Drawn, Effect, Entropy,
    Event, ExchangeId, Fault, FaultKind, Headers, Image, Inputs, InstanceId, LeaseCall, LeaseRecord,
    LeaseSwap, Level, Location, Message, NetError, NodeId, Note, NoteKind, ObjectId, ObjectKey, Phase,
    RequestHead, ResponseHead, Rounds, ServiceId, StorageError, StorageErrorKind, Target, Time, TimerId,
    Trigger, WallTime,
};
use dacapo_trace::Part;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = ByteString> {
    prop_oneof![".{0,12}", any::<String>()].prop_map(ByteString::from)
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![vec(any::<u8>(), 0..40), vec(any::<u8>(), 5000..5001)].prop_map(Bytes::from)
}

fn address() -> impl Strategy<Value = Address> {
    (any::<u32>(), any::<u32>())
        .prop_map(|(node, instance)| Address { node: NodeId(node), instance: InstanceId(instance) })
}

fn headers() -> impl Strategy<Value = Headers> {
    let field = ("[a-z][a-z0-9-]{0,20}", vec(prop_oneof![Just(9u8), 32u8..127, 128u8..], 0..20)).prop_map(
        |(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(&value).unwrap())
        },
    );
    vec(field, 0..4).prop_map(Headers)
}

fn request() -> impl Strategy<Value = RequestHead> {
    let method = prop_oneof![Just("GET".to_owned()), "[A-Z]{1,20}"];
    (method, text(), headers()).prop_map(|(method, url, headers)| RequestHead {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        url,
        headers,
    })
}

fn response() -> impl Strategy<Value = ResponseHead> {
    (200u16..600, headers())
        .prop_map(|(status, headers)| ResponseHead { status: StatusCode::from_u16(status).unwrap(), headers })
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![Just(Body::Empty), bytes().prop_map(Body::Full), Just(Body::Stream)]
}

fn chunk() -> impl Strategy<Value = Chunk> {
    prop_oneof![bytes().prop_map(Chunk::Data), Just(Chunk::End), text().prop_map(Chunk::Abort)]
}

fn error() -> impl Strategy<Value = NetError> {
    prop_oneof![
        text().prop_map(NetError::Denied),
        text().prop_map(NetError::Unknown),
        Just(NetError::Refused),
        Just(NetError::Reset),
        Just(NetError::TimedOut),
        text().prop_map(NetError::Broken),
    ]
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        Just(Target::Url),
        text().prop_map(Target::Binding),
        (any::<u32>(), any::<u32>(), any::<Option<u32>>()).prop_map(|(n, s, by)| Target::Service(
            NodeId(n),
            ServiceId(s),
            by.map(ServiceId)
        )),
        (text(), any::<[u8; 32]>()).prop_map(|(name, id)| Target::Object(name, Box::new(ObjectId(id)))),
        (any::<u32>(), any::<u32>(), any::<Option<u32>>(), key()).prop_map(|(n, s, by, key)| Target::Owner(
            NodeId(n),
            ServiceId(s),
            by.map(ServiceId),
            Box::new(key)
        )),
        text().prop_map(Target::Outside),
        error().prop_map(Target::Refused),
    ]
}

fn key() -> impl Strategy<Value = ObjectKey> {
    (text(), any::<[u8; 32]>()).prop_map(|(namespace, id)| ObjectKey { namespace, id: ObjectId(id) })
}

fn wall() -> impl Strategy<Value = WallTime> {
    any::<i64>().prop_map(WallTime)
}

fn storage_error() -> impl Strategy<Value = StorageError> {
    use StorageErrorKind::{Corrupt, Disk, Full, Guest, Newer};
    let kind = prop::sample::select(vec![Guest, Disk, Full, Corrupt, Newer]);
    (kind, text()).prop_map(|(kind, message)| StorageError { kind, message })
}

/// `Ok` with something of this kind, or an error of the storage.
fn stored<T: Clone + std::fmt::Debug + 'static>(
    ok: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Result<T, StorageError>> {
    prop_oneof![ok.prop_map(Ok), storage_error().prop_map(Err)]
}

fn image() -> impl Strategy<Value = Image> {
    (bytes(), option::of(wall())).prop_map(|(bytes, alarm)| Image { bytes, alarm })
}

fn changes() -> impl Strategy<Value = Changes> {
    (any::<u64>(), vec((any::<u64>(), bytes()), 0..3), option::of(option::of(wall())))
        .prop_map(|(len, writes, alarm)| Changes { len, writes, alarm })
}

fn location() -> impl Strategy<Value = Option<Location>> {
    option::of((text(), any::<u32>(), any::<u32>()).prop_map(|(file, line, column)| Location {
        file,
        line,
        column,
    }))
}

fn exchange() -> impl Strategy<Value = ExchangeId> {
    any::<u64>().prop_map(ExchangeId)
}

fn call() -> impl Strategy<Value = CallId> {
    any::<u64>().prop_map(CallId)
}

fn service() -> impl Strategy<Value = ServiceId> {
    any::<u32>().prop_map(ServiceId)
}

fn timer() -> impl Strategy<Value = TimerId> {
    any::<u64>().prop_map(TimerId)
}

fn message() -> impl Strategy<Value = Message> {
    (text(), bytes()).prop_map(|(name, body)| Message { name, body })
}

fn lease() -> impl Strategy<Value = LeaseRecord> {
    (any::<u32>(), any::<u64>(), text(), any::<bool>())
        .prop_map(|(key, version, value, is_held)| LeaseRecord { key, version, value, is_held })
}

fn swap() -> impl Strategy<Value = LeaseSwap> {
    (any::<u32>(), any::<u64>(), text(), any::<u64>()).prop_map(|(key, expected, value, ttl)| LeaseSwap {
        key,
        expected,
        value,
        ttl: Duration::from_nanos(ttl),
    })
}

fn decision_key() -> impl Strategy<Value = DecisionKey> {
    let text = || any::<String>();
    (text(), text(), text(), any::<u32>()).prop_map(|(lane, what, cause, nth)| DecisionKey {
        lane: lane.into(),
        what: what.into(),
        cause: cause.into(),
        nth,
    })
}

fn inputs() -> impl Strategy<Value = Inputs> {
    let rounds = prop::sample::select(vec![Rounds::All, Rounds::Given]);
    (vec((decision_key(), any::<u64>()), 0..3), rounds, option::of(any::<u64>()), any::<[bool; 2]>())
        .prop_map(|(given, rounds, narrows, [at_once, tells])| Inputs {
            given,
            rounds,
            narrows,
            at_once,
            tells,
        })
}

fn event() -> impl Strategy<Value = Event> {
    let phase = prop::sample::select(vec![Phase::Setup, Phase::Drive, Phase::Heal, Phase::Judge]);
    prop_oneof![
        (any::<[u8; 32]>(), any::<u32>())
            .prop_map(|(entropy, incarnation)| Event::Boot { entropy: Entropy(entropy), incarnation }),
        Just(Event::Crash),
        Just(Event::Stop),
        any::<u32>().prop_map(Event::Deploy),
        phase.prop_map(Event::Phase),
        inputs().prop_map(|inputs| Event::Begin(Box::new(inputs))),
        (exchange(), service(), option::of(service()), option::of(key()), request(), body()).prop_map(
            |(exchange, service, from, object, head, body)| Event::Request {
                exchange,
                service,
                from,
                object: object.map(Box::new),
                head: Box::new(head),
                body
            }
        ),
        (exchange(), chunk()).prop_map(|(id, chunk)| Event::RequestChunk(id, chunk)),
        (exchange(), any::<u32>()).prop_map(|(id, n)| Event::ResponseCredit(id, n)),
        exchange().prop_map(Event::Cancelled),
        (service(), text(), wall()).prop_map(|(service, cron, scheduled)| Event::Scheduled {
            service,
            cron,
            scheduled
        }),
        (timer(), any::<u32>()).prop_map(|(timer, times)| Event::Misfire(timer, times)),
        (option::of(exchange()), fault_kind()).prop_map(|(exchange, kind)| Event::Evict { exchange, kind }),
        (call(), response(), body()).prop_map(|(call, head, body)| Event::Response { call, head, body }),
        (call(), chunk()).prop_map(|(id, chunk)| Event::ResponseChunk(id, chunk)),
        (call(), any::<u32>()).prop_map(|(id, n)| Event::RequestCredit(id, n)),
        (call(), error()).prop_map(|(id, error)| Event::Failed(id, error)),
        timer().prop_map(Event::Timer),
        stored(vec((key(), wall()), 0..3)).prop_map(Event::StoreOpened),
        stored(option::of(image())).prop_map(Event::Loaded),
        (any::<u64>(), stored(Just(()))).prop_map(|(number, result)| Event::Committed(number, result)),
        (wall(), any::<u32>()).prop_map(|(scheduled, retry)| Event::Alarm { scheduled, retry }),
        (any::<u32>(), message()).prop_map(|(from, message)| Event::Message(NodeId(from), Box::new(message))),
        (any::<u64>(), prop_oneof![vec(lease(), 0..3).prop_map(Ok), error().prop_map(Err)])
            .prop_map(|(number, result)| Event::Leased(number, result)),
    ]
}

fn fault_kind() -> impl Strategy<Value = FaultKind> {
    prop::sample::select(vec![
        FaultKind::Budget,
        FaultKind::Memory,
        FaultKind::Stack,
        FaultKind::Load,
        FaultKind::Panic,
        FaultKind::Abort,
        FaultKind::Storage,
        FaultKind::Evicted,
        FaultKind::Moved,
    ])
}

fn effect() -> impl Strategy<Value = Effect> {
    let level = prop::sample::select(vec![Level::Debug, Level::Info, Level::Warn, Level::Error]);
    let check = (
        prop::sample::select(vec![
            CheckKind::Always,
            CheckKind::Sometimes,
            CheckKind::Reachable,
            CheckKind::Unreachable,
            CheckKind::Coverage,
        ]),
        any::<bool>(),
        text(),
        option::of(text()),
        location(),
    )
        .prop_map(|(kind, holds, message, details, location)| Check {
            kind,
            holds,
            message,
            details,
            location,
        });
    let trigger = prop::sample::select(vec![Trigger::Cron, Trigger::Alarm]);
    let fault = (fault_kind(), text(), location()).prop_map(|(kind, message, location)| Fault {
        kind,
        message,
        location,
    });
    prop_oneof![
        (call(), target(), request(), body()).prop_map(|(call, target, head, body)| Effect::Fetch {
            call,
            target,
            head: Box::new(head),
            body
        }),
        (call(), chunk()).prop_map(|(id, chunk)| Effect::RequestChunk(id, chunk)),
        (call(), any::<u32>()).prop_map(|(id, n)| Effect::ResponsePull(id, n)),
        call().prop_map(Effect::Cancel),
        (exchange(), response(), body()).prop_map(|(exchange, head, body)| Effect::Respond {
            exchange,
            head,
            body
        }),
        (exchange(), chunk()).prop_map(|(id, chunk)| Effect::ResponseChunk(id, chunk)),
        (exchange(), any::<u32>()).prop_map(|(id, n)| Effect::RequestPull(id, n)),
        (timer(), any::<u64>(), 0u32..1_000_000_000)
            .prop_map(|(id, s, n)| Effect::SetTimer(id, Duration::new(s, n))),
        timer().prop_map(Effect::ClearTimer),
        (timer(), trigger, any::<u64>(), 0u32..1_000_000_000)
            .prop_map(|(id, trigger, s, n)| { Effect::SetTrigger(id, trigger, Duration::new(s, n)) }),
        (level, text()).prop_map(|(level, text)| Effect::Log(level, text)),
        check.prop_map(|check| Effect::Check(Box::new(check))),
        (decision_key(), any::<u64>(), any::<u64>(), option::of(text())).prop_map(
            |(key, chosen, range, says)| { Effect::Drawn(Box::new(Drawn { key, chosen, range, says })) }
        ),
        Just(Effect::PhaseDone),
        (any::<u32>(), fault).prop_map(|(id, fault)| Effect::Ended(InstanceId(id), Box::new(fault))),
        Just(Effect::Stopped),
        key().prop_map(|key| Effect::Load(Box::new(key))),
        (any::<u64>(), key(), changes()).prop_map(|(number, key, changes)| Effect::Commit(
            number,
            Box::new(key),
            Box::new(changes)
        )),
        any::<bool>().prop_map(Effect::AlarmDone),
        any::<bool>().prop_map(Effect::Exclusive),
        timer().prop_map(Effect::Sync),
        (any::<u32>(), message()).prop_map(|(to, message)| Effect::Send(NodeId(to), Box::new(message))),
        (any::<u64>(), text(), vec(swap(), 0..3))
            .prop_map(|(number, group, swaps)| Effect::Lease(Box::new(LeaseCall { number, group, swaps }))),
    ]
}

fn note() -> impl Strategy<Value = Note> {
    let kind = prop_oneof![
        Just(NoteKind::FaultBegins),
        Just(NoteKind::FaultEnds),
        Just(NoteKind::Fault),
        (exchange(), address(), call()).prop_map(|(exchange, caller, call)| NoteKind::Carries {
            exchange,
            caller,
            call
        }),
        Just(NoteKind::Info),
    ];
    (any::<u64>(), kind, text()).prop_map(|(at, kind, text)| Note { at: Time(at), kind, text })
}

/// One turn: notes, a delivery, effects.
fn turn() -> impl Strategy<Value = Vec<Part>> {
    let delivery = (any::<u64>(), any::<u64>(), any::<i64>(), address(), event()).prop_map(
        |(at, now, wall, to, event)| {
            Part::Delivery(Delivery { at: Time(at), now: Time(now), wall: WallTime(wall), to, event })
        },
    );
    let effects = vec((address(), effect()).prop_map(|(from, effect)| Part::Effect(from, effect)), 0..4);
    (vec(note().prop_map(Part::Note), 0..2), delivery, effects)
        .prop_map(|(notes, delivery, effects)| [notes, vec![delivery], effects].concat())
}

/// Whole runs.
pub(crate) fn run() -> impl Strategy<Value = Vec<Part>> {
    vec(turn(), 0..12).prop_map(|turns| turns.concat())
}
