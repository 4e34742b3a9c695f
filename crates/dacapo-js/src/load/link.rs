//! The last check of a program: V8 compiles every module and links them all, so that syntax errors
//! and missing exports are found before anything runs. What V8 compiled is kept for instances.

use std::cell::RefCell;
use std::rc::Rc;

use dacapo_core::{Entropy, LoadError, Location};

use super::Bundle;
use crate::host::isolate::{Compiled, Pool};
use crate::instance::context::{self, Parts};
use crate::instance::guest::{Guest, Running};
use crate::instance::module;

/// Memory of an isolate that only compiles.
pub(super) const MEMORY: usize = 128 << 20;

pub(super) fn link(pool: &Rc<Pool>, bundle: &Rc<Bundle>) -> Result<(), LoadError> {
    let lease = pool.take(MEMORY);
    let compiled = Rc::new(Compiled { modules: RefCell::new(vec![None; bundle.modules.len()]) });
    let mut guest = Guest::new(Rc::clone(bundle), &Entropy([0; 32]), &lease);
    guest.compiled = Some(Rc::clone(&compiled));
    let guest = Rc::new(RefCell::new(guest));
    let _running = Running::new(&guest);
    let mut isolate = lease.enter();
    v8::scope!(let scope, &mut *isolate);
    let Some((context, _)) = context::from_snapshot(scope, None, &Parts::new()) else {
        return Err(super::plain("V8 made no context from its snapshot".to_owned()));
    };
    let scope = &mut v8::ContextScope::new(scope, context);
    v8::tc_scope!(let scope, scope);
    for (index, source) in bundle.modules.iter().enumerate() {
        let Some(module) = module::module(scope, &compiled, index) else {
            return Err(error(scope, bundle));
        };
        let cache = module.get_unbound_module_script(scope).create_code_cache();
        *source.cache.borrow_mut() = cache.map(|cache| cache.to_vec());
    }
    let linked = module::module(scope, &compiled, 0)
        .and_then(|entry| entry.instantiate_module(scope, module::resolve));
    match linked {
        Some(true) => Ok(()),
        _ => Err(error(scope, bundle)),
    }
}

/// What V8 does not like, with its place in the source.
fn error(
    scope: &mut v8::PinnedRef<'_, v8::TryCatch<'_, '_, v8::HandleScope<'_>>>,
    bundle: &Bundle,
) -> LoadError {
    let Some(message) = scope.message() else {
        return super::plain("V8 does not accept the program, and does not say why".to_owned());
    };
    let text = message.get(scope).to_rust_string_lossy(scope);
    let text =
        text.strip_prefix("Uncaught SyntaxError: ").or(text.strip_prefix("Uncaught ")).unwrap_or(&text);
    let file = message.get_script_resource_name(scope).map(|name| name.to_rust_string_lossy(scope));
    let line = message.get_line_number(scope).unwrap_or(1) as u32;
    let column = message.get_start_column() as u32 + 1;
    let location: Option<Location> = file.and_then(|file| bundle.location(&file, line, column));
    let source_text = location.as_ref().and_then(|location| bundle.text_at(location));
    let help = text
        .contains("does not provide an export named")
        .then(|| "check the name, or use `import type` if it is a type".to_owned());
    let message = text.replace(super::SCHEME, "");
    LoadError { message, location, source_text, help }
}
