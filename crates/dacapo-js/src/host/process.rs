//! V8, once per process: its flags, its platform, its locale. All of it is fixed by the first
//! engine, because V8 allows no change afterwards.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::host::clock;

/// Which flags V8 runs under. Guests cannot tell one from the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// One thread, nothing measured: for simulation, replay and tests.
    Deterministic,
    /// Concurrent garbage collection and compilers: for serving.
    Serve,
}

/// What both profiles share: whatever a guest could notice. A regular expression that has backtracked
/// very often goes on in V8's engine of linear time, if it has no part that only the other can do.
pub(crate) const FLAGS_SHARED: &str = "--stack-size=900 --stack-trace-limit=9973 --hash-seed=1 --no-use-std-math-pow \
    --enable-experimental-regexp-engine-on-excessive-backtracks --no-flush-bytecode --no-flush-code-based-on-time --no-harmony-shadow-realm";

/// What makes V8's own work independent of time and threads.
const FLAGS_DETERMINISTIC: &str = "--single-threaded --no-concurrent-sparkplug --no-concurrent-osr \
    --predictable-gc-schedule --no-incremental-marking --no-memory-reducer --no-minor-gc-task \
    --no-memory-pool --no-idle-gc-on-context-disposal --no-detect-ineffective-gcs-near-heap-limit \
    --random-seed=1";

impl Profile {
    /// The flags that V8 is started with: part of a run's identity.
    pub fn flags(self) -> String {
        match self {
            Profile::Deterministic => format!("{FLAGS_SHARED} {FLAGS_DETERMINISTIC}"),
            Profile::Serve => FLAGS_SHARED.to_owned(),
        }
    }
}

/// Why there can be no engine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineError {
    /// V8 already runs under another profile.
    OtherProfile {
        /// The one it runs under.
        running: Profile,
    },
    /// The binary was linked so that V8 reads the real clock.
    ClockNotInterposed,
    /// The platform library does not evaluate; a defect of this build.
    Library(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::OtherProfile { running } => write!(
                f,
                "V8 already runs under the profile {running:?} in this process and cannot change it; use the \
                 same profile for every engine, or start another process"
            ),
            EngineError::ClockNotInterposed => f.write_str(
                "V8 would read the real clock: `clock_gettime` of this binary is not the one of `dacapo-js`; \
                 link it without replacing that symbol",
            ),
            EngineError::Library(why) => write!(f, "the platform library of this build is broken: {why}"),
        }
    }
}

impl std::error::Error for EngineError {}

static RUNNING: Mutex<Option<Profile>> = Mutex::new(None);

/// Starts V8 under `profile`, or checks that it runs under it.
pub(crate) fn start(profile: Profile) -> Result<(), EngineError> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    match *running {
        Some(running) if running == profile => return Ok(()),
        Some(running) => return Err(EngineError::OtherProfile { running }),
        None => {}
    }
    if !clock::is_interposed() {
        return Err(EngineError::ClockNotInterposed);
    }
    v8::V8::set_flags_from_string(&profile.flags());
    // Nothing that a guest can see may come from V8's own generator, so a constant will do.
    v8::V8::set_entropy_source(|bytes| {
        bytes.fill(7);
        true
    });
    v8::icu::set_default_locale("en-US");
    let is_known = v8::icu::set_default_time_zone("UTC");
    assert!(is_known, "ICU knows UTC");
    let platform = match profile {
        Profile::Deterministic => v8::new_single_threaded_default_platform(false),
        // Unprotected: an engine may live on threads that were started before V8 was.
        Profile::Serve => v8::new_unprotected_default_platform(0, false),
    };
    v8::V8::initialize_platform(platform.make_shared());
    v8::V8::initialize();
    *running = Some(profile);
    Ok(())
}
