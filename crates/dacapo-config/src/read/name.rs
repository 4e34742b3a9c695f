//! Names: which forms they may have, and which one was meant by a misspelt one.

use super::{Placed, Reader};
use crate::Code;

/// What a name must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// A service: it becomes the host name `NAME.internal`.
    Service,
    /// A scenario or a saved seed: it becomes part of file names and command lines.
    File,
    /// A member of `env` in guest code.
    Binding,
    /// A class that a module exports.
    Class,
    /// A queue or a KV namespace.
    Store,
}

impl NameRule {
    fn holds(self, name: &str) -> bool {
        let all = |allowed: fn(char) -> bool| name.chars().all(allowed);
        let is_lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_edged = !name.starts_with('-') && !name.ends_with('-');
        match self {
            NameRule::Service | NameRule::Store => {
                !name.is_empty() && name.len() <= 63 && is_edged && all(is_lower)
            }
            NameRule::File => {
                let is_file = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                !name.is_empty() && name.len() <= 100 && is_edged && all(is_file)
            }
            NameRule::Binding | NameRule::Class => {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
                let starts = name.chars().next().is_some_and(|c| !c.is_ascii_digit());
                starts && name.len() <= 100 && all(is_word)
            }
        }
    }

    fn help(self) -> &'static str {
        match self {
            NameRule::Service => {
                "A service answers to https://NAME.internal, so its name is a DNS label: lower-case letters, \
                 digits and `-`, not at an end, at most 63 characters."
            }
            NameRule::File => {
                "Use letters, digits, `-` and `_`, no `-` at an end, at most 100 characters: the name becomes \
                 part of file names and command lines."
            }
            NameRule::Store => {
                "Use lower-case letters, digits and `-`, not at an end, at most 63 characters: what is stored is kept \
                 under this name."
            }
            NameRule::Binding => {
                "Guest code reads it as env.NAME: use letters, digits, `_` and `$`, not a digit first. \
                 Capitals are the custom: LEDGER, PAY_API."
            }
            NameRule::Class => {
                "It is the name by which the module exports the class: use letters, digits, `_` and `$`, not a digit \
                 first."
            }
        }
    }
}

impl Reader {
    /// Tells of a name that has a wrong form; whether it has the right one.
    pub(crate) fn check_name(&mut self, rule: NameRule, what: &str, name: &Placed<String>) -> bool {
        let holds = rule.holds(&name.value);
        if !holds {
            let message = format!("{:?} cannot be the name of {what}", name.value);
            self.report(Code::Name, message, &name.place, "this name", rule.help());
        }
        holds
    }

    /// `Did you mean "…"?`, or else what there is.
    pub(crate) fn did_you_mean<'n>(&self, word: &str, names: impl IntoIterator<Item = &'n str>) -> String {
        let names: Vec<&str> = names.into_iter().collect();
        if let Some(name) = closest(word, &names) {
            return format!("Did you mean \"{name}\"?");
        }
        match names.len() {
            0 => "There is none.".to_owned(),
            1..=20 => format!("There are: {}.", names.join(", ")),
            more => format!("There are {more}, from {} to {}.", names[0], names[more - 1]),
        }
    }
}

/// The name that a person who wrote `word` most likely meant. One letter in three may be wrong.
fn closest<'n>(word: &str, names: &[&'n str]) -> Option<&'n str> {
    // Longer words are not typed by people, and comparing them is slow.
    if word.len() > 100 || names.len() > 1000 {
        return None;
    }
    let lower = word.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    let near = names.iter().map(|name| (distance(name), *name)).min()?;
    if near.0 <= (word.chars().count() / 3).max(1) {
        return Some(near.1);
    }
    names.iter().find(|name| word.len() >= 3 && name.starts_with(&lower)).copied()
}
