//! Transactions: which isolation level cannot have been kept?
//!
//! From what transactions read follows who wrote before whom, who saw whom, and who missed whom. Where
//! these reasons go in a circle, no order of the transactions explains the history (Adya, 1999;
//! Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations", VLDB 2020).
//!
//! An operation is a transaction whose value is a list of `["append", key, value]` (or `["w", key, value]`)
//! and `["r", key, null]`, and whose answer is the same list with what was read in the place of `null`.
//! Each value is written to a key once.

mod anomaly;
mod append;
mod graph;
mod level;
mod register;
mod txn;

use std::collections::BTreeSet;
use std::fmt;

pub use anomaly::Found;
pub use level::{AnomalyKind, Level};

use crate::history::History;
use crate::verdict::{Mistake, Verdict};
use anomaly::Anomaly;
use graph::{Graph, Rule, why};

/// What is in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// A list to which values are appended: `["append", key, value]`.
    Lists,
    /// One value: `["w", key, value]`.
    Registers,
}

/// What breaks a level: one example of each kind, the worst first. (Of the circles with missed writes only
/// the worst kind.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomalies {
    /// The level that was asked for.
    pub level: Level,
    /// The examples.
    pub found: Vec<Found>,
}

impl fmt::Display for Anomalies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}", self.level)?;
        for found in &self.found {
            write!(f, "\n\n{found}")?;
        }
        Ok(())
    }
}

/// Judges whether the transactions of a history may have been kept apart as this level demands.
pub fn isolated(history: &History, data: Data, level: Level) -> Result<Verdict<Anomalies>, Mistake> {
    let (txns, mut anomalies, mut graph) = match data {
        Data::Lists => append::analyse(history)?,
        Data::Registers => register::analyse(history)?,
    };
    if level >= Level::StrongSessionSerializable {
        txns.add_process_order(&mut graph);
    }
    if level >= Level::StrictSerializable {
        txns.add_time_order(&mut graph);
    }
    graph.sort();
    let mut is_complete = true;
    // If data alone go in a circle, more orders only make more circles.
    for (order, suffix) in [(0, ""), (why::PROCESS, "-process"), (why::PROCESS | why::REALTIME, "-realtime")]
    {
        let weakest = match suffix {
            "" => Level::ReadUncommitted,
            "-process" => Level::StrongSessionSerializable,
            _ => Level::StrictSerializable,
        };
        let is_broken = anomalies.iter().any(|it| it.kind.rules_out().contains(&level));
        if suffix.is_empty() || level >= weakest && !is_broken {
            is_complete &= circles(&graph, order, suffix, &mut anomalies);
        }
    }
    let mut kinds = BTreeSet::new();
    anomalies.sort_by_key(|it| it.kind);
    anomalies.retain(|it| it.kind.rules_out().contains(&level) && kinds.insert(it.kind));
    if !anomalies.is_empty() {
        let found = anomalies.iter().map(|it| it.told(&txns)).collect();
        return Ok(Verdict::Broken(Anomalies { level, found }));
    }
    if !is_complete {
        return Ok(Verdict::Unknown(
            "the transactions depend on each other in so many ways that not all circles could be looked at: \
             use more keys, or fewer transactions"
                .to_owned(),
        ));
    }
    Ok(Verdict::Holds)
}

/// Adds the shortest circle of each kind. False if there were too many to look at.
fn circles(graph: &Graph, order: u8, suffix: &'static str, anomalies: &mut Vec<Anomaly>) -> bool {
    let (ww, wr, rw) = (why::WW, why::WR, why::RW);
    let kinds = [
        (AnomalyKind::G0, ww, ww | order, Rule::Any),
        (AnomalyKind::G1c, wr, ww | wr | order, Rule::Any),
        (AnomalyKind::GSingle, rw, ww | wr | order, Rule::Any),
        (AnomalyKind::GNonadjacent, rw, ww | wr | rw | order, Rule::Nonadjacent),
        (AnomalyKind::G2Item, rw, ww | wr | rw | order, Rule::Several),
    ];
    let mut is_complete = true;
    let mut has_missed = false;
    for (kind, first, rest, rule) in kinds {
        if has_missed {
            break;
        }
        let circles = graph.circle(first, rest, rule);
        is_complete &= circles.is_complete;
        has_missed = first == rw && circles.shortest.is_some();
        anomalies.extend(circles.shortest.map(|steps| Anomaly::circle(kind, steps, suffix)));
    }
    is_complete
}
