//! Where two runs part: a replay and its recording, or two recordings.

use std::fmt;

use dacapo_core::{Address, Time};
use serde_json::Value;

use crate::names::Names;
use crate::print::{json_effect, json_event, words_of_effect, words_of_event};
use crate::{Identity, Part, ReadError, Record};

/// The first difference between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The event in whose turn they part, or which is itself not the same.
    pub event: u64,
    /// Its time.
    pub at: Time,
    /// Where: who sent the effect, or got the event.
    pub address: Address,
    /// What the recording has there; `None`: nothing more in this turn.
    pub expected: Option<Part>,
    /// What the other run did there; `None`: nothing more in this turn.
    pub got: Option<Part>,
    text: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How the two runs are called.
pub(crate) struct Sides {
    pub(crate) title: &'static str,
    pub(crate) first: &'static str,
    pub(crate) second: &'static str,
    pub(crate) advice: &'static str,
}

pub(crate) const REPLAY: Sides = Sides {
    title: "the replay differs from the recording",
    first: "recorded",
    second: "replayed",
    advice: "The programs are the recorded ones, so something reached the guest beside its events and its turn. \
             If the recording is older than a change to Dacapo itself, that change is the likely cause.",
};

pub(crate) const DIFF: Sides = Sides {
    title: "the recordings part",
    first: "first",
    second: "second",
    advice: "All before this event is the same in both.",
};

/// The point up to which two runs were the same.
pub(crate) struct Context<'a> {
    pub(crate) names: &'a Names,
    pub(crate) event: u64,
    pub(crate) at: Time,
    /// The delivery in whose turn they part.
    pub(crate) cause: Option<&'a Part>,
}

impl Divergence {
    pub(crate) fn new(
        context: &Context<'_>,
        sides: &Sides,
        expected: Option<Part>,
        got: Option<Part>,
    ) -> Divergence {
        let address = match (&got, &expected, context.cause) {
            (Some(Part::Effect(from, _)), ..) | (_, Some(Part::Effect(from, _)), _) => *from,
            (Some(Part::Delivery(d)), ..) | (_, Some(Part::Delivery(d)), _) => d.to,
            (_, _, Some(Part::Delivery(d))) => d.to,
            _ => Address::default(),
        };
        let Context { names, event, at, cause } = context;
        let mut text = format!(
            "DC0069: {} at event #{event} ({at}, {} {})\n",
            sides.title,
            names.node(address.node),
            names.at(address)
        );
        let mut row = |label: &str, words: String| text.push_str(&format!("  {label:<9} {words}\n"));
        if let Some(cause) = cause {
            row("event", words(cause, names));
        }
        let side = |part: &Option<Part>| match part {
            Some(part) => words(part, names),
            None => "nothing more in this turn".to_owned(),
        };
        row(sides.first, side(&expected));
        row(sides.second, side(&got));
        if let (Some(expected), Some(got)) = (&expected, &got)
            && let Some(place) = first_difference("", &value(expected, names), &value(got, names))
        {
            row("differs", place);
        }
        text.push_str(sides.advice);
        Divergence { event: *event, at: *at, address, expected, got, text }
    }
}

fn words(part: &Part, names: &Names) -> String {
    match part {
        Part::Delivery(delivery) => format!("← {}", words_of_event(&delivery.event, names)),
        Part::Effect(_, effect) => format!("→ {}", words_of_effect(effect, names)),
        Part::Note(note) => note.text.to_string(),
    }
}

fn value(part: &Part, names: &Names) -> Value {
    match part {
        Part::Delivery(d) => serde_json::json!({
            "at": d.at.0, "now": d.now.0, "wall": d.wall.0, "to": d.to.to_string(),
            "in": json_event(&d.event, names),
        }),
        Part::Effect(from, effect) => {
            serde_json::json!({"from": from.to_string(), "out": json_effect(effect, names)})
        }
        Part::Note(_) => Value::Null,
    }
}

/// The first place in which two values differ: `head.status: 200, not 500`.
fn first_difference(path: &str, a: &Value, b: &Value) -> Option<String> {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (a, b) {
        (Value::Object(x), Value::Object(y)) if x.keys().eq(y.keys()) => {
            x.iter().zip(y.values()).find_map(|((key, x), y)| first_difference(&below(key), x, y))
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).enumerate().find_map(|(i, (x, y))| first_difference(&below(&i.to_string()), x, y))
        }
        (Value::String(x), Value::String(y)) if x != y => {
            // Long texts mostly begin alike: show where they stop to.
            let same = x.char_indices().zip(y.chars()).find(|((_, x), y)| x != y).map(|((i, _), _)| i);
            let same = same.unwrap_or(x.len().min(y.len()));
            let from = x[..same].char_indices().rev().nth(15).map_or(0, |(i, _)| i);
            let show = |text: &str| {
                let piece: String = text[from..].chars().take(40).collect();
                let left = if from > 0 { "…" } else { "" };
                let right = if text[from..].chars().count() > 40 { "…" } else { "" };
                format!("{left}{piece:?}{right}")
            };
            Some(format!("{path} from byte {same}: {}, not {}", show(x), show(y)))
        }
        _ if a != b => {
            let show = |value: &Value| match value {
                Value::Object(object) => object.keys().cloned().collect::<Vec<_>>().join(", "),
                Value::Array(array) => format!("{} entries", array.len()),
                other => other.to_string(),
            };
            let path = if path.is_empty() { "kind" } else { path };
            Some(format!("{path}: {}, not {}", show(a), show(b)))
        }
        _ => None,
    }
}

/// The first difference between two recordings; `None` if they are the same run. Notes do not
/// count. Reads no further than it must.
pub fn diff(
    identity: &Identity,
    first: impl IntoIterator<Item = Result<Record, ReadError>>,
    second: impl IntoIterator<Item = Result<Record, ReadError>>,
) -> Result<Option<Divergence>, ReadError> {
    let is_part =
        |record: &Result<Record, ReadError>| !matches!(record, Ok(Record { part: Part::Note(_), .. }));
    let (mut first, mut second) = (first.into_iter().filter(is_part), second.into_iter().filter(is_part));
    let mut names = Names::new(identity);
    let mut turn: Option<Record> = None;
    loop {
        let (a, b) = (first.next().transpose()?, second.next().transpose()?);
        match (a, b) {
            (None, None) => return Ok(None),
            (Some(a), Some(b)) if a.part == b.part => {
                names.learn(&a.part);
                if matches!(a.part, Part::Delivery(_)) {
                    turn = Some(a);
                }
            }
            (a, b) => {
                // One still in the turn, the other past it: that one did nothing more in it.
                let in_turn = |r: &Option<Record>| matches!(r, Some(r) if matches!(r.part, Part::Effect(..)));
                let is_in_turn = in_turn(&a) || in_turn(&b);
                let of_turn = |r: &Option<Record>| {
                    r.as_ref()
                        .filter(|r| is_in_turn == matches!(r.part, Part::Effect(..)))
                        .map(|r| r.part.clone())
                };
                let (expected, got) = (of_turn(&a), of_turn(&b));
                for part in [&expected, &got].into_iter().flatten() {
                    names.learn(part);
                }
                let place = if is_in_turn { turn.as_ref() } else { a.as_ref().or(b.as_ref()) };
                let (event, at) = place.map_or((0, Time::ZERO), |r| (r.event, r.at));
                let cause = turn.as_ref().filter(|_| is_in_turn).map(|r| &r.part);
                let context = Context { names: &names, event, at, cause };
                return Ok(Some(Divergence::new(&context, &DIFF, expected, got)));
            }
        }
    }
}
