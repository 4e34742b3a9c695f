//! Programs that cannot be loaded: each says what is wrong, where, and what to do.

mod common;

use common::load_message;

#[test]
fn a_missing_entry_is_named() {
    insta::assert_snapshot!(load_message(&[("src/other.ts", "")].map(|_| ("x.ts", "import './y'"))), @"");
    let error = common::load(&common::engine(), "no.ts", &[("a.ts", "")]).err().unwrap();
    insta::assert_snapshot!(common::message(&error), @"");
}

#[test]
fn a_syntax_error_in_typescript_has_its_place() {
    insta::assert_snapshot!(load_message(&[("a.ts", "export const a: number = 1;\nconst b: = 2;\n")]), @"");
}

#[test]
fn an_error_that_only_the_semantics_show_has_its_place() {
    insta::assert_snapshot!(load_message(&[("a.js", "let a = 1;\nlet a = 2;\nexport default a;\n")]), @"");
}

#[test]
fn a_missing_package_is_named() {
    insta::assert_snapshot!(load_message(&[("a.ts", "import { Hono } from 'hono';\nexport default new Hono();\n")]), @"");
}

#[test]
fn a_node_module_is_refused_with_the_reason() {
    insta::assert_snapshot!(load_message(&[("a.ts", "import fs from 'node:fs';\nexport default fs;\n")]), @"");
}

#[test]
fn a_missing_export_is_found_before_anything_runs() {
    insta::assert_snapshot!(
        load_message(&[("a.ts", "\nimport { two } from './b';\nexport default two;\n"), ("b.ts", "export const one = 1;\n")]),
        @""
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
        @""
    );
}

#[test]
fn broken_json_has_its_place() {
    insta::assert_snapshot!(
        load_message(&[("a.ts", "import d from './d.json';\nexport default d;\n"), ("d.json", "{\n  \"a\": 1,\n}\n")]),
        @""
    );
}

#[test]
fn an_unknown_built_in_is_refused() {
    insta::assert_snapshot!(load_message(&[("a.ts", "import 'dacapo:nothing';\n")]), @"");
}

#[test]
fn names_of_the_probes_are_reserved() {
    insta::assert_snapshot!(load_message(&[("a.js", "export default () => \\u005f_dacapo$left++;\n")]), @"");
}
