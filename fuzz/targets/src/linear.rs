//! Any small history: the search for an order and trying every order say the same.

use arbitrary::{Result, Unstructured};
use dacapo_check::linear::models::{Counter, List, Queue, Register, Set};
use dacapo_check::{History, Limits, Model, Outcome, Value, Verdict, linearizable};
use dacapo_core::Time;

#[path = "../../../crates/dacapo-check/tests/it/brute.rs"]
mod brute;

/// Trying every order takes too long for more.
const OPERATIONS_MAX: usize = 7;
const CLIENTS: u64 = 4;

/// Makes a history and an object of the bytes, and judges twice.
pub fn run(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    // Bytes that are too few make a shorter history.
    let Ok(object) = bytes.int_in_range(0..=4) else { return };
    match object {
        0 => agree(&Register::default(), &history(&mut bytes, &["read", "write", "cas"])),
        1 => agree(&Counter::default(), &history(&mut bytes, &["read", "add"])),
        2 => agree(&Set, &history(&mut bytes, &["read", "add", "remove", "has"])),
        3 => agree(&Queue, &history(&mut bytes, &["enqueue", "dequeue"])),
        _ => agree(&List::default(), &history(&mut bytes, &["read", "append"])),
    }
}

fn agree<M: Model>(model: &M, history: &History) {
    // An operation that makes no sense to the object is told by both, in different ways.
    let Ok(verdict) = linearizable(history, model, &Limits::default()) else { return };
    let expected = brute::is_linearizable(history, model);
    match verdict {
        Verdict::Holds => assert!(expected, "missed:\n{history}"),
        Verdict::Unknown(why) => panic!("{why}"),
        Verdict::Broken(it) => {
            assert!(!expected, "{it}\nfrom\n{history}");
            let small = history.only(|op| it.operations.iter().any(|kept| kept.invoked == op.invoked));
            assert!(!brute::is_linearizable(&small, model), "{it}\nis none, of\n{history}");
        }
    }
}

/// Moments in the order of the bytes: each is the next thing that one of the clients does.
fn history(bytes: &mut Unstructured<'_>, words: &[&str]) -> History {
    let mut history = History::new();
    let mut at = 0;
    while !bytes.is_empty() && moment(bytes, words, &mut history, Time(at)).is_ok() {
        at += 1_000_000;
    }
    history
}

fn moment(bytes: &mut Unstructured<'_>, words: &[&str], history: &mut History, at: Time) -> Result<()> {
    let process = bytes.int_in_range(0..=CLIENTS - 1)?;
    let open = history.operations().iter().find(|it| it.process == process && it.ended.is_none());
    let asked = open.map(|operation| (operation.f.to_string(), operation.value.clone()));
    let told = match asked {
        None if history.len() == OPERATIONS_MAX => Ok(()),
        None => {
            let word = *bytes.choose(words)?;
            let value = match word {
                "read" | "dequeue" => Value::Null,
                "cas" => vec![number(bytes)?, number(bytes)?].into(),
                _ => number(bytes)?.into(),
            };
            history.invoke(at, process, word, Value::Null, value)
        }
        Some((word, _)) => {
            let outcome = *bytes.choose(&[Outcome::Ok, Outcome::Ok, Outcome::Unknown, Outcome::Failed])?;
            let result = if outcome == Outcome::Ok { answer(bytes, &word, words)? } else { Value::Null };
            history.end(at, process, outcome, result)
        }
    };
    told.expect("a client ends what it began before it asks again");
    Ok(())
}

fn number(bytes: &mut Unstructured<'_>) -> Result<i64> {
    bytes.int_in_range(0..=2)
}

fn numbers(bytes: &mut Unstructured<'_>) -> Result<Value> {
    let list: Result<Vec<i64>> = (0..bytes.int_in_range(0..=3)?).map(|_| number(bytes)).collect();
    Ok(list?.into())
}

/// Something that an object like this may answer.
fn answer(bytes: &mut Unstructured<'_>, word: &str, words: &[&str]) -> Result<Value> {
    Ok(match word {
        "read" if words.contains(&"has") || words.contains(&"append") => numbers(bytes)?,
        "read" if words.len() == 2 => bytes.int_in_range(0..=8i64)?.into(),
        "read" | "dequeue" if bytes.ratio(1, 4)? => Value::Null,
        "read" | "dequeue" => number(bytes)?.into(),
        "cas" | "has" => bytes.arbitrary::<bool>()?.into(),
        "add" | "remove" if words.contains(&"has") => bytes.arbitrary::<bool>()?.into(),
        _ => Value::Null,
    })
}

/// Nothing: any few bytes are a history.
pub fn seeds() -> Vec<Vec<u8>> {
    (0..5u8).map(|object| (0..40u8).map(|at| object.wrapping_add(at.wrapping_mul(37))).collect()).collect()
}
