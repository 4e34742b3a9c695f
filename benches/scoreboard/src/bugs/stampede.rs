//! Cache stampede: an entry has expired, and everybody who asks for it loads it from the origin at once.
//!
//! Also called dog-piling; Facebook's outage of 2010-09-23 was one. The twin lets one load and the others wait for it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use dacapo_core::Time;
use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{millis, wait_for};

pub(crate) const BUG: Bug = Bug {
    name: "cache-stampede",
    rule: "the origin has one load under way at most",
    needs: "two requests within one load",
    budget: 5,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

struct Origin {
    guest: Guest,
    loads: Cell<u32>,
}

impl Service for Origin {
    fn start(guest: Guest) -> Self {
        Origin { guest, loads: Cell::new(0) }
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        self.loads.set(self.loads.get() + 1);
        self.guest.always(self.loads.get() == 1, BUG.rule);
        self.guest.sleep(millis(2)).await;
        self.loads.set(self.loads.get() - 1);
        Response::text("the page")
    }
}

struct Cache<const BUGGY: bool> {
    guest: Guest,
    entry: RefCell<Option<(Time, String)>>,
    is_loading: Cell<bool>,
}

impl<const BUGGY: bool> Cache<BUGGY> {
    fn fresh(&self) -> Option<String> {
        let entry = self.entry.borrow();
        entry
            .as_ref()
            .filter(|(at, _)| self.guest.now().since(*at) < millis(50))
            .map(|(_, page)| page.clone())
    }
}

impl<const BUGGY: bool> Service for Cache<BUGGY> {
    fn start(guest: Guest) -> Self {
        Cache { guest, entry: RefCell::default(), is_loading: Cell::new(false) }
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        loop {
            if let Some(page) = self.fresh() {
                return Response::text(page);
            }
            if !BUGGY && self.is_loading.get() {
                self.guest.sleep(millis(1)).await;
                continue;
            }
            self.is_loading.set(true);
            // A task of its own: a reader who goes away does not leave the others waiting.
            let cache = Rc::clone(&self);
            let load = self.guest.spawn(async move {
                if let Some(page) = wait_for(&cache.guest, "origin/page", "").await {
                    *cache.entry.borrow_mut() = Some((cache.guest.now(), page));
                }
                cache.is_loading.set(false);
            });
            load.await;
        }
    }
}

struct Readers {
    guest: Guest,
}

impl Workload for Readers {
    fn start(guest: Guest) -> Self {
        Readers { guest }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let read = |w: Rc<Self>, _| async move { drop(wait_for(&w.guest, "cache/page", "").await) };
        vec![Driver::new(read).clients(3).pause(millis(20))]
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Cache<BUGGY>>("cache", &["origin"])
        .singleton::<Origin>("origin", &[])
        .workload::<Readers>()
        .nodes(2)
        .lasts(millis(200))
        .build()
}
