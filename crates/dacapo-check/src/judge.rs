//! All judges behind one function from text to text, for guests in other languages: a request in JSON is
//! answered by a verdict in JSON. The same request always gets the same answer.
//!
//! ```json
//! {"judge": "linearizable", "model": "register",
//!  "moments": [[1500000, 0, "invoke", "write", "x", 1], [1600000, 0, "ok", null]]}
//! ```
//!
//! A moment is its time in nanoseconds, the process, what happens and what belongs to it.

use std::time::Duration;

use dacapo_core::Time;
use serde_json::{Value as Json, json};

use crate::draw::{Bar, Lanes};
use crate::history::{History, Value};
use crate::ledger::exactly_once;
use crate::linear::models::{Counter, List, Queue, Register, Set};
use crate::linear::{Limits, linearizable};
use crate::liveness::{Progress, Progressed, progresses};
use crate::session::{Guarantee, session};
use crate::transaction::{Data, Level, isolated};
use crate::verdict::Verdict;

/// Judges. The answer has `verdict` (`holds`, `broken`, `unknown` or `mistake`) and `text`.
pub fn judge(request: &str) -> String {
    let (verdict, text) = match answer(request) {
        Ok(Verdict::Holds) => ("holds", String::new()),
        Ok(Verdict::Broken(text)) => ("broken", text),
        Ok(Verdict::Unknown(why)) => ("unknown", why),
        Err(why) => ("mistake", why),
    };
    // In the order of the alphabet: whether serde_json keeps another depends on what else is built with it.
    json!({"text": text, "verdict": verdict}).to_string()
}

fn answer(request: &str) -> Result<Verdict<String>, String> {
    let request: Json = serde_json::from_str(request).map_err(|error| format!("not JSON: {error}"))?;
    let history = history(request.get("moments").unwrap_or(&Json::Null))?;
    match request.get("judge").and_then(Json::as_str) {
        Some("draw") => Ok(Verdict::Broken(drawn(&request)?)),
        Some("linearizable") => linear(&request, &history),
        Some("isolated") => {
            let data = match word(&request, "data")? {
                "lists" => Data::Lists,
                "registers" => Data::Registers,
                other => return Err(format!("data is lists or registers, not {other}")),
            };
            let level = word(&request, "level")?;
            let level = Level::of(level).ok_or_else(|| {
                let names = Level::ALL.map(Level::name).join(", ");
                format!("there is no level \"{level}\": it is one of {names}")
            })?;
            Ok(told(isolated(&history, data, level).map_err(|mistake| mistake.0)?))
        }
        Some("exactly once") => {
            let Value::List(books) = value(&request, "books") else {
                return Err("the books must be a list of ids".to_owned());
            };
            Ok(told(exactly_once(&history, &books)))
        }
        Some("session") => {
            let names = request.get("guarantees").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
            let of = |name: &Json| {
                name.as_str().and_then(Guarantee::of).ok_or_else(|| {
                    let names = Guarantee::ALL.map(Guarantee::name).join(", ");
                    format!("there is no guarantee {name}: it is one of {names}")
                })
            };
            let guarantees: Vec<Guarantee> = names.iter().map(of).collect::<Result<_, _>>()?;
            Ok(told(session(&history, &guarantees).map_err(|mistake| mistake.0)?))
        }
        Some("progresses") => {
            let default = Progress::default();
            let number = |name: &str| request.get(name).and_then(Json::as_u64);
            let rule = Progress {
                within: number("within").map_or(default.within, Duration::from_nanos),
                requests_min: number("requestsMin").unwrap_or(default.requests_min),
                requests_per_done_max: number("requestsPerDoneMax").unwrap_or(default.requests_per_done_max),
            };
            Ok(told(progresses(&Progressed::from(&history), &rule)))
        }
        other => Err(format!("there is no judge {other:?}")),
    }
}

fn linear(request: &Json, history: &History) -> Result<Verdict<String>, String> {
    let default = Limits::default();
    let steps = request.get("steps").and_then(Json::as_u64).unwrap_or(default.steps);
    let limits = Limits { steps, ..default };
    let initial = value(request, "initial");
    let verdict = match word(request, "model")? {
        "register" => linearizable(history, &Register { initial }, &limits),
        "counter" => match initial {
            Value::Null => linearizable(history, &Counter::default(), &limits),
            Value::Int(initial) => linearizable(history, &Counter { initial }, &limits),
            other => return Err(format!("a counter begins with a whole number, not {other}")),
        },
        "set" => linearizable(history, &Set, &limits),
        "queue" => linearizable(history, &Queue, &limits),
        "list" => linearizable(history, &List::default(), &limits),
        other => {
            return Err(format!(
                "there is no model \"{other}\": it is one of register, counter, set, queue, list"
            ));
        }
    };
    Ok(told(verdict.map_err(|mistake| mistake.0)?))
}

/// A drawing of `[process, label, from, to, marked]`, for judges that are written elsewhere.
fn drawn(request: &Json) -> Result<String, String> {
    let mut lanes = Lanes::default();
    for bar in request.get("bars").and_then(Json::as_array).ok_or("there are no bars")? {
        let place = |at: usize| bar[at].as_u64().and_then(|place| u32::try_from(place).ok());
        lanes.add(Bar {
            lane: bar[0].as_u64().ok_or("a bar has no process")?,
            label: bar[1].as_str().ok_or("a bar has no label")?.to_owned(),
            from: place(2).ok_or("a bar has no beginning")?,
            to: place(3),
            is_marked: bar[4].as_bool().unwrap_or_default(),
        });
    }
    Ok(lanes.to_string())
}

fn told<C: std::fmt::Display>(verdict: Verdict<C>) -> Verdict<String> {
    match verdict {
        Verdict::Holds => Verdict::Holds,
        Verdict::Broken(counterexample) => Verdict::Broken(counterexample.to_string()),
        Verdict::Unknown(why) => Verdict::Unknown(why),
    }
}

fn word<'a>(request: &'a Json, name: &str) -> Result<&'a str, String> {
    request.get(name).and_then(Json::as_str).ok_or_else(|| format!("\"{name}\" is missing"))
}

fn value(request: &Json, name: &str) -> Value {
    request.get(name).map(Value::from).unwrap_or_default()
}

fn history(moments: &Json) -> Result<History, String> {
    let mut history = History::new();
    for (number, moment) in moments.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate() {
        add(&mut history, moment).map_err(|why| format!("moment {number} of the history: {why}"))?;
    }
    Ok(history)
}

fn add(history: &mut History, moment: &Json) -> Result<(), String> {
    let at = Time(moment[0].as_u64().ok_or("it has no time")?);
    let process = moment[1].as_u64().ok_or("it has no process")?;
    let told = match moment[2].as_str() {
        Some("invoke") => {
            let f = moment[3].as_str().ok_or("it does not say what is asked")?;
            history.invoke(at, process, f, Value::from(&moment[4]), Value::from(&moment[5]))
        }
        Some("ok") => history.ok(at, process, Value::from(&moment[3])),
        Some("failed") => history.failed(at, process),
        Some("unknown") => history.unknown(at, process),
        _ => return Err("it says not what happens".to_owned()),
    };
    told.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_judge_answers() {
        let moments =
            r#"[[1,0,"invoke","write","x",1],[2,0,"ok",null],[3,0,"invoke","read","x"],[4,0,"ok",2]]"#;
        let ask = |more: &str| judge(&format!("{{\"moments\":{moments},{more}}}"));
        assert!(ask(r#""judge":"linearizable","model":"register""#).contains("\"broken\""));
        assert!(ask(r#""judge":"session","guarantees":["monotonic reads"]"#).contains("no version"));
        assert!(ask(r#""judge":"exactly once","books":[1,null]"#).contains("\"holds\""));
        assert!(ask(r#""judge":"progresses","within":1000"#).contains("\"holds\""));
        let txn = r#"[[1,0,"invoke","txn",null,[["r","x",null]]],[1,0,"ok",[["r","x",[7]]]]]"#;
        let isolated =
            format!(r#"{{"judge":"isolated","data":"lists","level":"serializable","moments":{txn}}}"#);
        assert!(judge(&isolated).contains("garbage read"));
    }

    #[test]
    fn a_request_that_makes_no_sense_is_told_why() {
        insta::assert_snapshot!(judge("{"), @r#"{"text":"not JSON: EOF while parsing an object at line 1 column 1","verdict":"mistake"}"#);
        insta::assert_snapshot!(judge(r#"{"judge":"linearizable","model":"stack"}"#), @r#"{"text":"there is no model \"stack\": it is one of register, counter, set, queue, list","verdict":"mistake"}"#);
        insta::assert_snapshot!(judge(r#"{"judge":"isolated","data":"lists","level":"chaos"}"#), @r#"{"text":"there is no level \"chaos\": it is one of read uncommitted, read committed, read atomic, snapshot isolation, repeatable read, serializable, strong session serializable, strict serializable","verdict":"mistake"}"#);
        insta::assert_snapshot!(judge(r#"{"judge":"session","guarantees":["peace"]}"#), @r#"{"text":"there is no guarantee \"peace\": it is one of read your writes, monotonic reads, monotonic writes, writes follow reads","verdict":"mistake"}"#);
        insta::assert_snapshot!(judge(r#"{"moments":[[1,0,"ok",1]]}"#), @r#"{"text":"moment 0 of the history: process 0 has no operation under way that could end","verdict":"mistake"}"#);
    }
}
