//! Coverage: what is noted, and that nothing is different for it.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::rc::Rc;

use common::{Guest, boot, load};
use dacapo_core::{Digest, FaultKind, PointKind, Program};
use dacapo_js::{JsEngine, JsOptions};

fn engine(covers: bool) -> JsEngine {
    let mut options = JsOptions::deterministic();
    options.covers = covers;
    JsEngine::new(options).unwrap()
}

fn covered(code: &str) -> Rc<dyn Program> {
    load(&engine(true), "a.ts", &[("a.ts", code)]).unwrap()
}

/// What was reached since this was asked last.
fn reached(program: &Rc<dyn Program>) -> Vec<String> {
    let probes = program.probes().unwrap();
    let mut reached = Vec::new();
    probes.take(&mut |index| {
        let point = &probes.points()[index];
        reached.push(format!("{} {}:{}", point.name, point.location.line, point.location.column));
    });
    reached
}

const SHOP: &str = r#"
interface Item { name: string }
const stock = new Map<string, number>();
function take(item: Item, count: number): boolean {
  const left = (stock.get(item.name) ?? 0) - count;
  if (left < 0) return false;
  stock.set(item.name, left);
  return true;
}
class Shelf {
  put(name: string): void { for (const one of [1, 2]) stock.set(name, one); }
}
const never = () => 1;
export default {
  async fetch(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    switch (path) {
      case "/put": new Shelf().put("tea"); break;
      case "/throw": try { JSON.parse("{"); } catch { return new Response("caught"); }
      default: return new Response(take({ name: "tea" }, 1) ? "sold" : "none");
    }
    return new Response("put");
  },
};
"#;

#[test]
fn functions_and_branches_are_told_when_they_are_reached() {
    let program = covered(SHOP);
    let mut guest = Guest::new(&program);
    let mut text = String::new();
    for path in ["/buy", "/put", "/buy", "/throw"] {
        let answer = guest.get(path);
        writeln!(text, "{path} {answer}: {}", reached(&program).join(", ")).unwrap();
    }
    insta::assert_snapshot!(text, @"
    /buy x1 200 none: take 4:1, ?? 5:41, then 6:3, fetch 15:3, else 20:36, default 20:7
    /put x2 200 put: put 11:3, loop 11:29, fetch 15:3, case 18:7
    /buy x3 200 sold: take 4:1, else 6:3, fetch 15:3, then 20:36, default 20:7
    /throw x4 200 caught: fetch 15:3, catch 19:47, case 19:7
    ");
    let kind = |kind| program.probes().unwrap().points().iter().filter(|point| point.kind == kind).count();
    assert_eq!((kind(PointKind::Function), kind(PointKind::Branch)), (4, 10));
}

#[test]
fn what_was_told_once_is_told_again_only_if_it_is_reached_again() {
    let program = covered(SHOP);
    let mut guest = Guest::new(&program);
    guest.get("/buy");
    assert!(!reached(&program).is_empty());
    assert_eq!(reached(&program), Vec::<String>::new());
    guest.get("/buy");
    assert!(!reached(&program).is_empty());
}

#[test]
fn all_instances_of_a_program_tell_one_story() {
    let program = covered(SHOP);
    let (mut one, mut other) = (Guest::with(&program, boot(1)), Guest::with(&program, boot(2)));
    one.get("/put");
    other.get("/throw");
    let reached = reached(&program);
    assert!(reached.iter().any(|point| point.starts_with("put")), "{reached:?}");
    assert!(reached.iter().any(|point| point.starts_with("catch")), "{reached:?}");
}

#[test]
fn a_point_is_the_same_in_every_program_that_has_its_module() {
    let ids = |entry: &str| -> BTreeSet<u64> {
        let files = [("b.js", entry), ("a.ts", SHOP)];
        let program = load(&engine(true), "b.js", &files).unwrap();
        let points = program.probes().unwrap().points();
        points.iter().filter(|point| point.location.file == "a.ts").map(|point| point.id).collect()
    };
    let alone = ids("import a from './a.ts'; export default a;");
    let behind_others =
        ids("const f = () => 1; import a from './a.ts'; export default { fetch: (r) => f() && a.fetch(r) };");
    assert_eq!(alone, behind_others);
    assert_eq!(alone.len(), covered(SHOP).probes().unwrap().points().len());
}

/// Each is asked for by its number, and answers with whatever it can find out about itself.
const CURIOUS: &str = r#"
import { sometimes } from "dacapo:sim";
const said = (f) => { try { return f(); } catch (error) { return `${error.message} | ${error.stack}`; } };
const a = null, b = null, t = true, o = { p: { q: undefined } };
const later = async (f) => { try { return await f(); } catch (error) { return error.stack; } };
class C { #x = 1; get x() { return this.#x || 2; } static m = (v = t ? 1 : 2) => v; f() { return a?.b ?? this.#x; } }
function deep(n) { if (n > 0) return deep(n - 1); else throw new Error("deep"); }
function* numbers(n) { for (let i = 0; i < n; i++) yield i || "none"; }
const tests = [
  () => (a || b)(), () => (a && b)(), () => new (a || b)(), () => (t ? a : b)(), () => (a ?? b).c(),
  () => { const { x } = a || b; return x; }, () => { const [x] = t ? a : b; return x; }, () => { let x; ({ x } = a || b); },
  () => { for (const x of a || b) x; }, () => [...(a || b)], () => Math.max(...(t && a)), () => (a || b)`x`,
  () => (function* () { yield* a || b; })().next(), () => (({ x }) => x)(a || b), () => ((x = a || b) => x())(),
  () => o.p.q.r || 1, () => (o.p.q || o.p).z.y, () => t && o.p.q.r, () => !t ? 1 : o.p.q.r, () => (t && o.p)[a || "q"].c,
  () => { if (o.p.q.r) return 1; }, () => { if (t) o.p.q(); else return 2; }, () => { while (t) { t && o.p.q(); } },
  () => deep(3), () => { switch (t) { case o.p.q.r: return 1; default: return 2; } }, () => { null.x ||= 1; },
  () => { let f; f ||= () => 1; return f.name; }, () => { let f = a || function () {}; return f.name; },
  () => { let f = t && (() => { throw new Error("named"); }); return f(); }, () => { let f = t ? class {} : a; return f.name; },
  () => ({ f: a ?? (() => 1) }).f.name, () => structuredClone(() => a || b), () => structuredClone((x) => { if (x) return t ? 1 : 2; else x(); }),
  () => String((x) => { if (x) return 1; try { x(); } catch { return a && b; } }), () => String(C), () => `${deep}`, () => C.prototype.f.toString(),
  () => Object.getOwnPropertyDescriptor(C.prototype, "x").get.toString(), () => String(numbers), () => Function.prototype.toString.call(C.m),
  () => [...numbers(3)].join(), () => new C().x + C.m() + new C().f(), () => { do { if (t) break; } while (a); return "done"; },
  () => { label: for (const i of [1, 2]) { for (const k in o) { if (i) continue label; else break label; } } return "ended"; },
  () => { try { o.p.q.r; } catch ({ message }) { return message; } finally { t || a(); } }, () => { let x = 1; x &&= t ? 5 : 6; x ??= 7; return x; },
  () => (t || a, a) ?? (b ? 1 : "neither"), () => [1, 2, 3].map((n) => n > 1 ? n > 2 ? "big" : "middle" : "small").join(),
  () => { sometimes(t && !a, "a place is told"); return "checked"; }, () => { throw a || new Error("thrown"); },
];
export default {
  async fetch(request) {
    const n = Number(new URL(request.url).pathname.slice(1));
    if (n === tests.length) return new Response(await later(async () => { await null; return (a || b)(); }));
    if (n > tests.length) return new Response("no more");
    return new Response(String(said(tests[n])));
  },
};
"#;

fn answers(covers: bool) -> (Vec<String>, Digest) {
    let program = load(&engine(covers), "c.js", &[("c.js", CURIOUS)]).unwrap();
    let mut guest = Guest::new(&program);
    let mut answers = Vec::new();
    loop {
        let answer = guest.get(&format!("/{}", answers.len()));
        if answer.ends_with("no more") {
            return (answers, program.digest());
        }
        answers.push(answer);
    }
}

#[test]
fn no_guest_can_tell_whether_it_is_covered() {
    let ((plain, plain_digest), (covered, covered_digest)) = (answers(false), answers(true));
    assert_eq!(plain, covered);
    assert_eq!(plain_digest, covered_digest);
    for answer in &covered {
        assert!(!answer.contains("__dacapo"), "{answer}");
    }
    assert!(covered.len() > 50, "{}", covered.len());
}

#[test]
fn the_budget_of_a_turn_ends_at_the_same_place() {
    let code = "let rounds = 0; const work = (n) => n > 0 && (n % 2 ? work(n - 1) : work(n - 1));
        export default { fetch(request) {
          if (request.url.endsWith('/rounds')) return new Response(String(rounds));
          for (;;) { rounds++; if (rounds % 3) work(rounds % 7); else work(2); console.log(rounds); }
        } };";
    let ends = |covers| {
        let program = load(&engine(covers), "a.js", &[("a.js", code)]).unwrap();
        let mut boot = boot(1);
        boot.turn_budget = 5_000;
        let (effects, end) = Guest::with(&program, boot).request("/");
        assert_eq!(common::kind(&end), Some(FaultKind::Budget));
        common::text(&effects, &end)
    };
    assert_eq!(ends(false), ends(true));
}
