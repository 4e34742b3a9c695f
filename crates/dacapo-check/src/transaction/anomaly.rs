//! What was found, and how it is shown.

use std::fmt::{self, Write};

use super::graph::{Step, why};
use super::level::{AnomalyKind, Level};
use super::txn::Txns;

/// Something wrong with transactions, before it is put into words.
#[derive(Clone, Debug)]
pub(super) struct Anomaly {
    pub(super) kind: AnomalyKind,
    /// Whom it concerns, as places among the transactions.
    txns: Vec<u32>,
    /// A sentence in which `{0}` stands for the first of them.
    what: String,
    steps: Vec<Step>,
    suffix: &'static str,
}

impl Anomaly {
    pub(super) fn plain(kind: AnomalyKind, txns: &[u32], what: &str) -> Anomaly {
        Anomaly { kind, txns: txns.to_vec(), what: what.to_owned(), steps: Vec::new(), suffix: "" }
    }

    /// A circle. The suffix says which orders besides those of data it needs.
    pub(super) fn circle(kind: AnomalyKind, steps: Vec<Step>, suffix: &'static str) -> Anomaly {
        let txns = steps.iter().map(|step| step.from).collect();
        Anomaly { kind, txns, what: String::new(), steps, suffix }
    }

    pub(super) fn told(&self, txns: &Txns<'_>) -> Found {
        let names: Vec<(u32, String)> = {
            let mut distinct: Vec<u32> = Vec::new();
            for txn in &self.txns {
                if !distinct.contains(txn) {
                    distinct.push(*txn);
                }
            }
            distinct.iter().enumerate().map(|(place, txn)| (*txn, format!("T{}", place + 1))).collect()
        };
        let name = |txn: u32| names.iter().find(|(other, _)| *other == txn).map_or("?", |(_, name)| name);
        let mut what = self.what.clone();
        for (place, txn) in self.txns.iter().enumerate() {
            what = what.replace(&format!("{{{place}}}"), name(*txn));
        }
        let mut steps = Vec::new();
        for step in &self.steps {
            steps.push((
                name(step.from).to_owned(),
                name(step.edge.to).to_owned(),
                word(step),
                reason(txns, step, &name),
            ));
        }
        let transactions = names.iter().map(|(txn, name)| {
            let operation = txns.all[*txn as usize].operation;
            let list = if operation.result.is_null() { &operation.value } else { &operation.result };
            let ended = operation.ended.map_or("…".to_owned(), |ended| ended.at.to_string());
            let outcome = match operation.outcome {
                crate::history::Outcome::Ok => "",
                crate::history::Outcome::Failed => ", failed",
                crate::history::Outcome::Unknown => ", outcome unknown",
            };
            format!(
                "{name} = {list}  (process {}, {} to {ended}{outcome})",
                operation.process, operation.invoked.at
            )
        });
        Found { kind: self.kind, suffix: self.suffix, transactions: transactions.collect(), what, steps }
    }
}

fn word(step: &Step) -> &'static str {
    match step.edge.why {
        why::WW => "ww",
        why::WR => "wr",
        why::RW => "rw",
        why::PROCESS => "process",
        _ => "time",
    }
}

fn reason<'n>(txns: &Txns<'_>, step: &Step, name: &impl Fn(u32) -> &'n str) -> String {
    let (from, to) = (name(step.from), name(step.edge.to));
    let version = || {
        let version = &txns.versions[step.edge.version as usize];
        (&version.value, &txns.keys[version.key as usize])
    };
    match step.edge.why {
        why::WW => {
            let (value, key) = version();
            format!("{to} wrote {value} to {key}, after what {from} had written")
        }
        why::WR => {
            let (value, key) = version();
            format!("{to} saw {value} in {key}, which {from} wrote")
        }
        why::RW => {
            let (value, key) = version();
            format!("{from} saw {key} as it was before {to} wrote {value}")
        }
        why::PROCESS => format!("one process ran {from} and then {to}"),
        _ => format!("{from} had ended when {to} began"),
    }
}

/// Something wrong with transactions, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: AnomalyKind,
    /// `-process` or `-realtime`, if it is one only together with that order.
    pub suffix: &'static str,
    /// The transactions that it concerns, with their names.
    pub transactions: Vec<String>,
    /// What happened, unless it is a circle.
    pub what: String,
    /// The circle: from, to, kind of the reason, the reason.
    pub steps: Vec<(String, String, &'static str, String)>,
}

impl Found {
    /// The levels that cannot be true of this history.
    pub fn rules_out(&self) -> Vec<Level> {
        let strongest = match self.suffix {
            "" => return self.kind.rules_out().to_vec(),
            "-process" => Level::StrongSessionSerializable,
            _ => Level::StrictSerializable,
        };
        self.kind.rules_out().iter().copied().filter(|level| *level >= strongest).collect()
    }

    /// `G-single (read skew)`
    pub fn name(&self) -> String {
        let (short, rest) = self.kind.name().split_once(' ').unwrap_or((self.kind.name(), ""));
        format!("{short}{} {rest}", self.suffix).trim_end().to_owned()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels: Vec<&str> = self.rules_out().iter().map(|level| level.name()).collect();
        writeln!(f, "{}: rules out {}\n", self.name(), levels.join(", "))?;
        for line in &self.transactions {
            writeln!(f, "  {line}")?;
        }
        if !self.what.is_empty() {
            return write!(f, "\n  {}", self.what);
        }
        let mut way = String::new();
        for (from, _, word, _) in &self.steps {
            write!(way, "{from} ──{word}──▶ ")?;
        }
        let first = self.steps.first().map_or("", |(from, ..)| from);
        let width = way.chars().count();
        writeln!(f, "\n  {}{first}", way)?;
        writeln!(f, "  ▲{}│", " ".repeat(width.saturating_sub(1)))?;
        writeln!(f, "  └{}┘ the same", "─".repeat(width.saturating_sub(1)))?;
        for (from, to, word, reason) in &self.steps {
            write!(f, "\n  {from} {word} {to}: {reason}")?;
        }
        Ok(())
    }
}
