//! Any text as a history and as a question to the judges: a verdict or a mistake that can be shown, never a panic, never a
//! hang. A history that can be read is the same when it is printed and read again.

use dacapo_check::linear::models::{Counter, List, Queue, Register, Set};
use dacapo_check::liveness::{Progress, Progressed, progresses};
use dacapo_check::session::{Guarantee, session};
use dacapo_check::transaction::{Data, Level};
use dacapo_check::{History, Limits, Model, exactly_once, isolated, judge, linearizable};

/// Asks every judge.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    judge(text);
    let history: History = match text.parse() {
        Ok(history) => history,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let printed = history.to_string();
    let again: History = printed.parse().unwrap_or_else(|error| panic!("{error}, of\n{printed}"));
    assert_eq!(again.operations(), history.operations(), "{printed}");
    linear(&history, &Register::default());
    linear(&history, &Counter::default());
    linear(&history, &Set);
    linear(&history, &Queue);
    linear(&history, &List::default());
    for (data, level) in
        [Data::Lists, Data::Registers].into_iter().flat_map(|data| Level::ALL.map(|level| (data, level)))
    {
        shown(isolated(&history, data, level));
    }
    let books: Vec<_> = history.operations().iter().map(|operation| operation.value.clone()).collect();
    shown(Ok::<_, dacapo_check::Mistake>(exactly_once(&history, &books)));
    shown(session(&history, &Guarantee::ALL));
    shown(Ok::<_, dacapo_check::Mistake>(progresses(&Progressed::from(&history), &Progress::default())));
}

fn linear<M: Model>(history: &History, model: &M) {
    // What is hard is given up: this is about what goes wrong, not about the verdict.
    shown(linearizable(history, model, &Limits { steps: 20_000, shrink_steps: 20_000 }));
}

fn shown<C: std::fmt::Display>(verdict: Result<dacapo_check::Verdict<C>, dacapo_check::Mistake>) {
    match verdict {
        Ok(dacapo_check::Verdict::Broken(counterexample)) => assert!(!counterexample.to_string().is_empty()),
        Ok(_) => {}
        Err(mistake) => assert!(!mistake.0.is_empty()),
    }
}

/// A history of each kind, and a question in JSON.
pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "@1.5s 0 invoke write x 1\n1 invoke read x\n@1.6s 0 ok\n1 ok 1\n",
        "0 invoke cas x [1, 2]\n1 invoke write x 1\n0 ok false\n1 unknown\n2 invoke read x\n2 ok null\n",
        "0 invoke add x 2\n1 invoke read x\n0 ok\n1 ok 2\n1 invoke has x 2\n1 ok true\n",
        "0 invoke enqueue q a\n1 invoke dequeue q\n0 ok\n1 ok a\n1 invoke dequeue q\n1 ok null\n",
        "0 invoke append l 1\n1 invoke read l\n0 ok\n1 ok [1]\n",
        "0 invoke txn null [[\"append\",\"x\",1],[\"r\",\"y\",null]]\n1 invoke txn null [[\"append\",\"y\",2],[\"r\",\"x\",null]]\n\
         0 ok [[\"append\",\"x\",1],[\"r\",\"y\",[]]]\n1 ok [[\"append\",\"y\",2],[\"r\",\"x\",[]]]\n",
        "0 invoke txn null [[\"w\",\"x\",1]]\n0 ok [[\"w\",\"x\",1]]\n1 invoke txn null [[\"r\",\"x\",null]]\n1 failed\n",
        "0 invoke write x 1444450244444444000179702417\n",
        "# sessions\n0 invoke write x 1\n0 ok 1\n0 invoke read x\n0 ok 0\n",
        r#"{"judge":"linearizable","model":"register","moments":[[1,0,"invoke","write","x",1],[2,0,"ok",null]]}"#,
        r#"{"judge":"isolated","data":"lists","level":"serializable","moments":[[1,0,"invoke","txn",null,[["r","x",null]]]]}"#,
        r#"{"judge":"draw","bars":[[0,"write",0,2,true],[1,"read",1,null,false]]}"#,
        r#"{"judge":"progresses","within":1000,"requestsMin":2,"requestsPerDoneMax":3,"moments":[]}"#,
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
