//! Modules that the platform itself provides, such as `dacapo:sim`.

use std::cell::RefCell;
use std::rc::Rc;

use dacapo_core::plan;

use super::Module;
use crate::host::isolate::Pool;
use crate::instance::context;
use crate::ops::v8_string;

/// The names, and that is all: what they export is read from the library.
const NAMES: [&str; 4] = ["dacapo:sim", "dacapo:workers", "cloudflare:workers", "cloudflare:workflows"];

/// The modules of the platform's own services: no guest imports them.
const SERVICES: [&str; 2] = [plan::QUEUES, plan::KV];

/// Whether a service of the platform has a module of this name.
pub(super) fn is_service(name: &str) -> bool {
    SERVICES.contains(&name)
}

/// Whether there is a module of this name.
pub(super) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The part of the platform library that has a module.
pub(super) fn part(name: &str) -> Option<&'static str> {
    match name {
        "dacapo:sim" => Some("sim"),
        plan::QUEUES => Some("queue"),
        plan::KV => Some("kv"),
        _ => None,
    }
}

/// A module that exports what the library has under `lib.modules[name]`.
pub(super) fn module(pool: &Rc<Pool>, name: &str) -> Module {
    let mut code = format!("const it = __dacapo$modules[{name:?}];\n");
    for export in exports(pool, name) {
        if export == "default" {
            code.push_str("export default it.default;\n");
        } else {
            code.push_str(&format!("export const {export} = it.{export};\n"));
        }
    }
    Module { specifier: name.to_owned(), code, cache: RefCell::default(), origin: None }
}

fn exports(pool: &Rc<Pool>, name: &str) -> Vec<String> {
    let lease = pool.take(super::link::MEMORY);
    let mut isolate = lease.enter();
    v8::scope!(let scope, &mut *isolate);
    let Some((context, engine)) = context::from_snapshot(scope, None, &part(name).into_iter().collect())
    else {
        return Vec::new();
    };
    let scope = &mut v8::ContextScope::new(scope, context);
    let names = context::get(scope, engine, "modules")
        .and_then(|modules| v8::Local::<v8::Object>::try_from(modules).ok())
        .and_then(|modules| {
            let key = v8_string(scope, name);
            v8::Local::<v8::Object>::try_from(modules.get(scope, key.into())?).ok()
        })
        .and_then(|module| module.get_own_property_names(scope, v8::GetPropertyNamesArgs::default()));
    let Some(names) = names else { return Vec::new() };
    (0..names.length())
        .filter_map(|at| names.get_index(scope, at))
        .map(|name| name.to_rust_string_lossy(scope))
        .collect()
}
