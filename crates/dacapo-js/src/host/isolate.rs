//! Isolates: one for the instances of a node, taken from a pool and given back to it.
//!
//! Instances of one node share an isolate because they also share its fate: when one of them has
//! eaten the node's memory, all of them go down. Nothing that a guest can see outlives its context,
//! so a pooled isolate cannot be told from a new one.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ops::{Deref, DerefMut};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use dacapo_core::{Digest, NodeId};

use crate::engine::{JsOptions, Judge};
use crate::host::memory::{HeapWatch, Memory, near_heap_limit};
use crate::host::process::Profile;
use crate::host::snapshot::Snapshot;
use crate::instance::watch;

/// How much of the stack guests may use.
const STACK_BYTES: usize = 900 << 10;

/// How many isolates wait for their next use.
const IDLE_MAX: usize = 64;

/// An isolate that is not entered.
pub(crate) struct Isolate {
    // Declared first: it must be disposed before what it points to.
    isolate: RefCell<Option<v8::OwnedIsolate>>,
    pub(crate) memory: Arc<Memory>,
    /// Stops whatever runs in the isolate.
    pub(crate) handle: v8::IsolateHandle,
    /// Below this address errors count as stack overflows.
    pub(crate) stack_limit: usize,
    /// Compiled programs, so that further contexts find them in V8's compilation cache.
    pub(crate) compiled: RefCell<BTreeMap<Digest, Rc<Compiled>>>,
    /// The memory that its instances may use, and that it was made with.
    claimed: Cell<usize>,
    first: usize,
    watch: *mut HeapWatch,
}

/// What keeps the compiled code of one program alive in an isolate.
pub(crate) struct Compiled {
    /// For each module its source and its code, once it has been needed.
    pub(crate) modules: RefCell<Vec<Option<CompiledModule>>>,
}

/// The source of a module as V8's string, and the code that V8 made of it.
#[derive(Clone)]
pub(crate) struct CompiledModule {
    pub(crate) source: v8::Global<v8::String>,
    pub(crate) _code: v8::Global<v8::UnboundModuleScript>,
}

impl Isolate {
    fn new(snapshot: &Snapshot, limit: usize) -> Isolate {
        let memory = Memory::new(limit);
        let here = 0u8;
        let stack_limit = (&raw const here as usize).saturating_sub(STACK_BYTES);
        let params = v8::CreateParams::default()
            .snapshot_blob(snapshot.blob.into())
            .external_references(snapshot.references.into())
            .array_buffer_allocator(memory.allocator())
            .allow_atomics_wait(false)
            .heap_limits(0, limit);
        // SAFETY: the address lies in the stack of this thread, which has at least that much left
        // (engines live on threads with 2 MiB or more).
        let params = unsafe { params.set_stack_limit(stack_limit as *mut u32) };
        let mut isolate = v8::Isolate::new(params);
        let handle = isolate.thread_safe_handle();
        let heap = HeapWatch { memory: Arc::clone(&memory), handle: handle.clone() };
        let heap = Box::into_raw(Box::new(heap));
        isolate.add_near_heap_limit_callback(near_heap_limit, heap.cast::<c_void>());
        isolate.set_microtasks_policy(v8::MicrotasksPolicy::Explicit);
        isolate.date_time_configuration_change_notification(v8::TimeZoneDetection::Skip);
        isolate.set_capture_stack_trace_for_uncaught_exceptions(true, 10);
        watch::install(&mut isolate);
        // SAFETY: it has just been entered by its creation, and nothing of it is on the stack.
        unsafe { isolate.exit() };
        Isolate {
            isolate: RefCell::new(Some(isolate)),
            memory,
            handle,
            stack_limit,
            compiled: RefCell::default(),
            claimed: Cell::new(limit),
            first: limit,
            watch: heap,
        }
    }

    /// Enters the isolate for as long as the result lives.
    pub(crate) fn enter(&self) -> Entered<'_> {
        let isolate = RefMut::map(self.isolate.borrow_mut(), |isolate| {
            isolate.as_mut().expect("an isolate is there until it is dropped")
        });
        // SAFETY: `Entered` leaves it again, and cannot outlive it.
        unsafe { isolate.enter() };
        Entered { isolate }
    }
}

impl Drop for Isolate {
    fn drop(&mut self) {
        // Handles must go before their isolate.
        self.compiled.borrow_mut().clear();
        if let Some(isolate) = self.isolate.borrow_mut().take() {
            // SAFETY: dropping leaves the isolate, so it has to be the entered one.
            unsafe { isolate.enter() };
            drop(isolate);
        }
        // SAFETY: the isolate, its only user, is gone; the pointer comes from `Box::into_raw`.
        drop(unsafe { Box::from_raw(self.watch) });
    }
}

/// An isolate that is the current one of its thread.
pub(crate) struct Entered<'a> {
    isolate: RefMut<'a, v8::OwnedIsolate>,
}

impl Deref for Entered<'_> {
    type Target = v8::OwnedIsolate;
    fn deref(&self) -> &v8::OwnedIsolate {
        &self.isolate
    }
}

impl DerefMut for Entered<'_> {
    fn deref_mut(&mut self) -> &mut v8::OwnedIsolate {
        &mut self.isolate
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // SAFETY: `enter` has entered it, and scopes on it cannot outlive the borrow.
        unsafe { self.isolate.exit() };
    }
}

/// The isolates of one engine.
pub(crate) struct Pool {
    pub(crate) profile: Profile,
    pub(crate) judge: Option<Judge>,
    /// Whether programs note what is reached in them.
    pub(crate) covers: bool,
    pub(crate) snapshot: &'static Snapshot,
    idle: RefCell<Vec<Isolate>>,
    nodes: RefCell<BTreeMap<NodeId, Weak<Lease>>>,
    platform: v8::SharedRef<v8::Platform>,
}

/// The right of a node's instances to use an isolate. The last of them gives it back.
pub(crate) struct Lease {
    isolate: Option<Isolate>,
    pool: Rc<Pool>,
}

impl Pool {
    pub(crate) fn new(options: &JsOptions, snapshot: &'static Snapshot) -> Rc<Pool> {
        let JsOptions { profile, judge, covers } = *options;
        let platform = v8::V8::get_current_platform();
        Rc::new(Pool {
            profile,
            judge,
            covers,
            snapshot,
            idle: RefCell::default(),
            nodes: RefCell::default(),
            platform,
        })
    }

    /// V8's platform, whose tasks a turn runs.
    pub(crate) fn platform(&self) -> &v8::SharedRef<v8::Platform> {
        &self.platform
    }

    /// The isolate of `node`, for one more instance that may use `memory` bytes.
    pub(crate) fn of_node(self: &Rc<Pool>, node: NodeId, memory: usize) -> Rc<Lease> {
        let shared = self.nodes.borrow().get(&node).and_then(Weak::upgrade);
        if let Some(lease) = shared.filter(|lease| !lease.memory.is_exceeded()) {
            let claimed = lease.claimed.get().saturating_add(memory);
            lease.claimed.set(claimed);
            lease.memory.set_limit(claimed);
            return lease;
        }
        let lease = Rc::new(self.take(memory));
        self.nodes.borrow_mut().insert(node, Rc::downgrade(&lease));
        lease
    }

    /// An isolate for nobody in particular.
    pub(crate) fn take(self: &Rc<Pool>, memory: usize) -> Lease {
        let found = {
            let mut idle = self.idle.borrow_mut();
            let at = idle.iter().rposition(|isolate| isolate.first == memory);
            at.map(|at| idle.remove(at))
        };
        if let Some(isolate) = &found {
            isolate.claimed.set(memory);
            isolate.memory.set_limit(memory);
        }
        let isolate = found.unwrap_or_else(|| Isolate::new(self.snapshot, memory));
        Lease { isolate: Some(isolate), pool: Rc::clone(self) }
    }
}

impl Deref for Lease {
    type Target = Isolate;
    fn deref(&self) -> &Isolate {
        self.isolate.as_ref().expect("the isolate is there until the lease is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(isolate) = self.isolate.take() else { return };
        let mut idle = self.pool.idle.borrow_mut();
        // V8 would let the next guest go as far as it has let this one.
        let is_as_new = !isolate.memory.is_exceeded() && !isolate.memory.is_raised();
        if is_as_new && idle.len() < IDLE_MAX {
            idle.push(isolate);
        }
    }
}
