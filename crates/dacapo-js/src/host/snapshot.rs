//! The startup snapshot: a context in which the platform library has been evaluated.
//!
//! It is made once per process, when the first engine is, and every context starts from it.

use std::sync::OnceLock;

use dacapo_core::{Digest, digest_of};

use crate::host::clock::VirtualClock;
use crate::host::process::EngineError;
use crate::ops;

/// The files of the platform library, in their order: name, part and text. What belongs to a part is compiled, and not
/// evaluated before somebody needs the part.
static LIBRARY: &[(&str, Option<&str>, &str)] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// What the engine itself adds, after the library: see the file.
const ENGINE: (&str, Option<&str>, &str) = ("engine.js", None, include_str!("../engine.js"));
/// Names that probes use: script-scoped, so that no guest can reach them by way of `globalThis`.
const PROBES: (&str, &str) = ("probes.js", include_str!("../probes.js"));

/// Index of the object that [`ENGINE`] returns among the data of the context.
pub(crate) const ENGINE_DATA: usize = 0;

/// The blob, and what it refers to.
pub(crate) struct Snapshot {
    pub(crate) blob: &'static [u8],
    pub(crate) references: &'static [v8::ExternalReference],
    /// Stands for the library and for V8 itself.
    pub(crate) digest: Digest,
}

// SAFETY: the references are addresses of functions, and never change.
unsafe impl Sync for Snapshot {}
// SAFETY: as above.
unsafe impl Send for Snapshot {}

static SNAPSHOT: OnceLock<Result<Snapshot, EngineError>> = OnceLock::new();

/// The snapshot of this process. V8 must have been started.
pub(crate) fn get() -> Result<&'static Snapshot, EngineError> {
    SNAPSHOT.get_or_init(make).as_ref().map_err(Clone::clone)
}

fn make() -> Result<Snapshot, EngineError> {
    let _clock = VirtualClock::show(dacapo_core::WallTime::SIM_START, true);
    let mut references: Vec<v8::ExternalReference> =
        ops::table().iter().map(|(_, function)| v8::ExternalReference { function: *function }).collect();
    references.push(v8::ExternalReference { pointer: std::ptr::null_mut() });
    let references: &'static [v8::ExternalReference] = references.leak();
    let mut isolate = v8::Isolate::snapshot_creator(Some(references.into()), None);
    let evaluated = {
        v8::scope!(let scope, &mut isolate);
        let context = v8::Context::new(scope, v8::ContextOptions::default());
        let scope = &mut v8::ContextScope::new(scope, context);
        let evaluated = evaluate(scope);
        scope.set_default_context(context);
        if let Some(engine) = evaluated.as_ref().ok().copied() {
            scope.add_context_data(context, engine);
        }
        evaluated.map(|_| ())
    };
    // The creator must make its blob even when that is of no use.
    let blob = isolate.create_blob(v8::FunctionCodeHandling::Keep);
    evaluated.map_err(EngineError::Library)?;
    let blob = blob.ok_or_else(|| EngineError::Library("V8 made no snapshot of it".to_owned()))?;
    // Not the flags: those that differ between the profiles are those that no guest can notice,
    // and a recording made while serving must replay in the simulator's profile.
    // Not the flags that differ between profiles: what was recorded under one replays under the other.
    let digest = digest_of(&(LIBRARY, ENGINE, PROBES, v8::V8::get_version()));
    Ok(Snapshot { blob: blob.to_vec().leak(), references, digest })
}

fn evaluate<'s>(scope: &mut v8::PinScope<'s, '_>) -> Result<v8::Local<'s, v8::Object>, String> {
    let ops = v8::Object::new(scope);
    for (name, function) in ops::table() {
        let key = text(scope, name);
        let function = v8::Function::new_raw(scope, function).ok_or("no function")?;
        function.set_name(key);
        ops.set(scope, key.into(), function.into());
    }
    let lib = v8::Object::new(scope);
    let probes = run(scope, PROBES.0, PROBES.1)?;
    let key = text(scope, "probes");
    lib.set(scope, key.into(), probes);
    let mut result = None;
    let parts = v8::Object::new(scope);
    let key = text(scope, "parts");
    lib.set(scope, key.into(), parts.into());
    for (name, part, source) in LIBRARY.iter().chain([&ENGINE]) {
        let function = run(scope, name, source)?;
        let function: v8::Local<v8::Function> =
            function.try_into().map_err(|_| format!("{name} is not a function"))?;
        if let Some(part) = part {
            put_off(scope, parts, part, function);
            continue;
        }
        v8::tc_scope!(let caught, scope);
        let this = v8::undefined(caught).into();
        match function.call(caught, this, &[ops.into(), lib.into()]) {
            Some(value) => result = Some(value),
            None => return Err(describe(caught, name)),
        }
    }
    let result = result.and_then(|value| v8::Local::<v8::Object>::try_from(value).ok());
    result.ok_or_else(|| format!("{} returns no object", ENGINE.0))
}

/// Adds a file to those of its part.
fn put_off<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    parts: v8::Local<'s, v8::Object>,
    part: &str,
    function: v8::Local<'s, v8::Function>,
) {
    let key = text(scope, part);
    let known = parts.get(scope, key.into()).and_then(|files| v8::Local::<v8::Array>::try_from(files).ok());
    let files = known.unwrap_or_else(|| v8::Array::new(scope, 0));
    files.set_index(scope, files.length(), function.into());
    parts.set(scope, key.into(), files.into());
}

fn run<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: &str,
    source: &str,
) -> Result<v8::Local<'s, v8::Value>, String> {
    v8::tc_scope!(let caught, scope);
    let resource = text(caught, &format!("dacapo:lib/{name}")).into();
    let origin = v8::ScriptOrigin::new(caught, resource, 0, 0, false, -1, None, false, false, false, None);
    let source = text(caught, source);
    let value = v8::Script::compile(caught, source, Some(&origin)).and_then(|script| script.run(caught));
    value.ok_or_else(|| describe(caught, name))
}

fn describe(caught: &mut v8::PinnedRef<'_, v8::TryCatch<'_, '_, v8::HandleScope<'_>>>, name: &str) -> String {
    let Some(message) = caught.message() else { return format!("{name} fails") };
    let line = message.get_line_number(caught).unwrap_or_default();
    format!("{name}:{line}: {}", message.get(caught).to_rust_string_lossy(caught))
}

fn text<'s>(scope: &mut v8::PinScope<'s, '_>, text: &str) -> v8::Local<'s, v8::String> {
    v8::String::new(scope, text).unwrap_or_else(|| v8::String::empty(scope))
}
