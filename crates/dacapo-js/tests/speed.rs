//! How long things take, as text for people: run with `--no-capture`. The bounds are loose, so that only a
//! change by an order of magnitude fails.

mod common;

use std::time::{Duration, Instant};

use common::{Guest, boot, engine, load};
use dacapo_core::{Address, Effect, Effects, Event, Turn, WallTime};

#[allow(clippy::disallowed_methods, reason = "this file measures")]
fn measure(name: &str, rounds: u32, mut f: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..rounds).for_each(|_| f());
    let each = start.elapsed() / rounds;
    println!("{name}: {each:?}");
    each
}

#[test]
fn contexts_turns_and_hops_are_quick() {
    let engine = engine();
    let ledger = "export default { fetch: (request) => new Response('42') };";
    let shop = "export default { async fetch(request, env) { const r = await env.LEDGER.fetch('https://ledger.internal/x'); return new Response(await r.text()); } };";
    let ledger = load(&engine, "ledger.js", &[("ledger.js", ledger)]).unwrap();
    let shop = load(&engine, "shop.js", &[("shop.js", shop)]).unwrap();
    let mut n = 0;
    measure("isolate and context, 200 nodes", 200, || {
        n += 1;
        std::mem::forget(ledger.start(boot(1000 + n)));
    });
    let start = measure("context in a pooled isolate and its first request", 300, || {
        assert!(Guest::with(&ledger, boot(1)).get("/").contains("42"));
    });
    let mut guest = Guest::new(&ledger);
    guest.get("/");
    let mut exchange = 10;
    measure("request and response", 20_000, || {
        exchange += 1;
        guest.turn(common::request(exchange, "/"));
    });
    let mut caller = Guest::with(&shop, boot(1));
    caller.get("/");
    let turn = Turn { now: caller.now, wall: WallTime::SIM_START };
    let mut out = Effects::new();
    let mut hop = || {
        exchange += 1;
        out.clear();
        caller.instance.turn(&turn, common::request(exchange, "/"), &mut out);
        let Some(Effect::Fetch { call, head, body, .. }) = out.pop() else { panic!("no fetch") };
        let request = Event::Request {
            exchange: dacapo_core::ExchangeId(exchange),
            service: dacapo_core::ServiceId(0),
            from: None,
            object: None,
            head,
            body,
        };
        guest.instance.turn(&turn, request, &mut out);
        let Some(Effect::Respond { head, body, .. }) = out.pop() else { panic!("no response") };
        caller.instance.turn(&turn, Event::Response { call, head, body }, &mut out);
        assert!(matches!(out.pop(), Some(Effect::Respond { .. })));
    };
    (0..2000).for_each(|_| hop());
    let hop = measure("request with a hop to another service", 20_000, hop);
    let mut caller = Guest::with(&shop, boot(2));
    let _: Address = boot(2).address;
    measure("an event that nobody waits for", 50_000, || {
        caller.turn(Event::Timer(dacapo_core::TimerId(999)));
    });
    assert!(start < Duration::from_millis(50) && hop < Duration::from_millis(2));
}
