//! Says so when a turn does not end.
//!
//! The turn budget stops endless guests at the same place on every run, but it cannot count what an
//! engine does within one built-in (a regular expression that backtracks, a huge power of a BigInt).
//! For these there is a clock on a thread of its own. It never steers a run: it can only end the
//! process without a verdict.

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use dacapo_core::{Boot, Digest, Effects, Event, Instance, Probes, Program, Turn, TurnEnd};

/// How long one turn may take by the clock on the wall. What a budget allows takes about a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// The exit code of a process that was ended so.
const NO_VERDICT: u8 = 4;

/// What happens to a turn that does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// The process ends with [`NO_VERDICT`].
    Ends,
    /// It is told, once: other threads of the process serve on.
    Tells,
}

/// What one thread is at: the number of its turn and the module that runs, zero between turns.
type Pulse = Arc<AtomicU64>;

/// The modules of the programs that are watched; a pulse names one by its place here.
static MODULES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static PULSES: Mutex<Vec<Pulse>> = Mutex::new(Vec::new());
static CLOCK: OnceLock<()> = OnceLock::new();

/// Watches the programs of one thread.
pub(crate) struct Watchdog {
    pulse: Pulse,
}

impl Watchdog {
    /// Begins to watch this thread. The first one of a process says what happens in all.
    pub(crate) fn new(patience: Patience) -> Watchdog {
        let pulse = Pulse::default();
        PULSES.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&pulse));
        CLOCK.get_or_init(|| {
            // Without a thread to spare the run is as good, it only may hang.
            let _ = thread::Builder::new().name("watchdog".into()).spawn(move || watch(patience));
        });
        Watchdog { pulse }
    }

    /// The same program, watched.
    pub(crate) fn watch(&self, module: &str, program: Rc<dyn Program>) -> Rc<dyn Program> {
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        modules.push(module.to_owned());
        Rc::new(Watched { program, module: modules.len() as u64, pulse: Arc::clone(&self.pulse) })
    }
}

struct Watched {
    program: Rc<dyn Program>,
    module: u64,
    pulse: Pulse,
}

impl Program for Watched {
    fn start(&self, boot: Boot) -> Box<dyn Instance> {
        let guest = self.program.start(boot);
        Box::new(WatchedInstance { guest, turns: 0, module: self.module, pulse: Arc::clone(&self.pulse) })
    }

    fn digest(&self) -> Digest {
        self.program.digest()
    }

    fn probes(&self) -> Option<&dyn Probes> {
        self.program.probes()
    }
}

struct WatchedInstance {
    guest: Box<dyn Instance>,
    turns: u64,
    module: u64,
    pulse: Pulse,
}

impl Instance for WatchedInstance {
    fn turn(&mut self, turn: &Turn, event: Event, out: &mut Effects) -> TurnEnd {
        self.turns += 1;
        self.pulse.store(self.turns << 16 | self.module & 0xffff, Ordering::Relaxed);
        let end = self.guest.turn(turn, event, out);
        self.pulse.store(0, Ordering::Relaxed);
        end
    }
}

/// How often a thread is looked at within the patience.
const LOOKS: u32 = 4;

/// What was seen of one thread.
#[derive(Default, Clone)]
struct Seen {
    pulse: u64,
    /// How many looks in a row found the same turn.
    looks: u32,
}

impl Seen {
    /// Looks again: whether the thread has been in one turn for as long as the patience lasts. True
    /// once for a turn.
    fn hangs(&mut self, pulse: u64) -> bool {
        self.looks = if pulse == self.pulse && pulse != 0 { self.looks + 1 } else { 0 };
        self.pulse = pulse;
        self.looks == LOOKS
    }
}

fn watch(patience: Patience) {
    let mut seen: Vec<Seen> = Vec::new();
    loop {
        // Nobody wakes this thread.
        thread::park_timeout(PATIENCE / LOOKS);
        let pulses = PULSES.lock().unwrap_or_else(PoisonError::into_inner);
        seen.resize(pulses.len(), Seen::default());
        for (pulse, seen) in pulses.iter().zip(&mut seen) {
            let now = pulse.load(Ordering::Relaxed);
            if seen.hangs(now) {
                tell(now & 0xffff, patience);
            }
        }
    }
}

fn tell(module: u64, patience: Patience) {
    let modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    let module = modules.get(module as usize - 1).map_or("a module", String::as_str);
    let seconds = PATIENCE.as_secs();
    anstream::eprintln!(
        "no verdict: one turn of {module} has taken {seconds} s. What a guest's own code does is counted and \
         stopped at its budget; this must be one built-in at work: a regular expression that backtracks, or \
         arithmetic or texts of a huge size. Look at what {module} gives to them, and bound it."
    );
    if patience == Patience::Ends {
        std::process::exit(NO_VERDICT.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_long_turn_hangs_and_it_is_told_once() {
        let mut seen = Seen::default();
        assert!((0..20).all(|_| !seen.hangs(0)), "who waits does not hang");
        assert!((1..20).all(|turn| !seen.hangs(turn << 16 | 1)), "who takes turns does not hang");
        let looks: Vec<bool> = (0..8).map(|_| seen.hangs(99 << 16 | 1)).collect();
        assert_eq!(looks, [false, false, false, false, true, false, false, false]);
    }
}
