//! The faults of a run: which lanes each concerns, how long it lasts, what it explains.

use std::collections::BTreeMap;

use dacapo_core::{NodeId, NoteKind, Time};

use super::model::{Fault, Span};
use crate::print::clean;
use crate::{Identity, Part, Record};

/// What is known of the faults, before anything is drawn.
pub(super) struct Faults {
    pub(super) table: Vec<Fault>,
    pub(super) spans: Vec<Span>,
    /// For each note, by its record: the lanes that its text names, in the order of the text.
    lanes: BTreeMap<usize, Vec<usize>>,
    /// For each note that begins a fault which lasts, the number of its span.
    begins: BTreeMap<usize, usize>,
}

/// A message that did not arrive.
pub(super) struct Cut {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) sent: Option<Time>,
    /// When that became known.
    pub(super) noticed: Time,
}

impl Faults {
    pub(super) fn of(identity: &Identity, records: &[Record]) -> Faults {
        let mut faults =
            Faults { table: Vec::new(), spans: Vec::new(), lanes: BTreeMap::new(), begins: BTreeMap::new() };
        // Where the faults that last stand in the table and among the spans.
        let mut open: Vec<(String, usize, usize)> = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let Part::Note(note) = &record.part else { continue };
            let text = clean(&note.text);
            let lanes = lanes_in(identity, &text);
            faults.lanes.insert(index, lanes.clone());
            match note.kind {
                NoteKind::FaultBegins => {
                    faults.begins.insert(index, faults.spans.len());
                    faults.spans.push(Span { lanes, text: text.clone(), begins: record.at, ends: None });
                    open.push((text.clone(), faults.table.len(), faults.spans.len() - 1));
                    faults.table.push(fault(record.at, &text));
                }
                NoteKind::FaultEnds => {
                    // An end may say less than its beginning did: `net.partition`.
                    let begun = open
                        .iter()
                        .rposition(|(begun, ..)| text.starts_with(begun) || begun.starts_with(&text));
                    if let Some((_, row, span)) = begun.map(|at| open.remove(at)) {
                        faults.table[row].until = Some(record.at);
                        faults.spans[span].ends = Some(record.at);
                    }
                }
                NoteKind::Fault => faults.table.push(fault(record.at, &text)),
                NoteKind::Carries { .. } | NoteKind::Info => {}
            }
        }
        faults
    }

    /// The lanes that the note of this record concerns.
    pub(super) fn lanes_of(&self, index: usize) -> Vec<usize> {
        let mut lanes = self.lanes.get(&index).cloned().unwrap_or_default();
        lanes.sort_unstable();
        lanes.dedup();
        lanes
    }

    /// Until when the fault lasts that the note of this record begins.
    pub(super) fn ends_of(&self, index: usize) -> Option<Time> {
        let span = self.begins.get(&index)?;
        Some(self.spans[*span].ends.unwrap_or(Time::MAX))
    }

    /// Between which lanes, if the note of this record speaks of one way.
    pub(super) fn way_of(&self, index: usize) -> Option<(usize, usize)> {
        match self.lanes.get(&index)?.as_slice() {
            [from, to] => Some((*from, *to)),
            _ => None,
        }
    }

    /// Why a message did not arrive, as far as that can be told.
    pub(super) fn reason(
        &self,
        cut: &Cut,
        down: &BTreeMap<usize, Vec<(Time, Time)>>,
        downs: &BTreeMap<NodeId, Time>,
    ) -> String {
        let is_down_now = downs.keys().any(|node| node.0 as usize + 1 == cut.to);
        if let Some(why) = self.known_reason(cut, down) {
            return why;
        }
        if is_down_now { "its receiver is down".to_owned() } else { "lost".to_owned() }
    }

    /// The same, or nothing.
    pub(super) fn known_reason(
        &self,
        cut: &Cut,
        down: &BTreeMap<usize, Vec<(Time, Time)>>,
    ) -> Option<String> {
        let sent = cut.sent?;
        let meets =
            |begins: Time, ends: Option<Time>| begins <= cut.noticed && ends.is_none_or(|ends| sent < ends);
        let went_down = |lane: usize| {
            down.get(&lane).is_some_and(|spans| spans.iter().any(|(from, until)| meets(*from, Some(*until))))
        };
        if went_down(cut.to) {
            return Some("its receiver is down".to_owned());
        }
        let partition = self.spans.iter().find(|span| {
            let is_between = span.lanes.contains(&cut.from) && span.lanes.contains(&cut.to);
            span.text.starts_with("net.partition") && is_between && meets(span.begins, span.ends)
        });
        partition.map(|_| "net.partition".to_owned())
    }
}

fn fault(at: Time, text: &str) -> Fault {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    Fault { at, until: None, name: name.to_owned(), text: rest.to_owned() }
}

/// The lanes whose nodes the text names.
fn lanes_in(identity: &Identity, text: &str) -> Vec<usize> {
    if text.ends_with("for every node") {
        return (1..=identity.nodes.len()).collect();
    }
    let node = |word: &str| {
        let word = word.trim_matches(|c: char| ",:;()".contains(c));
        identity.nodes.iter().position(|name| clean(name) == word).map(|node| node + 1)
    };
    // The first word is the fault's own name.
    text.split_whitespace().skip(1).filter_map(node).collect()
}
