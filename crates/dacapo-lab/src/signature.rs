//! What failures have in common: a signature that leaves out what differs from seed to seed, so that a thousand failing
//! seeds read as three bugs.

use dacapo_core::Location;
use dacapo_sim::Ending;

use crate::report::Failure;

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

#[cfg(test)]
mod tests {
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
}
