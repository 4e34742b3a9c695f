//! The modules of a context: compiling, linking, `import()` and `import.meta`.

use std::rc::Rc;

use super::guest;
use super::watch::type_error;
use crate::host::isolate::{Compiled, CompiledModule};
use crate::load::Bundle;
use crate::ops::v8_string;

/// The module with this index in the context that is current, compiled if it is not yet.
///
/// `None` with an exception pending if V8 does not accept it.
pub(crate) fn module<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    compiled: &Compiled,
    index: usize,
) -> Option<v8::Local<'s, v8::Module>> {
    let known = guest::with(|guest| guest.modules.get(index).cloned().flatten()).flatten();
    if let Some(module) = known {
        return Some(v8::Local::new(scope, module));
    }
    let bundle = guest::with(|guest| Rc::clone(&guest.program))?;
    let source = &bundle.modules[index];
    let before = compiled.modules.borrow().get(index).cloned().flatten();
    let text = match &before {
        Some(before) => v8::Local::new(scope, &before.source),
        None => v8::String::new(scope, &source.code)?,
    };
    let name = v8_string(scope, &source.specifier).into();
    let origin = v8::ScriptOrigin::new(scope, name, 0, 0, false, -1, None, false, false, true, None);
    let cache = source.cache.borrow();
    let module = match cache.as_deref() {
        Some(cache) if before.is_none() => {
            let cache = v8::script_compiler::CachedData::new(cache);
            let mut input = v8::script_compiler::Source::new_with_cached_data(text, Some(&origin), cache);
            let options = v8::script_compiler::CompileOptions::ConsumeCodeCache;
            let reason = v8::script_compiler::NoCacheReason::NoReason;
            v8::script_compiler::compile_module2(scope, &mut input, options, reason)?
        }
        _ => {
            let mut input = v8::script_compiler::Source::new(text, Some(&origin));
            v8::script_compiler::compile_module(scope, &mut input)?
        }
    };
    drop(cache);
    if before.is_none() {
        let code = module.get_unbound_module_script(scope);
        let made =
            CompiledModule { source: v8::Global::new(scope, text), _code: v8::Global::new(scope, code) };
        compiled.modules.borrow_mut()[index] = Some(made);
    }
    let global = v8::Global::new(scope, module);
    guest::with(|guest| guest.modules[index] = Some(global));
    Some(module)
}

/// Answers V8's question which module a specifier means. Specifiers were resolved at load, so
/// every one of them is the name of a module of the bundle.
pub(crate) fn resolve<'s>(
    context: v8::Local<'s, v8::Context>,
    specifier: v8::Local<'s, v8::String>,
    _attributes: v8::Local<'s, v8::FixedArray>,
    _referrer: v8::Local<'s, v8::Module>,
) -> Option<v8::Local<'s, v8::Module>> {
    v8::callback_scope!(unsafe scope, context);
    let specifier = specifier.to_rust_string_lossy(scope);
    let (bundle, compiled) = current()?;
    let Some(index) = bundle.index_of(&specifier) else {
        let error = type_error(scope, &format!("{specifier} is not part of the program"));
        scope.throw_exception(error);
        return None;
    };
    module(scope, &compiled, index)
}

fn current() -> Option<(Rc<Bundle>, Rc<Compiled>)> {
    guest::with(|guest| Some((Rc::clone(&guest.program), guest.compiled.clone()?))).flatten()
}

/// `import(specifier)`.
pub(crate) fn import_dynamically<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    _options: v8::Local<'s, v8::Data>,
    referrer: v8::Local<'s, v8::Value>,
    specifier: v8::Local<'s, v8::String>,
    _attributes: v8::Local<'s, v8::FixedArray>,
) -> Option<v8::Local<'s, v8::Promise>> {
    v8::tc_scope!(let scope, scope);
    let resolver = v8::PromiseResolver::new(scope)?;
    let promise = resolver.get_promise(scope);
    match evaluate(scope, referrer, specifier) {
        // `evaluated` is the promise of the evaluation; what the guest waits for is the namespace.
        Some((evaluated, namespace)) => {
            let done = v8::Function::builder(
                |_: &mut v8::PinScope<'_, '_>,
                 args: v8::FunctionCallbackArguments<'_>,
                 mut result: v8::ReturnValue<'_, v8::Value>| { result.set(args.data()) },
            )
            .data(namespace)
            .build(scope)?;
            let namespace = evaluated.then(scope, done)?;
            resolver.resolve(scope, namespace.into());
        }
        None if scope.has_terminated() => return None,
        None => {
            let error = scope.exception().unwrap_or_else(|| v8::undefined(scope).into());
            scope.reset();
            resolver.reject(scope, error);
        }
    }
    Some(promise)
}

fn evaluate<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    referrer: v8::Local<'s, v8::Value>,
    specifier: v8::Local<'s, v8::String>,
) -> Option<(v8::Local<'s, v8::Promise>, v8::Local<'s, v8::Value>)> {
    let specifier = specifier.to_rust_string_lossy(scope);
    let referrer = referrer.to_rust_string_lossy(scope);
    let (bundle, compiled) = current()?;
    let Some(index) = bundle.index_from(&referrer, &specifier) else {
        let text = format!(
            "Cannot import {specifier:?}: only modules that are named by a literal in an import statement or an \
             import() of the program are part of it"
        );
        let error = type_error(scope, &text);
        scope.throw_exception(error);
        return None;
    };
    let module = module(scope, &compiled, index)?;
    module.instantiate_module(scope, resolve)?;
    let evaluated = v8::Local::<v8::Promise>::try_from(module.evaluate(scope)?).ok()?;
    Some((evaluated, module.get_module_namespace()))
}

/// Fills `import.meta`.
pub(crate) unsafe extern "C" fn import_meta(
    context: v8::Local<'_, v8::Context>,
    module: v8::Local<'_, v8::Module>,
    meta: v8::Local<'_, v8::Object>,
) {
    v8::callback_scope!(unsafe scope, context);
    let found = guest::with(|guest| {
        let at =
            guest.modules.iter().position(|known| known.as_ref().is_some_and(|known| *known == module))?;
        Some(guest.program.modules[at].specifier.clone())
    });
    if let Some(url) = found.flatten() {
        let key = v8_string(scope, "url");
        let url = v8_string(scope, &url);
        meta.create_data_property(scope, key.into(), url.into());
    }
}
