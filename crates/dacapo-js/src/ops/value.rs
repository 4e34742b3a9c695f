//! Values as such: structured clone, promises, stacks.

use super::{Args, Return, Scope, v8_string};

struct Cloner;

impl v8::ValueSerializerImpl for Cloner {
    fn throw_data_clone_error<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        message: v8::Local<'s, v8::String>,
    ) {
        // V8 quotes functions as they run: what loading has put into them is nobody's business.
        let text = message.to_rust_string_lossy(scope);
        let message = v8_string(scope, crate::load::clone_error(&text));
        let error = v8::Exception::error(scope, message);
        if let Ok(object) = v8::Local::<v8::Object>::try_from(error) {
            let key = v8_string(scope, "name");
            let name = v8_string(scope, "DataCloneError");
            object.create_data_property(scope, key.into(), name.into());
        }
        scope.throw_exception(error);
    }
}

impl v8::ValueDeserializerImpl for Cloner {}

/// The structured clone of a value; buffers in the list of the second argument move.
pub(super) fn clone<'s>(scope: &mut v8::PinScope<'s, '_>, args: Args<'s>, mut result: Return<'_>) {
    use v8::{ValueDeserializerHelper as _, ValueSerializerHelper as _};
    let context = scope.get_current_context();
    let mut buffers = Vec::new();
    if let Ok(list) = v8::Local::<v8::Array>::try_from(args.get(1)) {
        for at in 0..list.length() {
            let buffer = list.get_index(scope, at).map(v8::Local::<v8::ArrayBuffer>::try_from);
            match buffer {
                Some(Ok(buffer)) if !buffer.was_detached() && !buffers.contains(&buffer) => {
                    buffers.push(buffer)
                }
                _ => {
                    let message =
                        v8_string(scope, "only an ArrayBuffer that is not detached can be transferred, once");
                    v8::ValueSerializerImpl::throw_data_clone_error(&Cloner, scope, message);
                    return;
                }
            }
        }
    }
    let serializer = v8::ValueSerializer::new(scope, Box::new(Cloner));
    serializer.write_header();
    for (at, buffer) in buffers.iter().enumerate() {
        serializer.transfer_array_buffer(at as u32, *buffer);
    }
    if serializer.write_value(context, args.get(0)) != Some(true) {
        return;
    }
    let bytes = serializer.release();
    let deserializer = v8::ValueDeserializer::new(scope, Box::new(Cloner), &bytes);
    if deserializer.read_header(context) != Some(true) {
        return;
    }
    for (at, buffer) in buffers.iter().enumerate() {
        let store = buffer.get_backing_store();
        buffer.detach(None);
        let moved = v8::ArrayBuffer::with_backing_store(scope, &store);
        deserializer.transfer_array_buffer(at as u32, moved);
    }
    if let Some(value) = deserializer.read_value(context) {
        result.set(value);
    }
}

/// A value as bytes, in V8's own format for structured clones. Throws what cannot be cloned.
pub(super) fn serialize_bytes(scope: Scope<'_, '_, '_>, value: v8::Local<'_, v8::Value>) -> Option<Vec<u8>> {
    use v8::ValueSerializerHelper as _;
    let context = scope.get_current_context();
    let serializer = v8::ValueSerializer::new(scope, Box::new(Cloner));
    serializer.write_header();
    let value = v8::Local::new(scope, value);
    (serializer.write_value(context, value) == Some(true)).then(|| serializer.release())
}

/// The value of such bytes. Bytes that are not of this format throw.
pub(super) fn deserialize_bytes<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    bytes: &[u8],
) -> Option<v8::Local<'s, v8::Value>> {
    use v8::ValueDeserializerHelper as _;
    let context = scope.get_current_context();
    let deserializer = v8::ValueDeserializer::new(scope, Box::new(Cloner), bytes);
    if deserializer.read_header(context) != Some(true) {
        return None;
    }
    deserializer.read_value(context)
}

pub(super) fn serialize(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    if let Some(bytes) = serialize_bytes(scope, args.get(0)) {
        result.set(super::uint8_array(scope, bytes).into());
    }
}

pub(super) fn deserialize<'s>(scope: &mut v8::PinScope<'s, '_>, args: Args<'s>, mut result: Return<'_>) {
    let bytes = super::bytes_of(args.get(0)).unwrap_or_default();
    if let Some(value) = deserialize_bytes(scope, &bytes) {
        result.set(value);
    }
}

/// `error.stack`, or nothing where the value has none.
pub(super) fn stack_of(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let Ok(error) = v8::Local::<v8::Object>::try_from(args.get(0)) else { return };
    if !error.is_native_error() {
        return;
    }
    let key = v8_string(scope, "stack");
    if let Some(stack) = error.get(scope, key.into()).filter(|stack| stack.is_string()) {
        result.set(stack);
    }
}

pub(super) fn is_promise(_: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    result.set_bool(args.get(0).is_promise());
}

pub(super) fn promise_state(_: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let state = match v8::Local::<v8::Promise>::try_from(args.get(0)).map(|promise| promise.state()) {
        Ok(v8::PromiseState::Fulfilled) => 1,
        Ok(v8::PromiseState::Rejected) => 2,
        _ => 0,
    };
    result.set_int32(state);
}
