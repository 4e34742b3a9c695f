//! Session guarantees: what one process may expect of its own operations, whatever others do. (Terry et al.,
//! "Session guarantees for weakly consistent replicated data", 1994.)
//!
//! Reads and writes answer the version of the key that they saw or made: a whole number that grows with each
//! write, as it is or as `{"version": 7}`. Each key is judged by itself.

use std::collections::BTreeMap;
use std::fmt;

use crate::history::{History, Operation, Outcome, Value};
use crate::verdict::{Mistake, Verdict};

/// What a process may expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// A read sees what the process wrote before, or something later.
    ReadYourWrites,
    /// A read sees what the process read before, or something later.
    MonotonicReads,
    /// A write comes after what the process wrote before.
    MonotonicWrites,
    /// A write comes after what the process read before.
    WritesFollowReads,
}

impl Guarantee {
    /// All of them.
    pub const ALL: [Guarantee; 4] = [
        Guarantee::ReadYourWrites,
        Guarantee::MonotonicReads,
        Guarantee::MonotonicWrites,
        Guarantee::WritesFollowReads,
    ];

    /// The name, as workloads write it.
    pub fn name(self) -> &'static str {
        match self {
            Guarantee::ReadYourWrites => "read your writes",
            Guarantee::MonotonicReads => "monotonic reads",
            Guarantee::MonotonicWrites => "monotonic writes",
            Guarantee::WritesFollowReads => "writes follow reads",
        }
    }

    /// The guarantee of this name.
    pub fn of(name: &str) -> Option<Guarantee> {
        let wanted = name.replace('-', " ");
        Guarantee::ALL.into_iter().find(|guarantee| guarantee.name() == wanted)
    }

    /// Whether the earlier and the later operation are writes.
    fn are_writes(self) -> (bool, bool) {
        match self {
            Guarantee::ReadYourWrites => (true, false),
            Guarantee::MonotonicReads => (false, false),
            Guarantee::MonotonicWrites => (true, true),
            Guarantee::WritesFollowReads => (false, true),
        }
    }
}

/// Two operations of a process that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What was expected.
    pub guarantee: Guarantee,
    /// The earlier operation, and its version.
    pub earlier: (Operation, i64),
    /// The later one, and its version.
    pub later: (Operation, i64),
    /// How many such pairs there are in all.
    pub of: usize,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (earlier, later) = (&self.earlier.0, &self.later.0);
        writeln!(
            f,
            "process {} does not have \"{}\" ({} times):\n",
            later.process,
            self.guarantee.name(),
            self.of
        )?;
        for (operation, version) in [&self.earlier, &self.later] {
            writeln!(f, "  {}  {operation}  (version {version})", operation.invoked.at)?;
        }
        let (earlier_writes, later_writes) = self.guarantee.are_writes();
        let word = |writes: bool| if writes { "wrote" } else { "read" };
        write!(
            f,
            "\n  it {} version {} of {} and then {} version {}",
            word(earlier_writes),
            self.earlier.1,
            earlier.key,
            word(later_writes),
            self.later.1
        )
    }
}

/// Judges whether each process has these guarantees. The first breach is shown.
pub fn session(history: &History, guarantees: &[Guarantee]) -> Result<Verdict<Breach>, Mistake> {
    let mut by_end: Vec<&Operation> =
        history.operations().iter().filter(|operation| operation.outcome == Outcome::Ok).collect();
    // A process asks one thing at a time, so its operations end in the order in which they began.
    by_end.sort_by_key(|operation| operation.ended);
    // The highest version that each process wrote and read of each key, and by which operation.
    let mut highest: BTreeMap<(u64, &Value, bool), (i64, &Operation)> = BTreeMap::new();
    let mut breach: Option<Breach> = None;
    for operation in by_end {
        let is_write = match &*operation.f {
            "write" => true,
            "read" => false,
            other => return Err(Mistake(format!("\"{other}\" is neither read nor write"))),
        };
        let version = version(operation)?;
        for guarantee in guarantees {
            let (earlier_writes, later_writes) = guarantee.are_writes();
            if later_writes != is_write {
                continue;
            }
            let before = highest.get(&(operation.process, &operation.key, earlier_writes));
            // A write makes a new version; a read may see the same again.
            let Some((seen, earlier)) =
                before.filter(|(seen, _)| version < *seen || is_write && version == *seen)
            else {
                continue;
            };
            match &mut breach {
                Some(first) => first.of += usize::from(first.guarantee == *guarantee),
                None => {
                    let (earlier, later) = (((*earlier).clone(), *seen), (operation.clone(), version));
                    breach = Some(Breach { guarantee: *guarantee, earlier, later, of: 1 });
                }
            }
        }
        let place =
            highest.entry((operation.process, &operation.key, is_write)).or_insert((version, operation));
        if version > place.0 {
            *place = (version, operation);
        }
    }
    Ok(breach.map_or(Verdict::Holds, Verdict::Broken))
}

fn version(operation: &Operation) -> Result<i64, Mistake> {
    let result = &operation.result;
    let number = result.field("version").unwrap_or(result).as_int();
    number.ok_or_else(|| {
        Mistake(format!(
            "{operation} of process {} at {} answers no version: it must be a whole number or have one in the \
             field \"version\"",
            operation.process, operation.invoked.at
        ))
    })
}
