//! Histories as text that a person can read and write: one moment a line, in order.
//!
//! ```text
//! @1.5s 0 invoke write x 1
//! 1 invoke read x
//! @1.6s 0 ok
//! 1 ok 1
//! ```
//!
//! First the time (if it changes), the process and the kind of moment. After `invoke` come what is asked,
//! the key and the value; after `ok` the answer. Values are JSON; a plain word needs no quotes. A key or a
//! value that is not there is `null`. After `failed` and `unknown` comes nothing; `#` begins a remark.

use std::fmt;

use dacapo_core::Time;
use serde_json::Value as Json;

use super::{History, Outcome, RecordError, Value};

/// Why text is no history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// In which line.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the history: {}", self.line, self.why)
    }
}

impl std::error::Error for ParseError {}

impl std::str::FromStr for History {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<History, ParseError> {
        let mut history = History::new();
        let mut now = Time::ZERO;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                moment(&mut history, &mut now, line).map_err(|why| ParseError { line: index + 1, why })?;
            }
        }
        Ok(history)
    }
}

fn moment(history: &mut History, now: &mut Time, line: &str) -> Result<(), String> {
    let mut line = line;
    if let Some(rest) = line.strip_prefix('@') {
        let (time, rest) = rest.split_once(char::is_whitespace).ok_or("nothing stands after the time")?;
        *now = parse_time(time).ok_or_else(|| format!("\"{time}\" is no time: write 1.5s or 20ms or 7ns"))?;
        line = rest.trim_start();
    }
    let mut words = line.splitn(3, char::is_whitespace);
    let process = words.next().unwrap_or_default();
    let process: u64 =
        process.parse().map_err(|_| format!("\"{process}\" is no process: it must be a whole number"))?;
    let kind = words.next().ok_or("say what happens: invoke, ok, failed or unknown")?;
    let rest = words.next().unwrap_or_default().trim();
    let told = match kind {
        "invoke" => {
            let mut values = values(rest)?.into_iter();
            let f = values.next().ok_or("say what is invoked")?;
            let f = f.as_text().ok_or("what is invoked must be a word")?.to_owned();
            let [key, value] = [values.next(), values.next()].map(Option::unwrap_or_default);
            if values.next().is_some() {
                return Err("more follows than what is asked, key and value".to_owned());
            }
            history.invoke(*now, process, &f, key, value)
        }
        "ok" => match values(rest)?.as_slice() {
            [] => history.ok(*now, process, Value::Null),
            [result] => history.ok(*now, process, result.clone()),
            _ => return Err("more than one value is answered: put them into a list".to_owned()),
        },
        "failed" | "unknown" if !rest.is_empty() => return Err(format!("\"{rest}\" follows after {kind}")),
        "failed" => history.failed(*now, process),
        "unknown" => history.unknown(*now, process),
        _ => return Err(format!("\"{kind}\" is not one of invoke, ok, failed, unknown")),
    };
    told.map_err(|error: RecordError| error.to_string())
}

/// JSON values and plain words with spaces between them.
fn values(mut text: &str) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return Ok(values);
        }
        let word = text.split(char::is_whitespace).next().unwrap_or_default();
        if super::value::is_word(word) {
            values.push(word.into());
            text = &text[word.len()..];
            continue;
        }
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Json>();
        match stream.next() {
            Some(Ok(json)) => values.push(Value::from(&json)),
            Some(Err(error)) => return Err(format!("{text}: neither JSON nor a plain word: {error}")),
            None => return Ok(values),
        }
        text = &text[stream.byte_offset()..];
    }
}

const UNITS: [(&str, u64); 4] = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];

/// `1.5s`, `20ms`, `7ns`
fn parse_time(text: &str) -> Option<Time> {
    let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if !(whole.bytes().chain(part.bytes())).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut nanos = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut scale = unit;
    for digit in part.bytes() {
        scale /= 10;
        nanos = nanos.checked_add(u64::from(digit - b'0') * scale)?;
    }
    Some(Time(nanos))
}

/// The same, exactly.
fn print_time(time: Time) -> String {
    let (seconds, nanos) = (time.0 / 1_000_000_000, time.0 % 1_000_000_000);
    if nanos == 0 {
        return format!("{seconds}s");
    }
    format!("{seconds}.{}s", format!("{nanos:09}").trim_end_matches('0'))
}

/// Words stand for themselves; everything else is JSON, so that it can be read again.
fn print_value(value: &Value) -> String {
    match value {
        Value::Text(text) if super::value::is_word(text) => text.to_string(),
        other => other.to_json().to_string(),
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut moments = Vec::with_capacity(self.operations.len() * 2);
        for operation in &self.operations {
            moments.push((operation.invoked, operation, true));
            moments.extend(operation.ended.map(|ended| (ended, operation, false)));
        }
        moments.sort_by_key(|(moment, ..)| *moment);
        let mut now = Time::ZERO;
        for (moment, operation, is_invocation) in moments {
            if moment.at != now {
                now = moment.at;
                write!(f, "@{} ", print_time(now))?;
            }
            write!(f, "{}", operation.process)?;
            if is_invocation {
                write!(f, " invoke {}", print_value(&Value::Text(operation.f.clone())))?;
                let (key, value) = (&operation.key, &operation.value);
                if !(key.is_null() && value.is_null()) {
                    write!(f, " {}", print_value(key))?;
                }
                if !value.is_null() {
                    write!(f, " {}", print_value(value))?;
                }
            } else {
                match operation.outcome {
                    Outcome::Ok => f.write_str(" ok")?,
                    Outcome::Failed => f.write_str(" failed")?,
                    Outcome::Unknown => f.write_str(" unknown")?,
                }
                if !operation.result.is_null() {
                    write!(f, " {}", print_value(&operation.result))?;
                }
            }
            f.write_str("\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_reads_as_it_was_written() {
        let text = r#"@1.5s 0 invoke write x 1
1 invoke txn null [["append","x",1],["r","y",null]]
@1.500000007s 0 ok
1 ok [["append","x",1],["r","y",[1,2]]]
2 invoke read "two words"
2 unknown
0 invoke cas x [1,2]
0 failed
0 invoke read
"#;
        let history: History = text.parse().unwrap();
        assert_eq!(history.to_string(), text);
        assert_eq!(history.len(), 5);
        assert_eq!(history.operations()[4].outcome, Outcome::Unknown, "what has not ended");
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let why = |text: &str| text.parse::<History>().unwrap_err().to_string();
        let twice = "0 invoke read x\n\n0 invoke read x";
        insta::assert_snapshot!(why(twice), @"line 3 of the history: process 0 asks again before its last operation has ended: give each concurrent caller a process of its own");
        insta::assert_snapshot!(why("# a remark\n0 ok"), @"line 2 of the history: process 0 has no operation under way that could end");
        insta::assert_snapshot!(why("x invoke read"), @r#"line 1 of the history: "x" is no process: it must be a whole number"#);
        insta::assert_snapshot!(why("0 read x"), @r#"line 1 of the history: "read" is not one of invoke, ok, failed, unknown"#);
        insta::assert_snapshot!(why("@soon 0 invoke read"), @r#"line 1 of the history: "soon" is no time: write 1.5s or 20ms or 7ns"#);
        insta::assert_snapshot!(why("0 invoke write x {"), @"line 1 of the history: {: neither JSON nor a plain word: EOF while parsing an object at line 1 column 1");
        insta::assert_snapshot!(why("0 invoke"), @"line 1 of the history: say what is invoked");
    }
}
