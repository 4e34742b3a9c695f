//! SQLite's errors, in the words that guests know.

use std::ffi::c_int;

use dacapo_core::{StorageError, StorageErrorKind};
use rusqlite::ffi;

/// The guest did something wrong.
pub(super) fn guest(message: impl Into<String>) -> StorageError {
    StorageError::new(StorageErrorKind::Guest, message.into())
}

/// What SQLite says, followed by the name of its error.
pub(super) fn from_sqlite(error: rusqlite::Error) -> StorageError {
    match error {
        rusqlite::Error::SqliteFailure(error, message) => {
            let message = message.unwrap_or_else(|| ffi::code_to_str(error.extended_code).to_owned());
            from_parts(error.extended_code, &message, -1)
        }
        rusqlite::Error::SqlInputError { error, msg, offset, .. } => {
            from_parts(error.extended_code, &msg, offset)
        }
        other => guest(other.to_string()),
    }
}

/// As [`from_sqlite`], out of a code, a message and an offset in the query (negative: none).
pub(super) fn from_parts(code: c_int, message: &str, offset: c_int) -> StorageError {
    let primary = code & 0xff;
    let kind = match primary {
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => StorageErrorKind::Corrupt,
        _ => StorageErrorKind::Guest,
    };
    let name = name(primary);
    if offset >= 0 {
        return StorageError::new(kind, format!("{message} at offset {offset}: {name}"));
    }
    StorageError::new(kind, format!("{message}: {name}"))
}

fn name(primary: c_int) -> &'static str {
    match primary {
        ffi::SQLITE_INTERNAL => "SQLITE_INTERNAL",
        ffi::SQLITE_PERM => "SQLITE_PERM",
        ffi::SQLITE_ABORT => "SQLITE_ABORT",
        ffi::SQLITE_BUSY => "SQLITE_BUSY",
        ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
        ffi::SQLITE_NOMEM => "SQLITE_NOMEM",
        ffi::SQLITE_READONLY => "SQLITE_READONLY",
        ffi::SQLITE_INTERRUPT => "SQLITE_INTERRUPT",
        ffi::SQLITE_IOERR => "SQLITE_IOERR",
        ffi::SQLITE_CORRUPT => "SQLITE_CORRUPT",
        ffi::SQLITE_NOTFOUND => "SQLITE_NOTFOUND",
        ffi::SQLITE_FULL => "SQLITE_FULL",
        ffi::SQLITE_CANTOPEN => "SQLITE_CANTOPEN",
        ffi::SQLITE_SCHEMA => "SQLITE_SCHEMA",
        ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
        ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
        ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
        ffi::SQLITE_MISUSE => "SQLITE_MISUSE",
        ffi::SQLITE_AUTH => "SQLITE_AUTH",
        ffi::SQLITE_RANGE => "SQLITE_RANGE",
        ffi::SQLITE_NOTADB => "SQLITE_NOTADB",
        _ => "SQLITE_ERROR",
    }
}
