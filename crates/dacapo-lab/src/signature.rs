//! What failures have in common: a signature that leaves out what differs from seed to seed, and
//! failures grouped by it, so that a thousand failing seeds read as three bugs.

use std::collections::BTreeMap;
use std::fmt;

use dacapo_core::Location;
use dacapo_sim::Ending;

use crate::report::{Failure, Report};

/// A signature is no longer than this; what comes behind says little.
const CHARS_MAX: usize = 200;
/// So many hexadecimal digits in a row are an id, if one of them is a digit from 0 to 9.
const HEX_MIN: usize = 8;

impl Failure {
    /// What like failures have in common: the rule and where it stands, without the numbers, ids, times
    /// and quoted values of this run. Which faults led there is no part of it: one bug has many
    /// triggers.
    pub fn signature(&self) -> String {
        match self {
            Failure::Check { check, .. } => placed(normal(&check.message), check.location.as_ref()),
            Failure::Guest { fault, service, .. } => {
                let text = format!("{service}: {}: {}", fault.kind, normal(&fault.message));
                placed(text, fault.location.as_ref())
            }
            Failure::Ending(Ending::Stuck(phase, _)) => format!("stuck in {phase}"),
            Failure::Ending(Ending::WorkloadBroke(why)) => format!("the workload broke: {}", normal(why)),
            Failure::Ending(Ending::Endless(_)) => "endless".to_owned(),
            Failure::Ending(Ending::Done) => "done".to_owned(),
        }
    }

    /// The rule that was broken, in the words of its author: what a saved seed says that it breaks.
    pub fn rule(&self) -> String {
        match self {
            Failure::Check { check, .. } => check.message.to_string(),
            Failure::Guest { fault, service, .. } => format!("{service}: {}", fault.kind),
            Failure::Ending(Ending::WorkloadBroke(_)) => "the workload broke".to_owned(),
            Failure::Ending(_) => self.signature(),
        }
    }
}

/// Without the column, which moves with every edit of the line.
fn placed(text: String, location: Option<&Location>) -> String {
    match location {
        Some(location) => format!("{text} ({}:{})", location.file, location.line),
        None => text,
    }
}

/// The text with placeholders for what differs from run to run: `<n>` for numbers, `<id>` for long
/// hexadecimal ones and UUIDs, `<time>` for times, `<text>` for what is quoted.
fn normal(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut out = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let is_in_word = out.chars().next_back().is_some_and(is_letter);
        let (placeholder, length) = match c {
            '"' | '`' => (Some("<text>"), quoted(rest, c)),
            // An apostrophe within a word quotes nothing.
            '\'' if !is_in_word => (Some("<text>"), quoted(rest, c)),
            _ if c.is_ascii_digit() || c.is_ascii_alphabetic() && !is_in_word => word(rest),
            _ => (None, 0),
        };
        match placeholder {
            Some(placeholder) if length > 0 => {
                out.push_str(placeholder);
                rest = &rest[length..];
            }
            _ => {
                let length = length.max(c.len_utf8());
                out.push_str(&rest[..length]);
                rest = &rest[length..];
            }
        }
        if out.chars().count() >= CHARS_MAX {
            break;
        }
    }
    let mut short: String = out.chars().take(CHARS_MAX).collect();
    if short.len() < out.len() || out.chars().count() >= CHARS_MAX && !rest.is_empty() {
        short.push('…');
    }
    short
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// How long the quoted text is that begins here, its quotes included; 0: it never ends.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(0, |end| end + 2)
}

/// What the word that begins here is replaced by, and how long it is.
fn word(text: &str) -> (Option<&'static str>, usize) {
    let end = |goes_on: &dyn Fn(char) -> bool| text.find(|c| !goes_on(c)).unwrap_or(text.len());
    let dashed = end(&|c| c.is_ascii_alphanumeric() || c == '-');
    if is_uuid(&text[..dashed]) {
        return (Some("<id>"), dashed);
    }
    let timed = end(&|c| c.is_ascii_digit() || "T:-.Z+".contains(c));
    let timed = text[..timed].trim_end_matches(['.', ':', '-', '+']).len();
    let at_border = !text[timed..].starts_with(is_letter);
    if at_border && is_time(&text[..timed]) {
        return (Some("<time>"), timed);
    }
    let plain = end(&is_letter);
    let it = &text[..plain];
    let has_digit = it.bytes().any(|b| b.is_ascii_digit());
    let hex = it.strip_prefix("0x").unwrap_or(it);
    let is_hex = hex.bytes().all(|b| b.is_ascii_hexdigit()) && has_digit;
    if is_hex && (hex.len() >= HEX_MIN && !hex.bytes().all(|b| b.is_ascii_digit()) || hex.len() < it.len()) {
        return (Some("<id>"), plain);
    }
    if !it.starts_with(|c: char| c.is_ascii_digit()) {
        // `order17`, `n2`, `c1=17`: the name stays, its number goes.
        let name = it.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        return if name < plain { (None, name) } else { (None, plain) };
    }
    let number = end(&|c| c.is_ascii_digit() || c == '_');
    let fraction = text[number..].strip_prefix('.').map_or(0, |rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if digits > 0 { digits + 1 } else { 0 }
    });
    let rest = &text[number + fraction..];
    let unit = &rest[..rest.find(|c| !is_letter(c)).unwrap_or(rest.len())];
    match ["ns", "us", "µs", "ms", "s", "m", "h"].contains(&unit) {
        true => (Some("<time>"), number + fraction + unit.len()),
        false => (Some("<n>"), number + fraction),
    }
}

/// `0f8fad5b-d9cb-469f-a165-70867728950e`
fn is_uuid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// `2025-01-01T00:00:00.000Z`, `2025-01-01`, `00:00:03`
fn is_time(word: &str) -> bool {
    let has = |c: char, times: usize| word.matches(c).count() >= times;
    let is_date = word.len() >= 10 && word.as_bytes()[4] == b'-' && has('-', 2);
    let is_clock = word.len() >= 5 && has(':', 1) && word.as_bytes()[2] == b':';
    is_date || is_clock
}

/// Failures with the same signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// How many runs failed so.
    pub count: u64,
    /// What the one is called that is told of: with the fewest events, and among those the first.
    pub name: String,
    /// How many events that one has.
    pub events: u64,
    /// Its failure.
    pub example: Failure,
}

/// Failures, grouped by signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    groups: BTreeMap<String, Group>,
}

impl Groups {
    /// Adds what came of a run of this name (`seed 17`); one that passed changes nothing.
    pub fn add(&mut self, name: &str, report: &Report) {
        let Some(failure) = &report.failure else { return };
        let new =
            || Group { count: 0, name: name.to_owned(), events: report.events, example: failure.clone() };
        let group = self.groups.entry(failure.signature()).or_insert_with(new);
        group.count += 1;
        if report.events < group.events {
            *group = Group { count: group.count, ..new() };
        }
    }

    /// How many different failures there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether nothing failed.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Signature and group, the most frequent one first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Group)> {
        let mut groups: Vec<_> =
            self.groups.iter().map(|(signature, group)| (&signature[..], group)).collect();
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.count));
        groups.into_iter()
    }

    /// Whether this is the run of a group that is told of.
    pub fn names(&self, name: &str) -> bool {
        self.groups.values().any(|group| group.name == name)
    }

    /// How many runs failed.
    pub fn failures(&self) -> u64 {
        self.groups.values().map(|group| group.count).sum()
    }
}

impl fmt::Display for Groups {
    /// A line that counts, and one for each group: how many, the run to begin with, the signature.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural =
            |n: u64, word: &str| if n == 1 { format!("1 {word}") } else { format!("{} {word}s", grouped(n)) };
        let (bugs, seeds) = (plural(self.len() as u64, "bug"), plural(self.failures(), "failing run"));
        writeln!(f, "{bugs} in {seeds}")?;
        let count = self.iter().map(|(_, group)| grouped(group.count).len()).max().unwrap_or(0);
        let width = self.iter().map(|(_, group)| group.name.len()).max().unwrap_or(0);
        for (signature, group) in self.iter() {
            writeln!(f, "  {:>count$} ×  {:<width$}  {signature}", grouped(group.count), group.name)?;
        }
        Ok(())
    }
}

/// A number with a blank every three digits.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;
    use dacapo_check::Table;
    use dacapo_core::{Check, CheckKind, Digest, NodeId, Phase, Seed, Time};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        let is = |text: &str, expected: &str| assert_eq!(normal(text), expected, "{text}");
        is("no write is lost", "no write is lost");
        is("order 17 was charged 2 times", "order <n> was charged <n> times");
        is("order17 on n2: c1=17", "order<n> on n<n>: c<n>=<n>");
        is("balance is -3.50, not 1_000", "balance is -<n>, not <n>");
        is("key 'ann' has \"a b\" and `x`", "key <text> has <text> and <text>");
        is("the caller's answer isn't lost", "the caller's answer isn't lost");
        is("took 1.5s, 20ms, 3µs", "took <time>, <time>, <time>");
        is("at 2025-01-01T00:00:03.250Z or 12:30:05.", "at <time> or <time>.");
        is("object 1f2e3d4c00 of 0f8fad5b-d9cb-469f-a165-70867728950e", "object <id> of <id>");
        is("pointer 0x7f", "pointer <id>");
        is("deadbeef facade is a word", "deadbeef facade is a word");
        is("an \"open quote", "an \"open quote");
        is("first\nsecond 2", "first");
        is("naïve 日本 7 é", "naïve 日本 <n> é");
    }

    proptest! {
        #[test]
        fn every_text_has_a_normal_form_and_it_is_its_own(text in ".{0,80}") {
            let once = normal(&text);
            prop_assert_eq!(normal(&once), once);
        }

        #[test]
        fn numbers_never_make_two_bugs_of_one(a: u64, b: u64) {
            let text = |n: u64| normal(&format!("key {n} of node{n} after {n}ms"));
            prop_assert_eq!(text(a), text(b));
        }
    }

    fn report(seed: u64, events: u64, failure: Option<Failure>) -> Report {
        Report {
            seed: Seed(seed),
            failure,
            digest: Digest(0),
            events,
            time: Time::ZERO,
            faults: vec![format!("fault {seed}")],
            checks: Table::default(),
        }
    }

    fn broken(message: String, line: u32) -> Option<Failure> {
        let location = Location { file: ByteString::from("bank.ts"), line, column: line };
        let check = Check {
            kind: CheckKind::Always,
            holds: false,
            message: message.into(),
            details: Some("of no interest".into()),
            location: Some(location),
        };
        Some(Failure::Check { check, event: 9, at: Time(9), node: NodeId(0), node_name: "n0".into() })
    }

    #[test]
    fn a_thousand_failing_seeds_read_as_three_bugs() {
        let mut groups = Groups::default();
        for seed in 0..1204 {
            let failure = match seed {
                0..1000 => broken(format!("account {seed} is never overdrawn"), 12),
                1000..1200 => broken(format!("account {seed} is never overdrawn"), 40),
                1200..1203 => Some(Failure::Ending(Ending::Stuck(Phase::Heal, format!("{seed}").into()))),
                _ => None,
            };
            groups.add(&format!("seed {seed}"), &report(seed, 5000 - seed % 700, failure));
        }
        assert_eq!((groups.len(), groups.failures()), (3, 1203));
        insta::assert_snapshot!(groups, @"
        3 bugs in 1 203 failing runs
          1 000 ×  seed 699   account <n> is never overdrawn (bank.ts:12)
            200 ×  seed 1199  account <n> is never overdrawn (bank.ts:40)
              3 ×  seed 1202  stuck in heal
        ");
    }

    #[test]
    fn the_example_of_a_group_is_its_shortest_run() {
        let mut groups = Groups::default();
        for (seed, events) in [(3, 50), (9, 20), (4, 20), (1, 90)] {
            groups.add(&format!("seed {seed}"), &report(seed, events, broken(format!("order {seed}"), 1)));
        }
        let (signature, group) = groups.iter().next().expect("one group");
        assert_eq!(signature, "order <n> (bank.ts:1)");
        assert_eq!((group.count, &group.name[..], group.events), (4, "seed 9", 20));
        assert!(groups.names("seed 9") && !groups.names("seed 3"));
        assert!(matches!(&group.example, Failure::Check { check, .. } if check.message == "order 9"));
        assert_eq!(group.example.rule(), "order 9");
    }
}
