//! What is kept of an attempt: the line that a worker prints, and the entry in the results.

use std::fmt;

use dacapo_check::{Row, Table};
use dacapo_core::CheckKind;
use dacapo_lab::{Attempt, Run, Strategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of an attempt: it repeats it anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Name {
    #[serde(serialize_with = "strategy_to_text", deserialize_with = "strategy_from_text")]
    pub(crate) strategy: Strategy,
    #[serde(rename = "attempt")]
    pub(crate) number: u64,
}

impl Name {
    pub(crate) fn of(attempt: &Attempt) -> Name {
        Name { strategy: attempt.strategy, number: attempt.number }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.strategy {
            Strategy::Swarm => write!(f, "seed {}", self.number),
            strategy => write!(f, "{strategy} {}", self.number),
        }
    }
}

fn strategy_to_text<S: Serializer>(strategy: &Strategy, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(strategy)
}

fn strategy_from_text<'de, D: Deserializer<'de>>(from: D) -> Result<Strategy, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

/// An attempt that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Finished {
    #[serde(flatten)]
    pub(crate) name: Name,
    pub(crate) seed: u64,
    pub(crate) digest: String,
    pub(crate) events: u64,
    pub(crate) virtual_ns: u64,
    /// How long it took by the clock on the wall.
    #[serde(default)]
    pub(crate) ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failed>,
    /// The faults in use. In results: of an attempt that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) faults: Vec<String>,
    /// Evaluations of each assertion. In results they are summed up over a batch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) checks: Vec<Count>,
    /// What was seen in it. In results: what of that was new.
    #[serde(default, skip_serializing_if = "Steps::is_empty")]
    pub(crate) seen: Steps,
}

impl Finished {
    pub(crate) fn of(attempt: &Attempt, run: &Run, ms: u64) -> Finished {
        let report = &run.report;
        let failure = report.failure.as_ref().map(|failure| Failed {
            signature: failure.signature(),
            rule: failure.rule(),
            text: failure.to_string(),
            event: failure.event(),
        });
        Finished {
            name: Name::of(attempt),
            seed: report.seed.0,
            digest: report.digest.to_string(),
            events: report.events,
            virtual_ns: report.time.0,
            ms,
            faults: report.faults.clone(),
            failure,
            checks: Count::of(&report.checks),
            seen: Steps(run.seen.keys().copied().collect()),
        }
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failed {
    pub(crate) signature: String,
    pub(crate) rule: String,
    pub(crate) text: String,
    pub(crate) event: Option<u64>,
}

/// An attempt that came to no end, because its worker did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lost {
    #[serde(flatten)]
    pub(crate) name: Name,
    /// What became of the worker.
    pub(crate) lost: String,
}

/// How often an assertion held, and how often it did not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Count {
    #[serde(serialize_with = "kind_to_text", deserialize_with = "kind_from_text")]
    kind: CheckKind,
    message: String,
    held: u64,
    failed: u64,
}

impl Count {
    pub(crate) fn of(table: &Table) -> Vec<Count> {
        let count = |(kind, message, row): (CheckKind, &str, Row)| Count {
            kind,
            message: message.to_owned(),
            held: row.held,
            failed: row.failed,
        };
        table.rows().map(count).collect()
    }

    pub(crate) fn add_to(&self, table: &mut Table) {
        table.add_row(self.kind, &self.message, Row { held: self.held, failed: self.failed });
    }
}

fn kind_to_text<S: Serializer>(kind: &CheckKind, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(kind.name())
}

fn kind_from_text<'de, D: Deserializer<'de>>(from: D) -> Result<CheckKind, D::Error> {
    let text = String::deserialize(from)?;
    let found = CheckKind::ALL.into_iter().find(|kind| kind.name() == text);
    found.ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no check")))
}

/// Steps that were seen; in JSON one text of 16 hexadecimal digits for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps(pub(crate) Vec<u64>);

impl Steps {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

const DIGITS: usize = 16;

impl Serialize for Steps {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(self.0.len() * DIGITS);
        for step in &self.0 {
            use fmt::Write;
            let _ = write!(text, "{step:016x}");
        }
        to.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Steps, D::Error> {
        let text = String::deserialize(from)?;
        let step = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == DIGITS)?;
            u64::from_str_radix(digits, 16).ok()
        };
        let steps: Option<Vec<u64>> = text.as_bytes().chunks(DIGITS).map(step).collect();
        steps.map(Steps).ok_or_else(|| serde::de::Error::custom("these are no steps"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let checks =
            vec![Count { kind: CheckKind::Sometimes, message: "a retry".into(), held: 2, failed: 1 }];
        let finished = Finished {
            name: Name { strategy: Strategy::Pct(3), number: 17 },
            seed: 1,
            digest: "ab".into(),
            events: 9,
            virtual_ns: 5,
            ms: 3,
            failure: Some(Failed {
                signature: "s".into(),
                rule: "r".into(),
                text: "t\nu".into(),
                event: None,
            }),
            faults: vec!["net.loss".into()],
            checks,
            seen: Steps(vec![1, u64::MAX]),
        };
        let line = serde_json::to_string(&finished).unwrap();
        insta::assert_snapshot!(line, @r#"{"strategy":"pct3","attempt":17,"seed":1,"digest":"ab","events":9,"virtual_ns":5,"ms":3,"failure":{"signature":"s","rule":"r","text":"t\nu","event":null},"faults":["net.loss"],"checks":[{"kind":"sometimes","message":"a retry","held":2,"failed":1}],"seen":"0000000000000001ffffffffffffffff"}"#);
        assert_eq!(serde_json::from_str::<Finished>(&line).unwrap(), finished);
        for wrong in
            [line.replace("pct3", "luck"), line.replace("sometimes", "seldom"), line.replace("ffff", "fff")]
        {
            assert!(serde_json::from_str::<Finished>(&wrong).is_err(), "{wrong}");
        }
    }
}
