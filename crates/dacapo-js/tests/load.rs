//! Programs that cannot be loaded: each says what is wrong, where, and what to do.

mod common;

use common::load_message;

#[test]
fn a_missing_entry_is_named() {
    insta::assert_snapshot!(load_message(&[("src/other.ts", "")].map(|_| ("x.ts", "import './y'"))), @"
    x.ts:1:8: Cannot find module './y'
    help: check the path; it is relative to the importing file
    ");
    let error = common::load(&common::engine(), "no.ts", &[("a.ts", "")]).err().unwrap();
    insta::assert_snapshot!(common::message(&error), @"
    the module no.ts does not exist
    help: check the path of the module in the configuration; it is relative to the project
    ");
}

#[test]
fn a_syntax_error_in_typescript_has_its_place() {
    insta::assert_snapshot!(load_message(&[("a.ts", "export const a: number = 1;\nconst b: = 2;\n")]), @"a.ts:2:10: Unexpected token");
}

#[test]
fn an_error_that_only_the_semantics_show_has_its_place() {
    insta::assert_snapshot!(load_message(&[("a.js", "let a = 1;\nlet a = 2;\nexport default a;\n")]), @"a.js:1:5: Identifier `a` has already been declared: `a` has already been declared here");
}

#[test]
fn a_missing_package_is_named() {
    insta::assert_snapshot!(load_message(&[("a.ts", "import { Hono } from 'hono';\nexport default new Hono();\n")]), @"
    a.ts:1:22: Cannot find module 'hono'
    help: install the package, for example with `npm install hono`, or write ./ before a file's name
    ");
}

#[test]
fn a_node_module_is_refused_with_the_reason() {
    insta::assert_snapshot!(load_message(&[("a.ts", "import fs from 'node:fs';\nexport default fs;\n")]), @"
    a.ts:1:16: there is no module node:fs
    help: Dacapo has the web platform, not the modules of Node.js; use a package that runs on Workers
    ");
}

#[test]
fn a_missing_export_is_found_before_anything_runs() {
    insta::assert_snapshot!(
        load_message(&[("a.ts", "\nimport { two } from './b';\nexport default two;\n"), ("b.ts", "export const one = 1;\n")]),
        @"
    a.ts:2:10: The requested module 'b.ts' does not provide an export named 'two'
    help: check the name, or use `import type` if it is a type
    "
    );
}

#[test]
fn a_package_in_commonjs_is_named() {
    insta::assert_snapshot!(
        load_message(&[
            ("a.ts", "import left from 'left';\nexport default left;\n"),
            ("node_modules/left/package.json", r#"{ "name": "left", "main": "index.js" }"#),
            ("node_modules/left/index.js", "module.exports = function left() {};\n"),
        ]),
        @"
    node_modules/left/index.js:1:1: the package left is CommonJS, and Dacapo runs ES modules only
    help: use a version or a package that has ES modules, or bundle it, for example with `esbuild --bundle --format=esm`
    "
    );
}

#[test]
fn broken_json_has_its_place() {
    insta::assert_snapshot!(
        load_message(&[("a.ts", "import d from './d.json';\nexport default d;\n"), ("d.json", "{\n  \"a\": 1,\n}\n")]),
        @"
    d.json:3:1: d.json is not JSON: trailing comma
    help: correct the file; JSON has neither comments nor trailing commas
    "
    );
}

#[test]
fn an_unknown_built_in_is_refused() {
    insta::assert_snapshot!(load_message(&[("a.ts", "import 'dacapo:nothing';\n")]), @r#"
    a.ts:1:8: there is no built-in module "dacapo:nothing"
    help: the built-in modules are: dacapo:sim, dacapo:workers (also as cloudflare:workers)
    "#);
}

#[test]
fn names_of_the_probes_are_reserved() {
    insta::assert_snapshot!(load_message(&[("a.js", "export default () => \\u005f_dacapo$left++;\n")]), @"
    a.js:1:22: names that start with __dacapo$ belong to Dacapo
    help: choose another name
    ");
}
