//! Histories of correct objects under many clients, for the judges: each client asks, what it asked for
//! happens at once, and then it hears of it; which client does its next step is drawn.

use dacapo_check::{History, Value};
use dacapo_core::{Random, Seed, Time};

/// What a history is like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many operations.
    pub operations: usize,
    /// On how many keys at a time.
    pub keys: u64,
    /// How many clients there are at once.
    pub clients: u64,
    /// Of how many in a thousand operations nobody hears the end. (Half of these happened.)
    pub unknown: u64,
}

impl Shape {
    /// The shape in words, as a name for a measurement.
    pub fn name(&self) -> String {
        format!("{}_keys_{}_clients_{}_unknown", self.keys, self.clients, self.unknown)
    }
}

enum Stage<W> {
    Idle,
    Asked(W),
    Done(Value),
}

/// Runs clients until so many operations have begun, and lets them end.
fn run<W>(
    shape: Shape,
    mut ask: impl FnMut(&mut Random) -> (&'static str, Value, Value, W),
    mut act: impl FnMut(W) -> Value,
) -> History {
    let mut random = Seed(1).stream("histories");
    let mut history = History::new();
    let mut stages: Vec<Stage<W>> = (0..shape.clients).map(|_| Stage::Idle).collect();
    let mut busy = 0;
    for time in 0.. {
        let at = Time(time * 100_000);
        let process = random.below(shape.clients);
        let stage = &mut stages[process as usize];
        match std::mem::replace(stage, Stage::Idle) {
            Stage::Idle if history.len() == shape.operations => {
                if busy == 0 {
                    break;
                }
            }
            Stage::Idle => {
                let (f, key, value, wish) = ask(&mut random);
                history.invoke(at, process, f, key, value).expect("an idle client may ask");
                *stage = Stage::Asked(wish);
                busy += 1;
            }
            Stage::Asked(wish) => {
                let lost = random.below(2000);
                if lost < shape.unknown {
                    history.unknown(at, process).expect("it has asked");
                    busy -= 1;
                } else {
                    *stage = Stage::Done(act(wish));
                    if lost < 2 * shape.unknown {
                        history.unknown(at, process).expect("it has asked");
                        *stage = Stage::Idle;
                        busy -= 1;
                    }
                }
            }
            Stage::Done(result) => {
                history.ok(at, process, result).expect("it has asked");
                busy -= 1;
            }
        }
    }
    history
}

/// Registers: half of the operations read, most others write a value that nobody else writes, and the rest
/// compare and swap.
pub fn registers(shape: Shape) -> History {
    let mut values = vec![Value::Null; shape.keys as usize];
    let mut next = 0;
    let ask = |random: &mut Random| {
        let key = random.below(shape.keys);
        next += 1;
        let (f, value) = match random.below(10) {
            0..5 => ("read", Value::Null),
            5..9 => ("write", Value::Int(next)),
            _ => ("cas", vec![next - 1, next].into()),
        };
        (f, Value::Int(key as i64), value.clone(), (f, key as usize, value))
    };
    run(shape, ask, |(f, key, value): (&str, usize, Value)| match (f, value.as_list()) {
        ("write", _) => {
            values[key] = value;
            Value::Null
        }
        ("cas", Some([from, to])) => {
            let does = values[key] == *from;
            if does {
                values[key] = to.clone();
            }
            does.into()
        }
        _ => values[key].clone(),
    })
}

/// How many values are appended to a list before another takes its place.
const LIST_LENGTH: usize = 32;

/// Transactions of one to four reads and appends on lists, each of which happens at once. A list that has
/// become long gets no more.
pub fn lists(shape: Shape) -> History {
    // Which list stands in each of the places, and how many were appended to it.
    let mut places: Vec<(i64, usize)> = (0..shape.keys as i64).map(|key| (key, 0)).collect();
    let mut next_key = shape.keys as i64;
    let mut next_value = 0;
    let ask = |random: &mut Random| {
        let count = 1 + random.below(4);
        let micros = (0..count).map(|_| {
            let place = random.below(shape.keys) as usize;
            if places[place].1 == LIST_LENGTH {
                places[place] = (next_key, 0);
                next_key += 1;
            }
            let key = Value::Int(places[place].0);
            if random.below(2) == 0 {
                return Value::list(["r".into(), key, Value::Null]);
            }
            places[place].1 += 1;
            next_value += 1;
            Value::list(["append".into(), key, Value::Int(next_value)])
        });
        let micros = Value::list(micros.collect::<Vec<_>>());
        ("txn", Value::Null, micros.clone(), micros)
    };
    let mut lists: std::collections::BTreeMap<Value, Vec<Value>> = std::collections::BTreeMap::new();
    run(shape, ask, |wish: Value| {
        let micros = wish.as_list().unwrap_or_default().iter().map(|micro| match micro.as_list() {
            Some([f, key, Value::Null]) => {
                let list = lists.get(key).cloned().unwrap_or_default();
                Value::list([f.clone(), key.clone(), Value::list(list)])
            }
            Some([_, key, value]) => {
                lists.entry(key.clone()).or_default().push(value.clone());
                micro.clone()
            }
            _ => micro.clone(),
        });
        Value::list(micros.collect::<Vec<_>>())
    })
}
