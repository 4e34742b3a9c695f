//! Read-modify-write across two objects: a transfer reads two accounts, computes, and writes both; two transfers at once
//! make or lose money.
//!
//! Each object is single-threaded and each write atomic, which protects one object and no pair of them. The twin sends the
//! difference, and each object adds it.

use std::rc::Rc;

use dacapo_lab::prelude::*;
use http::StatusCode;

use crate::bug::Bug;
use crate::kit::{millis, these};

pub(crate) const BUG: Bug = Bug {
    name: "two-objects",
    rule: "transfers neither make nor lose money",
    needs: "two transfers that overlap",
    budget: 10,
    broken: experiment::<true>,
    correct: experiment::<false>,
};

struct Account {
    guest: Guest,
}

impl Account {
    fn balance(&self) -> i64 {
        let stored = self.guest.storage(|s| s.get("balance")).expect("nothing fails here");
        stored.map_or(100, |text| String::from_utf8_lossy(&text).parse().expect("a number"))
    }
}

impl Service for Account {
    fn start(guest: Guest) -> Self {
        Account { guest }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let number = request.text().parse().unwrap_or(0);
        let balance = match request.path() {
            "/set" => number,
            "/add" => self.balance() + number,
            _ => self.balance(),
        };
        let text = balance.to_string();
        self.guest.storage(|s| s.put("balance", text.as_bytes())).expect("nothing fails here");
        Response::text(text)
    }
}

/// What an account answers, or 0 if it does not.
async fn account(guest: &Guest, binding: &str, name: &str, path: &str, body: i64) -> i64 {
    let request = Request::post(format!("https://bank.internal{path}"), body.to_string());
    match guest.object(binding, name, request).await {
        Ok(answer) if answer.status() == StatusCode::OK => answer.into_text().parse().expect("a number"),
        _ => 0,
    }
}

struct Bank<const BUGGY: bool> {
    guest: Guest,
}

impl<const BUGGY: bool> Service for Bank<BUGGY> {
    fn start(guest: Guest) -> Self {
        Bank { guest }
    }

    async fn fetch(self: Rc<Self>, request: Request) -> Response {
        let [amount] = these(&request.text());
        let amount = amount as i64;
        let call = |name, path, body| account(&self.guest, "Account", name, path, body);
        if BUGGY {
            let (a, b) = (call("a", "/get", 0).await, call("b", "/get", 0).await);
            call("a", "/set", a - amount).await;
            call("b", "/set", b + amount).await;
        } else {
            call("a", "/add", -amount).await;
            call("b", "/add", amount).await;
        }
        Response::text("")
    }
}

struct Clients {
    guest: Guest,
}

impl Workload for Clients {
    fn start(guest: Guest) -> Self {
        Clients { guest }
    }

    fn drivers() -> Vec<Driver<Self>> {
        let transfer = |w: Rc<Self>, client: u32| async move {
            let request = Request::post("https://bank.internal/", (client + 1).to_string());
            w.guest.fetch(request).await.expect("nothing fails here");
        };
        vec![Driver::new(transfer).clients(2).pause(millis(30))]
    }

    async fn judge(self: Rc<Self>) {
        let a = account(&self.guest, "bank.Account", "a", "/get", 0).await;
        let b = account(&self.guest, "bank.Account", "b", "/get", 0).await;
        self.guest.always_or(a + b == 200, BUG.rule, || format!("{a} and {b} make {}", a + b));
    }
}

fn experiment<const BUGGY: bool>() -> Experiment {
    Experiment::native(BUG.name)
        .objects::<Bank<BUGGY>, Account>("bank", "Account", &[])
        .workload::<Clients>()
        .nodes(2)
        .lasts(millis(150))
        .build()
}
