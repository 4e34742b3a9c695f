//! What a guest tells people and checks.

use dacapo_core::{Check, CheckKind, Effect, Level};

use super::{Args, Return, Scope, number, string, text};
use crate::instance::guest;

pub(super) fn log(scope: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    let level = match number(&args, 0) as u32 {
        0 => Level::Debug,
        1 => Level::Info,
        2 => Level::Warn,
        _ => Level::Error,
    };
    let text = text(scope, &args, 1);
    guest::push(Effect::Log(level, text));
}

pub(super) fn check(scope: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    let kind = match number(&args, 0) as u32 {
        0 => CheckKind::Always,
        1 => CheckKind::Sometimes,
        2 => CheckKind::Reachable,
        3 => CheckKind::Unreachable,
        _ => CheckKind::Coverage,
    };
    let holds = args.get(1).boolean_value(scope);
    let message = text(scope, &args, 2);
    let details = string(scope, &args, 3);
    let location = guest::caller(scope);
    guest::push(Effect::Check(Box::new(Check { kind, holds, message, details, location })));
}

pub(super) fn judge(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let request = text(scope, &args, 0);
    match guest::with(|guest| guest.judge).flatten() {
        Some(judge) => {
            let answer = judge(&request);
            result.set(super::v8_string(scope, &answer).into());
        }
        None => result.set_null(),
    }
}

pub(super) fn phase_done(_: Scope<'_, '_, '_>, _: Args<'_>, _: Return<'_>) {
    guest::push(Effect::PhaseDone);
}

pub(super) fn busy(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    guest::with(|guest| guest.busy = number(&args, 0) as u32);
}
