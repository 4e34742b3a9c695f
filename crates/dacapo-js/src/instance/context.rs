//! Contexts from the startup snapshot.

use std::collections::BTreeSet;

use crate::host::snapshot::ENGINE_DATA;
use crate::ops::name;

/// Names of parts of the platform library, which `lib/order.txt` has.
pub(crate) type Parts = BTreeSet<&'static str>;

/// A new context with these parts of the library, and the object that `engine.js` returned in it.
pub(crate) fn from_snapshot<'s>(
    scope: &mut v8::PinScope<'s, '_, ()>,
    queue: Option<&v8::MicrotaskQueue>,
    parts: &Parts,
) -> Option<(v8::Local<'s, v8::Context>, v8::Local<'s, v8::Object>)> {
    let queue = queue.map(|queue| std::ptr::from_ref(queue).cast_mut());
    let options = v8::ContextOptions { microtask_queue: queue, ..v8::ContextOptions::default() };
    let context = v8::Context::new(scope, options);
    // Code from strings would run without probes.
    context.set_allow_generation_from_strings(false);
    let scope = &mut v8::ContextScope::new(scope, context);
    let engine = scope.get_context_data_from_snapshot_once::<v8::Object>(ENGINE_DATA).ok()?;
    let begin = v8::Local::<v8::Function>::try_from(get(scope, engine, "begin")?).ok()?;
    let parts: Vec<v8::Local<v8::Value>> =
        parts.iter().map(|part| name(scope, part.as_bytes()).into()).collect();
    let parts = v8::Array::new_with_elements(scope, &parts);
    begin.call(scope, engine.into(), &[parts.into()])?;
    Some((context, engine))
}

/// A property of an object that the library made.
pub(crate) fn get<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    key: &str,
) -> Option<v8::Local<'s, v8::Value>> {
    let key = name(scope, key.as_bytes());
    object.get(scope, key.into())
}

/// A function among the properties of an object that the library made.
pub(crate) fn function(
    scope: &mut v8::PinScope<'_, '_>,
    object: v8::Local<'_, v8::Object>,
    key: &str,
) -> Option<v8::Global<v8::Function>> {
    let key = name(scope, key.as_bytes());
    let function = v8::Local::<v8::Function>::try_from(object.get(scope, key.into())?).ok()?;
    Some(v8::Global::new(scope, function))
}
