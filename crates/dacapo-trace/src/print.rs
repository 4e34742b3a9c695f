//! Recordings for people, line by line in columns, and for programs, as JSON lines.
//!
//! A line comes in segments with a style each; which colour a style has is for the terminal's
//! owner to say. Nothing from a guest reaches the terminal unescaped.

mod excerpt;
mod filter;
mod json;
mod words;

use std::fmt;

use dacapo_core::{InstanceId, NoteKind};

use crate::names::Names;
use crate::{Causes, Identity, Part, Record};

pub(crate) use excerpt::{body as excerpt_of, clean, length as length_of};
pub use filter::Filter;
pub(crate) use json::{effect as json_effect, event as json_event};
pub use json::{ending as json_ending, identity as json_identity};
pub(crate) use words::{effect as words_of_effect, event as words_of_event};

/// What a piece of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without meaning of its own.
    Plain,
    /// The number of an event.
    Event,
    /// A time.
    Time,
    /// The name of a node.
    Node,
    /// The name of a service.
    Service,
    /// Into a turn, or out of it.
    Arrow,
    /// What happens: `request`, `set timer`.
    Word,
    /// The id of a request, call or timer.
    Id,
    /// A good end: status below 400, a check that holds.
    Good,
    /// A bad end: status from 400, an error, a broken check.
    Bad,
    /// A fault that the world made happen.
    Fault,
    /// A piece of a body or a text of the guest.
    Excerpt,
    /// Of less interest: lengths, senders.
    Faint,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it is.
    pub style: Style,
    /// Its text, free of control characters.
    pub text: String,
}

/// One line. Displayed, it has no colours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its pieces from left to right, spaces included.
    pub segments: Vec<Segment>,
}

impl Line {
    pub(crate) fn push(&mut self, style: Style, text: impl Into<String>) {
        self.segments.push(Segment { style, text: text.into() });
    }

    pub(crate) fn word(&mut self, style: Style, text: impl Into<String>) {
        if !self.segments.is_empty() {
            self.push(Style::Plain, " ");
        }
        self.push(style, text);
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.segments.iter().map(|s| s.text.as_str()).collect();
        f.write_str(text.trim_end())
    }
}

/// Prints a recording from its start. It must see every entry, also those that it leaves out.
pub struct Printer {
    names: Names,
    filter: Filter,
    node_width: usize,
    service_width: usize,
    /// The event and the place that the last printed line stood for.
    last: Option<(u64, String, String)>,
}

impl Printer {
    /// A printer for the recording of this identity, that leaves out what `filter` does.
    pub fn new(identity: &Identity, filter: Filter) -> Printer {
        let names = Names::new(identity);
        let widest = |names: &[String], least: usize| {
            names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(least)
        };
        let (node_width, service_width) = (widest(names.nodes(), 2), widest(names.services(), 8));
        Printer { names, filter, node_width, service_width, last: None }
    }

    /// The line for an entry, unless the filter leaves it out.
    pub fn line(&mut self, record: &Record) -> Option<Line> {
        self.indented(record, 0)
    }

    /// The JSON object for an entry, unless the filter leaves it out.
    pub fn json(&mut self, record: &Record) -> Option<serde_json::Value> {
        self.names.learn(&record.part);
        let text = || self.content(record).to_string();
        self.filter.keeps(record, &self.names, text).then(|| json::record(record, &self.names))
    }

    fn indented(&mut self, record: &Record, depth: usize) -> Option<Line> {
        self.names.learn(&record.part);
        let content = self.content(record);
        if !self.filter.keeps(record, &self.names, || content.to_string()) {
            return None;
        }
        let (node, service) = self.place(record);
        // Of a turn only the first line says where and when: what it did stands below it.
        let place = (record.event, node.clone(), service.clone());
        let is_note = matches!(record.part, Part::Note(_));
        let is_same = !is_note && self.last.as_ref() == Some(&place);
        let mut line = Line::default();
        let number = if is_same || is_note { String::new() } else { format!("#{}", record.event) };
        line.push(Style::Event, format!("{number:<7}"));
        line.word(
            Style::Time,
            format!("{:>13}", if is_same { String::new() } else { record.at.to_string() }),
        );
        let shown = |text: String| if is_same { String::new() } else { text };
        line.push(Style::Plain, "  ");
        line.push(Style::Node, pad(&shown(node), self.node_width));
        line.push(Style::Plain, " ");
        line.push(Style::Service, pad(&shown(service), self.service_width));
        line.push(Style::Plain, format!("  {}", "  ".repeat(depth)));
        match &record.part {
            Part::Delivery(_) => line.push(Style::Arrow, "← "),
            Part::Effect(..) => line.push(Style::Arrow, "  → "),
            Part::Note(_) => {}
        }
        line.segments.extend(content.segments);
        if !is_note {
            self.last = Some(place);
        }
        Some(line)
    }

    fn place(&self, record: &Record) -> (String, String) {
        let address = match &record.part {
            Part::Delivery(delivery) => delivery.to,
            Part::Effect(from, _) => *from,
            Part::Note(_) => return (String::new(), String::new()),
        };
        (excerpt::clean(&self.names.node(address.node)), excerpt::clean(&self.names.at(address)))
    }

    fn content(&self, record: &Record) -> Line {
        match &record.part {
            Part::Delivery(delivery) => words::event(&delivery.event, &self.names),
            Part::Effect(_, effect) => words::effect(effect, &self.names),
            Part::Note(note) => {
                let mut line = Line::default();
                let text = excerpt::clean(&note.text);
                match note.kind {
                    NoteKind::FaultBegins => line.push(Style::Fault, format!("▼ {text} begins")),
                    NoteKind::FaultEnds => line.push(Style::Fault, format!("▲ {text} ends")),
                    NoteKind::Fault => line.push(Style::Fault, format!("▪ {text}")),
                    NoteKind::Carries { exchange, caller, call } => {
                        let who = match caller.instance {
                            InstanceId::RUNTIME => String::new(),
                            _ => format!(" {}", self.names.at(caller)),
                        };
                        let node = self.names.node(caller.node);
                        line.push(Style::Faint, format!("· {exchange} carries {call} of {node}{who}"));
                    }
                    NoteKind::Info => line.push(Style::Faint, format!("· {text}")),
                }
                line
            }
        }
    }
}

fn pad(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

/// One entry alone, without what a printer knows from the entries before it.
pub fn line(identity: &Identity, record: &Record) -> Line {
    Printer::new(identity, Filter::default()).line(record).expect("an empty filter leaves out nothing")
}

/// The causal chain of one request, each entry further to the right than what caused it.
pub fn chain(
    identity: &Identity,
    records: &[Record],
    causes: &Causes,
    exchange: dacapo_core::ExchangeId,
) -> Vec<Line> {
    let chain = causes.chain(records, exchange);
    let mut printer = Printer::new(identity, Filter::default());
    let mut depths = std::collections::BTreeMap::new();
    let mut lines = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let is_delivery = matches!(record.part, Part::Delivery(_));
        if chain.binary_search(&index).is_err() {
            printer.names.learn(&record.part);
            continue;
        }
        let above = causes.cause(index).and_then(|cause| depths.get(&cause).copied());
        let depth: usize = above.map_or(0, |above: usize| above + usize::from(is_delivery));
        depths.insert(index, depth);
        lines.extend(printer.indented(record, depth));
    }
    lines
}
