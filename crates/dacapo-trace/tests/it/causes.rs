//! What caused what.

use dacapo_core::{ExchangeId, NoteKind};
use dacapo_trace::{Causes, Outcome, Part, Trace, print};

use crate::counter::counter;
use crate::tape::{identity, record, transfer};

fn chain(run: &[Part], exchange: u64) -> String {
    let trace = Trace::read(&record(&identity(), run, Outcome::Passed).0[..]).unwrap();
    let causes = Causes::of(&trace.records);
    let lines = print::chain(&trace.identity, &trace.records, &causes, ExchangeId(exchange));
    lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_chain_of_a_request_goes_back_to_its_first_cause() {
    insta::assert_snapshot!(chain(&transfer(), 2), @r#"
    #3          0.001250s  n0 teller    ← request x1 POST https://bank.example/transfer (37 B) from outside {"from":"ann","to":"bob","amount":25}
                                          → fetch c1 POST https://ledger.internal/transfer (37 B) to ledger on n1 {"from":"ann","to":"bob","amount":25}
    #4          0.003000s  n1 ledger      ← request x2 POST https://ledger.internal/transfer (37 B) from teller {"from":"ann","to":"bob","amount":25}
                                            → respond x2 200 (2 B) ok
    "#);
}

#[test]
fn the_chain_of_a_request_goes_on_to_everything_that_came_of_it() {
    insta::assert_snapshot!(chain(&transfer(), 1), @r#"
    #3          0.001250s  n0 teller    ← request x1 POST https://bank.example/transfer (37 B) from outside {"from":"ann","to":"bob","amount":25}
                                          → info transfer \u{1b}[31m25
                                          → fetch c1 POST https://ledger.internal/transfer (37 B) to ledger on n1 {"from":"ann","to":"bob","amount":25}
                                          → set timer t1 in 1.5s
    #4          0.003000s  n1 ledger      ← request x2 POST https://ledger.internal/transfer (37 B) from teller {"from":"ann","to":"bob","amount":25}
                                            → respond x2 200 (2 B) ok
    #5          1.501250s  n0 teller      ← timer t1
                                            → always "every transfer is answered" BROKEN x1 (teller.ts:12:3)
                                            → respond x1 504
    "#);
}

#[test]
fn without_a_note_the_call_is_found_by_what_it_asks_for() {
    let mut run = transfer();
    run.retain(|part| !matches!(part, Part::Note(n) if matches!(n.kind, NoteKind::Carries { .. })));
    assert_eq!(chain(&run, 2), chain(&transfer(), 2));
}

#[test]
fn a_request_that_is_not_there_has_no_chain() {
    assert_eq!(chain(&transfer(), 99), "");
}

#[test]
fn the_chain_of_a_request_goes_through_the_disk() {
    insta::assert_snapshot!(chain(&counter(), 1), @"
    #4          0.001000s  n0 teller    ← request x1 POST https://bank.example/1 from outside
                                          → fetch c1 POST https://ledger.internal/1 to ledger.Account/1f2e3d4c of ledger on n1
    #5          0.001500s  n1 ledger      ← request x11 POST https://ledger.internal/1 for ledger.Account/1f2e3d4c from teller
                                            → load ledger.Account/1f2e3d4c
    #8          0.003000s  n1 ledger        ← loaded (16 B)
                                              → commit 1 of ledger.Account/1f2e3d4c (2 writes, 84 B, alarm in 29.997s)
    #8          0.003000s  n1 -               → set timer t4294967297 in 29.997s
    #9          0.004000s  n1 ledger          ← committed 1
                                                → respond x11 200 (7 B) counted
    #10         0.004500s  n0 teller            ← response c1 200 (7 B) counted
                                                  → respond x1 200 (7 B) counted
    #12        30.000000s  n1 -               ← timer t4294967297
    #12        30.000000s  n1 ledger            → commit 2 of ledger.Account/1f2e3d4c (no alarm)
    #13        30.001000s  n1 ledger            ← commit 2 FAILED: input/output error (log.1 at byte 4096)
    #13        30.001000s  n1 -                   → ended i1 the storage failed: input/output error (log.1 at byte 4096)
    ");
}

#[test]
fn a_response_that_waited_for_the_writes_of_another_request_is_part_of_its_own() {
    insta::assert_snapshot!(chain(&counter(), 2), @"
    #6          0.002000s  n0 teller    ← request x2 GET https://bank.example/2 from outside
                                          → fetch c2 GET https://ledger.internal/2 to ledger.Account/1f2e3d4c of ledger on n1
    #7          0.002500s  n1 ledger      ← request x12 GET https://ledger.internal/2 for ledger.Account/1f2e3d4c from teller
    #9          0.004000s  n1 ledger        → respond x12 200 (1 B) 1
    #11         0.004500s  n0 teller        ← response c2 200 (1 B) 1
                                              → respond x2 200 (1 B) 1
    ");
}
