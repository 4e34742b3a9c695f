//! From an event to the handler of the platform library that takes it.

use bytes::Bytes;
use dacapo_core::{Body, Chunk, Draws, Event, Headers, NetError, Phase};

use super::guest;
use crate::ops::{name, uint8_array, v8_string};

/// The handlers, by their names in `lib/README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handler {
    Start,
    Request,
    RequestChunk,
    ResponseCredit,
    RequestCredit,
    Cancelled,
    Response,
    ResponseChunk,
    Failed,
    Timer,
    Scheduled,
    Alarm,
    Phase,
    Stop,
    Drained,
    Rejection,
    Error,
}

impl Handler {
    /// All of them; a handler's place is its number.
    pub(super) const NAMES: [&str; 17] = [
        "start",
        "request",
        "requestChunk",
        "responseCredit",
        "requestCredit",
        "cancelled",
        "response",
        "responseChunk",
        "failed",
        "timer",
        "scheduled",
        "alarm",
        "phase",
        "stop",
        "drained",
        "rejection",
        "error",
    ];
}

/// Whether an event brings new work, which has to wait until the module has been evaluated. The
/// others may be what its top-level `await` waits for.
pub(super) fn is_work(event: &Event) -> bool {
    matches!(
        event,
        Event::Request { .. }
            | Event::RequestChunk(..)
            | Event::ResponseCredit(..)
            | Event::Cancelled(_)
            | Event::Scheduled { .. }
            | Event::Alarm { .. }
            | Event::Phase(_)
            | Event::Begin(_)
            | Event::Stop
    )
}

/// A handler with its arguments, at most five.
pub(super) struct Call<'s> {
    pub(super) handler: Handler,
    arguments: [Option<v8::Local<'s, v8::Value>>; 5],
}

impl<'s> Call<'s> {
    pub(super) fn new<const N: usize>(handler: Handler, given: [v8::Local<'s, v8::Value>; N]) -> Call<'s> {
        let mut arguments = [None; 5];
        arguments.iter_mut().zip(given).for_each(|(argument, given)| *argument = Some(given));
        Call { handler, arguments }
    }

    pub(super) fn arguments(&self) -> impl Iterator<Item = v8::Local<'s, v8::Value>> {
        self.arguments.iter().flatten().copied()
    }
}

/// The call that an event means; `None` for events that are for the runtime.
pub(super) fn call_for<'s>(scope: &mut v8::PinScope<'s, '_>, event: Event) -> Option<Call<'s>> {
    Some(match event {
        Event::Request { exchange, head, body, .. } => {
            let exchange = number(scope, exchange.0);
            let method = name(scope, head.method.as_str().as_bytes()).into();
            let url = v8_string(scope, &head.url).into();
            let headers = headers(scope, &head.headers);
            let body = self::body(scope, body);
            Call::new(Handler::Request, [exchange, method, url, headers, body])
        }
        Event::RequestChunk(exchange, chunk) => {
            let pair = [number(scope, exchange.0), self::chunk(scope, chunk)];
            Call::new(Handler::RequestChunk, pair)
        }
        Event::ResponseCredit(exchange, n) => {
            Call::new(Handler::ResponseCredit, [number(scope, exchange.0), number(scope, n.into())])
        }
        Event::RequestCredit(call, n) => {
            Call::new(Handler::RequestCredit, [number(scope, call.0), number(scope, n.into())])
        }
        Event::Cancelled(exchange) => Call::new(Handler::Cancelled, [number(scope, exchange.0)]),
        Event::Response { call, head, body } => {
            let call = number(scope, call.0);
            let status = number(scope, head.status.as_u16().into());
            let headers = headers(scope, &head.headers);
            let body = self::body(scope, body);
            Call::new(Handler::Response, [call, status, headers, body])
        }
        Event::ResponseChunk(call, chunk) => {
            let pair = [number(scope, call.0), self::chunk(scope, chunk)];
            Call::new(Handler::ResponseChunk, pair)
        }
        Event::Failed(call, error) => {
            let call = number(scope, call.0);
            let code = match &error {
                NetError::Denied(_) => "denied",
                NetError::Unknown(_) => "unknown",
                NetError::Refused => "refused",
                NetError::Reset => "reset",
                NetError::TimedOut => "timeout",
                NetError::Broken(_) => "broken",
            };
            let code = name(scope, code.as_bytes()).into();
            let message = v8_string(scope, &error.to_string()).into();
            Call::new(Handler::Failed, [call, code, message])
        }
        Event::Timer(timer) => Call::new(Handler::Timer, [number(scope, timer.0)]),
        Event::Scheduled { cron, scheduled, .. } => {
            let cron = v8_string(scope, &cron).into();
            let millis = v8::Number::new(scope, scheduled.as_millis() as f64).into();
            Call::new(Handler::Scheduled, [cron, millis])
        }
        Event::Alarm { scheduled, retry } => {
            let millis = v8::Number::new(scope, scheduled.as_millis() as f64).into();
            Call::new(Handler::Alarm, [millis, number(scope, retry.into())])
        }
        Event::Phase(phase) => {
            let phase = v8_string(scope, &phase.to_string()).into();
            Call::new(Handler::Phase, [phase])
        }
        Event::Begin(inputs) => {
            guest::with(|guest| guest.draws = Some(Box::new(Draws::new(*inputs))));
            let phase = v8_string(scope, &Phase::Setup.to_string()).into();
            let is_decided = v8::Boolean::new(scope, true).into();
            Call::new(Handler::Phase, [phase, is_decided])
        }
        Event::Stop => Call::new(Handler::Stop, []),
        Event::Boot { .. }
        | Event::Crash
        | Event::Deploy(_)
        | Event::Misfire(..)
        | Event::Evict { .. }
        | Event::StoreOpened(_)
        | Event::Loaded(_)
        | Event::Message(..)
        | Event::Leased(..)
        | Event::Committed(..) => return None,
    })
}

/// Numbers of things stay far below 2^53.
fn number<'s>(scope: &mut v8::PinScope<'s, '_>, n: u64) -> v8::Local<'s, v8::Value> {
    v8::Number::new(scope, n as f64).into()
}

fn headers<'s>(scope: &mut v8::PinScope<'s, '_>, headers: &Headers) -> v8::Local<'s, v8::Value> {
    let mut flat = Vec::with_capacity(headers.0.len() * 2);
    for (field, value) in &headers.0 {
        flat.push(name(scope, field.as_str().as_bytes()).into());
        let value = v8::String::new_from_one_byte(scope, value.as_bytes(), v8::NewStringType::Normal);
        flat.push(value.unwrap_or_else(|| v8::String::empty(scope)).into());
    }
    v8::Array::new_with_elements(scope, &flat).into()
}

fn bytes<'s>(scope: &mut v8::PinScope<'s, '_>, bytes: Bytes) -> v8::Local<'s, v8::Value> {
    // Bytes that nobody else holds move; others are copied, since a guest may write to its own.
    uint8_array(scope, bytes).into()
}

fn body<'s>(scope: &mut v8::PinScope<'s, '_>, body: Body) -> v8::Local<'s, v8::Value> {
    match body {
        Body::Empty => v8::null(scope).into(),
        Body::Full(content) => bytes(scope, content),
        Body::Stream => v8::Boolean::new(scope, true).into(),
    }
}

fn chunk<'s>(scope: &mut v8::PinScope<'s, '_>, chunk: Chunk) -> v8::Local<'s, v8::Value> {
    match chunk {
        Chunk::Data(content) => bytes(scope, content),
        Chunk::End => v8::null(scope).into(),
        Chunk::Abort(reason) => v8_string(scope, &reason).into(),
    }
}
