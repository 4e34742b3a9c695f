//! The memory limit of an isolate: its heap, and the bytes of its array buffers.
//!
//! V8 ends the process when a heap is full. So its limit is raised, far, the first time that it is
//! reached: enough for whatever is being allocated, and the guest is stopped right after.

use std::alloc::{self, Layout};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use v8::{IsolateHandle, RustAllocatorVtable};

/// V8's largest objects (arrays, two-byte strings) have 1 GiB; a few of them may be under way.
const HEADROOM: usize = 4 << 30;

/// What one isolate may use up, and whether it has.
pub(crate) struct Memory {
    limit: AtomicUsize,
    buffers: AtomicUsize,
    is_buffer_refused: AtomicBool,
    is_exceeded: AtomicBool,
    is_raised: AtomicBool,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Arc<Memory> {
        Arc::new(Memory {
            limit: AtomicUsize::new(limit),
            buffers: AtomicUsize::new(0),
            is_buffer_refused: AtomicBool::new(false),
            is_exceeded: AtomicBool::new(false),
            is_raised: AtomicBool::new(false),
        })
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Whether the limit was reached: the isolate must not be used again.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.is_exceeded.load(Ordering::Relaxed)
    }

    /// Whether V8's own limit is no longer the one that the isolate was made with.
    pub(crate) fn is_raised(&self) -> bool {
        self.is_raised.load(Ordering::Relaxed)
    }

    pub(crate) fn set_exceeded(&self) {
        self.is_exceeded.store(true, Ordering::Relaxed);
    }

    /// Whether the last array buffer was refused: the error that is being made comes from that.
    pub(crate) fn is_buffer_refused(&self) -> bool {
        self.is_buffer_refused.load(Ordering::Relaxed)
    }

    /// The allocator for the array buffers of this isolate.
    pub(crate) fn allocator(self: &Arc<Memory>) -> v8::UniqueRef<v8::Allocator> {
        static VTABLE: RustAllocatorVtable<Memory> =
            RustAllocatorVtable { allocate, allocate_uninitialized, free, drop: drop_memory };
        // SAFETY: the handle is an `Arc` that `drop_memory` gives back, and `VTABLE` is for its type.
        unsafe { v8::new_rust_allocator(Arc::into_raw(Arc::clone(self)), &VTABLE) }
    }

    fn take(&self, len: usize) -> Option<Layout> {
        let limit = self.limit.load(Ordering::Relaxed);
        let fits = self
            .buffers
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(len).filter(|used| *used <= limit)
            })
            .is_ok();
        // V8 collects garbage and tries again; the error that it makes in the end is caught where
        // errors are counted.
        self.is_buffer_refused.store(!fits, Ordering::Relaxed);
        if fits { Layout::from_size_align(len.max(1), 16).ok() } else { None }
    }
}

unsafe extern "C" fn allocate(memory: &Memory, len: usize) -> *mut c_void {
    // SAFETY: the layout has at least one byte.
    memory.take(len).map_or(std::ptr::null_mut(), |layout| unsafe { alloc::alloc_zeroed(layout) }.cast())
}

unsafe extern "C" fn allocate_uninitialized(memory: &Memory, len: usize) -> *mut c_void {
    // SAFETY: the layout has at least one byte.
    memory.take(len).map_or(std::ptr::null_mut(), |layout| unsafe { alloc::alloc(layout) }.cast())
}

unsafe extern "C" fn free(memory: &Memory, data: *mut c_void, len: usize) {
    memory.buffers.fetch_sub(len, Ordering::Relaxed);
    if let Ok(layout) = Layout::from_size_align(len.max(1), 16) {
        // SAFETY: `data` comes from the functions above, which used the same layout for this length.
        unsafe { alloc::dealloc(data.cast(), layout) };
    }
}

unsafe extern "C" fn drop_memory(memory: *const Memory) {
    // SAFETY: V8 hands back what `allocator` gave it, once.
    drop(unsafe { Arc::from_raw(memory) });
}

/// What the callback below needs; it lives as long as the isolate.
pub(crate) struct HeapWatch {
    pub(crate) memory: Arc<Memory>,
    pub(crate) handle: IsolateHandle,
}

/// Called by V8 when the heap is full and a collection did not help.
///
/// # Safety
///
/// `data` must point to a living [`HeapWatch`].
pub(crate) unsafe extern "C" fn near_heap_limit(data: *mut c_void, current: usize, _initial: usize) -> usize {
    // SAFETY: the isolate was given a watch that it owns.
    let watch = unsafe { &*data.cast::<HeapWatch>() };
    let limit = watch.memory.limit.load(Ordering::Relaxed);
    if current < limit {
        // More instances have come to this node since the isolate was made.
        watch.memory.is_raised.store(true, Ordering::Relaxed);
        return limit;
    }
    watch.memory.set_exceeded();
    watch.handle.terminate_execution();
    current.saturating_add(HEADROOM)
}
