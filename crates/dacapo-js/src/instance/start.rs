//! Starting an instance: its context, and the first call into it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_core::plan::Workflow;
use dacapo_core::{BindingTo, Boot, Entropy, Time};

use super::Live;
use super::context::{self, Parts};
use super::event::Handler;
use super::guest::{self, Guest};
use crate::host::isolate::{Compiled, Isolate};
use crate::load::Bundle;
use crate::ops::{name, v8_string};

/// Less than this, and a context has no room for itself.
pub(super) const MEMORY_MIN: usize = 16 << 20;

impl Guest {
    /// The state of a guest that has not run yet.
    pub(crate) fn new(program: Rc<Bundle>, entropy: &Entropy, isolate: &Isolate) -> Guest {
        Guest {
            modules: vec![None; program.modules.len()],
            program,
            effects: Vec::new(),
            now: Time::ZERO,
            started: Time::ZERO,
            crypto: entropy.derive("crypto", 0).random(),
            math: entropy.derive("Math.random", 0).random(),
            busy: 0,
            draws: None,
            judge: None,
            storage: None,
            fault: None,
            wants_drained: false,
            decoders: BTreeMap::new(),
            decoder_last: 0,
            rejections: Vec::new(),
            compiled: None,
            prepare: None,
            handle: isolate.handle.clone(),
            stack_limit: isolate.stack_limit,
            memory: isolate.memory.clone(),
        }
    }

    /// Lets go of every handle.
    pub(super) fn clear(&mut self) {
        self.modules.clear();
        self.rejections.clear();
        self.compiled = None;
        self.prepare = None;
    }
}

/// Makes the context of an instance.
pub(super) fn context(
    isolate: &Isolate,
    bundle: &Rc<Bundle>,
    boot: &Boot,
    guest: &mut Guest,
) -> Option<Live> {
    let compiled = {
        let mut programs = isolate.compiled.borrow_mut();
        let fresh = || Rc::new(Compiled { modules: RefCell::new(vec![None; bundle.modules.len()]) });
        Rc::clone(programs.entry(bundle.digest).or_insert_with(fresh))
    };
    guest.compiled = Some(compiled);
    let mut isolate = isolate.enter();
    let queue = v8::MicrotaskQueue::new(&mut isolate, v8::MicrotasksPolicy::Explicit);
    v8::scope!(let scope, &mut *isolate);
    let (context, engine) = context::from_snapshot(scope, Some(&queue), &parts(bundle, boot))?;
    let scope = &mut v8::ContextScope::new(scope, context);
    let enter = context::function(scope, engine, "enter")?;
    guest.prepare = context::function(scope, engine, "prepare");
    if let Some(coverage) = &bundle.coverage {
        let cover = v8::Local::<v8::Function>::try_from(context::get(scope, engine, "cover")?).ok()?;
        let hits = coverage.array(scope)?;
        cover.call(scope, engine.into(), &[hits.into()])?;
    }
    let handlers = v8::Local::<v8::Object>::try_from(context::get(scope, engine, "handlers")?).ok()?;
    let handlers = Handler::NAMES.map(|name| context::function(scope, handlers, name));
    Some(Live { context: v8::Global::new(scope, context), queue, enter, handlers })
}

/// What an instance needs of the library beside what all have.
fn parts(bundle: &Bundle, boot: &Boot) -> Parts {
    let mut parts = bundle.parts.clone();
    parts.extend(boot.bindings.iter().filter_map(|binding| match &binding.to {
        BindingTo::Service | BindingTo::Objects(_) => None,
        BindingTo::Workflows(_) => Some("workflow"),
        BindingTo::Queue(_) => Some("queue"),
        BindingTo::Kv(_) => Some("kv"),
    }));
    if boot.object.as_ref().is_some_and(|object| object.workflow.is_some()) {
        parts.insert("workflow");
    }
    parts
}

/// What `handlers.start` is told: `{ vars, bindings, objects, queues, kv, workflows, name, object }`.
pub(super) fn env<'s>(scope: &mut v8::PinScope<'s, '_>, boot: &Boot) -> v8::Local<'s, v8::Value> {
    let vars = v8::Object::new(scope);
    for (key, json) in &boot.vars {
        let key = v8_string(scope, key);
        let text = v8_string(scope, json);
        v8::tc_scope!(let scope, scope);
        // A value that is not JSON is taken as text.
        let value = v8::json::parse(scope, text).unwrap_or(text.into());
        vars.create_data_property(scope, key.into(), value);
    }
    let mut bindings = Vec::with_capacity(boot.bindings.len());
    let [objects, queues, kv, workflows] = [(); 4].map(|()| v8::Object::new(scope));
    for binding in &boot.bindings {
        let key = v8_string(scope, &binding.name);
        let (kind, to) = match &binding.to {
            BindingTo::Service => {
                bindings.push(key.into());
                continue;
            }
            BindingTo::Objects(namespace) => (objects, namespace),
            BindingTo::Queue(queue) => (queues, queue),
            BindingTo::Kv(namespace) => (kv, namespace),
            BindingTo::Workflows(namespace) => (workflows, namespace),
        };
        let to = v8_string(scope, to);
        kind.create_data_property(scope, key.into(), to.into());
    }
    let bindings = v8::Array::new_with_elements(scope, &bindings);
    let service = v8_string(scope, &boot.name);
    let object = object(scope, boot);
    let env = v8::Object::new(scope);
    for (key, value) in [
        ("vars", vars.into()),
        ("bindings", bindings.into()),
        ("objects", objects.into()),
        ("queues", queues.into()),
        ("kv", kv.into()),
        ("workflows", workflows.into()),
        ("name", service.into()),
        ("object", object),
    ] {
        let key = name(scope, key.as_bytes());
        env.create_data_property(scope, key.into(), value);
    }
    env.into()
}

/// `[class, id, version, name]` of a durable object, else `null`. The version is `null` unless it is a workflow, and
/// the name unless it was found by one.
fn object<'s>(scope: &mut v8::PinScope<'s, '_>, boot: &Boot) -> v8::Local<'s, v8::Value> {
    let Some(object) = &boot.object else { return v8::null(scope).into() };
    let class = v8_string(scope, &object.class).into();
    let id = v8_string(scope, &object.key.id.to_string()).into();
    let version = match &object.workflow {
        None => v8::null(scope).into(),
        Some(Workflow { version: Some(version) }) => v8_string(scope, version).into(),
        Some(Workflow { version: None }) => {
            let digest = guest::with(|guest| guest.program.source.to_string()).unwrap_or_default();
            v8_string(scope, &digest).into()
        }
    };
    let name = match &object.name {
        None => v8::null(scope).into(),
        Some(name) => v8_string(scope, name).into(),
    };
    v8::Array::new_with_elements(scope, &[class, id, version, name]).into()
}
