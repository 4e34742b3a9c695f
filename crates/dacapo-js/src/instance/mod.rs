//! Instances: what one turn does to a context.

pub(crate) mod context;
mod event;
pub(crate) mod guest;
pub(crate) mod module;
mod run;
mod start;
pub(crate) mod watch;

use std::cell::RefCell;
use std::rc::Rc;

use dacapo_core::{Boot, Effects, Event, Fault, FaultKind, Instance, Turn, TurnEnd};

use crate::host::clock::VirtualClock;
use crate::host::isolate::{Lease, Pool};
use crate::host::process::Profile;
use crate::load::Bundle;

use self::event::Handler;
use self::guest::{Guest, Running};

/// One live context.
pub(crate) struct JsInstance {
    pool: Rc<Pool>,
    boot: Boot,
    guest: Rc<RefCell<Guest>>,
    stage: Stage,
    /// Rejected promises that the guest was told of, the latest last.
    reported: Vec<v8::Global<v8::Promise>>,
    live: Option<Live>,
    // Last: handles must go before the isolate is given back.
    lease: Rc<Lease>,
}

/// Handles of a context that works.
struct Live {
    context: v8::Global<v8::Context>,
    queue: v8::MicrotaskQueueHandle,
    enter: v8::Global<v8::Function>,
    handlers: [Option<v8::Global<v8::Function>>; Handler::NAMES.len()],
}

/// How far the entry module is.
enum Stage {
    /// Nothing of it has run.
    New,
    /// It waits at its top level; work that came meanwhile waits too.
    Evaluating { done: v8::Global<v8::Promise>, waiting: Vec<Event> },
    /// It runs.
    Ready,
}

impl JsInstance {
    pub(crate) fn new(pool: &Rc<Pool>, bundle: &Rc<Bundle>, boot: Boot) -> JsInstance {
        let memory = usize::try_from(boot.memory_max).unwrap_or(usize::MAX).max(start::MEMORY_MIN);
        let lease = pool.of_node(boot.address.node, memory);
        let mut guest = Guest::new(Rc::clone(bundle), &boot.entropy, &lease);
        guest.judge = pool.judge;
        guest.storage = boot.object.as_ref().map(|object| object.storage.clone());
        let _clock = VirtualClock::show(dacapo_core::WallTime::SIM_START, true);
        let live = start::context(&lease, bundle, &boot, &mut guest);
        if live.is_none() {
            guest.fault = Some(Fault {
                kind: FaultKind::Memory,
                message: "there is no memory for another context".into(),
                location: None,
            });
        }
        JsInstance {
            pool: Rc::clone(pool),
            boot,
            guest: Rc::new(RefCell::new(guest)),
            stage: Stage::New,
            reported: Vec::new(),
            live,
            lease,
        }
    }
}

impl Instance for JsInstance {
    fn turn(&mut self, turn: &Turn, event: Event, out: &mut Effects) -> TurnEnd {
        if self.lease.memory.is_exceeded() {
            self.guest.borrow_mut().fault.get_or_insert_with(guest::memory_fault);
        }
        if let Some(fault) = &self.guest.borrow().fault {
            return TurnEnd::Fault(fault.clone());
        }
        let is_deterministic = self.pool.profile == Profile::Deterministic;
        let _clock = VirtualClock::show(turn.wall, is_deterministic);
        {
            let mut guest = self.guest.borrow_mut();
            if matches!(self.stage, Stage::New) {
                guest.started = turn.now;
            }
            guest.now = turn.now;
            guest.effects = std::mem::take(out);
            if let Some(coverage) = &guest.program.coverage {
                coverage.runs();
            }
        }
        let running = Running::new(&self.guest);
        self.run(event);
        drop(running);
        let mut guest = self.guest.borrow_mut();
        *out = std::mem::take(&mut guest.effects);
        if self.lease.memory.is_exceeded() {
            guest.fault = Some(guest::memory_fault());
        }
        match &guest.fault {
            Some(fault) => TurnEnd::Fault(fault.clone()),
            None => {
                let is_waiting = match &self.stage {
                    Stage::Evaluating { waiting, .. } => !waiting.is_empty(),
                    Stage::New | Stage::Ready => false,
                };
                TurnEnd::Quiet { busy: guest.busy > 0 || is_waiting }
            }
        }
    }
}

impl Drop for JsInstance {
    fn drop(&mut self) {
        // Handles of V8 must not outlive the lease, and the guest may be shared no longer.
        self.guest.borrow_mut().clear();
    }
}
