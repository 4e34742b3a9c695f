//! The storage of a durable object. All of it answers at once: the state is in memory.

use bytestring::ByteString;
use dacapo_core::{Effect, ListOptions, SqlValue, Storage, StorageError, TimerId, WallTime};

use super::value::{deserialize_bytes, serialize_bytes};
use super::{Args, Return, Scope, bytes_of, id, number, string, text, text_of, uint8_array, v8_string};
use crate::instance::guest;

/// Lets `f` use the storage; throws what goes wrong.
fn with<R>(
    scope: Scope<'_, '_, '_>,
    f: impl FnOnce(&mut dyn Storage) -> Result<R, StorageError>,
) -> Option<R> {
    let storage = guest::with(|guest| guest.storage.clone()).flatten();
    let Some(storage) = storage else {
        super::throw_type_error(scope, "only a durable object has storage");
        return None;
    };
    let result = f(&mut **storage.0.borrow_mut());
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            let message = v8_string(scope, &error.message);
            let error = v8::Exception::error(scope, message);
            scope.throw_exception(error);
            None
        }
    }
}

pub(super) fn get<'s>(scope: &mut v8::PinScope<'s, '_>, args: Args<'s>, mut result: Return<'_>) {
    let key = text(scope, &args, 0);
    if let Some(Some(bytes)) = with(scope, |storage| storage.get(&key))
        && let Some(value) = deserialize_bytes(scope, &bytes)
    {
        result.set(value);
    }
}

pub(super) fn put(scope: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    let key = text(scope, &args, 0);
    let Some(bytes) = serialize_bytes(scope, args.get(1)) else { return };
    with(scope, |storage| storage.put(&key, &bytes));
}

pub(super) fn delete(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let key = text(scope, &args, 0);
    if let Some(was_there) = with(scope, |storage| storage.delete(&key)) {
        result.set_bool(was_there);
    }
}

/// `(start, startAfter, end, prefix, reverse, limit)`, each `null` where it is not given; a flat
/// array of keys and values.
pub(super) fn list<'s>(scope: &mut v8::PinScope<'s, '_>, args: Args<'s>, mut result: Return<'_>) {
    let options = ListOptions {
        start: string(scope, &args, 0),
        start_after: string(scope, &args, 1),
        end: string(scope, &args, 2),
        prefix: string(scope, &args, 3),
        reverse: args.get(4).is_true(),
        limit: args.get(5).is_number().then(|| number(&args, 5) as u64),
    };
    let Some(pairs) = with(scope, |storage| storage.list(&options)) else { return };
    let mut flat = Vec::with_capacity(pairs.len() * 2);
    for (key, bytes) in pairs {
        flat.push(v8_string(scope, &key).into());
        let Some(value) = deserialize_bytes(scope, &bytes) else { return };
        flat.push(value);
    }
    result.set(v8::Array::new_with_elements(scope, &flat).into());
}

pub(super) fn delete_all(scope: Scope<'_, '_, '_>, _: Args<'_>, _: Return<'_>) {
    with(scope, |storage| storage.delete_all());
}

/// `(query, bindings)` → `[columns, rows, rowsRead, rowsWritten]`.
pub(super) fn sql<'s>(scope: &mut v8::PinScope<'s, '_>, args: Args<'s>, mut result: Return<'_>) {
    let query = text(scope, &args, 0);
    let mut bindings = Vec::new();
    if let Ok(list) = v8::Local::<v8::Array>::try_from(args.get(1)) {
        for at in 0..list.length() {
            let Some(value) = list.get_index(scope, at) else { return };
            bindings.push(sql_value(scope, value));
        }
    }
    let Some(rows) = with(scope, |storage| storage.sql(&query, &bindings)) else { return };
    let columns: Vec<_> = rows.columns.iter().map(|name| v8_string(scope, name).into()).collect();
    let columns = v8::Array::new_with_elements(scope, &columns).into();
    let mut lines = Vec::with_capacity(rows.rows.len());
    for row in &rows.rows {
        let cells: Vec<_> = row.iter().map(|value| js_value(scope, value)).collect();
        lines.push(v8::Array::new_with_elements(scope, &cells).into());
    }
    let lines = v8::Array::new_with_elements(scope, &lines).into();
    let read = v8::Number::new(scope, rows.rows_read as f64).into();
    let written = v8::Number::new(scope, rows.rows_written as f64).into();
    result.set(v8::Array::new_with_elements(scope, &[columns, lines, read, written]).into());
}

/// Numbers are bound as `REAL`, as at workerd; a column's affinity makes integers of them.
fn sql_value(scope: Scope<'_, '_, '_>, value: v8::Local<'_, v8::Value>) -> SqlValue {
    if let Ok(number) = v8::Local::<v8::Number>::try_from(value) {
        SqlValue::Real(number.value())
    } else if let Some(text) = text_of(scope, value) {
        SqlValue::Text(text)
    } else if let Some(bytes) = bytes_of(value) {
        SqlValue::Blob(bytes)
    } else {
        SqlValue::Null
    }
}

fn js_value<'s>(scope: &mut v8::PinScope<'s, '_>, value: &SqlValue) -> v8::Local<'s, v8::Value> {
    match value {
        SqlValue::Null => v8::null(scope).into(),
        SqlValue::Integer(n) => v8::Number::new(scope, *n as f64).into(),
        SqlValue::Real(n) => v8::Number::new(scope, *n).into(),
        SqlValue::Text(text) => v8_string(scope, text).into(),
        SqlValue::Blob(bytes) => {
            let array = uint8_array(scope, bytes.to_vec());
            array.buffer(scope).map_or_else(|| array.into(), Into::into)
        }
    }
}

pub(super) fn size(scope: Scope<'_, '_, '_>, _: Args<'_>, mut result: Return<'_>) {
    if let Some(size) = with(scope, |storage| Ok(storage.size())) {
        result.set_double(size as f64);
    }
}

/// `(what)`: 0 begins a transaction, 1 commits it, 2 rolls it back.
pub(super) fn transaction(scope: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    let what = number(&args, 0) as u8;
    with(scope, |storage| match what {
        0 => storage.begin(),
        1 => storage.commit(),
        _ => storage.rollback(),
    });
}

/// Milliseconds since the Unix epoch, or `null`.
pub(super) fn alarm(scope: Scope<'_, '_, '_>, _: Args<'_>, mut result: Return<'_>) {
    match with(scope, |storage| storage.alarm()) {
        Some(Some(at)) => result.set_double(at.as_millis() as f64),
        Some(None) => result.set_null(),
        None => {}
    }
}

pub(super) fn set_alarm(scope: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    let at = args.get(0).is_number().then(|| WallTime((number(&args, 0) as i64).saturating_mul(1_000_000)));
    with(scope, |storage| storage.set_alarm(at));
}

/// `(what, argument)`: 0 names the state that is now, 1 the one at these milliseconds since 1970, 2 goes back to the
/// state of this name when the object begins the next time, and names the one just before.
pub(super) fn bookmark(scope: Scope<'_, '_, '_>, args: Args<'_>, mut result: Return<'_>) {
    let what = number(&args, 0) as u8;
    let time = WallTime((number(&args, 1) as i64).saturating_mul(1_000_000));
    let name = if what == 2 { text(scope, &args, 1) } else { ByteString::default() };
    let named = with(scope, |storage| match what {
        0 => storage.bookmark(),
        1 => storage.bookmark_for(time),
        _ => storage.restore_next(&name),
    });
    if let Some(named) = named {
        result.set(v8_string(scope, &named).into());
    }
}

pub(super) fn alarm_done(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    guest::push(Effect::AlarmDone(args.get(0).is_true()));
}

pub(super) fn exclusive(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    guest::push(Effect::Exclusive(args.get(0).is_true()));
}

/// `(timer)`: it fires once all that was written so far is durable.
pub(super) fn sync(_: Scope<'_, '_, '_>, args: Args<'_>, _: Return<'_>) {
    guest::push(Effect::Sync(TimerId(id(&args, 0))));
}
