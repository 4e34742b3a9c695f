//! What format 1 reads, as core values. A file may hold anything, so each way can fail, with a
//! text that says what was wrong.

use std::time::Duration;

use bytes::Bytes;
use dacapo_core as core;
use dacapo_core::{CallId, ExchangeId, InstanceId, NodeId, ObjectId, ServiceId, Time, TimerId, WallTime};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::*;

type Result<T> = std::result::Result<T, String>;

impl Delivery<'_> {
    /// `before`: the time of the delivery before it in the chunk.
    pub(crate) fn into_core(self, before: Time) -> Result<core::Delivery> {
        let at = before.0.wrapping_add(self.after);
        Ok(core::Delivery {
            at: Time(at),
            now: Time(at.wrapping_add(self.now_ahead as u64)),
            wall: WallTime((at as i64).wrapping_add(self.wall_ahead)),
            to: self.to.into(),
            event: self.event.into_core()?,
        })
    }
}

impl From<Address> for core::Address {
    fn from(address: Address) -> core::Address {
        core::Address { node: NodeId(address.node), instance: InstanceId(address.instance) }
    }
}

impl Event<'_> {
    fn into_core(self) -> Result<core::Event> {
        use core::Event as E;
        Ok(match self {
            Event::Boot { entropy, incarnation } => E::Boot { entropy: core::Entropy(entropy), incarnation },
            Event::Crash => E::Crash,
            Event::Stop => E::Stop,
            Event::Phase(phase) => E::Phase(match phase {
                Phase::Setup => core::Phase::Setup,
                Phase::Drive => core::Phase::Drive,
                Phase::Heal => core::Phase::Heal,
                Phase::Judge => core::Phase::Judge,
            }),
            Event::Request { exchange, service, from, object, head, body } => E::Request {
                exchange: ExchangeId(exchange),
                service: ServiceId(service),
                from: from.map(ServiceId),
                object: object.map(|key| Box::new(key.into())),
                head: Box::new(head.into_core()?),
                body: body.into(),
            },
            Event::RequestChunk(exchange, chunk) => E::RequestChunk(ExchangeId(exchange), chunk.into()),
            Event::ResponseCredit(exchange, bytes) => E::ResponseCredit(ExchangeId(exchange), bytes),
            Event::Cancelled(exchange) => E::Cancelled(ExchangeId(exchange)),
            Event::Scheduled { service, cron } => {
                E::Scheduled { service: ServiceId(service), cron: cron.into(), scheduled: WallTime(0) }
            }
            Event::CronDue { service, cron, scheduled } => E::Scheduled {
                service: ServiceId(service),
                cron: cron.into(),
                scheduled: WallTime(scheduled),
            },
            Event::Begin(inputs) => E::Begin(Box::new(inputs.into())),
            Event::Deploy(version) => E::Deploy(version),
            Event::Misfire(timer, times) => E::Misfire(TimerId(timer), times),
            Event::Evict { exchange, kind } => {
                E::Evict { exchange: exchange.map(ExchangeId), kind: kind.into() }
            }
            Event::Response { call, head, body } => {
                E::Response { call: CallId(call), head: head.into_core()?, body: body.into() }
            }
            Event::ResponseChunk(call, chunk) => E::ResponseChunk(CallId(call), chunk.into()),
            Event::RequestCredit(call, bytes) => E::RequestCredit(CallId(call), bytes),
            Event::Failed(call, error) => E::Failed(CallId(call), error.into()),
            Event::Timer(timer) => E::Timer(TimerId(timer)),
            Event::StoreOpened(result) => E::StoreOpened(match result {
                Ok(alarms) => Ok(alarms.into_iter().map(|(key, at)| (key.into(), WallTime(at))).collect()),
                Err(error) => Err(error.into()),
            }),
            Event::Loaded(result) => E::Loaded(result.map(|image| image.map(Into::into)).map_err(Into::into)),
            Event::Committed(number, result) => E::Committed(number, result.map_err(Into::into)),
            Event::Alarm { scheduled, retry } => E::Alarm { scheduled: WallTime(scheduled), retry },
            Event::Message(from, message) => E::Message(NodeId(from), Box::new(message.into())),
            Event::Leased(number, result) => {
                let records = result.map(|all| all.into_iter().map(Into::into).collect());
                E::Leased(number, records.map_err(Into::into))
            }
        })
    }
}

impl Effect<'_> {
    pub(crate) fn into_core(self) -> Result<core::Effect> {
        use core::Effect as E;
        Ok(match self {
            Effect::Fetch { call, target, head, body } => E::Fetch {
                call: CallId(call),
                target: target.into(),
                head: Box::new(head.into_core()?),
                body: body.into(),
            },
            Effect::RequestChunk(call, chunk) => E::RequestChunk(CallId(call), chunk.into()),
            Effect::ResponsePull(call, bytes) => E::ResponsePull(CallId(call), bytes),
            Effect::Cancel(call) => E::Cancel(CallId(call)),
            Effect::Respond { exchange, head, body } => {
                E::Respond { exchange: ExchangeId(exchange), head: head.into_core()?, body: body.into() }
            }
            Effect::ResponseChunk(exchange, chunk) => E::ResponseChunk(ExchangeId(exchange), chunk.into()),
            Effect::RequestPull(exchange, bytes) => E::RequestPull(ExchangeId(exchange), bytes),
            Effect::SetTimer { timer, seconds, nanos } => E::SetTimer(TimerId(timer), after(seconds, nanos)?),
            Effect::SetTrigger { timer, trigger, seconds, nanos } => {
                let trigger = match trigger {
                    Trigger::Cron => core::Trigger::Cron,
                    Trigger::Alarm => core::Trigger::Alarm,
                };
                E::SetTrigger(TimerId(timer), trigger, after(seconds, nanos)?)
            }
            Effect::ClearTimer(timer) => E::ClearTimer(TimerId(timer)),
            Effect::Log(level, text) => {
                let level = match level {
                    Level::Debug => core::Level::Debug,
                    Level::Info => core::Level::Info,
                    Level::Warn => core::Level::Warn,
                    Level::Error => core::Level::Error,
                };
                E::Log(level, text.into())
            }
            Effect::Check(check) => E::Check(Box::new(check.into())),
            Effect::Drawn(drawn) => E::Drawn(Box::new(drawn.into())),
            Effect::PhaseDone => E::PhaseDone,
            Effect::Ended(instance, fault) => E::Ended(InstanceId(instance), Box::new(fault.into())),
            Effect::Stopped => E::Stopped,
            Effect::Load(key) => E::Load(Box::new(key.into())),
            Effect::Commit(number, key, changes) => {
                E::Commit(number, Box::new(key.into()), Box::new(changes.into()))
            }
            Effect::AlarmDone(is_ok) => E::AlarmDone(is_ok),
            Effect::Exclusive(is_on) => E::Exclusive(is_on),
            Effect::Sync(timer) => E::Sync(TimerId(timer)),
            Effect::Send(to, message) => E::Send(NodeId(to), Box::new(message.into())),
            Effect::Lease(call) => E::Lease(Box::new(call.into())),
        })
    }
}

fn after(seconds: u64, nanos: u32) -> Result<Duration> {
    if nanos >= 1_000_000_000 {
        return Err(format!("a timer with {nanos} nanoseconds beside its seconds"));
    }
    Ok(Duration::new(seconds, nanos))
}

impl From<Note<'_>> for core::Note {
    fn from(note: Note<'_>) -> core::Note {
        let kind = match note.kind {
            NoteKind::FaultBegins => core::NoteKind::FaultBegins,
            NoteKind::FaultEnds => core::NoteKind::FaultEnds,
            NoteKind::Fault => core::NoteKind::Fault,
            NoteKind::Carries { exchange, caller, call } => core::NoteKind::Carries {
                exchange: ExchangeId(exchange),
                caller: caller.into(),
                call: CallId(call),
            },
            NoteKind::Info => core::NoteKind::Info,
        };
        core::Note { at: Time(note.at), kind, text: note.text.into() }
    }
}

fn headers(headers: Vec<(&str, Bin<'_>)>) -> Result<core::Headers> {
    let field = |(name, value): (&str, Bin<'_>)| {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("header name {name:?}"))?;
        let value = HeaderValue::from_bytes(value.0).map_err(|_| format!("value of the header {name}"))?;
        Ok((name, value))
    };
    headers.into_iter().map(field).collect::<Result<_>>().map(core::Headers)
}

impl RequestHead<'_> {
    fn into_core(self) -> Result<core::RequestHead> {
        Ok(core::RequestHead {
            method: Method::from_bytes(self.method.as_bytes())
                .map_err(|_| format!("method {:?}", self.method))?,
            url: self.url.into(),
            headers: headers(self.headers)?,
        })
    }
}

impl ResponseHead<'_> {
    fn into_core(self) -> Result<core::ResponseHead> {
        Ok(core::ResponseHead {
            status: StatusCode::from_u16(self.status).map_err(|_| format!("status {}", self.status))?,
            headers: headers(self.headers)?,
        })
    }
}

impl From<Body<'_>> for core::Body {
    fn from(body: Body<'_>) -> core::Body {
        match body {
            Body::Empty => core::Body::Empty,
            Body::Full(bytes) => core::Body::Full(Bytes::copy_from_slice(bytes.0)),
            Body::Stream => core::Body::Stream,
        }
    }
}

impl From<Chunk<'_>> for core::Chunk {
    fn from(chunk: Chunk<'_>) -> core::Chunk {
        match chunk {
            Chunk::Data(bytes) => core::Chunk::Data(Bytes::copy_from_slice(bytes.0)),
            Chunk::End => core::Chunk::End,
            Chunk::Abort(why) => core::Chunk::Abort(why.into()),
        }
    }
}

impl From<NetError<'_>> for core::NetError {
    fn from(error: NetError<'_>) -> core::NetError {
        match error {
            NetError::Denied(why) => core::NetError::Denied(why.into()),
            NetError::Unknown(why) => core::NetError::Unknown(why.into()),
            NetError::Refused => core::NetError::Refused,
            NetError::Reset => core::NetError::Reset,
            NetError::TimedOut => core::NetError::TimedOut,
            NetError::Broken(why) => core::NetError::Broken(why.into()),
        }
    }
}

impl From<Target<'_>> for core::Target {
    fn from(target: Target<'_>) -> core::Target {
        match target {
            Target::Url => core::Target::Url,
            Target::Binding(name) => core::Target::Binding(name.into()),
            Target::Service(node, service, by) => {
                core::Target::Service(NodeId(node), ServiceId(service), by.map(ServiceId))
            }
            Target::Object(name, id) => core::Target::Object(name.into(), Box::new(ObjectId(id))),
            Target::Owner(node, service, by, key) => {
                core::Target::Owner(NodeId(node), ServiceId(service), by.map(ServiceId), Box::new(key.into()))
            }
            Target::Outside(host) => core::Target::Outside(host.into()),
            Target::Refused(error) => core::Target::Refused(error.into()),
        }
    }
}

impl From<Check<'_>> for core::Check {
    fn from(check: Check<'_>) -> core::Check {
        let kind = match check.kind {
            CheckKind::Always => core::CheckKind::Always,
            CheckKind::Sometimes => core::CheckKind::Sometimes,
            CheckKind::Reachable => core::CheckKind::Reachable,
            CheckKind::Unreachable => core::CheckKind::Unreachable,
            CheckKind::Coverage => core::CheckKind::Coverage,
        };
        core::Check {
            kind,
            holds: check.holds,
            message: check.message.into(),
            details: check.details.map(Into::into),
            location: check.location.map(Into::into),
        }
    }
}

impl From<Fault<'_>> for core::Fault {
    fn from(fault: Fault<'_>) -> core::Fault {
        let location = fault.location.map(Into::into);
        core::Fault { kind: fault.kind.into(), message: fault.message.into(), location }
    }
}

impl From<FaultKind> for core::FaultKind {
    fn from(kind: FaultKind) -> core::FaultKind {
        match kind {
            FaultKind::Budget => core::FaultKind::Budget,
            FaultKind::Memory => core::FaultKind::Memory,
            FaultKind::Stack => core::FaultKind::Stack,
            FaultKind::Load => core::FaultKind::Load,
            FaultKind::Panic => core::FaultKind::Panic,
            FaultKind::Abort => core::FaultKind::Abort,
            FaultKind::Storage => core::FaultKind::Storage,
            FaultKind::Evicted => core::FaultKind::Evicted,
            FaultKind::Moved => core::FaultKind::Moved,
        }
    }
}

impl From<Location<'_>> for core::Location {
    fn from(location: Location<'_>) -> core::Location {
        core::Location { file: location.file.into(), line: location.line, column: location.column }
    }
}
