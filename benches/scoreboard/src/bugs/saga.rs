//! Saga without compensation: the flight is booked, the hotel is full, and nobody gives the flight back.
//!
//! Garcia-Molina and Salem, "Sagas" (1987). The twin cancels what it has booked, again and again until that is heard; a
//! cancellation leaves a mark, so that a booking that was on its way does not come after it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_lab::prelude::*;

use crate::bug::Bug;
use crate::kit::{ask, insist, millis, numbers, refuse};

pub(crate) const BUG: Bug = Bug {
    name: "saga-without-compensation",
    rule: "who has no hotel has no flight",
    needs: "the second step refused or lost",
    budget: 3,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

/// Flights, or hotels: so many places, each held by a trip.
struct Places<const ROOM: usize> {
    /// Whether each trip has a place; one that was cancelled never gets one.
    trips: RefCell<BTreeMap<u64, bool>>,
}

impl<const ROOM: usize> Service for Places<ROOM> {
    fn start(_: Guest) -> Self {
        Places { trips: RefCell::default() }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let mut trips = self.trips.borrow_mut();
        let taken = || trips.values().filter(|has_place| **has_place).count();
        match (request.path(), numbers(&request.text()).first()) {
            ("/book", Some(trip)) => match trips.get(trip) {
                None if taken() >= ROOM => return refuse("full"),
                Some(false) => return refuse("it was cancelled"),
                _ => drop(trips.insert(*trip, true)),
            },
            ("/cancel", Some(trip)) => drop(trips.insert(*trip, false)),
            _ => {}
        }
        let held: Vec<String> = trips.iter().filter(|(_, held)| **held).map(|(t, _)| t.to_string()).collect();
        Response::text(held.join(" "))
    }
}

struct Trips<const BUGGY: bool> {
    guest: Guest,
}

impl<const BUGGY: bool> Trips<BUGGY> {
    async fn book(guest: Guest, trip: String) -> bool {
        let has_flight = ask(&guest, "flights/book", &*trip).await.is_some();
        if has_flight && ask(&guest, "hotels/book", &*trip).await.is_some() {
            return true;
        }
        if !BUGGY {
            insist(&guest, "hotels/cancel", &*trip).await;
            insist(&guest, "flights/cancel", &*trip).await;
        }
        false
    }
}

impl<const BUGGY: bool> Service for Trips<BUGGY> {
    fn start(guest: Guest) -> Self {
        Trips { guest }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        // A task of its own, so that it comes to its end whoever waits for it.
        let saga = self.guest.spawn(Self::book(self.guest.clone(), request.text()));
        if saga.await { Response::text("booked") } else { refuse("not to be had") }
    }
}

struct Travellers {
    guest: Guest,
    trips: Cell<u64>,
}

impl Workload for Travellers {
    fn start(guest: Guest) -> Self {
        Travellers { guest, trips: Cell::new(0) }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let travel = |w: Rc<Self>, _| async move {
            w.trips.set(w.trips.get() + 1);
            ask(&w.guest, "trips/book", w.trips.get().to_string()).await;
        };
        vec![Driver::new(travel).clients(2).pause(millis(100))]
    }

    async fn judge(self: Rc<Self>) {
        // Longer than any step that is still under way.
        self.guest.sleep(millis(20_000)).await;
        let flights = insist(&self.guest, "flights/list", "").await;
        let hotels = insist(&self.guest, "hotels/list", "").await;
        self.guest.always_or(flights == hotels, BUG.rule, || format!("flights: {flights}; hotels: {hotels}"));
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .singleton::<Trips<BUGGY>>("trips", &["flights", "hotels"])
        .singleton::<Places<6>>("flights", &[])
        .singleton::<Places<4>>("hotels", &[])
        .workload::<Travellers>()
        .faults(&["net.loss", "net.delay"])
        .lasts(millis(500))
        .build()
}
