//! Core values as format 1 writes them.

use dacapo_core as core;
use dacapo_core::Time;

use super::*;

impl<'a> Delivery<'a> {
    /// `before`: the time of the delivery before it in the chunk.
    pub(crate) fn new(delivery: &'a core::Delivery, before: Time) -> Delivery<'a> {
        let core::Delivery { at, now, wall, to, event } = delivery;
        Delivery {
            after: at.0.wrapping_sub(before.0),
            now_ahead: now.0.wrapping_sub(at.0) as i64,
            wall_ahead: wall.0.wrapping_sub(at.0 as i64),
            to: (*to).into(),
            event: event.into(),
        }
    }
}

impl From<core::Address> for Address {
    fn from(address: core::Address) -> Address {
        Address { node: address.node.0, instance: address.instance.0 }
    }
}

impl<'a> From<&'a core::Event> for Event<'a> {
    fn from(event: &'a core::Event) -> Event<'a> {
        use core::Event as E;
        match event {
            E::Boot { entropy, incarnation } => Event::Boot { entropy: entropy.0, incarnation: *incarnation },
            E::Crash => Event::Crash,
            E::Stop => Event::Stop,
            E::Phase(phase) => Event::Phase(match phase {
                core::Phase::Setup => Phase::Setup,
                core::Phase::Drive => Phase::Drive,
                core::Phase::Heal => Phase::Heal,
                core::Phase::Judge => Phase::Judge,
            }),
            E::Request { exchange, service, from, object, head, body } => Event::Request {
                exchange: exchange.0,
                service: service.0,
                from: from.map(|id| id.0),
                object: object.as_deref().map(Into::into),
                head: (&**head).into(),
                body: body.into(),
            },
            E::RequestChunk(exchange, chunk) => Event::RequestChunk(exchange.0, chunk.into()),
            E::ResponseCredit(exchange, bytes) => Event::ResponseCredit(exchange.0, *bytes),
            E::Cancelled(exchange) => Event::Cancelled(exchange.0),
            E::Scheduled { service, cron, scheduled } => {
                Event::CronDue { service: service.0, cron, scheduled: scheduled.0 }
            }
            E::Response { call, head, body } => {
                Event::Response { call: call.0, head: head.into(), body: body.into() }
            }
            E::ResponseChunk(call, chunk) => Event::ResponseChunk(call.0, chunk.into()),
            E::RequestCredit(call, bytes) => Event::RequestCredit(call.0, *bytes),
            E::Failed(call, error) => Event::Failed(call.0, error.into()),
            E::Timer(timer) => Event::Timer(timer.0),
            E::StoreOpened(result) => Event::StoreOpened(match result {
                Ok(alarms) => Ok(alarms.iter().map(|(key, at)| (key.into(), at.0)).collect()),
                Err(error) => Err(error.into()),
            }),
            E::Loaded(result) => Event::Loaded(match result {
                Ok(image) => Ok(image.as_ref().map(Image::from)),
                Err(error) => Err(error.into()),
            }),
            E::Committed(number, result) => {
                Event::Committed(*number, result.as_ref().copied().map_err(StorageError::from))
            }
            E::Alarm { scheduled, retry } => Event::Alarm { scheduled: scheduled.0, retry: *retry },
            E::Begin(inputs) => Event::Begin((&**inputs).into()),
            E::Deploy(version) => Event::Deploy(*version),
            E::Misfire(timer, times) => Event::Misfire(timer.0, *times),
            E::Evict { exchange, kind } => {
                Event::Evict { exchange: exchange.map(|it| it.0), kind: (*kind).into() }
            }
            E::Message(from, message) => Event::Message(from.0, (&**message).into()),
            E::Leased(number, result) => {
                let records = result.as_ref().map(|all| all.iter().map(Into::into).collect());
                Event::Leased(*number, records.map_err(Into::into))
            }
        }
    }
}

impl<'a> From<&'a core::Effect> for Effect<'a> {
    fn from(effect: &'a core::Effect) -> Effect<'a> {
        use core::Effect as E;
        match effect {
            E::Fetch { call, target, head, body } => Effect::Fetch {
                call: call.0,
                target: target.into(),
                head: (&**head).into(),
                body: body.into(),
            },
            E::RequestChunk(call, chunk) => Effect::RequestChunk(call.0, chunk.into()),
            E::ResponsePull(call, bytes) => Effect::ResponsePull(call.0, *bytes),
            E::Cancel(call) => Effect::Cancel(call.0),
            E::Respond { exchange, head, body } => {
                Effect::Respond { exchange: exchange.0, head: head.into(), body: body.into() }
            }
            E::ResponseChunk(exchange, chunk) => Effect::ResponseChunk(exchange.0, chunk.into()),
            E::RequestPull(exchange, bytes) => Effect::RequestPull(exchange.0, *bytes),
            E::SetTimer(timer, after) => {
                Effect::SetTimer { timer: timer.0, seconds: after.as_secs(), nanos: after.subsec_nanos() }
            }
            E::ClearTimer(timer) => Effect::ClearTimer(timer.0),
            E::Log(level, text) => {
                let level = match level {
                    core::Level::Debug => Level::Debug,
                    core::Level::Info => Level::Info,
                    core::Level::Warn => Level::Warn,
                    core::Level::Error => Level::Error,
                };
                Effect::Log(level, text)
            }
            E::Check(check) => Effect::Check((&**check).into()),
            E::Drawn(drawn) => Effect::Drawn((&**drawn).into()),
            E::PhaseDone => Effect::PhaseDone,
            E::Ended(instance, fault) => Effect::Ended(instance.0, (&**fault).into()),
            E::Stopped => Effect::Stopped,
            E::Load(key) => Effect::Load((&**key).into()),
            E::Commit(number, key, changes) => Effect::Commit(*number, (&**key).into(), (&**changes).into()),
            E::AlarmDone(is_ok) => Effect::AlarmDone(*is_ok),
            E::Exclusive(is_on) => Effect::Exclusive(*is_on),
            E::Sync(timer) => Effect::Sync(timer.0),
            E::SetTrigger(timer, trigger, after) => Effect::SetTrigger {
                timer: timer.0,
                trigger: match trigger {
                    core::Trigger::Cron => Trigger::Cron,
                    core::Trigger::Alarm => Trigger::Alarm,
                },
                seconds: after.as_secs(),
                nanos: after.subsec_nanos(),
            },
            E::Send(to, message) => Effect::Send(to.0, (&**message).into()),
            E::Lease(call) => Effect::Lease((&**call).into()),
        }
    }
}

impl<'a> From<&'a core::Note> for Note<'a> {
    fn from(note: &'a core::Note) -> Note<'a> {
        let kind = match note.kind {
            core::NoteKind::FaultBegins => NoteKind::FaultBegins,
            core::NoteKind::FaultEnds => NoteKind::FaultEnds,
            core::NoteKind::Fault => NoteKind::Fault,
            core::NoteKind::Carries { exchange, caller, call } => {
                NoteKind::Carries { exchange: exchange.0, caller: caller.into(), call: call.0 }
            }
            core::NoteKind::Info => NoteKind::Info,
        };
        Note { at: note.at.0, kind, text: &note.text }
    }
}

fn headers(headers: &core::Headers) -> Vec<(&str, Bin<'_>)> {
    headers.0.iter().map(|(name, value)| (name.as_str(), Bin(value.as_bytes()))).collect()
}

impl<'a> From<&'a core::RequestHead> for RequestHead<'a> {
    fn from(head: &'a core::RequestHead) -> RequestHead<'a> {
        RequestHead { method: head.method.as_str(), url: &head.url, headers: headers(&head.headers) }
    }
}

impl<'a> From<&'a core::ResponseHead> for ResponseHead<'a> {
    fn from(head: &'a core::ResponseHead) -> ResponseHead<'a> {
        ResponseHead { status: head.status.as_u16(), headers: headers(&head.headers) }
    }
}

impl<'a> From<&'a core::Body> for Body<'a> {
    fn from(body: &'a core::Body) -> Body<'a> {
        match body {
            core::Body::Empty => Body::Empty,
            core::Body::Full(bytes) => Body::Full(Bin(bytes)),
            core::Body::Stream => Body::Stream,
        }
    }
}

impl<'a> From<&'a core::Chunk> for Chunk<'a> {
    fn from(chunk: &'a core::Chunk) -> Chunk<'a> {
        match chunk {
            core::Chunk::Data(bytes) => Chunk::Data(Bin(bytes)),
            core::Chunk::End => Chunk::End,
            core::Chunk::Abort(why) => Chunk::Abort(why),
        }
    }
}

impl<'a> From<&'a core::NetError> for NetError<'a> {
    fn from(error: &'a core::NetError) -> NetError<'a> {
        match error {
            core::NetError::Denied(why) => NetError::Denied(why),
            core::NetError::Unknown(why) => NetError::Unknown(why),
            core::NetError::Refused => NetError::Refused,
            core::NetError::Reset => NetError::Reset,
            core::NetError::TimedOut => NetError::TimedOut,
            core::NetError::Broken(why) => NetError::Broken(why),
        }
    }
}

impl<'a> From<&'a core::Target> for Target<'a> {
    fn from(target: &'a core::Target) -> Target<'a> {
        match target {
            core::Target::Url => Target::Url,
            core::Target::Binding(name) => Target::Binding(name),
            core::Target::Service(node, service, by) => Target::Service(node.0, service.0, by.map(|s| s.0)),
            core::Target::Object(name, id) => Target::Object(name, id.0),
            core::Target::Owner(node, service, by, key) => {
                Target::Owner(node.0, service.0, by.map(|s| s.0), key.as_ref().into())
            }
            core::Target::Outside(host) => Target::Outside(host),
            core::Target::Refused(error) => Target::Refused(error.into()),
        }
    }
}

impl<'a> From<&'a core::Check> for Check<'a> {
    fn from(check: &'a core::Check) -> Check<'a> {
        let kind = match check.kind {
            core::CheckKind::Always => CheckKind::Always,
            core::CheckKind::Sometimes => CheckKind::Sometimes,
            core::CheckKind::Reachable => CheckKind::Reachable,
            core::CheckKind::Unreachable => CheckKind::Unreachable,
            core::CheckKind::Coverage => CheckKind::Coverage,
        };
        Check {
            kind,
            holds: check.holds,
            message: &check.message,
            details: check.details.as_deref(),
            location: check.location.as_ref().map(Location::from),
        }
    }
}

impl<'a> From<&'a core::Fault> for Fault<'a> {
    fn from(fault: &'a core::Fault) -> Fault<'a> {
        Fault {
            kind: fault.kind.into(),
            message: &fault.message,
            location: fault.location.as_ref().map(Location::from),
        }
    }
}

impl From<core::FaultKind> for FaultKind {
    fn from(kind: core::FaultKind) -> FaultKind {
        match kind {
            core::FaultKind::Budget => FaultKind::Budget,
            core::FaultKind::Memory => FaultKind::Memory,
            core::FaultKind::Stack => FaultKind::Stack,
            core::FaultKind::Load => FaultKind::Load,
            core::FaultKind::Panic => FaultKind::Panic,
            core::FaultKind::Abort => FaultKind::Abort,
            core::FaultKind::Storage => FaultKind::Storage,
            core::FaultKind::Evicted => FaultKind::Evicted,
            core::FaultKind::Moved => FaultKind::Moved,
        }
    }
}

impl<'a> From<&'a core::Location> for Location<'a> {
    fn from(location: &'a core::Location) -> Location<'a> {
        Location { file: &location.file, line: location.line, column: location.column }
    }
}
