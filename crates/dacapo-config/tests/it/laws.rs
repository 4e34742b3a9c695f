//! Whatever the input: an answer, in time, that can be shown.

use proptest::prelude::*;

/// Reads a text in every way and shows what is wrong with it.
fn read_and_show(text: &str) {
    if let Err(errors) = dacapo_config::parse("dacapo.hcl", text) {
        assert!(!super::shown(&errors).is_empty());
    }
    if let Err(errors) = dacapo_config::parse_seed("seed.hcl", text) {
        assert!(!super::shown(&errors).is_empty());
    }
}

/// Pieces that meet in configurations, so that texts out of them get far.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "service \"a\" {\n",
        "scenario \"s\" {\n",
        "seed \"x\" {\n",
        "limits {\n",
        "fault \"net.loss\" {\n",
        "}\n",
        "\n",
        "module = ",
        "routes = ",
        "calls = ",
        "objects = ",
        "deleted_objects = ",
        "object \"A\" {\n",
        "was = ",
        "idle = ",
        "\"a.A\"",
        "hosts = ",
        "vars = ",
        "cron = ",
        "instances = ",
        "workload = ",
        "nodes = ",
        "lasts = ",
        "faults = ",
        "stubs = ",
        "rate = ",
        "spare = ",
        "memory = ",
        "decisions = ",
        "\"a.ts\"\n",
        "\"https://a.example/*\"",
        "[",
        "]",
        "{ A = ",
        "}",
        ",",
        "\"60s\"\n",
        "\"*/5 * * * *\"",
        "1",
        "-1",
        "1e308",
        "0.5\n",
        "null",
        "true",
        "\"${a}\"",
        "f(1)",
        "(",
        ")",
        "<<E\nx\nE\n",
        "# c\n",
        "/*",
        "*/",
        "\"ä€\"",
        "\"../x\"",
        "\"net.loss\"",
        "\"128MiB\"\n",
        "\"@daily\"",
        "for",
        "?",
        ":",
        "\"\\u00",
        "\"[::1]:99999/\"",
        "\"L * W # *\"",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..40).prop_map(|p| p.concat())
}

proptest! {
    #[test]
    fn no_text_brings_the_reader_down(text in prop_oneof![".*", pieces()]) {
        read_and_show(&text);
    }

    #[test]
    fn no_value_brings_the_reader_down(
        name in ".{0,10}",
        value in "[^\"\\\\$%\n]{0,20}",
        at in prop_oneof![Just("module"), Just("routes"), Just("hosts"), Just("cron")],
        cron in "[0-9*/,\\-LW#?+A-Z ]{0,20}",
    ) {
        let list = |v: &str| if at == "module" { format!("{v:?}") } else { format!("[{v:?}]") };
        let value = if at == "cron" { cron } else { value };
        read_and_show(&format!("service {name:?} {{\n  {at} = {}\n}}\n", list(&value)));
        read_and_show(&format!("scenario \"s\" {{\n  lasts = {value:?}\n  stubs = {{ {value:?} = {value:?} }}\n}}\n"));
        read_and_show(&format!("service \"a\" {{\n  limits {{\n    memory = {value:?}\n  }}\n}}\n"));
    }
}

#[test]
fn deep_nests_are_refused_and_not_a_hang() {
    for (open, close) in
        [("[", "]"), ("{ a = ", "}"), ("(", ")"), ("-", ""), ("\"${", "}\""), ("{", ""), ("a ? ", "")]
    {
        for depth in [30, 60, 5_000] {
            read_and_show(&format!("x = {}1{}\n", open.repeat(depth), close.repeat(depth)));
            read_and_show(&format!(
                "service \"a\" {{\n  vars = {{ A = {}1{} }}\n}}\n",
                open.repeat(depth),
                close.repeat(depth)
            ));
            read_and_show(&format!("x = {}", open.repeat(depth)));
        }
    }
    read_and_show(&"a {\n".repeat(5_000));
    // Each level doubles the work of the parser underneath.
    for link in ["{a/b>", "[a/b>", "(a - b - ", "f(a+b+", "{(a ? b+c+"] {
        read_and_show(&format!("x = {}a", link.repeat(60)));
        read_and_show(&format!("x = \"${{{}a\"", link.repeat(60)));
        read_and_show(&format!("x = <<E\n${{{}a\nE\n", link.repeat(60)));
    }
}
