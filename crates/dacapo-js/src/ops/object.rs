//! The ids of durable objects, and their end.

use dacapo_core::{Fault, FaultKind, ObjectId};

use super::{Args, Return, Scope, text, v8_string};
use crate::instance::guest;

/// `(namespace, name)` → the text of the id.
pub(super) fn id_from_name(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let id = ObjectId::from_name(&text(scope, &args, 0), &text(scope, &args, 1));
    result.set(v8_string(scope, &id.to_string()).into());
}

/// `(namespace)` → the text of an id that nobody else has.
pub(super) fn id_unique(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let mut random = [0; 24];
    guest::with(|guest| guest.crypto.fill(&mut random));
    let id = ObjectId::unique(&text(scope, &args, 0), random);
    result.set(v8_string(scope, &id.to_string()).into());
}

/// `(namespace, text)` → whether it is the text of an id in that namespace.
pub(super) fn id_is_known(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let id = ObjectId::parse(&text(scope, &args, 0), &text(scope, &args, 1));
    result.set_bool(id.is_some());
}

/// `(message)`: the object gives itself up.
pub(super) fn abort(scope: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    let message = text(scope, &args, 0);
    let location = guest::caller(scope);
    guest::fault(Fault { kind: FaultKind::Abort, message, location });
    scope.terminate_execution();
}
