//! Laws of transactions: a store that keeps a level is never accused of breaking it, and for small histories
//! the judge agrees with trying every order.

use std::collections::BTreeMap;

use dacapo_check::transaction::{Data, Level, isolated};
use dacapo_check::{History, Operation, Outcome, Value, Verdict};
use dacapo_core::Time;
use proptest::prelude::*;

/// What a store does about transactions at the same time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Store {
    /// Each happens at once.
    Atomic,
    /// Each reads what there was when it began; of two that write the same key the later one fails.
    Snapshots,
    /// Each reads what there was when it began, and writes.
    Nothing,
}

#[derive(Clone, Debug)]
struct Wish {
    key: u8,
    is_write: bool,
}

type State = BTreeMap<u8, Vec<i64>>;

enum Stage {
    Idle,
    Begun(Vec<Wish>, State, bool),
    Ended(Option<Value>, bool),
}

fn micro(f: &str, key: u8, value: Value) -> Value {
    Value::list([f.into(), Value::Int(key.into()), value])
}

/// What a transaction would answer, and the state after it, if it reads this and writes onto that.
fn run(wishes: &[Wish], data: Data, next: &mut i64, from: &State, onto: &State) -> (Value, State) {
    let (mut view, mut after) = (from.clone(), onto.clone());
    let mut micros = Vec::new();
    for wish in wishes {
        let list = view.entry(wish.key).or_default();
        micros.push(match (wish.is_write, data) {
            (true, _) => {
                *next += 1;
                list.push(*next);
                after.entry(wish.key).or_default().push(*next);
                micro(if data == Data::Lists { "append" } else { "w" }, wish.key, (*next).into())
            }
            (false, Data::Lists) => micro("r", wish.key, list.clone().into()),
            (false, Data::Registers) => micro("r", wish.key, list.last().copied().into()),
        });
    }
    (Value::list(micros), after)
}

/// What clients of such a store see, with a last transaction that reads everything.
fn simulated(store: Store, data: Data, turns: &[(usize, bool)], wishes: &[Vec<Wish>]) -> History {
    let mut history = History::new();
    let mut stages: Vec<Stage> = (0..3).map(|_| Stage::Idle).collect();
    let (mut state, mut next) = (State::new(), 0);
    let mut wishes = wishes.iter().cycle();
    for (client, is_lost) in turns {
        let process = *client as u64;
        stages[*client] = match std::mem::replace(&mut stages[*client], Stage::Idle) {
            Stage::Idle => {
                let wish = wishes.next().unwrap();
                Stage::Begun(wish.clone(), state.clone(), *is_lost)
            }
            Stage::Begun(wishes, begin, is_lost) => {
                let from = if store == Store::Atomic { &state } else { &begin };
                let is_stale = |wish: &Wish| wish.is_write && begin.get(&wish.key) != state.get(&wish.key);
                let has_conflict = store == Store::Snapshots && wishes.iter().any(is_stale);
                let (answer, after) = run(&wishes, data, &mut next, from, &state);
                if !has_conflict {
                    state = after;
                }
                // What is asked is known only now, because its values are: for orders in time that is late
                // enough, since a snapshot may be older and an atomic store acts now.
                history.invoke(Time::ZERO, process, "txn", Value::Null, answer.clone()).unwrap();
                Stage::Ended((!has_conflict).then_some(answer), is_lost)
            }
            Stage::Ended(answer, is_lost) => {
                match (answer, is_lost) {
                    (_, true) => history.unknown(Time::ZERO, process).unwrap(),
                    (Some(answer), _) => history.ok(Time::ZERO, process, answer).unwrap(),
                    (None, _) => history.failed(Time::ZERO, process).unwrap(),
                }
                Stage::Idle
            }
        };
    }
    let everything: Vec<Wish> = (0..3).map(|key| Wish { key, is_write: false }).collect();
    let (answer, _) = run(&everything, data, &mut next, &state, &state);
    history.invoke(Time::ZERO, 9, "txn", Value::Null, answer.clone()).unwrap();
    history.ok(Time::ZERO, 9, answer).unwrap();
    history
}

/// Whether some order of the transactions (all that are known, any of the unknown) explains what was read.
fn is_serializable(history: &History, data: Data) -> bool {
    let all: Vec<&Operation> =
        history.operations().iter().filter(|it| it.outcome != Outcome::Failed).collect();
    extend(&all, data, &mut (0..all.len()).collect(), &BTreeMap::new())
}

fn extend(
    all: &[&Operation],
    data: Data,
    left: &mut Vec<usize>,
    state: &BTreeMap<Value, Vec<Value>>,
) -> bool {
    if left.iter().all(|index| all[*index].outcome == Outcome::Unknown) {
        return true;
    }
    (0..left.len()).any(|place| {
        let index = left[place];
        let Some(after) = apply(all[index], data, state) else { return false };
        left.remove(place);
        let found = extend(all, data, left, &after);
        left.insert(place, index);
        found
    })
}

fn apply(
    txn: &Operation,
    data: Data,
    state: &BTreeMap<Value, Vec<Value>>,
) -> Option<BTreeMap<Value, Vec<Value>>> {
    let is_ok = txn.outcome == Outcome::Ok;
    let mut after = state.clone();
    for micro in (if is_ok { &txn.result } else { &txn.value }).as_list()? {
        let [f, key, value] = micro.as_list()? else { return None };
        let list = after.entry(key.clone()).or_default();
        match (f.as_text()?, data) {
            ("r", Data::Lists) if is_ok && value.as_list() != Some(list.as_slice()) => return None,
            ("r", Data::Registers) if is_ok && *value != list.last().cloned().unwrap_or_default() => {
                return None;
            }
            ("r", _) => {}
            _ => list.push(value.clone()),
        }
    }
    Some(after)
}

fn broken(history: &History, data: Data, level: Level) -> Option<String> {
    match isolated(history, data, level).unwrap() {
        Verdict::Holds => None,
        Verdict::Broken(it) => Some(it.to_string()),
        Verdict::Unknown(why) => panic!("{why}"),
    }
}

fn turns(count: usize) -> impl Strategy<Value = Vec<(usize, bool)>> {
    proptest::collection::vec((0..3usize, prop::bool::weighted(0.1)), 3..count)
}

fn wishes() -> impl Strategy<Value = Vec<Vec<Wish>>> {
    let wish = (0..3u8, any::<bool>()).prop_map(|(key, is_write)| Wish { key, is_write });
    proptest::collection::vec(proptest::collection::vec(wish, 1..4), 30)
}

fn stores() -> impl Strategy<Value = Store> {
    prop_oneof![Just(Store::Atomic), Just(Store::Snapshots), Just(Store::Nothing)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_an_atomic_store_does_is_strictly_serializable(turns in turns(120), wishes in wishes(), lists in any::<bool>()) {
        let data = if lists { Data::Lists } else { Data::Registers };
        let history = simulated(Store::Atomic, data, &turns, &wishes);
        prop_assert_eq!(broken(&history, data, Level::StrictSerializable), None, "{}", history);
    }

    #[test]
    fn a_store_with_snapshots_keeps_snapshot_isolation(turns in turns(120), wishes in wishes(), lists in any::<bool>()) {
        let data = if lists { Data::Lists } else { Data::Registers };
        let history = simulated(Store::Snapshots, data, &turns, &wishes);
        prop_assert_eq!(broken(&history, data, Level::SnapshotIsolation), None, "{}", history);
    }

    #[test]
    fn lists_that_are_read_in_the_end_are_judged_as_by_brute_force(store in stores(), turns in turns(20), wishes in wishes()) {
        let history = simulated(store, Data::Lists, &turns, &wishes);
        let found = broken(&history, Data::Lists, Level::Serializable);
        prop_assert_eq!(found.is_none(), is_serializable(&history, Data::Lists), "{:?}\n{}", found, history);
    }

    #[test]
    fn registers_are_never_accused_without_reason(store in stores(), turns in turns(20), wishes in wishes()) {
        let history = simulated(store, Data::Registers, &turns, &wishes);
        if let Some(found) = broken(&history, Data::Registers, Level::Serializable) {
            prop_assert!(!is_serializable(&history, Data::Registers), "{}\n{}", found, history);
        }
    }
}
