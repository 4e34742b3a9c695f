//! Callbacks that V8 calls while guests run.

use super::guest::{self, Rejection};
use super::module;
use crate::ops::v8_string;

/// Errors that are made within this distance of the stack's limit are stack overflows: V8 makes
/// them on the last frames.
const OVERFLOW_ZONE: usize = 48 << 10;

/// Gives an isolate its callbacks.
pub(crate) fn install(isolate: &mut v8::Isolate) {
    isolate.set_prepare_stack_trace_callback(prepare_stack_trace);
    isolate.set_promise_reject_callback(promise_rejected);
    isolate.set_use_counter_callback(feature_used);
    isolate.set_allow_wasm_code_generation_callback(no_wasm);
    isolate.set_host_initialize_import_meta_object_callback(module::import_meta);
    isolate.set_host_import_module_dynamically_callback(module::import_dynamically);
}

fn prepare_stack_trace<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    error: v8::Local<'s, v8::Value>,
    sites: v8::Local<'s, v8::Array>,
) -> v8::Local<'s, v8::Value> {
    let prepare = guest::with(|guest| guest.prepare.clone()).flatten();
    let Some(prepare) = prepare else { return v8::undefined(scope).into() };
    let prepare = v8::Local::new(scope, prepare);
    let this = v8::undefined(scope).into();
    match prepare.call(scope, this, &[error, sites.into()]) {
        Some(text) => text,
        None => v8::undefined(scope).into(),
    }
}

unsafe extern "C" fn promise_rejected(message: v8::PromiseRejectMessage<'_>) {
    v8::callback_scope!(unsafe scope, &message);
    let promise = message.get_promise();
    let reason = match message.get_event() {
        v8::PromiseRejectEvent::PromiseRejectWithNoHandler => message.get_value(),
        v8::PromiseRejectEvent::PromiseHandlerAddedAfterReject => None,
        // A promise that is settled twice is no error in JavaScript.
        _ => return,
    };
    let rejection = Rejection {
        promise: v8::Global::new(scope, promise),
        reason: reason.map(|reason| v8::Global::new(scope, reason)),
    };
    guest::with(|guest| guest.rejections.push(rejection));
}

/// Called whenever an error object is made: because the flag `--stack-trace-limit` differs from
/// `Error.stackTraceLimit`, V8 counts that as a use of the latter. It is the one moment at which a
/// stack overflow can be told before a guest sees it. (The reference that it is called with must not
/// be used: the crate takes V8's isolate for its own wrapper of it.)
unsafe extern "C" fn feature_used(_isolate: &mut v8::Isolate, feature: v8::UseCounterFeature) {
    if feature != v8::UseCounterFeature::kErrorStackTraceLimit {
        return;
    }
    let here = 0u8;
    let here = &raw const here as usize;
    guest::with(|guest| {
        let fault = if guest.memory.is_buffer_refused() {
            guest.memory.set_exceeded();
            guest::memory_fault()
        } else if here < guest.stack_limit.saturating_add(OVERFLOW_ZONE) {
            guest::stack_fault()
        } else {
            return;
        };
        // Neither is exact, and both weigh more than whatever came before.
        if guest.fault.as_ref().is_none_or(|before| before.kind.is_exact()) {
            guest.fault = Some(fault);
        }
        guest.handle.terminate_execution();
    });
}

/// Code that is not instrumented has no budget, so there is none.
unsafe extern "C" fn no_wasm(
    _context: v8::Local<'_, v8::Context>,
    _source: v8::Local<'_, v8::String>,
) -> bool {
    false
}

/// Throws a `TypeError` with this text.
pub(super) fn type_error<'s>(scope: &mut v8::PinScope<'s, '_>, text: &str) -> v8::Local<'s, v8::Value> {
    let text = v8_string(scope, text);
    v8::Exception::type_error(scope, text)
}
