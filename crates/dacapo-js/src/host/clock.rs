//! The clock that V8 and ICU read while a guest runs: the wall time of the turn.
//!
//! V8 offers no hook for `Date`, `Intl` and `Temporal`, so this file defines the two C functions
//! that all of them end in. While a [`VirtualClock`] lives, they answer with virtual time on its
//! thread; at all other times, and on every other thread, they answer with the operating system's.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use dacapo_core::WallTime;
use libc::{c_int, c_void, clockid_t, timespec, timeval};

/// What `CLOCK_MONOTONIC` shows to V8 in a deterministic process: one fixed moment. Every duration
/// that V8's heuristics measure is then zero, on every machine and under every load.
const FIXED_MONOTONIC: i64 = 1 << 40;

#[derive(Clone, Copy)]
struct Shown {
    wall: i64,
    is_monotonic_fixed: bool,
}

thread_local! {
    static SHOWN: Cell<Option<Shown>> = const { Cell::new(None) };
}

/// While it lives, this thread's wall clock stands still.
pub(crate) struct VirtualClock {
    before: Option<Shown>,
}

impl VirtualClock {
    /// Shows `wall`; with `is_monotonic_fixed`, the monotonic clock stands still too.
    pub(crate) fn show(wall: WallTime, is_monotonic_fixed: bool) -> VirtualClock {
        VirtualClock { before: SHOWN.replace(Some(Shown { wall: wall.0, is_monotonic_fixed })) }
    }
}

impl Drop for VirtualClock {
    fn drop(&mut self) {
        SHOWN.set(self.before);
    }
}

/// Whether the functions of this file are the ones that the process calls.
pub(crate) fn is_interposed() -> bool {
    let _clock = VirtualClock::show(WallTime::SIM_START, true);
    let mut ts = timespec { tv_sec: 0, tv_nsec: 0 };
    let mut tv = timeval { tv_sec: 0, tv_usec: 0 };
    // SAFETY: both pointers are to live, writable values of the right type.
    unsafe {
        libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut ts);
        libc::gettimeofday(&raw mut tv, std::ptr::null_mut());
    }
    let seconds = WallTime::SIM_START.0 / 1_000_000_000;
    ts.tv_sec == seconds && tv.tv_sec == seconds
}

fn shown(clock: clockid_t) -> Option<i64> {
    let shown = SHOWN.get()?;
    match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE => Some(shown.wall),
        _ if shown.is_monotonic_fixed => Some(FIXED_MONOTONIC),
        _ => None,
    }
}

/// Replaces the C library's function in every binary that links this crate.
///
/// # Safety
///
/// As for `clock_gettime(2)`: `ts` must be valid for writes.
// SAFETY: the C library's symbol is replaced on purpose, with the same signature and meaning.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "the linker reaches it")]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, ts: *mut timespec) -> c_int {
    match shown(clock) {
        Some(ns) => {
            // SAFETY: the caller hands in a valid pointer.
            unsafe {
                (*ts).tv_sec = ns.div_euclid(1_000_000_000);
                (*ts).tv_nsec = ns.rem_euclid(1_000_000_000);
            }
            0
        }
        // SAFETY: the caller's pointer is passed on.
        None => unsafe { real_clock_gettime(clock, ts) },
    }
}

/// Replaces the C library's function in every binary that links this crate.
///
/// # Safety
///
/// As for `gettimeofday(2)`: `tv` must be null or valid for writes.
// SAFETY: the C library's symbol is replaced on purpose, with the same signature and meaning.
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "the linker reaches it")]
pub unsafe extern "C" fn gettimeofday(tv: *mut timeval, _zone: *mut c_void) -> c_int {
    let mut ts = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `ts` is a live local; `tv` is checked for null and otherwise the caller's to vouch for.
    unsafe {
        let result = clock_gettime(libc::CLOCK_REALTIME, &raw mut ts);
        if !tv.is_null() {
            (*tv).tv_sec = ts.tv_sec;
            (*tv).tv_usec = ts.tv_nsec / 1000;
        }
        result
    }
}

/// # Safety
///
/// As for `clock_gettime(2)`.
unsafe fn real_clock_gettime(clock: clockid_t, ts: *mut timespec) -> c_int {
    const UNKNOWN: usize = 0;
    const ABSENT: usize = 1;
    static NEXT: AtomicUsize = AtomicUsize::new(UNKNOWN);
    let mut next = NEXT.load(Ordering::Relaxed);
    if next == UNKNOWN {
        // SAFETY: the name is a C string; a null result is handled.
        next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"clock_gettime".as_ptr()) } as usize;
        next = next.max(ABSENT);
        NEXT.store(next, Ordering::Relaxed);
    }
    if next == ABSENT {
        // SAFETY: the system call takes what this function takes.
        return unsafe { libc::syscall(libc::SYS_clock_gettime, clock, ts) } as c_int;
    }
    // SAFETY: the symbol of this name has this type, in every C library.
    let real: unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int = unsafe { std::mem::transmute(next) };
    // SAFETY: the caller's promise is passed on.
    unsafe { real(clock, ts) }
}
