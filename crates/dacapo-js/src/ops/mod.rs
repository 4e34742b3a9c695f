//! The native operations that the platform library is built on. Their contract is `lib/README.md`.

mod crypto;
mod guest;
mod input;
mod log;
mod net;
mod object;
mod storage;
mod text;
mod time;
mod url;
mod value;

use bytes::Bytes;
use bytestring::ByteString;

type Args<'s> = v8::FunctionCallbackArguments<'s>;
type Return<'s> = v8::ReturnValue<'s, v8::Value>;
type Scope<'a, 's, 'i> = &'a mut v8::PinScope<'s, 'i>;

/// Every operation by its name.
pub(crate) fn table() -> Vec<(&'static str, v8::FunctionCallback)> {
    use v8::MapFnTo as _;
    macro_rules! table {
        ($($name:literal: $function:path,)*) => { vec![$(($name, $function.map_fn_to())),*] };
    }
    table! {
        "fetch": net::fetch,
        "requestChunk": net::request_chunk,
        "responsePull": net::response_pull,
        "cancel": net::cancel,
        "respond": net::respond,
        "responseChunk": net::response_chunk,
        "requestPull": net::request_pull,
        "setTimer": time::set_timer,
        "clearTimer": time::clear_timer,
        "now": time::now,
        "random": crypto::random,
        "randomNumbers": crypto::random_numbers,
        "uuid": crypto::uuid,
        "digest": crypto::digest,
        "log": log::log,
        "check": log::check,
        "judge": log::judge,
        "phaseDone": log::phase_done,
        "busy": log::busy,
        "within": input::within,
        "draw": input::draw,
        "left": input::left,
        "driversLeft": input::drivers_left,
        "round": input::round,
        "areAtOnce": input::are_at_once,
        "hasRound": input::has_round,
        "pause": input::pause,
        "clientName": input::client,
        "roundName": input::round_cause,
        "urlParse": url::parse,
        "urlSet": url::set,
        "urlencodedParse": url::urlencoded_parse,
        "urlencodedSerialize": url::urlencoded_serialize,
        "utf8Encode": text::utf8_encode,
        "utf8EncodeInto": text::utf8_encode_into,
        "decoderNew": text::decoder_new,
        "decode": text::decode,
        "clone": value::clone,
        "serialize": value::serialize,
        "deserialize": value::deserialize,
        "stackOf": value::stack_of,
        "isPromise": value::is_promise,
        "promiseState": value::promise_state,
        "objectIdFromName": object::id_from_name,
        "objectIdUnique": object::id_unique,
        "objectIdIsKnown": object::id_is_known,
        "abort": object::abort,
        "exclusive": storage::exclusive,
        "alarmDone": storage::alarm_done,
        "storageGet": storage::get,
        "storagePut": storage::put,
        "storageDelete": storage::delete,
        "storageList": storage::list,
        "storageDeleteAll": storage::delete_all,
        "storageSql": storage::sql,
        "storageSize": storage::size,
        "storageTransaction": storage::transaction,
        "storageAlarm": storage::alarm,
        "storageBookmark": storage::bookmark,
        "storageSetAlarm": storage::set_alarm,
        "storageSync": storage::sync,
        "position": guest::position,
        "place": guest::place,
        "quote": guest::quote,
        "afterDrained": guest::after_drained,
        "spent": guest::spent,
        "overflowed": guest::overflowed,
    }
}

/// An argument as a number; 0 for anything else.
fn number(args: &Args<'_>, at: i32) -> f64 {
    v8::Local::<v8::Number>::try_from(args.get(at)).map_or(0.0, |number| number.value())
}

/// An argument as the number of a call, an exchange or a timer.
fn id(args: &Args<'_>, at: i32) -> u64 {
    number(args, at) as u64
}

/// An argument as text, if it is a string.
fn string(scope: Scope<'_, '_, '_>, args: &Args<'_>, at: i32) -> Option<ByteString> {
    text_of(scope, args.get(at))
}

/// A value as text, if it is a string.
pub(crate) fn text_of(scope: &mut v8::Isolate, value: v8::Local<'_, v8::Value>) -> Option<ByteString> {
    let string = v8::Local::<v8::String>::try_from(value).ok()?;
    let view = v8::ValueView::new(scope, string);
    Some(ByteString::from(view.to_cow_lossy().as_ref()))
}

/// An argument as text, or an empty one.
fn text(scope: Scope<'_, '_, '_>, args: &Args<'_>, at: i32) -> ByteString {
    string(scope, args, at).unwrap_or_default()
}

/// The bytes of an argument that is a view or a buffer.
fn bytes_of(value: v8::Local<'_, v8::Value>) -> Option<Bytes> {
    if let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(value) {
        let mut bytes = vec![0; view.byte_length()];
        view.copy_contents(&mut bytes);
        return Some(bytes.into());
    }
    let buffer = v8::Local::<v8::ArrayBuffer>::try_from(value).ok()?;
    let store = buffer.get_backing_store();
    Some(store.iter().map(std::cell::Cell::get).collect::<Vec<u8>>().into())
}

/// A `Uint8Array` with these bytes.
pub(crate) fn uint8_array<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    bytes: impl Into<Vec<u8>>,
) -> v8::Local<'s, v8::Uint8Array> {
    let bytes = bytes.into();
    let length = bytes.len();
    let store = v8::ArrayBuffer::new_backing_store_from_vec(bytes).make_shared();
    let buffer = v8::ArrayBuffer::with_backing_store(scope, &store);
    v8::Uint8Array::new(scope, buffer, 0, length).expect("the array covers its whole buffer")
}

/// A string for V8; text that is too long for it becomes empty.
pub(crate) fn v8_string<'s>(scope: &mut v8::PinScope<'s, '_>, text: &str) -> v8::Local<'s, v8::String> {
    v8::String::new(scope, text).unwrap_or_else(|| v8::String::empty(scope))
}

/// A short string that occurs again and again: V8 keeps one of it.
pub(crate) fn name<'s>(scope: &mut v8::PinScope<'s, '_>, text: &[u8]) -> v8::Local<'s, v8::String> {
    v8::String::new_from_one_byte(scope, text, v8::NewStringType::Internalized)
        .unwrap_or_else(|| v8::String::empty(scope))
}

fn throw_type_error(scope: Scope<'_, '_, '_>, message: &str) {
    let message = v8_string(scope, message);
    let error = v8::Exception::type_error(scope, message);
    scope.throw_exception(error);
}
