//! What happened, in words.

use std::time::Duration;

use dacapo_core::{
    Body, Changes, Check, Chunk, Effect, Event, LeaseSwap, Level, Message, Phase, RequestHead, ResponseHead,
    StorageError, Target, Trigger, WallTime,
};

use super::excerpt::{self, clean};
use super::{Line, Style};
use crate::names::Names;

/// An event.
pub(crate) fn event(event: &Event, names: &Names) -> Line {
    let mut line = Line::default();
    match event {
        Event::Boot { incarnation: 0, .. } => line.word(Style::Word, "boot"),
        Event::Boot { incarnation, .. } => {
            line.word(Style::Word, "boot again");
            line.word(Style::Faint, format!("(booted {incarnation} times before)"));
        }
        Event::Crash => line.word(Style::Fault, "crash"),
        Event::Stop => line.word(Style::Word, "asked to stop"),
        Event::Phase(phase) => line.word(Style::Word, format!("phase {phase}")),
        Event::Begin(inputs) => {
            line.word(Style::Word, format!("phase {}", Phase::Setup));
            line.word(Style::Faint, format!("({} decisions of the workload are given)", inputs.given.len()));
        }
        Event::Request { exchange, from, object, head, body, .. } => {
            start(&mut line, "request", exchange);
            request(&mut line, head, body);
            if let Some(key) = object {
                line.word(Style::Faint, format!("for {}", clean(&key.to_string())));
            }
            let from = from.map_or_else(|| "outside".to_owned(), |from| names.service(from));
            line.word(Style::Faint, format!("from {}", clean(&from)));
            content(&mut line, body);
        }
        Event::RequestChunk(exchange, piece) => chunk(&mut line, "request", exchange, piece),
        Event::ResponseCredit(exchange, bytes) => credit(&mut line, "reader is ready", exchange, *bytes),
        Event::Cancelled(exchange) => start(&mut line, "cancelled", exchange),
        Event::Scheduled { cron, .. } => {
            line.word(Style::Word, "scheduled");
            line.word(Style::Excerpt, clean(cron));
        }
        Event::Response { call, head, body } => {
            start(&mut line, "response", call);
            response(&mut line, head, body);
        }
        Event::ResponseChunk(call, piece) => chunk(&mut line, "response", call, piece),
        Event::RequestCredit(call, bytes) => credit(&mut line, "reader is ready", call, *bytes),
        Event::Failed(call, error) => {
            start(&mut line, "failed", call);
            line.word(Style::Bad, clean(&error.to_string()));
        }
        Event::Timer(timer) => start(&mut line, "timer", timer),
        Event::Deploy(version) => line.word(Style::Word, format!("runs version {}", version + 1)),
        Event::Misfire(timer, times) => {
            start(&mut line, "timer", timer);
            line.word(Style::Fault, format!("goes off {times} times"));
        }
        Event::Evict { exchange, kind } => {
            // Whether there is still something to end, the lines below say.
            line.word(Style::Fault, "evict");
            let when = exchange.map_or_else(|| "after its answers".to_owned(), |it| format!("at {it}"));
            line.word(Style::Faint, format!("({kind}, if still at work {when})"));
        }
        Event::StoreOpened(Ok(alarms)) => {
            line.word(Style::Word, "store opened");
            let alarms = match alarms.len() {
                0 => "no alarm is set".to_owned(),
                1 => "1 alarm is set".to_owned(),
                n => format!("{n} alarms are set"),
            };
            line.word(Style::Faint, format!("({alarms})"));
        }
        Event::StoreOpened(Err(error)) => failed(&mut line, "store cannot be opened", error),
        Event::Loaded(Ok(Some(image))) => {
            line.word(Style::Word, "loaded");
            line.word(Style::Faint, format!("({})", excerpt::length(image.bytes.len())));
        }
        Event::Loaded(Ok(None)) => line.word(Style::Word, "loaded: nothing is stored"),
        Event::Loaded(Err(error)) => failed(&mut line, "cannot be loaded", error),
        Event::Committed(number, Ok(())) => start(&mut line, "committed", number),
        Event::Committed(number, Err(error)) => {
            start(&mut line, "commit", number);
            failed(&mut line, "FAILED", error);
        }
        Event::Alarm { retry, .. } => {
            line.word(Style::Word, "alarm");
            if *retry > 0 {
                line.word(Style::Faint, format!("(try {})", retry + 1));
            }
        }
        Event::Message(from, it) => message(&mut line, "from", &names.node(*from), it),
        Event::Leased(number, Ok(records)) => {
            start(&mut line, "leases", number);
            let held = records.iter().filter(|record| record.is_held).count();
            line.word(Style::Faint, format!("({held} of {} held)", records.len()));
        }
        Event::Leased(number, Err(error)) => {
            start(&mut line, "leases", number);
            line.word(Style::Bad, clean(&error.to_string()));
        }
    }
    line
}

/// An effect.
pub(crate) fn effect(effect: &Effect, names: &Names) -> Line {
    let mut line = Line::default();
    match effect {
        Effect::Fetch { call, target, head, body } => {
            start(&mut line, "fetch", call);
            request(&mut line, head, body);
            match target {
                Target::Url => {}
                Target::Binding(name) => line.word(Style::Faint, format!("by {}", clean(name))),
                Target::Service(node, service, _) => {
                    let to = format!("to {} on {}", names.service(*service), names.node(*node));
                    line.word(Style::Faint, clean(&to));
                }
                Target::Object(name, id) => {
                    line.word(Style::Faint, format!("by {} to {id}", clean(name)));
                }
                Target::Owner(node, service, _, key) => {
                    let to = format!("to {key} of {} on {}", names.service(*service), names.node(*node));
                    line.word(Style::Faint, clean(&to));
                }
                Target::Outside(host) => line.word(Style::Faint, format!("to outside {}", clean(host))),
                Target::Refused(error) => {
                    line.word(Style::Bad, format!("refused: {}", clean(&error.to_string())));
                }
            }
            content(&mut line, body);
        }
        Effect::RequestChunk(call, piece) => chunk(&mut line, "request", call, piece),
        Effect::ResponsePull(call, bytes) => credit(&mut line, "ready", call, *bytes),
        Effect::Cancel(call) => start(&mut line, "cancel", call),
        Effect::Respond { exchange, head, body } => {
            start(&mut line, "respond", exchange);
            response(&mut line, head, body);
        }
        Effect::ResponseChunk(exchange, piece) => chunk(&mut line, "response", exchange, piece),
        Effect::RequestPull(exchange, bytes) => credit(&mut line, "ready", exchange, *bytes),
        Effect::SetTimer(timer, after) => {
            start(&mut line, "set timer", timer);
            line.word(Style::Faint, format!("in {after:?}"));
        }
        Effect::SetTrigger(timer, trigger, after) => {
            start(&mut line, &format!("set {}", trigger_name(*trigger)), timer);
            line.word(Style::Faint, format!("in {after:?}"));
        }
        Effect::ClearTimer(timer) => start(&mut line, "clear timer", timer),
        Effect::Log(level, text) => {
            let (style, word) = match level {
                Level::Debug => (Style::Faint, "debug"),
                Level::Info => (Style::Word, "info"),
                Level::Warn => (Style::Word, "warn"),
                Level::Error => (Style::Bad, "error"),
            };
            line.word(style, word);
            line.word(Style::Excerpt, clean(text));
        }
        Effect::Check(it) => check(&mut line, it),
        Effect::Drawn(it) => {
            line.word(Style::Faint, "drawn");
            line.word(Style::Excerpt, clean(&format!("{} = {}", it.key, it.chosen)));
            if let Some(says) = &it.says {
                line.word(Style::Faint, clean(says));
            }
        }
        Effect::PhaseDone => line.word(Style::Word, "phase done"),
        Effect::Ended(instance, fault) => {
            start(&mut line, "ended", instance);
            line.word(Style::Bad, clean(&fault.to_string()));
        }
        Effect::Stopped => line.word(Style::Word, "stopped"),
        Effect::Load(key) => {
            line.word(Style::Word, "load");
            line.word(Style::Plain, clean(&key.to_string()));
        }
        Effect::Commit(number, key, it) => {
            start(&mut line, "commit", number);
            line.word(Style::Plain, format!("of {}", clean(&key.to_string())));
            line.word(Style::Faint, changes(it, names.wall()));
        }
        Effect::AlarmDone(is_ok) => {
            line.word(Style::Word, if *is_ok { "alarm done" } else { "alarm failed" })
        }
        Effect::Exclusive(is_on) => line.word(Style::Word, if *is_on { "alone" } else { "no more alone" }),
        Effect::Sync(timer) => start(&mut line, "sync", timer),
        Effect::Send(to, it) => message(&mut line, "to", &names.node(*to), it),
        Effect::Lease(call) => {
            start(&mut line, "ask for leases", &call.number);
            line.word(Style::Plain, clean(&call.group));
            for swap in &call.swaps {
                let LeaseSwap { key, expected, value, .. } = swap;
                line.word(Style::Faint, clean(&format!("{key}: {expected} → {value:?}")));
            }
        }
    }
    line
}

fn message(line: &mut Line, word: &str, node: &str, message: &Message) {
    line.word(Style::Word, clean(&message.name));
    line.word(Style::Plain, format!("{word} {}", clean(node)));
    line.word(Style::Faint, format!("({})", excerpt::length(message.body.len())));
}

fn failed(line: &mut Line, word: &str, error: &StorageError) {
    line.word(Style::Bad, format!("{word}: {}", clean(&error.message)));
}

/// `wall`: what the node's clock shows, if that is known.
fn changes(changes: &Changes, wall: Option<WallTime>) -> String {
    let bytes: usize = changes.writes.iter().map(|(_, bytes)| bytes.len()).sum();
    let writes = match changes.writes.len() {
        0 if changes.alarm.is_some() => None,
        1 => Some(format!("1 write, {}", excerpt::length(bytes))),
        n => Some(format!("{n} writes, {}", excerpt::length(bytes))),
    };
    let alarm = changes.alarm.map(|alarm| match (alarm, wall) {
        (None, _) => "no alarm".to_owned(),
        (Some(_), None) => "an alarm".to_owned(),
        (Some(at), Some(wall)) if at <= wall => "alarm at once".to_owned(),
        (Some(at), Some(wall)) => {
            format!("alarm in {:?}", Duration::from_nanos(at.0.abs_diff(wall.0)))
        }
    });
    let parts: Vec<String> = writes.into_iter().chain(alarm).collect();
    format!("({})", parts.join(", "))
}

/// What goes off.
pub(super) fn trigger_name(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Cron => "cron",
        Trigger::Alarm => "alarm",
    }
}

fn start(line: &mut Line, word: &str, id: &impl std::fmt::Display) {
    line.word(Style::Word, word);
    line.word(Style::Id, id.to_string());
}

fn request(line: &mut Line, head: &RequestHead, body: &Body) {
    line.word(Style::Word, head.method.as_str());
    line.word(Style::Plain, clean(&head.url));
    length(line, body);
}

fn response(line: &mut Line, head: &ResponseHead, body: &Body) {
    let style = if head.status.as_u16() < 400 { Style::Good } else { Style::Bad };
    line.word(style, head.status.as_str());
    length(line, body);
    content(line, body);
}

fn length(line: &mut Line, body: &Body) {
    match body {
        Body::Empty => {}
        Body::Full(bytes) => line.word(Style::Faint, format!("({})", excerpt::length(bytes.len()))),
        Body::Stream => line.word(Style::Faint, "(stream)"),
    }
}

fn content(line: &mut Line, body: &Body) {
    if let Body::Full(bytes) = body {
        line.word(Style::Excerpt, excerpt::body(bytes));
    }
}

fn chunk(line: &mut Line, word: &str, id: &impl std::fmt::Display, chunk: &Chunk) {
    start(line, word, id);
    match chunk {
        Chunk::Data(bytes) => {
            line.word(Style::Faint, format!("+ {}", excerpt::length(bytes.len())));
            line.word(Style::Excerpt, excerpt::body(bytes));
        }
        Chunk::End => line.word(Style::Word, "body ends"),
        Chunk::Abort(why) => line.word(Style::Bad, format!("body breaks: {}", clean(why))),
    }
}

fn credit(line: &mut Line, word: &str, id: &impl std::fmt::Display, bytes: u32) {
    start(line, word, id);
    line.word(Style::Faint, format!("for {} more", excerpt::length(bytes as usize)));
}

fn check(line: &mut Line, check: &Check) {
    let word = check.kind.name();
    line.word(Style::Word, word);
    line.word(Style::Excerpt, format!("\"{}\"", clean(&check.message)));
    match (check.is_violation(), check.holds) {
        (true, _) => line.word(Style::Bad, "BROKEN"),
        (false, true) => line.word(Style::Good, "holds"),
        (false, false) => line.word(Style::Faint, "not yet"),
    }
    if let Some(details) = &check.details {
        line.word(Style::Faint, clean(details));
    }
    if let Some(location) = &check.location {
        line.word(Style::Faint, format!("({})", clean(&location.to_string())));
    }
}
