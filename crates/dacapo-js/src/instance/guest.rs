//! The state of an instance that native operations and callbacks of V8 reach while it runs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use dacapo_core::{Draws, Effect, Effects, Fault, FaultKind, Location, Random, SharedStorage, Time};
use encoding_rs::Decoder;

use crate::engine::Judge;
use crate::host::isolate::Compiled;
use crate::host::memory::Memory;
use crate::load::Bundle;

/// See the module.
pub(crate) struct Guest {
    pub(crate) program: Rc<Bundle>,
    pub(crate) effects: Effects,
    pub(crate) now: Time,
    pub(crate) started: Time,
    pub(crate) crypto: Random,
    pub(crate) math: Random,
    pub(crate) busy: u32,
    /// What is decided for a workload.
    pub(crate) draws: Option<Box<Draws>>,
    pub(crate) judge: Option<Judge>,
    /// Of a durable object.
    pub(crate) storage: Option<SharedStorage>,
    pub(crate) fault: Option<Fault>,
    /// Whether the library wants to be called once no microtask is left.
    pub(crate) wants_drained: bool,
    /// Decoders in the middle of a stream.
    pub(crate) decoders: BTreeMap<u64, Decoder>,
    pub(crate) decoder_last: u64,
    /// What happened to promises in this turn, in order.
    pub(crate) rejections: Vec<Rejection>,
    /// The modules of this context, by their index in the bundle.
    pub(crate) modules: Vec<Option<v8::Global<v8::Module>>>,
    /// The code of the program in the isolate that runs.
    pub(crate) compiled: Option<Rc<Compiled>>,
    /// Formats the stack of an error.
    pub(crate) prepare: Option<v8::Global<v8::Function>>,
    /// Stops the isolate that runs.
    pub(crate) handle: v8::IsolateHandle,
    pub(crate) stack_limit: usize,
    pub(crate) memory: Arc<Memory>,
}

/// A promise that was rejected while nobody handled it, or that is handled late.
pub(crate) struct Rejection {
    pub(crate) promise: v8::Global<v8::Promise>,
    /// `None`: it got its handler.
    pub(crate) reason: Option<v8::Global<v8::Value>>,
}

thread_local! {
    static CURRENT: Cell<Option<*const RefCell<Guest>>> = const { Cell::new(None) };
}

/// Makes a guest the one that this thread runs.
pub(crate) struct Running {
    before: Option<*const RefCell<Guest>>,
    // Keeps the guest alive for as long as callbacks can reach it.
    _guest: Rc<RefCell<Guest>>,
}

impl Running {
    pub(crate) fn new(guest: &Rc<RefCell<Guest>>) -> Running {
        Running { before: CURRENT.replace(Some(Rc::as_ptr(guest))), _guest: Rc::clone(guest) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

/// Lets `f` see the guest that runs; `None` if there is none, as while the snapshot is made.
pub(crate) fn with<R>(f: impl FnOnce(&mut Guest) -> R) -> Option<R> {
    let guest = CURRENT.get()?;
    // SAFETY: `Running` keeps the guest alive and takes the pointer back when it goes.
    let guest = unsafe { &*guest };
    Some(f(&mut guest.borrow_mut()))
}

/// Adds an effect to those of the turn.
pub(crate) fn push(effect: Effect) {
    with(|guest| guest.effects.push(effect));
}

/// Ends the guest with this fault, unless it has one already.
pub(crate) fn fault(fault: Fault) {
    with(|guest| {
        guest.fault.get_or_insert(fault);
    });
}

/// The fault of a stack overflow.
pub(crate) fn stack_fault() -> Fault {
    // Where it happened depends on V8's build, so that is not told.
    Fault { kind: FaultKind::Stack, message: "a function called itself too deeply".into(), location: None }
}

/// The fault of a full memory.
pub(crate) fn memory_fault() -> Fault {
    Fault { kind: FaultKind::Memory, message: "the guest's memory is full".into(), location: None }
}

/// How many frames of the platform library may lie between a guest and a native operation.
const LIBRARY_FRAMES_MAX: usize = 12;

/// Where in the guest's source the native operation that runs was called from.
pub(crate) fn caller(scope: &mut v8::PinScope<'_, '_>) -> Option<Location> {
    let trace = v8::StackTrace::current_stack_trace(scope, LIBRARY_FRAMES_MAX)?;
    location_of(scope, trace)
}

/// The first place of a stack trace that lies in the guest's source.
pub(crate) fn location_of(
    scope: &mut v8::PinScope<'_, '_>,
    trace: v8::Local<'_, v8::StackTrace>,
) -> Option<Location> {
    (0..trace.get_frame_count()).find_map(|at| {
        let frame = trace.get_frame(scope, at)?;
        let file = frame.get_script_name(scope)?.to_rust_string_lossy(scope);
        let (line, column) = (frame.get_line_number() as u32, frame.get_column() as u32);
        with(|guest| guest.program.location(&file, line, column)).flatten()
    })
}
