//! What the engine's own JavaScript asks for: positions in the source, and the end of a turn.

use dacapo_core::{Fault, FaultKind};

use super::{Args, Return, Scope, number, text, v8_string};
use crate::instance::guest;

/// `file:line:column` of the source, for a position in generated code.
pub(super) fn position(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let file = text(scope, &args, 0);
    let location =
        guest::with(|guest| guest.program.location(&file, number(&args, 1) as u32, number(&args, 2) as u32));
    let text = location.flatten().map_or_else(|| file.to_string(), |location| location.to_string());
    result.set(v8_string(scope, &text).into());
}

/// `file:line:column` in the guest's source of what called the library; `null` if that is unknown.
pub(super) fn place(scope: Scope<'_, '_, '_>, _: Args<'_>, mut result: Return<'_>) {
    match guest::caller(scope) {
        Some(location) => result.set(v8_string(scope, &location.to_string()).into()),
        None => result.set_null(),
    }
}

/// The text of a function without the probes in it.
pub(super) fn quote(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let plain = crate::load::without_probes(&text(scope, &args, 0));
    result.set(v8_string(scope, &plain).into());
}

/// The handler `drained` is to be called, in this turn, once no microtask is left.
pub(super) fn after_drained(_: Scope<'_, '_, '_>, _: Args<'_>, _: Return<'_>) {
    guest::with(|guest| guest.wants_drained = true);
}

/// A probe found the turn's budget used up.
pub(super) fn spent(scope: Scope<'_, '_, '_>, _: Args<'_>, _: Return<'_>) {
    let location = guest::caller(scope);
    let fault = Fault {
        kind: FaultKind::Budget,
        message: "the turn did more function calls and loop rounds than its budget allows".into(),
        location,
    };
    guest::fault(fault);
    scope.terminate_execution();
}

/// A probe caught the error of a stack overflow.
pub(super) fn overflowed(scope: Scope<'_, '_, '_>, _: Args<'_>, _: Return<'_>) {
    guest::fault(guest::stack_fault());
    scope.terminate_execution();
}
