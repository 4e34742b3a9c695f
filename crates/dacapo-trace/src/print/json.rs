//! Entries as JSON: whole, with nothing cut, keys in the order of reading.
//!
//! Numbers that may pass 2^53 (wall clocks) are texts, since many readers would round them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dacapo_core::{
    Address, Body, Check, Chunk, Effect, Event, Fault, Headers, Level, Location, Message, NetError, NoteKind,
    ObjectKey, Phase, RequestHead, ResponseHead, Rounds, StorageError, Target,
};
use serde_json::{Map, Value, json};

use super::words::trigger_name;
use crate::names::Names;
use crate::{Ending, Identity, Outcome, Part, Record};

/// One entry.
pub(super) fn record(record: &Record, names: &Names) -> Value {
    let mut object = Map::new();
    object.insert("event".into(), json!(record.event));
    object.insert("at_ns".into(), json!(record.at.0));
    let place = |object: &mut Map<String, Value>, address: Address| {
        object.insert("node".into(), json!(names.node(address.node)));
        object.insert("service".into(), json!(names.at(address)));
        object.insert("address".into(), json!(address.to_string()));
    };
    match &record.part {
        Part::Delivery(delivery) => {
            place(&mut object, delivery.to);
            object.insert("now_ns".into(), json!(delivery.now.0));
            object.insert("wall_ns".into(), json!(delivery.wall.0.to_string()));
            object.insert("in".into(), event(&delivery.event, names));
        }
        Part::Effect(from, it) => {
            place(&mut object, *from);
            object.insert("out".into(), effect(it, names));
        }
        Part::Note(note) => {
            let kind = match note.kind {
                NoteKind::FaultBegins => json!({"kind": "fault begins", "text": &note.text[..]}),
                NoteKind::FaultEnds => json!({"kind": "fault ends", "text": &note.text[..]}),
                NoteKind::Fault => json!({"kind": "fault", "text": &note.text[..]}),
                NoteKind::Carries { exchange, caller, call } => json!({
                    "kind": "carries", "exchange": exchange.0, "caller": caller.to_string(), "call": call.0,
                }),
                NoteKind::Info => json!({"kind": "info", "text": &note.text[..]}),
            };
            object.insert("note".into(), kind);
        }
    }
    Value::Object(object)
}

pub(crate) fn event(event: &Event, names: &Names) -> Value {
    match event {
        // The entropy is a key to everything that the node drew: it stays in the file.
        Event::Boot { incarnation, .. } => json!({"boot": {"incarnation": incarnation}}),
        Event::Crash => json!({"crash": {}}),
        Event::Stop => json!({"stop": {}}),
        Event::Phase(phase) => json!({"phase": {"name": phase.to_string()}}),
        Event::Begin(inputs) => json!({"phase": {
            "name": Phase::Setup.to_string(),
            "given": inputs.given.iter().map(|(key, value)| json!({"decision": key.to_string(), "value": value})).collect::<Vec<_>>(),
            "only_given_rounds": inputs.rounds == Rounds::Given,
            "narrows": inputs.narrows,
            "at_once": inputs.at_once,
        }}),
        Event::Request { exchange, service, from, object, head, body: b } => json!({"request": {
            "exchange": exchange.0, "service": names.service(*service),
            "from": from.map(|from| names.service(from)), "object": object.as_deref().map(key),
            "head": request(head), "body": body(b),
        }}),
        Event::RequestChunk(exchange, it) => {
            json!({"request_chunk": {"exchange": exchange.0, "chunk": chunk(it)}})
        }
        Event::ResponseCredit(exchange, bytes) => {
            json!({"response_credit": {"exchange": exchange.0, "bytes": bytes}})
        }
        Event::Cancelled(exchange) => json!({"cancelled": {"exchange": exchange.0}}),
        Event::Scheduled { service, cron, scheduled } => json!({"scheduled": {
            "service": names.service(*service), "cron": &cron[..], "scheduled_ns": scheduled.0.to_string(),
        }}),
        Event::Deploy(version) => json!({"deploy": {"version": version}}),
        Event::Misfire(timer, times) => json!({"misfire": {"timer": timer.0, "times": times}}),
        Event::Evict { exchange, kind } => {
            json!({"evict": {"exchange": exchange.map(|it| it.0), "kind": kind.to_string()}})
        }
        Event::Response { call, head, body: b } => {
            json!({"response": {"call": call.0, "head": response(head), "body": body(b)}})
        }
        Event::ResponseChunk(call, it) => json!({"response_chunk": {"call": call.0, "chunk": chunk(it)}}),
        Event::RequestCredit(call, bytes) => json!({"request_credit": {"call": call.0, "bytes": bytes}}),
        Event::Failed(call, why) => json!({"failed": {"call": call.0, "error": error(why)}}),
        Event::Timer(timer) => json!({"timer": {"timer": timer.0}}),
        Event::StoreOpened(Ok(alarms)) => {
            let alarms: Value =
                alarms.iter().map(|(it, at)| json!({"object": key(it), "at_ns": at.0.to_string()})).collect();
            json!({"store_opened": {"alarms": alarms}})
        }
        Event::StoreOpened(Err(why)) => json!({"store_opened": {"error": storage_error(why)}}),
        Event::Loaded(Ok(image)) => json!({"loaded": {"image": image.as_ref().map(|image| json!({
            "bytes": {"base64": BASE64_STANDARD.encode(&image.bytes)},
            "alarm_ns": image.alarm.map(|at| at.0.to_string()),
        }))}}),
        Event::Loaded(Err(why)) => json!({"loaded": {"error": storage_error(why)}}),
        Event::Committed(number, result) => {
            json!({"committed": {"number": number, "error": result.as_ref().err().map(storage_error)}})
        }
        Event::Alarm { scheduled, retry } => {
            json!({"alarm": {"scheduled_ns": scheduled.0.to_string(), "retry": retry}})
        }
        Event::Message(from, it) => json!({"message": {"from": names.node(*from), "message": message(it)}}),
        Event::Leased(number, result) => json!({"leased": {
            "number": number, "error": result.as_ref().err().map(error),
            "records": result.iter().flatten().map(|it| json!({
                "key": it.key, "version": it.version, "value": &it.value[..], "held": it.is_held,
            })).collect::<Value>(),
        }}),
    }
}

pub(crate) fn effect(effect: &Effect, names: &Names) -> Value {
    match effect {
        Effect::Fetch { call, target: to, head, body: b } => json!({"fetch": {
            "call": call.0, "target": target(to, names), "head": request(head), "body": body(b),
        }}),
        Effect::RequestChunk(call, it) => json!({"request_chunk": {"call": call.0, "chunk": chunk(it)}}),
        Effect::ResponsePull(call, bytes) => json!({"response_pull": {"call": call.0, "bytes": bytes}}),
        Effect::Cancel(call) => json!({"cancel": {"call": call.0}}),
        Effect::Respond { exchange, head, body: b } => {
            json!({"respond": {"exchange": exchange.0, "head": response(head), "body": body(b)}})
        }
        Effect::ResponseChunk(exchange, it) => {
            json!({"response_chunk": {"exchange": exchange.0, "chunk": chunk(it)}})
        }
        Effect::RequestPull(exchange, bytes) => {
            json!({"request_pull": {"exchange": exchange.0, "bytes": bytes}})
        }
        // As a text, because 64 bits of seconds in nanoseconds pass what JSON readers hold.
        Effect::SetTimer(timer, after) => {
            json!({"set_timer": {"timer": timer.0, "after_ns": after.as_nanos().to_string()}})
        }
        Effect::SetTrigger(timer, trigger, after) => json!({"set_trigger": {
            "timer": timer.0, "for": trigger_name(*trigger), "after_ns": after.as_nanos().to_string(),
        }}),
        Effect::ClearTimer(timer) => json!({"clear_timer": {"timer": timer.0}}),
        Effect::Log(level, text) => {
            let level = match level {
                Level::Debug => "debug",
                Level::Info => "info",
                Level::Warn => "warn",
                Level::Error => "error",
            };
            json!({"log": {"level": level, "text": &text[..]}})
        }
        Effect::Check(it) => json!({"check": check(it)}),
        Effect::Drawn(it) => json!({"drawn": {
            "decision": it.key.to_string(), "value": it.chosen, "range": it.range, "says": it.says.as_deref(),
        }}),
        Effect::PhaseDone => json!({"phase_done": {}}),
        Effect::Ended(instance, it) => json!({"ended": {"instance": instance.0, "fault": fault(it)}}),
        Effect::Stopped => json!({"stopped": {}}),
        Effect::Load(it) => json!({"load": {"object": key(it)}}),
        Effect::Commit(number, it, changes) => json!({"commit": {
            "number": number, "object": key(it), "len": changes.len,
            "writes": changes.writes.iter()
                .map(|(at, it)| json!({"at": at, "bytes": {"base64": BASE64_STANDARD.encode(it)}}))
                .collect::<Value>(),
            "alarm": changes.alarm.map(|alarm| json!({"at_ns": alarm.map(|at| at.0.to_string())})),
        }}),
        Effect::AlarmDone(is_ok) => json!({"alarm_done": {"ok": is_ok}}),
        Effect::Exclusive(is_on) => json!({"exclusive": {"on": is_on}}),
        Effect::Sync(timer) => json!({"sync": {"timer": timer.0}}),
        Effect::Send(to, it) => json!({"send": {"to": names.node(*to), "message": message(it)}}),
        Effect::Lease(call) => json!({"lease": {
            "number": call.number, "group": &call.group[..],
            "swaps": call.swaps.iter().map(|it| json!({
                "key": it.key, "expected": it.expected, "value": &it.value[..],
                "ttl_ns": it.ttl.as_nanos().to_string(),
            })).collect::<Value>(),
        }}),
    }
}

fn message(message: &Message) -> Value {
    json!({"name": &message.name[..], "body": {"base64": BASE64_STANDARD.encode(&message.body)}})
}

fn target(target: &Target, names: &Names) -> Value {
    match target {
        Target::Url => json!("url"),
        Target::Binding(name) => json!({"binding": &name[..]}),
        Target::Service(node, service, _) => {
            json!({"service": names.service(*service), "node": names.node(*node)})
        }
        Target::Object(name, id) => json!({"binding": &name[..], "object": id.to_string()}),
        Target::Owner(node, service, _, it) => {
            json!({"service": names.service(*service), "node": names.node(*node), "object": key(it)})
        }
        Target::Outside(host) => json!({"outside": &host[..]}),
        Target::Refused(why) => json!({"refused": error(why)}),
    }
}

fn key(key: &ObjectKey) -> Value {
    json!({"namespace": &key.namespace[..], "id": key.id.to_string()})
}

fn storage_error(error: &StorageError) -> Value {
    json!({"kind": format!("{:?}", error.kind).to_lowercase(), "text": &error.message[..]})
}

fn error(error: &NetError) -> Value {
    let kind = match error {
        NetError::Denied(_) => "denied",
        NetError::Unknown(_) => "unknown",
        NetError::Refused => "refused",
        NetError::Reset => "reset",
        NetError::TimedOut => "timed out",
        NetError::Broken(_) => "broken",
    };
    json!({"kind": kind, "text": error.to_string()})
}

fn request(head: &RequestHead) -> Value {
    json!({"method": head.method.as_str(), "url": &head.url[..], "headers": headers(&head.headers)})
}

fn response(head: &ResponseHead) -> Value {
    json!({"status": head.status.as_u16(), "headers": headers(&head.headers)})
}

fn headers(headers: &Headers) -> Value {
    headers.0.iter().map(|(name, value)| json!([name.as_str(), bytes(value.as_bytes())])).collect()
}

fn body(body: &Body) -> Value {
    match body {
        Body::Empty => Value::Null,
        Body::Full(it) => bytes(it),
        Body::Stream => json!({"stream": true}),
    }
}

fn chunk(chunk: &Chunk) -> Value {
    match chunk {
        Chunk::Data(it) => bytes(it),
        Chunk::End => json!({"end": true}),
        Chunk::Abort(why) => json!({"abort": &why[..]}),
    }
}

/// A text, if they are one; else an object with base64 in it.
fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({"base64": BASE64_STANDARD.encode(bytes)}),
    }
}

fn check(check: &Check) -> Value {
    let kind = check.kind.name();
    json!({
        "kind": kind, "holds": check.holds, "message": &check.message[..],
        "details": check.details.as_deref(), "location": location(check.location.as_ref()),
    })
}

fn fault(fault: &Fault) -> Value {
    json!({
        "kind": fault.kind.to_string(), "message": &fault.message[..],
        "location": location(fault.location.as_ref()),
    })
}

fn location(location: Option<&Location>) -> Value {
    location.map_or(Value::Null, |l| json!({"file": &l.file[..], "line": l.line, "column": l.column}))
}

/// The identity, for the first line of a JSON output.
pub fn identity(identity: &Identity) -> Value {
    let programs: Map<String, Value> =
        identity.programs.iter().map(|(name, digest)| (name.clone(), json!(digest.to_string()))).collect();
    json!({"identity": {
        "tool": identity.tool, "project": identity.project, "world": identity.world.to_string(),
        "scenario": identity.scenario, "seed": identity.seed.map(|seed| seed.0.to_string()),
        "overrides": identity.overrides, "programs": programs, "engine": identity.engine,
        "plan": identity.plan.to_string(), "nodes": identity.nodes, "services": identity.services,
    }})
}

/// The ending, for the last line of a JSON output.
pub fn ending(ending: &Ending) -> Value {
    match ending {
        Ending::Finished(summary) => {
            let (outcome, why) = match &summary.outcome {
                Outcome::Passed => ("passed", None),
                Outcome::Failed(why) => ("failed", Some(why)),
                Outcome::Stopped(why) => ("stopped", Some(why)),
            };
            json!({"ending": {
                "outcome": outcome, "why": why, "digest": summary.digest.to_string(),
                "events": summary.events, "effects": summary.effects, "end_ns": summary.end.0,
            }})
        }
        Ending::Cut { event, offset } => json!({"ending": {
            "outcome": "cut", "events": event, "offset": offset,
        }}),
    }
}
