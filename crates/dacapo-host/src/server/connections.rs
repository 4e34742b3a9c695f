//! The open connections of one loop, and which of them have outstayed their welcome.
//!
//! One look over all of them now and then replaces several timers for each. A connection that
//! sends half a head, idles or stops taking its response is closed; no other notices.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Waker;

use dacapo_core::Time;

use crate::options::ServerLimits;

/// What a connection has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    Serve,
    /// Finish what is under way, take nothing new.
    Finish,
    /// End now.
    Close,
}

/// What is known about one connection.
pub(crate) struct Watch {
    /// Requests under way.
    in_flight: Cell<u32>,
    has_served: Cell<bool>,
    /// Ping frames and the like arrive on an idle connection of HTTP/2, so bytes mean no request.
    pub(crate) is_http2: Cell<bool>,
    /// Since when a head is being read; a new connection counts as such.
    head_since: Cell<Option<Time>>,
    idle_since: Cell<Time>,
    /// Since when the client takes nothing of what is being written.
    write_stuck_since: Cell<Option<Time>>,
    /// A request's body has been left unread: see `linger`.
    pub(crate) has_unread_body: Cell<bool>,
    order: Cell<Order>,
    waker: RefCell<Option<Waker>>,
}

impl Watch {
    pub(crate) fn order(&self) -> Order {
        self.order.get()
    }

    pub(crate) fn set_waker(&self, waker: &Waker) {
        let mut own = self.waker.borrow_mut();
        if !own.as_ref().is_some_and(|w| w.will_wake(waker)) {
            *own = Some(waker.clone());
        }
    }

    fn tell(&self, order: Order) {
        if order > self.order.get() {
            self.order.set(order);
            let waker = self.waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    pub(crate) fn has_read(&self, now: Time) {
        let expects_head = self.in_flight.get() == 0 && !(self.is_http2.get() && self.has_served.get());
        if expects_head && self.head_since.get().is_none() {
            self.head_since.set(Some(now));
        }
    }

    pub(crate) fn has_written(&self) {
        self.write_stuck_since.set(None);
    }

    pub(crate) fn is_stuck_writing(&self, now: Time) {
        if self.write_stuck_since.get().is_none() {
            self.write_stuck_since.set(Some(now));
        }
    }

    pub(crate) fn request_begins(&self) {
        self.in_flight.set(self.in_flight.get() + 1);
        self.has_served.set(true);
        self.head_since.set(None);
    }

    pub(crate) fn request_ends(&self, now: Time) {
        self.in_flight.set(self.in_flight.get() - 1);
        self.idle_since.set(now);
    }

    fn is_overdue(&self, now: Time, limits: &ServerLimits) -> bool {
        let stuck = self.write_stuck_since.get().is_some_and(|t| now.since(t) >= limits.stall_timeout);
        let late = self.head_since.get().is_some_and(|t| now.since(t) >= limits.head_timeout);
        let idle = self.in_flight.get() == 0 && now.since(self.idle_since.get()) >= limits.idle_timeout;
        stuck || self.in_flight.get() == 0 && late || idle
    }
}

/// All connections of one loop.
#[derive(Default)]
pub(crate) struct Connections {
    open: RefCell<BTreeMap<u64, Rc<Watch>>>,
    opened: Cell<u64>,
    /// The acceptor, while it waits for a free place.
    acceptor: RefCell<Option<Waker>>,
}

impl Connections {
    pub(crate) fn open(&self, now: Time) -> (u64, Rc<Watch>) {
        let watch = Rc::new(Watch {
            in_flight: Cell::new(0),
            has_served: Cell::new(false),
            is_http2: Cell::new(false),
            head_since: Cell::new(Some(now)),
            idle_since: Cell::new(now),
            write_stuck_since: Cell::new(None),
            has_unread_body: Cell::new(false),
            order: Cell::new(Order::Serve),
            waker: RefCell::default(),
        });
        let number = self.opened.get();
        self.opened.set(number + 1);
        self.open.borrow_mut().insert(number, watch.clone());
        (number, watch)
    }

    pub(crate) fn closed(&self, number: u64) {
        self.open.borrow_mut().remove(&number);
        if let Some(waker) = self.acceptor.take() {
            waker.wake();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.borrow().is_empty()
    }

    /// Whether another connection may come. If not, the one that has idled longest is closed, and
    /// the acceptor is woken when there is room.
    pub(crate) fn has_room(&self, max: usize, acceptor: &Waker) -> bool {
        let open = self.open.borrow();
        if open.len() < max {
            return true;
        }
        self.acceptor.replace(Some(acceptor.clone()));
        let idle = open.values().filter(|w| w.in_flight.get() == 0 && w.order() != Order::Close);
        let is_closing = open.values().any(|w| w.order() == Order::Close);
        if let (false, Some(longest)) = (is_closing, idle.min_by_key(|w| w.idle_since.get())) {
            longest.tell(Order::Close);
        }
        false
    }

    /// Closes every connection that is overdue.
    pub(crate) fn sweep(&self, now: Time, limits: &ServerLimits) {
        let overdue = |w: &&Rc<Watch>| w.is_overdue(now, limits);
        for watch in self.open.borrow().values().filter(overdue) {
            watch.tell(Order::Close);
        }
    }

    pub(crate) fn tell_all(&self, order: Order) {
        for watch in self.open.borrow().values() {
            watch.tell(order);
        }
    }
}
