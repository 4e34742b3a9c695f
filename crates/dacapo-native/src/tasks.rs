//! The tasks of one guest: polled when they are woken, in the order in which they were.
//!
//! Small on purpose. A turn is over when nobody is awake, so there is nothing here that waits,
//! parks a thread or looks at a clock, and a task that ends leaves its place and its waker to the
//! next one: a request that is answered at once allocates no more than its future.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::LocalBoxFuture;

use crate::slot::Slot;

/// Where a task stands. Its place may be given to another task when it has ended.
pub(crate) type TaskId = usize;

/// All tasks of a guest.
#[derive(Default)]
pub(crate) struct Tasks {
    places: Vec<Place>,
    free: Vec<TaskId>,
    woken: Arc<Woken>,
    batch: Vec<TaskId>,
}

/// The end of a task that runs beside others ([`crate::Guest::spawn`]): a future of what it gives.
pub struct Task<T>(pub(crate) Slot<T>);

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// The tasks that have been woken, by place.
#[derive(Default)]
struct Woken {
    ids: Mutex<Vec<TaskId>>,
    /// Whether there are any: most turns find none, and need no lock to know it.
    any: AtomicBool,
}

struct Place {
    task: Option<LocalBoxFuture<'static, ()>>,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Wakes the task at one place. (A waker may be sent to another thread, hence the atomics, which
/// nobody ever contends for; but an operation that locks the bus costs as much as the rest of a poll, so there are few.)
struct Bell {
    id: TaskId,
    has_rung: AtomicBool,
    woken: Arc<Woken>,
}

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Bell>) {
        // Two threads that ring at once both write the task down, and it is polled once for nothing.
        if !self.has_rung.load(Ordering::Relaxed) {
            self.has_rung.store(true, Ordering::Relaxed);
            self.woken.ids.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
            self.woken.any.store(true, Ordering::Release);
        }
    }
}

impl Tasks {
    /// Polls a new task for the first time; gives its place if it has to wait.
    pub(crate) fn start(&mut self, task: LocalBoxFuture<'static, ()>) -> Option<TaskId> {
        let id = self.free.pop().unwrap_or_else(|| self.new_place());
        self.places[id].task = Some(task);
        self.poll(id);
        self.places[id].task.is_some().then_some(id)
    }

    /// Drops a task that has not ended.
    pub(crate) fn cancel(&mut self, id: TaskId) {
        self.places[id].task = None;
        self.free.push(id);
    }

    /// Polls whoever is awake until nobody is.
    pub(crate) fn run(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        while self.woken.any.load(Ordering::Acquire) {
            self.woken.any.store(false, Ordering::Relaxed);
            std::mem::swap(&mut *self.woken.ids.lock().unwrap_or_else(PoisonError::into_inner), &mut batch);
            for id in batch.drain(..) {
                self.poll(id);
            }
        }
        self.batch = batch;
    }

    fn new_place(&mut self) -> TaskId {
        let id = self.places.len();
        let bell = Arc::new(Bell { id, has_rung: AtomicBool::new(false), woken: Arc::clone(&self.woken) });
        let waker = Waker::from(Arc::clone(&bell));
        self.places.push(Place { task: None, bell, waker });
        id
    }

    fn poll(&mut self, id: TaskId) {
        let Place { task, bell, waker } = &mut self.places[id];
        bell.has_rung.store(false, Ordering::Relaxed);
        // A bell may ring after its task has ended, and wake the next one in its place for nothing.
        if let Some(future) = task
            && future.as_mut().poll(&mut Context::from_waker(waker)).is_ready()
        {
            *task = None;
            self.free.push(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_task_goes_on_when_it_is_woken_and_leaves_its_place_to_the_next() {
        let mut tasks = Tasks::default();
        let (question, answer) = (Slot::new(), Slot::new());
        let waits = {
            let (question, answer) = (question.clone(), answer.clone());
            Box::pin(async move { answer.put(question.await) })
        };
        let first = tasks.start(waits).expect("nobody has put a question");
        tasks.run();
        question.put(7);
        tasks.run();
        let again = tasks.start(Box::pin(async move {
            assert_eq!(answer.await, 7);
            std::future::pending().await
        }));
        assert_eq!(again, Some(first));
    }

    #[test]
    fn tasks_go_on_in_the_order_in_which_they_were_woken() {
        let mut tasks = Tasks::default();
        let order = Rc::new(std::cell::RefCell::new(Vec::new()));
        let slots: Vec<Slot<()>> = (0..3).map(|_| Slot::new()).collect();
        for (number, slot) in slots.iter().cloned().enumerate() {
            let order = Rc::clone(&order);
            tasks.start(Box::pin(async move {
                slot.await;
                order.borrow_mut().push(number);
            }));
        }
        for number in [2, 0, 1] {
            slots[number].put(());
        }
        tasks.run();
        assert_eq!(*order.borrow(), [2, 0, 1]);
    }

    #[test]
    fn a_cancelled_task_is_dropped_and_its_bell_wakes_nobody() {
        let mut tasks = Tasks::default();
        let (slot, held) = (Slot::new(), Rc::new(()));
        let (late, kept) = (slot.clone(), Rc::clone(&held));
        let id = tasks.start(Box::pin(async move {
            late.await;
            drop(kept);
        }));
        tasks.cancel(id.expect("it waits"));
        assert_eq!(Rc::strong_count(&held), 1);
        slot.put(());
        tasks.run();
    }
}
