//! Exactly once: what was acknowledged is in the books once, what was refused is not, and what nobody knows is
//! there once or not at all.

use std::collections::BTreeMap;
use std::fmt;

use crate::history::{History, Operation, Outcome, Value};
use crate::verdict::Verdict;

/// What is wrong with one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It was acknowledged and is not there.
    Lost(Operation),
    /// It is there so many times.
    Repeated(Option<Operation>, usize),
    /// It was refused and is there.
    Refused(Operation),
    /// Nobody asked for it.
    Invented,
}

/// Everything that is wrong with the books, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatches {
    /// What is wrong with which id.
    pub entries: Vec<(Value, Mismatch)>,
}

/// How many are told one by one.
const TOLD_MAX: usize = 20;

impl fmt::Display for Mismatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of the ids did not happen exactly once:", self.entries.len())?;
        for (id, mismatch) in self.entries.iter().take(TOLD_MAX) {
            let asked = |operation: &Operation| {
                let ended = operation.ended.map_or("…".to_owned(), |ended| ended.at.to_string());
                format!("process {}, {} to {ended}", operation.process, operation.invoked.at)
            };
            match mismatch {
                Mismatch::Lost(it) => write!(f, "\n  {id}: acknowledged ({}), and not there", asked(it))?,
                Mismatch::Repeated(Some(it), times) => {
                    write!(f, "\n  {id}: there {times} times, asked for once ({})", asked(it))?;
                }
                Mismatch::Repeated(None, times) => {
                    write!(f, "\n  {id}: there {times} times, never asked for")?
                }
                Mismatch::Refused(it) => {
                    write!(f, "\n  {id}: refused ({}), and there all the same", asked(it))?
                }
                Mismatch::Invented => write!(f, "\n  {id}: there, and nobody asked for it")?,
            }
        }
        if self.entries.len() > TOLD_MAX {
            write!(f, "\n  … and {} more", self.entries.len() - TOLD_MAX)?;
        }
        Ok(())
    }
}

/// Compares what was asked for with the books as they are in the end. The id of an operation is its value.
/// Several operations may have the same id: then they are attempts at the same, and it counts as
/// acknowledged if one of them was, and as refused if all were.
pub fn exactly_once(history: &History, books: &[Value]) -> Verdict<Mismatches> {
    let mut asked: BTreeMap<&Value, &Operation> = BTreeMap::new();
    for operation in history.operations() {
        let known = asked.entry(&operation.value).or_insert(operation);
        // The best outcome of all attempts is that of the id; unknown is better than refused.
        let rank = |outcome| match outcome {
            Outcome::Ok => 2,
            Outcome::Unknown => 1,
            Outcome::Failed => 0,
        };
        if rank(operation.outcome) > rank(known.outcome) {
            *known = operation;
        }
    }
    let mut there: BTreeMap<&Value, usize> = BTreeMap::new();
    books.iter().for_each(|id| *there.entry(id).or_default() += 1);
    let mut entries = Vec::new();
    for (id, operation) in &asked {
        let times = there.remove(id).unwrap_or(0);
        let mismatch = match (operation.outcome, times) {
            (_, 2..) => Mismatch::Repeated(Some((*operation).clone()), times),
            (Outcome::Ok, 0) => Mismatch::Lost((*operation).clone()),
            (Outcome::Failed, 1) => Mismatch::Refused((*operation).clone()),
            _ => continue,
        };
        entries.push(((*id).clone(), mismatch));
    }
    for (id, times) in there {
        let mismatch = if times > 1 { Mismatch::Repeated(None, times) } else { Mismatch::Invented };
        entries.push((id.clone(), mismatch));
    }
    if entries.is_empty() { Verdict::Holds } else { Verdict::Broken(Mismatches { entries }) }
}
