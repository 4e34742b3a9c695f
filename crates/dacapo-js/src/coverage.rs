//! What the code of a program notes of itself: an array of bytes that all of its contexts share.

use std::cell::Cell;

use dacapo_core::{Point, Probes};

/// So many points are looked at together.
const CHUNK: usize = 32;

/// The points of a program, and those that were reached.
pub(crate) struct Coverage {
    points: Vec<Point>,
    /// A byte for each point, which code counts up to 255.
    hits: v8::SharedRef<v8::BackingStore>,
    /// Whether code has run since somebody looked.
    has_run: Cell<bool>,
}

impl Coverage {
    pub(crate) fn new(points: Vec<Point>) -> Coverage {
        let hits = v8::ArrayBuffer::new_backing_store_from_vec(vec![0; points.len().max(1)]).make_shared();
        Coverage { points, hits, has_run: Cell::new(false) }
    }

    /// The array as code of one context has it: one that stays at 255, so no note ever counts as none.
    pub(crate) fn array<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
    ) -> Option<v8::Local<'s, v8::Uint8ClampedArray>> {
        let buffer = v8::ArrayBuffer::with_backing_store(scope, &self.hits);
        v8::Uint8ClampedArray::new(scope, buffer, 0, self.points.len())
    }

    /// Code is about to run.
    pub(crate) fn runs(&self) {
        self.has_run.set(true);
    }
}

impl Probes for Coverage {
    fn points(&self) -> &[Point] {
        &self.points
    }

    fn take(&self, reached: &mut dyn FnMut(usize)) {
        if !self.has_run.take() {
            return;
        }
        // Of thousands of points a turn reaches few.
        for (chunk, hits) in self.hits.chunks(CHUNK).enumerate() {
            if hits.iter().fold(0, |any, hit| any | hit.get()) == 0 {
                continue;
            }
            for (index, hit) in hits.iter().enumerate() {
                if hit.take() != 0 {
                    reached(chunk * CHUNK + index);
                }
            }
        }
    }
}
