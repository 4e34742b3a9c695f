//! The tasks of one guest: polled when they are woken, in the order in which they were.
//!
//! Small on purpose. A turn is over when nobody is awake, so there is nothing here that waits,
//! parks a thread or looks at a clock, and a task that ends leaves its place and its waker to the
//! next one, and one that answers a request its memory too. What waits for an
//! event of the world is found by its place, without the locked operations that a waker takes.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::LocalBoxFuture;

use crate::answering::Answering;
use crate::slot::Slot;

/// Where a task stands. Its place may be given to another task when it has ended.
pub(crate) type TaskId = usize;

/// All tasks of a guest.
#[derive(Default)]
pub(crate) struct Tasks {
    places: Vec<Place>,
    wakers: Rc<Wakers>,
    free: Vec<TaskId>,
    /// What tasks that answered requests have left.
    left: Vec<Box<dyn Answering>>,
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

/// The waker of each place, and which of them polls at present.
#[derive(Default)]
pub(crate) struct Wakers {
    all: RefCell<Vec<Waker>>,
    polled: Cell<TaskId>,
}

/// Who waits for an event of the world: mostly a task itself, for which there is no need of a waker.
pub(crate) enum Waiter {
    Task(TaskId),
    /// Part of a task that tells apart which of its parts was woken.
    Other(Waker),
}

impl Wakers {
    /// Who waits when a future of ours is polled with this context.
    #[inline]
    pub(crate) fn waiter(&self, cx: &Context<'_>) -> Waiter {
        let task = self.polled.get();
        match self.all.borrow().get(task) {
            Some(waker) if waker.will_wake(cx.waker()) => Waiter::Task(task),
            _ => Waiter::Other(cx.waker().clone()),
        }
    }
}

/// The tasks that have been woken by a waker, by place.
#[derive(Default)]
struct Woken {
    ids: Mutex<Vec<TaskId>>,
    /// Whether there are any: most turns find none, and need no lock to know it.
    any: AtomicBool,
}

struct Place {
    task: Option<Work>,
    bell: Arc<Bell>,
}

enum Work {
    Once(LocalBoxFuture<'static, ()>),
    Answers(Box<dyn Answering>),
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
    /// No tasks; those of the guest find these wakers.
    pub(crate) fn new(wakers: Rc<Wakers>) -> Tasks {
        Tasks { wakers, ..Tasks::default() }
    }

    /// Wakes whoever has waited for an event.
    #[inline]
    pub(crate) fn wake(&mut self, waiter: Waiter) {
        match waiter {
            Waiter::Other(waker) => waker.wake(),
            // Behind those that were woken before.
            Waiter::Task(id) if self.woken.any.load(Ordering::Acquire) => self.places[id].bell.wake_by_ref(),
            Waiter::Task(id) => {
                if !self.places[id].bell.has_rung.load(Ordering::Relaxed) {
                    self.places[id].bell.has_rung.store(true, Ordering::Relaxed);
                    self.batch.push(id);
                }
            }
        }
    }

    /// Polls a new task for the first time; gives its place if it has to wait.
    pub(crate) fn start(&mut self, task: LocalBoxFuture<'static, ()>) -> Option<TaskId> {
        self.begin(Work::Once(task))
    }

    /// The same with a task that answers a request, which may use what an earlier one has left.
    #[inline]
    pub(crate) fn start_answer(
        &mut self,
        task: impl FnOnce(Option<Box<dyn Answering>>) -> Box<dyn Answering>,
    ) -> Option<TaskId> {
        let left = self.left.pop();
        self.begin(Work::Answers(task(left)))
    }

    #[inline]
    fn begin(&mut self, task: Work) -> Option<TaskId> {
        let id = self.free.pop().unwrap_or_else(|| self.new_place());
        self.places[id].task = Some(task);
        self.poll(id);
        self.places[id].task.is_some().then_some(id)
    }

    /// Drops a task that has not ended.
    pub(crate) fn cancel(&mut self, id: TaskId) {
        if let Some(Work::Answers(mut task)) = self.places[id].task.take() {
            task.clear();
            self.left.push(task);
        }
        self.free.push(id);
    }

    /// Polls whoever is awake until nobody is.
    #[inline]
    pub(crate) fn run(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        loop {
            for id in batch.drain(..) {
                self.poll(id);
            }
            if !self.woken.any.load(Ordering::Acquire) {
                break;
            }
            self.woken.any.store(false, Ordering::Relaxed);
            std::mem::swap(&mut *self.woken.ids.lock().unwrap_or_else(PoisonError::into_inner), &mut batch);
        }
        self.batch = batch;
    }

    #[cold]
    fn new_place(&mut self) -> TaskId {
        let id = self.places.len();
        let bell = Arc::new(Bell { id, has_rung: AtomicBool::new(false), woken: Arc::clone(&self.woken) });
        self.wakers.all.borrow_mut().push(Waker::from(Arc::clone(&bell)));
        self.places.push(Place { task: None, bell });
        id
    }

    #[inline(always)]
    fn poll(&mut self, id: TaskId) {
        let Place { task, bell } = &mut self.places[id];
        bell.has_rung.store(false, Ordering::Relaxed);
        // A bell may ring after its task has ended, and wake the next one in its place for nothing.
        let Some(work) = task else { return };
        self.wakers.polled.set(id);
        let wakers = self.wakers.all.borrow();
        let cx = &mut Context::from_waker(&wakers[id]);
        let end = match work {
            Work::Once(future) => future.as_mut().poll(cx),
            Work::Answers(answer) => answer.poll(cx),
        };
        drop(wakers);
        if end.is_ready() {
            self.cancel(id);
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
    fn an_event_wakes_its_task_once_and_behind_those_that_were_woken_before() {
        let mut tasks = Tasks::default();
        let order = Rc::new(std::cell::RefCell::new(Vec::new()));
        let slots: Vec<Slot<()>> = (0..2).map(|_| Slot::new()).collect();
        for (number, slot) in slots.iter().cloned().enumerate() {
            let order = Rc::clone(&order);
            tasks.start(Box::pin(async move {
                slot.await;
                order.borrow_mut().push(number);
            }));
        }
        let polls = Rc::new(Cell::new(0));
        let (polled, at_end) = (Rc::clone(&polls), Rc::clone(&order));
        let waits = tasks.start(Box::pin(std::future::poll_fn(move |_| {
            polled.set(polled.get() + 1);
            at_end.borrow_mut().push(2);
            Poll::Pending
        })));
        order.borrow_mut().clear();
        slots[1].put(());
        tasks.wake(Waiter::Task(waits.expect("it waits")));
        tasks.wake(Waiter::Task(waits.expect("it waits")));
        slots[0].put(());
        tasks.run();
        assert_eq!((&*order.borrow(), polls.get()), (&vec![1, 2, 0], 2));
    }

    #[test]
    fn a_part_of_a_task_that_has_a_waker_of_its_own_is_woken_by_it() {
        let (mut tasks, seen) = (Tasks::default(), Rc::new(RefCell::new(Vec::new())));
        let (wakers, found) = (Rc::clone(&tasks.wakers), Rc::clone(&seen));
        tasks.start(Box::pin(std::future::poll_fn(move |cx| {
            let own = matches!(wakers.waiter(cx), Waiter::Task(0));
            let other = matches!(wakers.waiter(&Context::from_waker(Waker::noop())), Waiter::Other(_));
            found.borrow_mut().extend([own, other]);
            Poll::Ready(())
        })));
        assert_eq!(*seen.borrow(), [true, true]);
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
