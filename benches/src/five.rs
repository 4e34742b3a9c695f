//! A busy system of five services: an order goes through a desk to a store, a till and a ledger, and
//! each step tells an audit. Twenty customers order about ten times a second each.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use dacapo_lab::prelude::*;
use http::StatusCode;

/// Calls these services one after the other and answers when all have.
async fn ask(guest: &Guest, services: &[&'static str], request: &Request) -> Response {
    for service in services {
        let copy = Request::post("https://it.internal/", request.body.clone());
        match guest.call(service, copy).await {
            Ok(answer) if answer.status() == StatusCode::OK => {}
            Ok(answer) => return answer,
            Err(error) => return Response::new(StatusCode::BAD_GATEWAY, error.to_string()),
        }
    }
    Response::text("ok")
}

macro_rules! service {
    ($(#[$doc:meta])* $name:ident asks $($binding:literal),*) => {
        $(#[$doc])*
        struct $name {
            guest: Guest,
            served: Cell<u64>,
        }

        impl Service for $name {
            fn start(guest: Guest) -> $name {
                $name { guest, served: Cell::new(0) }
            }

            async fn fetch(self: Rc<Self>, request: Request) -> Response {
                self.served.set(self.served.get() + 1);
                ask(&self.guest, &[$($binding),*], &request).await
            }
        }
    };
}

service!(
    /// Takes orders.
    Desk asks "STORE", "TILL"
);
service!(
    /// Knows what there is.
    Store asks "AUDIT"
);
service!(
    /// Takes money.
    Till asks "LEDGER"
);
service!(
    /// Knows where the money is.
    Ledger asks "AUDIT"
);
service!(
    /// Hears of everything.
    Audit asks
);

struct Customers(Guest);

impl Customers {
    async fn order(self: Rc<Self>, customer: u32) {
        let order = Request::post("https://desk.example/orders", format!("{{\"customer\":{customer}}}"));
        let answer = self.0.timeout(Duration::from_secs(2), self.0.fetch(order)).await;
        let is_served = matches!(answer, Some(Ok(response)) if response.status() == StatusCode::OK);
        self.0.sometimes(is_served, "an order is served");
    }
}

impl Workload for Customers {
    fn start(guest: Guest) -> Customers {
        Customers(guest)
    }

    fn drivers() -> Vec<Driver<Customers>> {
        let order = Driver::new(|w: Rc<Customers>, customer| w.order(customer));
        vec![order.clients(20).pause(Duration::from_millis(100))]
    }
}

/// Five services on each of `nodes` nodes for so long, in virtual time, with these faults.
pub fn experiment(nodes: u32, lasts: Duration, faults: &[&str]) -> Experiment {
    Experiment::native("five")
        .service::<Desk>("desk", &["store", "till"])
        .service::<Store>("store", &["audit"])
        .service::<Till>("till", &["ledger"])
        .service::<Ledger>("ledger", &["audit"])
        .service::<Audit>("audit", &[])
        .workload::<Customers>()
        .nodes(nodes)
        .lasts(lasts)
        .faults(faults)
        .build()
}
