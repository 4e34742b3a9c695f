//! What a turn does: requests, errors, top-level await, imports.

mod common;

use common::{Guest, engine, load, service};
use dacapo_core::{Event, TimerId};

#[test]
fn a_service_answers_a_request() {
    let mut guest =
        service(&engine(), "return new Response(`${env.GREETING} ${new URL(request.url).pathname}`);");
    insta::assert_snapshot!(guest.get("/a"), @"x1 200 hello /a");
}

#[test]
fn an_uncaught_error_names_the_place_in_the_typescript_source() {
    let code = "\
interface Money { amount: number }

enum Kind { A = 1, B }

function pay(money: Money, kind: Kind): never {
  throw new TypeError(`no ${money.amount} ${kind}`);
}

export default {
  async fetch(request: Request): Promise<Response> {
    await null;
    return pay({ amount: 3 } as Money, Kind.B);
  },
};
";
    let engine = engine();
    let program = load(&engine, "src/shop.ts", &[("src/shop.ts", code)]).unwrap();
    insta::assert_snapshot!(Guest::new(&program).get("/"), @"
    Error TypeError: no 3 2
        at pay (src/shop.ts:6:9)
        at Object.fetch (src/shop.ts:12:12)
    x1 500 Internal Server Error
    ");
}

#[test]
fn an_unhandled_rejection_is_logged_with_its_place() {
    let mut guest =
        service(&engine(), "Promise.reject(new Error('nobody cares'));\nreturn new Response('ok');");
    insta::assert_snapshot!(guest.get("/"), @"
    Error Uncaught (in promise) Error: nobody cares
        at Object.fetch (service.js:3:16)
    x1 200 ok
    ");
}

#[test]
fn requests_wait_for_top_level_await() {
    let code = "\
const value = await new Promise((resolve) => setTimeout(() => resolve('ready'), 10));
export default { fetch: () => new Response(value) };
";
    let engine = engine();
    let program = load(&engine, "service.js", &[("service.js", code)]).unwrap();
    let mut guest = Guest::new(&program);
    insta::assert_snapshot!(guest.get("/a"), @"
    SetTimer(TimerId(1), 10ms)
    busy
    ");
    insta::assert_snapshot!(guest.get("/b"), @"busy");
    let (effects, end) = guest.turn(Event::Timer(TimerId(1)));
    insta::assert_snapshot!(common::text(&effects, &end), @"
    x1 200 ready
    x2 200 ready
    ");
}

#[test]
fn a_module_that_throws_while_it_loads_is_a_fault_with_its_place() {
    let code = "const table: Record<string, string> = {};\n\nexport const x = table.missing.length;\nexport default {};\n";
    let engine = engine();
    let program = load(&engine, "a.ts", &[("a.ts", code)]).unwrap();
    insta::assert_snapshot!(Guest::new(&program).get("/"), @"fault the module failed to load: TypeError: Cannot read properties of undefined (reading 'length') (a.ts:3:32)");
}

#[test]
fn modules_json_packages_and_cycles_are_imported() {
    let files = [
        (
            "app/main.ts",
            "import data from './data.json' with { type: 'json' };\nimport { greet } from '@org/pack';\n\
             import sub from '@org/pack/sub';\nimport { even } from './even';\nimport type { T } from './nothing';\n\
             export default { async fetch() {\n  const lazy = await import('./lazy.js');\n  \
             return Response.json([data.name, greet('x'), sub, even(10), lazy.default, import.meta.url]);\n} };\n",
        ),
        ("app/data.json", "{ \"name\": \"data\" }"),
        ("app/lazy.ts", "export default 'lazy' as string;\n"),
        (
            "app/even.ts",
            "import { odd } from './odd';\nexport const even = (n: number): boolean => n === 0 || odd(n - 1);\n",
        ),
        (
            "app/odd.ts",
            "import { even } from './even';\nexport const odd = (n: number): boolean => n !== 0 && even(n - 1);\n",
        ),
        (
            "node_modules/@org/pack/package.json",
            r#"{ "name": "@org/pack", "type": "module", "exports": { ".": { "node": "./node.js", "workerd": "./workerd.js", "default": "./other.js" }, "./sub": { "import": "./sub.mjs" } } }"#,
        ),
        ("node_modules/@org/pack/workerd.js", "export const greet = (who) => `workerd ${who}`;\n"),
        ("node_modules/@org/pack/other.js", "export const greet = (who) => `other ${who}`;\n"),
        ("node_modules/@org/pack/sub.mjs", "export default 'sub';\n"),
    ];
    let engine = engine();
    let program = load(&engine, "app/main.ts", &files).unwrap();
    insta::assert_snapshot!(Guest::new(&program).get("/"), @r#"x1 200 ["data","workerd x","sub",true,"lazy","app:///app/main.ts"]"#);
}

#[test]
fn an_import_that_was_not_gathered_is_refused_clearly() {
    let mut guest = service(
        &engine(),
        "const name = './' + 'x.js'; try { await import(name); } catch (e) { return new Response(String(e)); }",
    );
    insta::assert_snapshot!(guest.get("/"), @r#"x1 200 TypeError: Cannot import "./x.js": only modules that are named by a literal in an import statement or an import() of the program are part of it"#);
}

#[test]
fn code_from_strings_and_webassembly_are_refused() {
    let mut guest = service(
        &engine(),
        "const said = [];\nfor (const f of [() => eval('1'), () => new Function('return 1')(), () => setTimeout('1'), \
         () => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))]) {\n\
         try { said.push(f()); } catch (e) { said.push(String(e)); } }\nreturn new Response(said.join('\\n'));",
    );
    insta::assert_snapshot!(guest.get("/"), @"
    x1 200 EvalError: Code generation from strings disallowed for this context
    EvalError: Code generation from strings disallowed for this context
    TypeError: the callback of a timer must be a function
    CompileError: WebAssembly.Module(): Wasm code generation disallowed by embedder
    ");
}
