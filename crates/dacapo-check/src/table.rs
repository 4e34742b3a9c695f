//! How often each assertion was reached and how often it held.
//!
//! A single run can only break an `always` or an `unreachable`. That a `sometimes` never held or a
//! `reachable` was never reached can be said of a campaign only.

use std::collections::BTreeMap;
use std::fmt;

use dacapo_core::{Check, CheckKind};

/// One assertion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// How often its condition held.
    pub held: u64,
    /// How often it did not.
    pub failed: u64,
}

/// All assertions that were reached, by kind and message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    rows: BTreeMap<(CheckKind, String), Row>,
}

impl Table {
    /// Adds one evaluation. Names of states for the search are no assertions.
    pub fn add(&mut self, check: &Check) {
        if check.kind == CheckKind::Coverage {
            return;
        }
        let key = (check.kind, check.message.to_string());
        let row = self.rows.entry(key).or_default();
        if check.holds {
            row.held += 1;
        } else {
            row.failed += 1;
        }
    }

    /// Adds what another run has found.
    pub fn merge(&mut self, other: &Table) {
        for (key, row) in &other.rows {
            self.add_row(key.0, &key.1, *row);
        }
    }

    /// Adds a row that was counted elsewhere.
    pub fn add_row(&mut self, kind: CheckKind, message: &str, row: Row) {
        let sum = self.rows.entry((kind, message.to_owned())).or_default();
        sum.held += row.held;
        sum.failed += row.failed;
    }

    /// The rows in order.
    pub fn rows(&self) -> impl Iterator<Item = (CheckKind, &str, Row)> {
        self.rows.iter().map(|((kind, message), row)| (*kind, message.as_str(), *row))
    }

    /// What a campaign should have shown and did not: each `sometimes` that never held.
    pub fn vacuous(&self) -> impl Iterator<Item = &str> {
        let never = |(kind, _, row): &(CheckKind, &str, Row)| *kind == CheckKind::Sometimes && row.held == 0;
        self.rows().filter(never).map(|(_, message, _)| message)
    }

    /// Whether nothing was reached.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, message, row) in self.rows() {
            let is_good = match kind {
                CheckKind::Always | CheckKind::Unreachable => row.failed == 0,
                CheckKind::Sometimes | CheckKind::Reachable | CheckKind::Coverage => row.held > 0,
            };
            let mark = if is_good { "ok " } else { "NOT" };
            let total = row.held + row.failed;
            writeln!(f, "  {mark} {:<11} {message}  ({} of {total})", kind.name(), row.held)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: CheckKind, holds: bool, message: &str) -> Check {
        Check { kind, holds, message: message.to_owned().into(), details: None, location: None }
    }

    #[test]
    fn a_sometimes_that_never_held_is_named() {
        let mut table = Table::default();
        table.add(&check(CheckKind::Sometimes, false, "a retry happened"));
        table.add(&check(CheckKind::Sometimes, false, "a timeout happened"));
        table.add(&check(CheckKind::Sometimes, true, "a timeout happened"));
        assert_eq!(table.vacuous().collect::<Vec<_>>(), ["a retry happened"]);
        insta::assert_snapshot!(table, @"
          NOT sometimes   a retry happened  (0 of 1)
          ok  sometimes   a timeout happened  (1 of 2)
        ");
    }

    #[test]
    fn runs_add_up_to_a_campaign() {
        let (mut a, mut b) = (Table::default(), Table::default());
        a.add(&check(CheckKind::Always, true, "x"));
        b.add(&check(CheckKind::Always, false, "x"));
        a.merge(&b);
        assert_eq!(a.rows().collect::<Vec<_>>(), [(CheckKind::Always, "x", Row { held: 1, failed: 1 })]);
    }
}
