//! The clock that SQLite reads: `date('now')` is the time of the turn.
//!
//! SQLite asks the file system layer (VFS) of a database for the time. Ours is the machine's own in
//! all but that, and no file is ever opened through it: databases are in memory.

#![expect(unsafe_code, reason = "a VFS is a table of C functions")]

use std::cell::Cell;
use std::ffi::{c_char, c_int};
use std::sync::OnceLock;

use dacapo_core::WallTime;
use rusqlite::{Connection, OpenFlags, ffi};

const NAME: &std::ffi::CStr = c"dacapo";

/// Milliseconds between the start of the Julian period and 1970, as SQLite counts them.
const JULIAN: i64 = 210_866_760_000_000;

thread_local! {
    static NOW: Cell<WallTime> = const { Cell::new(WallTime(0)) };
}

/// What the databases of this thread take for now.
pub(super) fn set(now: WallTime) {
    NOW.set(now);
}

/// An empty database in memory that reads this clock.
pub(super) fn open() -> rusqlite::Result<Connection> {
    static REGISTERED: OnceLock<c_int> = OnceLock::new();
    let code = *REGISTERED.get_or_init(register);
    if code != ffi::SQLITE_OK {
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags_and_vfs(":memory:", flags, NAME)
}

fn register() -> c_int {
    // SAFETY: SQLite is initialised by the first call, the default VFS lives for ever, and so does
    // the copy of its table, which is leaked on purpose: once for a process.
    unsafe {
        let code = ffi::sqlite3_initialize();
        if code != ffi::SQLITE_OK {
            return code;
        }
        let default = ffi::sqlite3_vfs_find(std::ptr::null());
        if default.is_null() {
            return ffi::SQLITE_ERROR;
        }
        let mut ours = *default;
        ours.pNext = std::ptr::null_mut();
        ours.zName = NAME.as_ptr();
        ours.xCurrentTime = Some(current_time);
        ours.xCurrentTimeInt64 = Some(current_time_int64);
        ours.xRandomness = Some(randomness);
        ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 0)
    }
}

unsafe extern "C" fn current_time_int64(_: *mut ffi::sqlite3_vfs, out: *mut i64) -> c_int {
    // SAFETY: SQLite gives a place for the result.
    unsafe { *out = NOW.get().as_millis() + JULIAN };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite gives a place for the result.
    unsafe { *out = (NOW.get().as_millis() + JULIAN) as f64 / 86_400_000.0 };
    ffi::SQLITE_OK
}

/// What a guest draws comes from elsewhere (`guard.rs`).
unsafe extern "C" fn randomness(_: *mut ffi::sqlite3_vfs, len: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite gives a place for `len` bytes.
    unsafe { std::ptr::write_bytes(out, 7, len as usize) };
    len
}
