//! What a workload draws, and in which round: decisions that may be given.

use bytestring::ByteString;
use dacapo_core::{Choice, Draws, Effects};

use super::{Args, Return, Scope, number, string, text, text_of, v8_string};
use crate::instance::guest;

/// So much of what was picked is told.
const WORDS_MAX: usize = 40;

/// Lets `decide` see the decisions of this workload, if there are any.
fn with_draws<R>(decide: impl FnOnce(&mut Draws, &mut Effects) -> R) -> Option<R> {
    guest::with(|guest| guest.draws.as_deref_mut().map(|draws| decide(draws, &mut guest.effects))).flatten()
}

/// What is drawn from now on is about this text; what it was about before. Promises keep it: what follows one is about
/// what was the case when it was awaited.
pub(super) fn within(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    result.set(scope.get_continuation_preserved_embedder_data());
    scope.set_continuation_preserved_embedder_data(args.get(0));
}

/// The number that is drawn: by name, the least, how far it goes, what it is by itself, and what it stands for.
pub(super) fn draw(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let about = scope.get_continuation_preserved_embedder_data();
    let cause = text_of(scope, about).unwrap_or_default();
    let what = text(scope, &args, 0);
    let [least, range, natural] = [1, 2, 3].map(|at| number(&args, at) as u64);
    // What is said of it may have to be read from the guest, which must not be in use then.
    let mut told = Effects::new();
    let drawn = with_draws(|draws, _| {
        draws.draw(&what, &cause, Choice { least, range, natural }, |_| None, &mut told)
    });
    let chosen = drawn.unwrap_or(natural);
    for effect in &mut told {
        if let dacapo_core::Effect::Drawn(drawn) = effect {
            drawn.says = says(scope, args.get(4), chosen);
        }
    }
    guest::with(|guest| guest.effects.append(&mut told));
    result.set_double(chosen as f64);
}

/// A choice in words: out of an array, of true and false, or of numbers from another one on than 0.
fn says(scope: Scope<'_, '_, '_>, of: v8::Local<'_, v8::Value>, chosen: u64) -> Option<ByteString> {
    if of.is_true() {
        return Some(ByteString::from_static(if chosen == 1 { "true" } else { "false" }));
    }
    if let Ok(from) = v8::Local::<v8::Number>::try_from(of) {
        return Some((from.value() + chosen as f64).to_string().into());
    }
    let array = v8::Local::<v8::Array>::try_from(of).ok()?;
    let picked = array.get_index(scope, u32::try_from(chosen).ok()?)?;
    if let Some(word) = text_of(scope, picked) {
        let short: String = word.chars().take(WORDS_MAX).collect();
        return Some(format!("{short:?}").into());
    }
    let is_plain = picked.is_number() || picked.is_boolean() || picked.is_null_or_undefined();
    is_plain.then(|| picked.to_rust_string_lossy(scope).into())
}

/// Which alternatives are left of so many, as an array of indices; `null`: all.
pub(super) fn left(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let count = number(&args, 1) as usize;
    if with_draws(|draws, _| draws.may_leave_out(count)) != Some(true) {
        return result.set_null();
    }
    let site = string(scope, &args, 0).map(|name| name.to_string());
    let site = site.or_else(|| guest::caller(scope).map(|place| place.to_string())).unwrap_or_default();
    let left = with_draws(|draws, out| draws.left(&site, count, out)).unwrap_or_default();
    indices(scope, &left, result);
}

/// Which of the drivers of these names are left, as an array of indices.
pub(super) fn drivers_left(scope: Scope<'_, '_, '_>, args: Args<'_>, result: Return<'_>) {
    let Ok(array) = v8::Local::<v8::Array>::try_from(args.get(0)) else { return };
    let names = (0..array.length()).map(|at| {
        let name = array.get_index(scope, at);
        name.and_then(|name| text_of(scope, name)).unwrap_or_default().to_string()
    });
    let names: Vec<String> = names.collect();
    let left = with_draws(|draws, out| draws.drivers_left(&names, out));
    indices(scope, &left.unwrap_or_else(|| (0..names.len()).collect()), result);
}

fn indices(scope: Scope<'_, '_, '_>, all: &[usize], mut result: Return<'_>) {
    let all: Vec<v8::Local<'_, v8::Value>> =
        all.iter().map(|index| v8::Number::new(scope, *index as f64).into()).collect();
    result.set(v8::Array::new_with_elements(scope, &all).into());
}

/// Whether this client makes its next round.
pub(super) fn round(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let client = text(scope, &args, 0);
    result.set_bool(with_draws(|draws, out| draws.round(&client, out)).unwrap_or(true));
}

/// Whether this client may make any round more.
pub(super) fn has_round(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let client = text(scope, &args, 0);
    result.set_bool(with_draws(|draws, _| draws.has_round(&client)).unwrap_or(true));
}

/// Whether clients make their first round without a pause before it.
pub(super) fn are_at_once(_: Scope<'_, '_, '_>, _: Args<'_>, mut result: Return<'_>) {
    result.set_bool(with_draws(|draws, _| draws.are_at_once()).unwrap_or(false));
}

/// How long this client waits before its next round: by itself so many milliseconds, on average so many.
pub(super) fn pause(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let client = text(scope, &args, 0);
    let (natural, mean) = (number(&args, 1), number(&args, 2));
    let [nanos, mean] = [natural, mean].map(super::time::nanos);
    let chosen = with_draws(|draws, out| draws.pause(&client, nanos, mean, out)).unwrap_or(nanos);
    // As it is by itself, it is that to the last bit.
    result.set_double(if chosen == nanos { natural } else { chosen as f64 / 1e6 });
}

/// The name that a client has among decisions.
pub(super) fn client(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let name = dacapo_core::RoundKey::client_cause(&text(scope, &args, 0), number(&args, 1) as u32);
    result.set(v8_string(scope, &name).into());
}

/// The name that a round of a client has.
pub(super) fn round_cause(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let name = dacapo_core::RoundKey::cause(&text(scope, &args, 0), number(&args, 1) as u32);
    result.set(v8_string(scope, &name).into());
}
