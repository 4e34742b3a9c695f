//! Laws: what a correct object did is accepted, and the search agrees with brute force.

use dacapo_check::linear::models::{Counter, Queue, Register, Set};
use dacapo_check::{History, Limits, Model, Outcome, Value, Verdict, linearizable};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::brute;
use crate::simulate::{self, Fate, Wish};

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Answered),
        1 => Just(Fate::LostAnswer),
        1 => Just(Fate::LostQuestion),
        1 => Just(Fate::Refused),
    ]
}

/// What a client of an object may wish, with small numbers as values: many are the same.
fn wishes(words: &'static [&'static str]) -> impl Strategy<Value = Vec<(Wish, Fate)>> {
    let one = (0..words.len(), 0..3i64, 0..3i64, fate()).prop_map(move |(word, a, b, fate)| {
        let value = match words[word] {
            "read" | "dequeue" => Value::Null,
            "cas" => vec![a, b].into(),
            _ => a.into(),
        };
        (Wish { f: words[word], key: Value::Null, value }, fate)
    });
    proptest::collection::vec(one, 40)
}

struct Object<M> {
    model: M,
    words: &'static [&'static str],
    answers: fn(&str) -> Vec<Value>,
}

fn registers() -> Object<Register> {
    let answers = |f: &str| match f {
        "write" => vec![Value::Null],
        "cas" => vec![true.into(), false.into()],
        _ => [vec![Value::Null], (0..3).map(Value::Int).collect()].concat(),
    };
    Object { model: Register::default(), words: &["read", "write", "cas"], answers }
}

fn counters() -> Object<Counter> {
    Object {
        model: Counter::default(),
        words: &["read", "add"],
        answers: |_| (0..90).map(Value::Int).collect(),
    }
}

fn sets() -> Object<Set> {
    let answers = |f: &str| match f {
        "read" => {
            let subsets = (0..8i64).map(|bits| (0..3).filter(|v| bits >> v & 1 == 1).collect::<Vec<i64>>());
            subsets.map(Value::from).collect()
        }
        _ => vec![true.into(), false.into()],
    };
    Object { model: Set, words: &["read", "add", "remove", "has"], answers }
}

fn queues() -> Object<Queue> {
    let answers = |f: &str| match f {
        "enqueue" => vec![Value::Null],
        _ => [vec![Value::Null], (0..3).map(Value::Int).collect()].concat(),
    };
    Object { model: Queue, words: &["enqueue", "dequeue"], answers }
}

fn verdict<M: Model>(model: &M, history: &History) -> Option<String> {
    match linearizable(history, model, &Limits::default()).unwrap() {
        Verdict::Holds => None,
        Verdict::Broken(it) => Some(it.to_string()),
        Verdict::Unknown(why) => panic!("{why}"),
    }
}

fn simulated<M: Model>(
    object: &Object<M>,
    clients: usize,
    turns: Vec<usize>,
    wishes: Vec<(Wish, Fate)>,
) -> History {
    let mut wishes = wishes.into_iter().cycle();
    simulate::history(
        clients,
        turns,
        || wishes.next().unwrap(),
        object.model.initial(),
        |state, wish| simulate::act(&object.model, state, wish, &(object.answers)(wish.f)),
    )
}

/// What the object did is accepted; with one answer changed, the search says what brute force says, and what it
/// shows is itself wrong by brute force.
fn laws<M: Model>(
    object: &Object<M>,
    turns: Vec<usize>,
    wishes: Vec<(Wish, Fate)>,
    change: (Index, Index),
) -> Result<(), TestCaseError> {
    let history = simulated(object, 4, turns, wishes);
    prop_assert_eq!(verdict(&object.model, &history), None, "{}", history);
    let heard: Vec<usize> =
        (0..history.len()).filter(|index| history.operations()[*index].outcome == Outcome::Ok).collect();
    if heard.is_empty() {
        return Ok(());
    }
    let changed = heard[change.0.index(heard.len())];
    let answers = (object.answers)(&history.operations()[changed].f);
    let mutated = simulate::with_answer(&history, changed, answers[change.1.index(answers.len())].clone());
    let expected = brute::is_linearizable(&mutated, &object.model);
    match linearizable(&mutated, &object.model, &Limits::default()).unwrap() {
        Verdict::Holds => prop_assert!(expected, "missed:\n{}", mutated),
        Verdict::Unknown(why) => prop_assert!(false, "{}", why),
        Verdict::Broken(it) => {
            prop_assert!(!expected, "{}\nfrom\n{}", it, mutated);
            let is_kept =
                |op: &dacapo_check::Operation| it.operations.iter().any(|o| o.invoked == op.invoked);
            let small = mutated.only(is_kept);
            prop_assert!(!brute::is_linearizable(&small, &object.model), "{}\nis none, of\n{}", it, mutated);
            prop_assert!(it.is_minimal);
        }
    }
    Ok(())
}

/// Up to about seven operations: brute force is slow.
fn few_turns() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0..4usize, 3..22)
}

fn change() -> impl Strategy<Value = (Index, Index)> {
    any::<(Index, Index)>()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn registers_are_judged_as_by_brute_force(turns in few_turns(), wishes in wishes(registers().words), change in change()) {
        laws(&registers(), turns, wishes, change)?;
    }

    #[test]
    fn counters_are_judged_as_by_brute_force(turns in few_turns(), wishes in wishes(counters().words), change in change()) {
        laws(&counters(), turns, wishes, change)?;
    }

    #[test]
    fn sets_are_judged_as_by_brute_force(turns in few_turns(), wishes in wishes(sets().words), change in change()) {
        laws(&sets(), turns, wishes, change)?;
    }

    #[test]
    fn queues_are_judged_as_by_brute_force(turns in few_turns(), wishes in wishes(queues().words), change in change()) {
        laws(&queues(), turns, wishes, change)?;
    }
}

/// Wishes of which each write has a value of its own, and a swap looks for one that was written lately.
fn wishes_with_values_of_their_own() -> impl Strategy<Value = Vec<(Wish, Fate)>> {
    let one = (0..6u8, 1..4i64, fate());
    proptest::collection::vec(one, 40).prop_map(|list| {
        let wishes = list.into_iter().enumerate().map(|(number, (what, back, fate))| {
            let value = number as i64;
            let (f, value) = match what {
                0 | 1 => ("write", value.into()),
                2 | 3 => ("cas", vec![(value - back).max(0), value].into()),
                _ => ("read", Value::Null),
            };
            (Wish { f, key: Value::Null, value }, fate)
        });
        wishes.collect()
    })
}

fn registers_with_values_of_their_own() -> Object<Register> {
    let answers = |f: &str| match f {
        "write" => vec![Value::Null],
        "cas" => vec![true.into(), false.into()],
        // More than there are: what is changed may become something that nobody wrote.
        _ => [vec![Value::Null], (0..41).map(Value::Int).collect()].concat(),
    };
    Object { answers, ..registers() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn registers_whose_values_are_written_once_are_judged_as_by_brute_force(
        turns in few_turns(),
        wishes in wishes_with_values_of_their_own(),
        change in change(),
    ) {
        laws(&registers_with_values_of_their_own(), turns, wishes, change)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn long_histories_of_a_correct_register_are_accepted(
        turns in proptest::collection::vec(0..4usize, 600..900),
        few in wishes(registers().words),
        own in wishes_with_values_of_their_own(),
    ) {
        let answered = |wishes: Vec<(Wish, Fate)>| wishes.into_iter().map(|(wish, _)| (wish, Fate::Answered)).collect();
        let history = simulated(&registers(), 4, turns.clone(), answered(few));
        prop_assert_eq!(verdict(&Register::default(), &history), None, "{}", history);
        let history = simulated(&registers_with_values_of_their_own(), 4, turns, answered(own));
        prop_assert_eq!(verdict(&Register::default(), &history), None, "{}", history);
    }

    #[test]
    fn a_stretch_of_a_correct_history_is_never_accused(
        turns in proptest::collection::vec(0..4usize, 600..900),
        few in wishes(registers().words),
        own in wishes_with_values_of_their_own(),
        elements in wishes(sets().words),
    ) {
        // Without a step for the whole, only stretches of it are looked at.
        let limits = Limits { steps: 0, ..Limits::default() };
        for (object, wishes) in [(registers(), few), (registers_with_values_of_their_own(), own)] {
            let history = simulated(&object, 4, turns.clone(), wishes);
            let verdict = linearizable(&history, &Register::default(), &limits).unwrap();
            prop_assert!(matches!(verdict, Verdict::Unknown(_)), "{verdict:?}");
        }
        let history = simulated(&sets(), 4, turns, elements);
        let verdict = linearizable(&history, &Set, &limits).unwrap();
        prop_assert!(matches!(verdict, Verdict::Unknown(_)), "{verdict:?}");
    }
}
