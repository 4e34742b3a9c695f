//! How recordings read.

use dacapo_trace::print::{Filter, Printer};
use dacapo_trace::{Outcome, Trace};

use crate::tape::{identity, record, transfer};

fn trace() -> Trace {
    Trace::read(&record(&identity(), &transfer(), Outcome::Passed).0[..]).unwrap()
}

fn print(filter: Filter) -> String {
    let trace = trace();
    let mut printer = Printer::new(&trace.identity, filter);
    let lines: Vec<String> =
        trace.records.iter().filter_map(|r| printer.line(r)).map(|line| line.to_string()).collect();
    lines.join("\n")
}

#[test]
fn a_recording_reads_like_a_log() {
    insta::assert_snapshot!(print(Filter::default()), @r#"
    #1          0.000000s  n0 -         ← boot
    #2          0.000000s  n1 -         ← boot
                0.000900s               ▼ process.slow n1 begins
    #3          0.001250s  n0 teller    ← request x1 POST https://bank.example/transfer (37 B) from outside {"from":"ann","to":"bob","amount":25}
                                          → info transfer \u{1b}[31m25
                                          → fetch c1 POST https://ledger.internal/transfer (37 B) to ledger on n1 {"from":"ann","to":"bob","amount":25}
                                          → set timer t1 in 1.5s
                0.001250s               · x2 carries c1 of n0 teller
    #4          0.003000s  n1 ledger    ← request x2 POST https://ledger.internal/transfer (37 B) from teller {"from":"ann","to":"bob","amount":25}
                                          → respond x2 200 (2 B) ok
                0.003000s               ▪ net.loss the response to x2 is lost, n1 → n0
    #5          1.501250s  n0 teller    ← timer t1
                                          → always "every transfer is answered" BROKEN x1 (teller.ts:12:3)
                                          → respond x1 504
                1.600000s               ▲ process.slow n1 ends
    #6          2.000000s  n1 workload  ← phase judge
    "#);
}

#[test]
fn a_filter_leaves_out_what_it_does_not_name() {
    insta::assert_snapshot!(
        print(Filter { services: vec!["ledger".into()], no_notes: true, ..Filter::default() }), @r#"
    #4          0.003000s  n1 ledger    ← request x2 POST https://ledger.internal/transfer (37 B) from teller {"from":"ann","to":"bob","amount":25}
                                          → respond x2 200 (2 B) ok
    "#
    );
    insta::assert_snapshot!(print(Filter { text: Some("BROKEN".into()), ..Filter::default() }), @r#"#5          1.501250s  n0 teller      → always "every transfer is answered" BROKEN x1 (teller.ts:12:3)"#);
    let nodes = vec!["n1".into()];
    insta::assert_snapshot!(print(Filter { nodes, last_event: Some(3), ..Filter::default() }), @"
    #2          0.000000s  n1 -         ← boot
                0.000900s               ▼ process.slow n1 begins
                0.001250s               · x2 carries c1 of n0 teller
    ");
}

#[test]
fn programs_get_json_lines() {
    let trace = trace();
    let mut printer = Printer::new(&trace.identity, Filter::default());
    let lines: Vec<String> =
        trace.records.iter().filter_map(|r| printer.json(r)).map(|value| value.to_string()).collect();
    insta::assert_snapshot!(lines[2..8].join("\n"), @r#"
    {"event":2,"at_ns":900000,"note":{"kind":"fault begins","text":"process.slow n1"}}
    {"event":3,"at_ns":1250000,"node":"n0","service":"teller","address":"n0/i0","now_ns":1250000,"wall_ns":"1735689600001250000","in":{"request":{"exchange":1,"service":"teller","from":null,"object":null,"head":{"method":"POST","url":"https://bank.example/transfer","headers":[["accept","application/json"]]},"body":"{\"from\":\"ann\",\"to\":\"bob\",\"amount\":25}"}}}
    {"event":3,"at_ns":1250000,"node":"n0","service":"teller","address":"n0/i1","out":{"log":{"level":"info","text":"transfer \u001b[31m25"}}}
    {"event":3,"at_ns":1250000,"node":"n0","service":"teller","address":"n0/i1","out":{"fetch":{"call":1,"target":{"service":"ledger","node":"n1"},"head":{"method":"POST","url":"https://ledger.internal/transfer","headers":[["accept","application/json"]]},"body":"{\"from\":\"ann\",\"to\":\"bob\",\"amount\":25}"}}}
    {"event":3,"at_ns":1250000,"node":"n0","service":"teller","address":"n0/i1","out":{"set_timer":{"timer":1,"after_ns":"1500000000"}}}
    {"event":3,"at_ns":1250000,"note":{"kind":"carries","exchange":2,"caller":"n0/i1","call":1}}
    "#);
    assert!(!lines[0].contains("entropy"));
}
