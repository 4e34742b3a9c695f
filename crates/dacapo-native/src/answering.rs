//! The tasks that answer requests, which use their memory again: a request costs no allocation of its own.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A task that can be done with its future, and then be given another one.
pub(crate) trait Answering: Any {
    /// Goes on with the future.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Drops the future.
    fn clear(&mut self);
}

struct Place<F>(Pin<Box<Option<F>>>);

impl<F: Future<Output = ()> + 'static> Answering for Place<F> {
    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().as_pin_mut().map_or(Poll::Ready(()), |future| future.poll(cx))
    }

    #[inline]
    fn clear(&mut self) {
        self.0.set(None);
    }
}

/// A task for this future, in a place that one of the same kind has left.
#[inline]
pub(crate) fn answering<F>(future: F, left: Option<Box<dyn Answering>>) -> Box<dyn Answering>
where
    F: Future<Output = ()> + 'static,
{
    if let Some(mut left) = left
        && let Some(place) = (&mut *left as &mut dyn Any).downcast_mut::<Place<F>>()
    {
        place.0.set(Some(future));
        return left;
    }
    Box::new(Place(Box::pin(Some(future))))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    /// Adds up what it is given, at its end.
    fn adds(sum: &Rc<Cell<u32>>) -> impl Fn(u32) -> std::pin::Pin<Box<dyn Future<Output = ()>>> + use<> {
        let sum = Rc::clone(sum);
        move |n| {
            let sum = Rc::clone(&sum);
            Box::pin(async move { sum.set(sum.get() + n) })
        }
    }

    fn address(task: &dyn Answering) -> *const () {
        std::ptr::from_ref(task).cast()
    }

    #[test]
    fn a_task_answers_one_request_after_the_other_in_the_same_memory() {
        let sum = Rc::new(Cell::new(0));
        let future = adds(&sum);
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        let mut task = answering(future(1), None);
        let first = address(&*task);
        assert!(task.poll(cx).is_ready());
        task.clear();
        let mut task = answering(future(2), Some(task));
        assert!(task.poll(cx).is_ready());
        assert_eq!((sum.get(), address(&*task)), (3, first));
    }

    #[test]
    fn what_is_left_by_a_task_of_another_kind_is_not_used() {
        let sum = Rc::new(Cell::new(0));
        let left = answering(async {}, None);
        let mut task = answering(adds(&sum)(2), Some(left));
        assert!(task.poll(&mut Context::from_waker(std::task::Waker::noop())).is_ready());
        assert_eq!(sum.get(), 2);
    }

    #[test]
    fn what_a_task_holds_is_dropped_when_it_is_cleared() {
        let held = Rc::new(());
        let kept = Rc::clone(&held);
        let mut task = answering(
            async move {
                let _kept = kept;
                std::future::pending().await
            },
            None,
        );
        assert!(task.poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
        assert_eq!(Rc::strong_count(&held), 2);
        task.clear();
        assert_eq!(Rc::strong_count(&held), 1);
    }
}
