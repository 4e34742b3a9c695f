//! Requests and responses that a guest sends.

use bytes::Bytes;
use dacapo_core::plan::NAME_FIELD;
use dacapo_core::{
    Body, CallId, Chunk, Effect, ExchangeId, Headers, ObjectId, RequestHead, ResponseHead, Target,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Args, Return, Scope, bytes_of, id, number, string, text, text_of, throw_type_error};
use crate::instance::guest;

pub(super) fn fetch(scope: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    let Some(target) = target(scope, &args) else { return };
    let method = text(scope, &args, 2);
    let Ok(method) = Method::from_bytes(method.as_bytes()) else {
        return throw_type_error(scope, &format!("{method:?} is not an HTTP method"));
    };
    let url = text(scope, &args, 3);
    let Some(mut headers) = headers(scope, args.get(4)) else { return };
    if let Some(name) = string(scope, &args, 7).and_then(|name| name_field(&name)) {
        headers.0.push((HeaderName::from_static(NAME_FIELD), name));
    }
    let body = body(scope, args.get(5));
    let head = Box::new(RequestHead { method, url, headers });
    guest::push(Effect::Fetch { call: CallId(id(&args, 0)), target, head, body });
}

/// As at Cloudflare, an object is not told of a longer name.
const NAME_MAX: usize = 1024;

fn name_field(name: &str) -> Option<HeaderValue> {
    const SET: &AsciiSet = &CONTROLS.add(b'%');
    let encoded = utf8_percent_encode(name, SET).to_string();
    (name.len() <= NAME_MAX).then(|| HeaderValue::from_str(&encoded).ok())?
}

/// The URL decides, or a binding, or a binding and the id of a durable object.
fn target(scope: Scope<'_, '_, '_>, args: &Args<'_>) -> Option<Target> {
    let Some(binding) = string(scope, args, 1) else { return Some(Target::Url) };
    let Some(id) = string(scope, args, 6) else { return Some(Target::Binding(binding)) };
    match ObjectId::from_text(&id) {
        Some(id) => Some(Target::Object(binding, Box::new(id))),
        None => {
            throw_type_error(scope, &format!("{id:?} is not the id of an object"));
            None
        }
    }
}

pub(super) fn request_chunk(scope: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    let chunk = chunk(scope, args.get(1));
    guest::push(Effect::RequestChunk(CallId(id(&args, 0)), chunk));
}

pub(super) fn response_pull(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    guest::push(Effect::ResponsePull(CallId(id(&args, 0)), number(&args, 1) as u32));
}

pub(super) fn cancel(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    guest::push(Effect::Cancel(CallId(id(&args, 0))));
}

pub(super) fn respond(scope: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    let status = number(&args, 1) as u16;
    let Ok(status) = StatusCode::from_u16(status) else {
        return throw_type_error(scope, &format!("{status} is not an HTTP status"));
    };
    let Some(headers) = headers(scope, args.get(2)) else { return };
    let body = body(scope, args.get(3));
    let head = ResponseHead { status, headers };
    guest::push(Effect::Respond { exchange: ExchangeId(id(&args, 0)), head, body });
}

pub(super) fn response_chunk(scope: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    let chunk = chunk(scope, args.get(1));
    guest::push(Effect::ResponseChunk(ExchangeId(id(&args, 0)), chunk));
}

pub(super) fn request_pull(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    guest::push(Effect::RequestPull(ExchangeId(id(&args, 0)), number(&args, 1) as u32));
}

fn body(scope: Scope<'_, '_, '_>, value: v8::Local<'_, v8::Value>) -> Body {
    if value.is_true() {
        Body::Stream
    } else if let Some(text) = text_of(scope, value) {
        Body::from_bytes(text.into_bytes())
    } else {
        bytes_of(value).map_or(Body::Empty, Body::from_bytes)
    }
}

fn chunk(scope: Scope<'_, '_, '_>, value: v8::Local<'_, v8::Value>) -> Chunk {
    match text_of(scope, value) {
        Some(reason) => Chunk::Abort(reason),
        None => bytes_of(value).map_or(Chunk::End, Chunk::Data),
    }
}

/// The flat array of names and values; throws where a name or a value is not allowed in HTTP.
fn headers(scope: Scope<'_, '_, '_>, value: v8::Local<'_, v8::Value>) -> Option<Headers> {
    let Ok(array) = v8::Local::<v8::Array>::try_from(value) else { return Some(Headers::default()) };
    let mut headers = Vec::with_capacity(array.length() as usize / 2);
    for at in (0..array.length()).step_by(2) {
        let name = array.get_index(scope, at).and_then(|name| one_byte(scope, name));
        let value = array.get_index(scope, at + 1).and_then(|value| one_byte(scope, value));
        let name = name.and_then(|name| HeaderName::from_bytes(&name).ok());
        let value = value.and_then(|value| HeaderValue::from_maybe_shared(value).ok());
        let (Some(name), Some(value)) = (name, value) else {
            throw_type_error(scope, "a header name or value holds a character that HTTP does not allow");
            return None;
        };
        headers.push((name, value));
    }
    Some(Headers(headers))
}

/// A string whose characters are bytes, as header values are in `fetch`.
fn one_byte(scope: &mut v8::Isolate, value: v8::Local<'_, v8::Value>) -> Option<Bytes> {
    let string = v8::Local::<v8::String>::try_from(value).ok()?;
    match v8::ValueView::new(scope, string).data() {
        v8::ValueViewData::OneByte(bytes) => Some(Bytes::copy_from_slice(bytes)),
        v8::ValueViewData::TwoByte(units) => {
            units.iter().map(|unit| u8::try_from(*unit).ok()).collect::<Option<Vec<u8>>>().map(Bytes::from)
        }
    }
}
