//! A saved seed: a failure that was found, kept as a file that a person can read and that
//! `dacapo sim` runs again.

use std::collections::BTreeMap;
use std::time::Duration;

use hcl_edit::structure::{Block, Body};

use crate::error::Place;
use crate::read::{NameRule, PathRule, Reader, Shape};
use crate::{Code, Errors};

const FILE: Shape = Shape {
    attributes: &[],
    blocks: &["seed"],
    hints: &[
        ("service", "The file of a saved seed holds the seed alone; services stand in the project."),
        ("scenario", "The file of a saved seed holds the seed alone; scenarios stand in the project."),
    ],
};

const SEED: Shape = Shape {
    attributes: &[
        "decisions",
        "found",
        "lasts",
        "nodes",
        "program",
        "project",
        "rule",
        "scenario",
        "seed",
        "strategy",
    ],
    blocks: &[],
    hints: &[],
};

/// A failing run that was found and kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedSeed {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// The folder of the project, relative to the folder of the seed's file, with `/`.
    pub project: String,
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The strategy whose attempt of the number `seed` it is; without one, `seed` is the seed itself.
    pub strategy: Option<String>,
    /// On how many nodes it runs, if not on as many as the scenario says.
    pub nodes: Option<u32>,
    /// How long it lasts, if not as long as the scenario says.
    pub lasts: Option<Duration>,
    /// The rule that the run broke, in the words of the check.
    pub rule: String,
    /// How it was found, and why it happens.
    pub found: String,
    /// The decisions that lead to the failure, as [`dacapo_core::Script::from_lists`] takes them.
    pub decisions: BTreeMap<String, Vec<u64>>,
    /// The digest of the program that it was found in, if it is known.
    pub program: Option<String>,
}

/// Whether this text holds a saved seed, rather than a part of a project.
pub fn is_seed(text: &str) -> bool {
    Reader::default().open("", text).is_some_and(|body| body.has_blocks("seed"))
}

/// Reads the file of a saved seed.
pub fn parse_seed(file_name: &str, text: &str) -> Result<SavedSeed, Errors> {
    let mut reader = Reader::default();
    let seed = reader.open(file_name, text).and_then(|body| read_file(&mut reader, &body));
    let (_, errors) = reader.finish();
    Errors::check(errors)?;
    // A file in which no seed was found has told so above.
    Ok(seed.expect("a file without a seed is an error"))
}

fn read_file(reader: &mut Reader, body: &Body) -> Option<SavedSeed> {
    let top = reader.place(0..0);
    let fields = reader.fields("the file of a saved seed", top.clone(), body, &FILE);
    let mut blocks = fields.blocks.iter();
    let Some(first) = blocks.next() else {
        let help = "Write  seed \"name\" { project = \"../..\", … }, or let  dacapo sim  save one.";
        reader.report(Code::Missing, "there is no saved seed in this file", &top, "nothing here", help);
        return None;
    };
    if let Some(second) = blocks.next() {
        let (here, there) = (reader.place_of(&second.ident), reader.place_of(&first.ident));
        let message = "there are two saved seeds in this file";
        let (here, there) = ((&here, "the second"), (&there, "the first"));
        reader.report_both(Code::Repeated, message, here, there, "Give each seed a file of its own.");
    }
    read_seed(reader, first)
}

fn read_seed(reader: &mut Reader, block: &Block) -> Option<SavedSeed> {
    let name = reader.label(block)?;
    reader.check_name(NameRule::File, "a saved seed", &name);
    let place: Place = name.place.clone();
    let fields = reader.fields(&format!("seed {:?}", name.value), place, &block.body, &SEED);
    let mut seed = SavedSeed { name: name.value, ..SavedSeed::default() };
    if let Some(value) = reader.required(&fields, "project", "\"../../examples/bank\"") {
        let path = reader.path(value, "`project`", PathRule::Relative, "project = \"../..\"");
        seed.project = path.map(|p| p.value).unwrap_or_default();
    }
    if let Some(value) = reader.required(&fields, "seed", "8271") {
        let number = reader.integer(value, "`seed`", 0..=u64::MAX, "seed = 8271");
        seed.seed = number.map_or(0, |n| n.value);
    }
    let texts = [
        ("scenario", "\"checkout\"", &mut seed.scenario),
        ("rule", "\"no acknowledged write is lost\"", &mut seed.rule),
        ("found", "\"dacapo sim, after 12 seeds\"", &mut seed.found),
    ];
    for (name, example, to) in texts {
        if let Some(value) = reader.required(&fields, name, example) {
            let text = reader.string(value, &format!("`{name}`"), &format!("{name} = {example}"));
            *to = text.map(|t| t.value).unwrap_or_default();
        }
    }
    if let Some(value) = fields.get("strategy") {
        seed.strategy = reader.string(value, "`strategy`", "strategy = \"sparse\"").map(|t| t.value);
    }
    if let Some(value) = fields.get("nodes") {
        seed.nodes = reader.integer(value, "`nodes`", 1..=500, "nodes = 3").map(|n| n.value as u32);
    }
    if let Some(value) = fields.get("lasts") {
        seed.lasts = reader.duration(value, "`lasts`", Duration::from_millis(1));
    }
    if let Some(value) = fields.get("program") {
        seed.program = reader.string(value, "`program`", "program = \"9c1f2ab0\"").map(|t| t.value);
    }
    if let Some(value) = fields.get("decisions") {
        let example = "decisions = { \"net.loss/hit n1 asks GET / #3\" = 1 }";
        for (lane, values) in reader.entries(value, "`decisions`", example) {
            let numbers = match reader.is_list(values) {
                true => reader.integers(values, "a decision", example),
                false => {
                    let number = reader.integer(values, "a decision", 0..=u64::MAX, example);
                    number.map(|n| n.value).into_iter().collect()
                }
            };
            seed.decisions.insert(lane.value, numbers);
        }
    }
    Some(seed)
}

impl SavedSeed {
    /// The text of its file. [`parse_seed`] gives the same seed back if the name and the project
    /// have the forms that it asks for.
    pub fn to_hcl(&self) -> String {
        let mut lines = vec![
            ("project", quote(&self.project)),
            ("scenario", quote(&self.scenario)),
            ("seed", self.seed.to_string()),
        ];
        lines.extend(self.strategy.as_ref().map(|strategy| ("strategy", quote(strategy))));
        lines.extend(self.nodes.map(|nodes| ("nodes", nodes.to_string())));
        let lasts = self.lasts.map(|lasts| quote(&humantime::format_duration(lasts).to_string()));
        lines.extend(lasts.map(|lasts| ("lasts", lasts)));
        lines.extend([("rule", quote(&self.rule)), ("found", quote(&self.found))]);
        lines.extend(self.program.as_ref().map(|program| ("program", quote(program))));
        if !self.decisions.is_empty() {
            let lane = |(lane, values): (&String, &Vec<u64>)| {
                let numbers: Vec<String> = values.iter().map(u64::to_string).collect();
                match numbers.as_slice() {
                    [one] => format!("    {} = {one}\n", quote(lane)),
                    several => format!("    {} = [{}]\n", quote(lane), several.join(", ")),
                }
            };
            lines.push((
                "decisions",
                format!("{{\n{}  }}", self.decisions.iter().map(lane).collect::<String>()),
            ));
        }
        let lines: String = lines.iter().map(|(name, value)| format!("  {name:<9} = {value}\n")).collect();
        format!("seed {} {{\n{lines}}}\n", quote(&self.name))
    }
}

/// A text in quotes. Not through `hcl-edit`, whose writer loses a `$` of `${$${`.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() || (matches!(c, '$' | '%') && chars.peek() == Some(&'{')) => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
