//! How recordings read.

use bytes::Bytes;
use dacapo_core::{Body, CallId, Changes, Effect, Event, Target, TimerId};
use dacapo_trace::print::{Filter, Printer};
use dacapo_trace::{Outcome, Part, Trace};
use http::Method;

use crate::counter::{counter, disk_failed, key, wall};
use crate::tape::{at, delivery, head, identity, record, transfer};

fn trace(run: &[Part]) -> Trace {
    Trace::read(&record(&identity(), run, Outcome::Passed).0[..]).unwrap()
}

fn print(filter: Filter) -> String {
    print_run(&transfer(), filter)
}

fn print_run(run: &[Part], filter: Filter) -> String {
    let trace = trace(run);
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

fn json(run: &[Part]) -> Vec<String> {
    let trace = trace(run);
    let mut printer = Printer::new(&trace.identity, Filter::default());
    trace.records.iter().filter_map(|r| printer.json(r)).map(|value| value.to_string()).collect()
}

#[test]
fn a_recording_shows_what_objects_ask_of_the_disk() {
    insta::assert_snapshot!(print_run(&counter(), Filter::default()), @"
    #1          0.000000s  n0 -         ← boot
    #2          0.000000s  n1 -         ← boot
    #3          0.000100s  n1 -         ← store opened (no alarm is set)
    #4          0.001000s  n0 teller    ← request x1 POST https://bank.example/1 from outside
                                          → fetch c1 POST https://ledger.internal/1 to ledger.Account/1f2e3d4c of ledger on n1
                0.001000s               · x11 carries c1 of n0 teller
    #5          0.001500s  n1 ledger    ← request x11 POST https://ledger.internal/1 for ledger.Account/1f2e3d4c from teller
                                          → load ledger.Account/1f2e3d4c
    #6          0.002000s  n0 teller    ← request x2 GET https://bank.example/2 from outside
                                          → fetch c2 GET https://ledger.internal/2 to ledger.Account/1f2e3d4c of ledger on n1
                0.002000s               · x12 carries c2 of n0 teller
    #7          0.002500s  n1 ledger    ← request x12 GET https://ledger.internal/2 for ledger.Account/1f2e3d4c from teller
    #8          0.003000s  n1 ledger    ← loaded (16 B)
                                          → commit 1 of ledger.Account/1f2e3d4c (2 writes, 84 B, alarm in 29.997s)
    #8          0.003000s  n1 -           → set timer t4294967297 in 29.997s
    #9          0.004000s  n1 ledger    ← committed 1
                                          → respond x11 200 (7 B) counted
                                          → respond x12 200 (1 B) 1
    #10         0.004500s  n0 teller    ← response c1 200 (7 B) counted
                                          → respond x1 200 (7 B) counted
    #11         0.004500s  n0 teller    ← response c2 200 (1 B) 1
                                          → respond x2 200 (1 B) 1
    #12        30.000000s  n1 -         ← timer t4294967297
    #12        30.000000s  n1 ledger      → commit 2 of ledger.Account/1f2e3d4c (no alarm)
    #13        30.001000s  n1 ledger    ← commit 2 FAILED: input/output error (log.1 at byte 4096)
    #13        30.001000s  n1 -           → ended i1 the storage failed: input/output error (log.1 at byte 4096)
    #14        31.000000s  n1 -         ← crash
    #15        32.000000s  n1 -         ← boot again (booted 1 times before)
    #16        32.000100s  n1 -         ← store opened (1 alarm is set)
                                          → set timer t4294967297 in 0ns
    #17        32.000200s  n1 -         ← timer t4294967297
    #17        32.000200s  n1 ledger      → load ledger.Account/1f2e3d4c
    #18        32.000300s  n1 ledger    ← cannot be loaded: input/output error (log.1 at byte 4096)
    ");
}

#[test]
fn an_object_that_an_alarm_wakes_is_known_by_its_service() {
    let filter = Filter { services: vec!["ledger".into()], first_event: Some(14), ..Filter::default() };
    insta::assert_snapshot!(print_run(&counter(), filter), @"
    #17        32.000200s  n1 ledger      → load ledger.Account/1f2e3d4c
    #18        32.000300s  n1 ledger    ← cannot be loaded: input/output error (log.1 at byte 4096)
    ");
}

#[test]
fn what_seldom_happens_to_an_object_has_words_too() {
    let commit =
        |len, writes, alarm| Effect::Commit(7, Box::new(key()), Box::new(Changes { len, writes, alarm }));
    let write = vec![(0, Bytes::from(vec![0; 2048]))];
    let mut run = vec![
        delivery(0, at(0, 0), Event::StoreOpened(Err(disk_failed()))),
        delivery(0, at(0, 1), Event::StoreOpened(Ok(vec![(key(), wall(1)), (key(), wall(2))]))),
        delivery(0, at(0, 1), Event::Loaded(Ok(None))),
        delivery(0, at(0, 1), Event::Alarm { scheduled: wall(0), retry: 0 }),
        delivery(0, at(0, 1), Event::Alarm { scheduled: wall(0), retry: 1 }),
    ];
    let effects = [
        commit(0, vec![], None),
        commit(4096, write, None),
        commit(4096, vec![], Some(Some(wall(0)))),
        Effect::Fetch {
            call: CallId(1),
            target: Target::Object("ACCOUNTS".into(), Box::new(key().id)),
            head: Box::new(head(Method::GET, "https://x/")),
            body: Body::Empty,
        },
        // Never of a runtime, whose own business these are.
        Effect::AlarmDone(true),
        Effect::AlarmDone(false),
        Effect::Exclusive(true),
        Effect::Exclusive(false),
        Effect::Sync(TimerId(3)),
    ];
    run.extend(effects.map(|effect| Part::Effect(at(0, 1), effect)));
    insta::assert_snapshot!(print_run(&run, Filter::default()), @"
    #1          0.000000s  n0 -         ← store cannot be opened: input/output error (log.1 at byte 4096)
    #2          0.000000s  n0 i1        ← store opened (2 alarms are set)
    #3          0.000000s  n0 i1        ← loaded: nothing is stored
    #4          0.000000s  n0 i1        ← alarm
    #5          0.000000s  n0 i1        ← alarm (try 2)
                                          → commit 7 of ledger.Account/1f2e3d4c (0 writes, 0 B)
                                          → commit 7 of ledger.Account/1f2e3d4c (1 write, 2.0 KiB)
                                          → commit 7 of ledger.Account/1f2e3d4c (alarm at once)
                                          → fetch c1 GET https://x/ by ACCOUNTS to 1f2e3d4c00000000000000000000000000000000000000000000000000000000
                                          → alarm done
                                          → alarm failed
                                          → alone
                                          → no more alone
                                          → sync t3
    ");
}

#[test]
fn programs_get_objects_as_json_lines() {
    let lines = json(&counter());
    let words = ["store_opened", "load", "loaded", "commit", "committed", "object"];
    let chosen = words.map(|word| {
        let word = format!("\"{word}\":{{");
        lines.iter().find(|line| line.contains(&word)).expect("the run has it").clone()
    });
    insta::assert_snapshot!(chosen.join("\n"), @r#"
    {"event":3,"at_ns":100000,"node":"n1","service":"-","address":"n1/i0","now_ns":100000,"wall_ns":"1735689600000100000","in":{"store_opened":{"alarms":[]}}}
    {"event":5,"at_ns":1500000,"node":"n1","service":"ledger","address":"n1/i1","out":{"load":{"object":{"namespace":"ledger.Account","id":"1f2e3d4c00000000000000000000000000000000000000000000000000000000"}}}}
    {"event":8,"at_ns":3000000,"node":"n1","service":"ledger","address":"n1/i1","now_ns":3000000,"wall_ns":"1735689600003000000","in":{"loaded":{"image":{"bytes":{"base64":"U1FMaXRlIGZvcm1hdCAzAA=="},"alarm_ns":null}}}}
    {"event":8,"at_ns":3000000,"node":"n1","service":"ledger","address":"n1/i1","out":{"commit":{"number":1,"object":{"namespace":"ledger.Account","id":"1f2e3d4c00000000000000000000000000000000000000000000000000000000"},"len":8192,"writes":[{"at":24,"bytes":{"base64":"MTIzNA=="}},{"at":4096,"bytes":{"base64":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}}],"alarm":{"at_ns":"1735689630000000000"}}}}
    {"event":9,"at_ns":4000000,"node":"n1","service":"ledger","address":"n1/i1","now_ns":4000000,"wall_ns":"1735689600004000000","in":{"committed":{"number":1,"error":null}}}
    {"event":4,"at_ns":1000000,"node":"n0","service":"teller","address":"n0/i1","out":{"fetch":{"call":1,"target":{"service":"ledger","node":"n1","object":{"namespace":"ledger.Account","id":"1f2e3d4c00000000000000000000000000000000000000000000000000000000"}},"head":{"method":"POST","url":"https://ledger.internal/1","headers":[["accept","application/json"]]},"body":null}}}
    "#);
}

#[test]
fn programs_get_json_lines() {
    let lines = json(&transfer());
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
