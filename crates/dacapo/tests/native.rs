//! The example of the book's page for Rust users, so that it stays true. It needs no JavaScript.

use std::cell::Cell;
use std::rc::Rc;

use dacapo::lab::prelude::*;

struct Counter(Cell<u64>);

impl Service for Counter {
    fn start(_: Guest) -> Counter {
        Counter(Cell::new(0))
    }

    async fn fetch(self: Rc<Self>, _: Request) -> Response {
        self.0.set(self.0.get() + 1);
        Response::text(self.0.get().to_string())
    }
}

struct Clients {
    guest: Guest,
}

impl Workload for Clients {
    fn start(guest: Guest) -> Clients {
        Clients { guest }
    }

    fn drivers() -> Vec<Driver<Clients>> {
        vec![Driver::new(|clients: Rc<Clients>, _| async move {
            let _ = clients.guest.fetch(Request::get("https://counter.example/")).await;
        })]
    }
}

#[test]
fn a_native_scenario_runs_through_the_facade() {
    Experiment::native("counting")
        .singleton::<Counter>("counter", &[])
        .workload::<Clients>()
        .faults(&["network"])
        .build()
        .seeds(0..20)
        .check();
}
