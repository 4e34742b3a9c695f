//! What SQLite takes for an operating system: files in memory, the clock of the turn, random
//! numbers of the object.
//!
//! SQLite asks for all that by C function pointers which it keeps for the whole process; this is
//! the only file with `unsafe` in the crate. What the functions answer depends on the calling
//! thread alone: on the [`Call`] that is under way on it. There is no file system behind: a
//! database is the [`File`] that [`open`] was given, temporary files are bytes that live as long
//! as a query, and everything else is refused.
//!
//! (The crate `sqlite-plugin` would spare us the C, but it takes time and random numbers from the
//! machine.)
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::mem::size_of;
use std::ptr;
use std::rc::Rc;
use std::slice;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use dacapo_core::WallTime;
use rusqlite::{Connection, OpenFlags, ffi};

use super::file::{File, PAGE};

/// How much all temporary files of a query may hold: what it sorts and collects beyond the cache.
const TEMPORARY_MAX: usize = 64 << 20;

/// Milliseconds from the start of the Julian calendar to the Unix epoch: SQLite counts from there.
const JULIAN_EPOCH_MILLIS: i64 = 210_866_760_000_000;

const NAME: &CStr = c"dacapo";

/// SQLite has one generator of random numbers for the whole process. Who may draw from it holds
/// this, so that nobody else's draws come between.
static GENERATOR: Mutex<()> = Mutex::new(());

thread_local! {
    /// The file that the next database is opened over.
    static NEXT: RefCell<Option<Rc<RefCell<File>>>> = const { RefCell::new(None) };
    /// What the clock shows.
    static NOW: Cell<WallTime> = const { Cell::new(WallTime(0)) };
    /// Where random numbers begin.
    static SEED: Cell<[u8; 32]> = const { Cell::new([0; 32]) };
    /// How much all open temporary files hold.
    static TEMPORARY: Cell<usize> = const { Cell::new(0) };
}

/// While it lives, SQLite's clock and random numbers on this thread are those that it was made
/// with.
pub(super) struct Call {
    _generator: MutexGuard<'static, ()>,
    _thread: PhantomData<*const ()>,
}

impl Call {
    /// A call into SQLite that may read the clock or draw random numbers.
    pub(super) fn begin(now: WallTime, seed: [u8; 32]) -> Call {
        register();
        let generator = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
        NOW.set(now);
        SEED.set(seed);
        // SAFETY: zero bytes into a null pointer are the documented way to have the generator ask
        // for a new seed at its next draw; it locks its own state.
        unsafe { ffi::sqlite3_randomness(0, ptr::null_mut()) };
        Call { _generator: generator, _thread: PhantomData }
    }
}

/// A connection to the database in `file`.
pub(super) fn open(file: &Rc<RefCell<File>>) -> rusqlite::Result<Connection> {
    // Nothing is drawn from the turn here: what a connection draws when it opens is constant.
    let _call = Call::begin(WallTime(0), [0; 32]);
    NEXT.set(Some(Rc::clone(file)));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    let connection = Connection::open_with_flags_and_vfs("object", flags, NAME);
    NEXT.set(None);
    connection
}

/// The length of the first statement of `sql`, with its semicolon.
pub(super) fn first_statement(connection: &Connection, sql: &str) -> Result<usize, (c_int, String, c_int)> {
    let Ok(len) = c_int::try_from(sql.len()) else {
        return Err((ffi::SQLITE_TOOBIG, "string or blob too big".to_owned(), -1));
    };
    let start: *const c_char = sql.as_ptr().cast();
    let (mut statement, mut tail) = (ptr::null_mut(), ptr::null());
    // SAFETY: the connection is open and used by this thread alone; `start` has `len` readable
    // bytes, and SQLite reads no further; both results are valid places. The statement is
    // finalized (null is allowed) before the connection can close. The message belongs to the
    // connection and is copied before its next use.
    unsafe {
        let db = connection.handle();
        let code = ffi::sqlite3_prepare_v2(db, start, len, &mut statement, &mut tail);
        ffi::sqlite3_finalize(statement);
        if code != ffi::SQLITE_OK {
            let message = CStr::from_ptr(ffi::sqlite3_errmsg(db)).to_string_lossy().into_owned();
            return Err((code, message, ffi::sqlite3_error_offset(db)));
        }
    }
    Ok((tail as usize).saturating_sub(start as usize).clamp(1, sql.len()))
}

/// An open file, as SQLite sees it. It begins with what SQLite knows of all files.
#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

enum Open {
    Database(Rc<RefCell<File>>),
    Temporary(Vec<u8>),
}

fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let vfs = ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: size_of::<Handle>() as c_int,
            mxPathname: 64,
            pNext: ptr::null_mut(),
            zName: NAME.as_ptr(),
            pAppData: ptr::null_mut(),
            xOpen: Some(x_open),
            xDelete: Some(x_delete),
            xAccess: Some(x_access),
            xFullPathname: Some(x_full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(x_randomness),
            xSleep: Some(x_sleep),
            xCurrentTime: Some(x_current_time),
            xGetLastError: None,
            xCurrentTimeInt64: Some(x_current_time_int64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        };
        // SAFETY: the VFS is leaked, so it lives as long as the process, and so does its name. It
        // is the default one because SQLite seeds its generator from the default.
        let registered = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 1) };
        assert_eq!(registered, ffi::SQLITE_OK, "SQLite did not take the VFS");
        let utc: unsafe extern "C" fn(*const c_void, *mut c_void) -> c_int = x_local_time;
        // SAFETY: for this operation SQLite reads an int and, as the int is 2, a function of this
        // type. The time zone of the machine must not be seen: local time is UTC.
        unsafe { ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_LOCALTIME_FAULT, 2 as c_int, utc) };
    });
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(x_close),
    xRead: Some(x_read),
    xWrite: Some(x_write),
    xTruncate: Some(x_truncate),
    xSync: Some(x_sync),
    xFileSize: Some(x_file_size),
    xLock: Some(x_lock),
    xUnlock: Some(x_lock),
    xCheckReservedLock: Some(x_check_reserved_lock),
    xFileControl: Some(x_file_control),
    xSectorSize: Some(x_sector_size),
    xDeviceCharacteristics: Some(x_device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn x_open(
    _: *mut ffi::sqlite3_vfs,
    _: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let kinds_temporary = ffi::SQLITE_OPEN_TEMP_DB
        | ffi::SQLITE_OPEN_TRANSIENT_DB
        | ffi::SQLITE_OPEN_TEMP_JOURNAL
        | ffi::SQLITE_OPEN_SUBJOURNAL;
    let open = if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 {
        NEXT.take().map(Open::Database)
    } else if flags & kinds_temporary != 0 {
        Some(Open::Temporary(Vec::new()))
    } else {
        None
    };
    let (methods, open, code) = match open {
        Some(open) => (&raw const METHODS, Box::into_raw(Box::new(open)), ffi::SQLITE_OK),
        None => (ptr::null(), ptr::null_mut(), ffi::SQLITE_CANTOPEN),
    };
    // SAFETY: SQLite gives `szOsFile` bytes for the file, which is the size of a `Handle`. Without
    // methods it takes the file as not open and never asks for it again.
    unsafe { file.cast::<Handle>().write(Handle { base: ffi::sqlite3_file { pMethods: methods }, open }) };
    if !out_flags.is_null() {
        // SAFETY: not null, so it is a valid place for the flags.
        unsafe { *out_flags = flags };
    }
    code
}

/// The open file behind a pointer of SQLite.
///
/// # Safety
///
/// `file` was opened by `x_open` and is not closed yet; nobody else uses it now.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Open {
    // SAFETY: `x_open` put a box there, which only `x_close` takes away.
    unsafe { &mut *(*file.cast::<Handle>()).open }
}

unsafe extern "C" fn x_close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file that it opened, once; the box came from `x_open`.
    let open = unsafe { Box::from_raw((*file.cast::<Handle>()).open) };
    if let Open::Temporary(bytes) = *open {
        TEMPORARY.set(TEMPORARY.get().saturating_sub(bytes.len()));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_read(file: *mut ffi::sqlite3_file, to: *mut c_void, n: c_int, at: i64) -> c_int {
    let (Ok(n), Ok(at)) = (usize::try_from(n), usize::try_from(at)) else { return ffi::SQLITE_IOERR_READ };
    // SAFETY: SQLite reads from an open file, into a buffer of `n` bytes that nobody else uses.
    let (open, to) = unsafe { (opened(file), slice::from_raw_parts_mut(to.cast::<u8>(), n)) };
    let done = match open {
        Open::Database(file) => file.borrow().read(at, to),
        Open::Temporary(bytes) => {
            let there = bytes.get(at..).unwrap_or_default();
            let n = there.len().min(to.len());
            to[..n].copy_from_slice(&there[..n]);
            n
        }
    };
    // SQLite relies on zeros where the file is shorter.
    to[done..].fill(0);
    if done == n { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_SHORT_READ }
}

unsafe extern "C" fn x_write(file: *mut ffi::sqlite3_file, data: *const c_void, n: c_int, at: i64) -> c_int {
    let (Ok(n), Ok(at)) = (usize::try_from(n), usize::try_from(at)) else { return ffi::SQLITE_IOERR_WRITE };
    // SAFETY: SQLite writes to an open file, out of a buffer of `n` bytes that nobody changes.
    let (open, data) = unsafe { (opened(file), slice::from_raw_parts(data.cast::<u8>(), n)) };
    match open {
        Open::Database(file) => file.borrow_mut().write(at, data),
        Open::Temporary(bytes) => {
            let grown = (at + n).saturating_sub(bytes.len());
            if TEMPORARY.get() + grown > TEMPORARY_MAX {
                return ffi::SQLITE_FULL;
            }
            TEMPORARY.set(TEMPORARY.get() + grown);
            bytes.resize(bytes.len() + grown, 0);
            bytes[at..at + n].copy_from_slice(data);
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_truncate(file: *mut ffi::sqlite3_file, len: i64) -> c_int {
    let Ok(len) = usize::try_from(len) else { return ffi::SQLITE_IOERR_TRUNCATE };
    // SAFETY: SQLite truncates a file that is open.
    match unsafe { opened(file) } {
        Open::Database(file) if len.is_multiple_of(PAGE) => file.borrow_mut().truncate(len / PAGE),
        Open::Database(_) => return ffi::SQLITE_IOERR_TRUNCATE,
        Open::Temporary(bytes) => {
            TEMPORARY.set(TEMPORARY.get().saturating_sub(bytes.len().saturating_sub(len)));
            bytes.truncate(len);
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_file_size(file: *mut ffi::sqlite3_file, to: *mut i64) -> c_int {
    // SAFETY: SQLite asks for the size of a file that is open.
    let len = match unsafe { opened(file) } {
        Open::Database(file) => file.borrow().len(),
        Open::Temporary(bytes) => bytes.len(),
    };
    // SAFETY: SQLite gives a valid place for the size.
    unsafe { *to = len as i64 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_sync(_: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_lock(_: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // A file has one connection.
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_check_reserved_lock(_: *mut ffi::sqlite3_file, to: *mut c_int) -> c_int {
    // SAFETY: SQLite gives a valid place for the answer.
    unsafe { *to = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn x_sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    PAGE as c_int
}

unsafe extern "C" fn x_device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_ATOMIC
        | ffi::SQLITE_IOCAP_SAFE_APPEND
        | ffi::SQLITE_IOCAP_SEQUENTIAL
        | ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn x_delete(_: *mut ffi::sqlite3_vfs, _: *const c_char, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_access(_: *mut ffi::sqlite3_vfs, _: *const c_char, _: c_int, to: *mut c_int) -> c_int {
    // SAFETY: SQLite gives a valid place for the answer: there is no such file.
    unsafe { *to = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    n: c_int,
    to: *mut c_char,
) -> c_int {
    // SAFETY: a name of SQLite ends with a zero.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if name.len() > usize::try_from(n).unwrap_or(0) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `to` has `n` bytes, which are enough, apart from the name.
    unsafe { ptr::copy_nonoverlapping(name.as_ptr().cast(), to, name.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_randomness(_: *mut ffi::sqlite3_vfs, n: c_int, to: *mut c_char) -> c_int {
    // SAFETY: SQLite gives `n` bytes to fill, which nobody else uses.
    let to = unsafe { slice::from_raw_parts_mut(to.cast::<u8>(), usize::try_from(n).unwrap_or(0)) };
    let seed = SEED.get();
    for (to, from) in to.iter_mut().zip(seed.iter().cycle()) {
        *to = *from;
    }
    n
}

unsafe extern "C" fn x_sleep(_: *mut ffi::sqlite3_vfs, micros: c_int) -> c_int {
    micros
}

fn julian_millis() -> i64 {
    NOW.get().as_millis() + JULIAN_EPOCH_MILLIS
}

unsafe extern "C" fn x_current_time(_: *mut ffi::sqlite3_vfs, to: *mut f64) -> c_int {
    // SAFETY: SQLite gives a valid place for the time.
    unsafe { *to = julian_millis() as f64 / 86_400_000.0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_current_time_int64(_: *mut ffi::sqlite3_vfs, to: *mut i64) -> c_int {
    // SAFETY: SQLite gives a valid place for the time.
    unsafe { *to = julian_millis() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_local_time(time: *const c_void, to: *mut c_void) -> c_int {
    // SAFETY: SQLite gives a `time_t` and a place for a `struct tm`.
    let done = unsafe { libc::gmtime_r(time.cast(), to.cast()) };
    c_int::from(done.is_null())
}
