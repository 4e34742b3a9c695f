//! What caused what.

use dacapo_core::{ExchangeId, NoteKind};
use dacapo_trace::{Causes, Outcome, Part, Trace, print};

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
