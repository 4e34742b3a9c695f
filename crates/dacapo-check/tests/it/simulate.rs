//! Histories of a correct object under concurrent clients.

use dacapo_check::{History, Model, Operation, Outcome, Value};
use dacapo_core::Time;

/// What a client wants.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) f: &'static str,
    pub(crate) key: Value,
    pub(crate) value: Value,
}

/// How one operation goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Answered,
    /// It happens, and nobody hears of it.
    LostAnswer,
    /// It never happens, and nobody hears of that.
    LostQuestion,
    Refused,
}

enum Stage {
    Idle,
    Asked(Wish, Fate),
    Done(Value, Fate),
}

/// Runs clients against an atomic object: `turns` says which client does its next step, and `wish` what it
/// asks for next. `answers` is what the object says in its state.
pub(crate) fn history<S>(
    clients: usize,
    turns: impl IntoIterator<Item = usize>,
    mut wish: impl FnMut() -> (Wish, Fate),
    mut state: S,
    mut act: impl FnMut(&mut S, &Wish) -> Value,
) -> History {
    let mut history = History::new();
    let mut stages: Vec<Stage> = (0..clients).map(|_| Stage::Idle).collect();
    for (time, turn) in turns.into_iter().enumerate() {
        // Two moments share a time, so that judges who compare times are seen.
        let (client, at) = (turn % clients, Time(time as u64 / 2 * 1_000_000));
        let process = client as u64;
        stages[client] = match std::mem::replace(&mut stages[client], Stage::Idle) {
            Stage::Idle => {
                let (wish, fate) = wish();
                history.invoke(at, process, wish.f, wish.key.clone(), wish.value.clone()).unwrap();
                Stage::Asked(wish, fate)
            }
            Stage::Asked(wish, fate) => {
                let happens = matches!(fate, Fate::Answered | Fate::LostAnswer);
                Stage::Done(if happens { act(&mut state, &wish) } else { Value::Null }, fate)
            }
            Stage::Done(result, fate) => {
                let outcome = match fate {
                    Fate::Answered => Outcome::Ok,
                    Fate::LostAnswer | Fate::LostQuestion => Outcome::Unknown,
                    Fate::Refused => Outcome::Failed,
                };
                let result = if outcome == Outcome::Ok { result } else { Value::Null };
                history.end(at, process, outcome, result).unwrap();
                Stage::Idle
            }
        };
    }
    history
}

/// The same history with another answer to one operation.
pub(crate) fn with_answer(history: &History, index: usize, result: Value) -> History {
    let text: Vec<Operation> = history.operations().to_vec();
    rebuilt(&text, |place, operation| {
        if place == index {
            (operation.outcome, result.clone())
        } else {
            (operation.outcome, operation.result.clone())
        }
    })
}

fn rebuilt(operations: &[Operation], end: impl Fn(usize, &Operation) -> (Outcome, Value)) -> History {
    let mut moments = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        moments.push((operation.invoked, index, true));
        moments.extend(operation.ended.map(|ended| (ended, index, false)));
    }
    moments.sort_unstable();
    let mut history = History::new();
    for (moment, index, is_invocation) in moments {
        let it = &operations[index];
        if is_invocation {
            history.invoke(moment.at, it.process, &it.f, it.key.clone(), it.value.clone()).unwrap();
        } else {
            let (outcome, result) = end(index, it);
            history.end(moment.at, it.process, outcome, result).unwrap();
        }
    }
    history
}

/// What a correct object answers, from its model: the one answer that fits.
pub(crate) fn act<M: Model>(model: &M, state: &mut M::State, wish: &Wish, answers: &[Value]) -> Value {
    for answer in answers {
        let mut one = History::new();
        one.invoke(Time::ZERO, 0, wish.f, wish.key.clone(), wish.value.clone()).unwrap();
        one.ok(Time::ZERO, 0, answer.clone()).unwrap();
        let op = model.op(&one.operations()[0]).unwrap();
        if let Some(after) = model.step(state, &op) {
            *state = after;
            return answer.clone();
        }
    }
    panic!("{wish:?} has no answer");
}
