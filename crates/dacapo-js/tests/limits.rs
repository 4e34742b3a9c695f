//! Guests that use up too much.

mod common;

use common::{Guest, boot, engine, kind, load, service};
use dacapo_core::FaultKind;

#[test]
fn an_endless_loop_stops_at_the_same_place_every_time() {
    let engine = engine();
    let body = "let n = 0;\n  for (;;) {\n    n += helper(n);\n  }\n  function helper(x) { return x & 1; }";
    let ends: Vec<String> = (0..3).map(|_| service(&engine, body).get("/")).collect();
    insta::assert_snapshot!(ends[0], @"fault turn budget exhausted: the turn did more function calls and loop rounds than its budget allows (service.js:4:3)");
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0], ends[2]);
}

#[test]
fn endless_microtasks_and_recursion_by_promises_are_stopped() {
    let engine = engine();
    for body in [
        "const go = () => Promise.resolve().then(go); await go();",
        "const again = () => queueMicrotask(again); again(); await new Promise(() => {});",
        "while (true) await null;",
        "for (const x of (function* () { for (;;) yield 1; })()) ;",
        "Array.from({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) });",
    ] {
        let (_, end) = service(&engine, body).request("/");
        assert!(matches!(kind(&end), Some(FaultKind::Budget | FaultKind::Memory)), "{body}: {end:?}");
    }
}

#[test]
fn a_budget_is_counted_per_turn() {
    let engine = engine();
    let mut guest = service(
        &engine,
        "let n = 0; for (let i = 0; i < 400000; i++) n += i; return new Response(String(n));",
    );
    for _ in 0..5 {
        let (_, end) = guest.request("/");
        assert_eq!(kind(&end), None);
    }
}

#[test]
fn a_stack_overflow_cannot_be_seen_or_swallowed() {
    let engine = engine();
    for body in [
        "const f = () => f() + 1; try { f(); } catch { } return new Response('swallowed');",
        "const f = () => f() + 1; try { f(); } finally { return new Response('swallowed'); }",
        "const f = async () => await f(); return f().catch((e) => new Response('seen ' + e));",
        "const f = () => f() + 1; return new Promise(f).then(null, (e) => new Response('seen ' + e));",
        "Error.stackTraceLimit = 0; const f = () => f() + 1; try { f(); } catch ({ message }) { return new Response(message); }",
        "delete Error.stackTraceLimit; const f = () => f() + 1; try { f(); } catch (e) { return new Response(e.message); }",
        "let deep = []; for (let i = 0; i < 100000; i++) deep = [deep]; try { JSON.stringify(deep, (k, v) => v); } catch { } return new Response('swallowed');",
    ] {
        let (_, end) = service(&engine, body).request("/");
        assert_eq!(kind(&end), Some(FaultKind::Stack), "{body}: {end:?}");
    }
    // The engine lives on.
    assert_eq!(service(&engine, "return new Response('fine');").get("/"), "x1 200 fine");
}

#[test]
fn a_memory_hog_takes_down_its_own_node_only() {
    let engine = engine();
    let good = "export default { fetch: () => new Response('fine') };";
    let good = load(&engine, "good.js", &[("good.js", good)]).unwrap();
    let mut neighbour = Guest::with(&good, boot(7));
    assert_eq!(neighbour.get("/"), "x1 200 fine");
    for body in [
        "const all = []; for (;;) all.push({ all, text: 'x'.repeat(10) + all.length });",
        "const all = []; for (;;) all.push(new Array(1000000).fill(1.5));",
        "const all = []; for (;;) all.push(new Uint8Array(1 << 20));",
        "return new Response(String(new ArrayBuffer(1 << 30).byteLength));",
        "let s = 'x'; for (;;) { s += s; s.charCodeAt(s.length - 1); }",
        "try { new Uint8Array(1 << 30); } catch (e) { return new Response('seen ' + e); }",
    ] {
        let (_, end) = service(&engine, body).request("/");
        assert!(matches!(kind(&end), Some(FaultKind::Memory | FaultKind::Budget)), "{body}: {end:?}");
        assert_eq!(neighbour.get("/").split(' ').next_back(), Some("fine"));
    }
}

#[test]
fn buffers_that_are_let_go_do_not_count() {
    let engine = engine();
    let mut guest = service(
        &engine,
        "let n = 0; for (let i = 0; i < 500; i++) n += new Uint8Array(1 << 20).length; return new Response(String(n));",
    );
    assert_eq!(guest.get("/"), "x1 200 524288000");
}
