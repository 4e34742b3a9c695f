//! What a run can do without: its decisions, each together with those that only matter because of it.

use std::collections::BTreeMap;

use bytestring::ByteString;
use dacapo_core::{Decision, DecisionKey, DecisionKind, NodeId, Rest, Script};

use super::workload::add_inputs;

/// Something that happened by chance: a message that took its time, a fault that struck.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Atom {
    pub(super) key: DecisionKey,
    pub(super) value: u64,
    pub(super) kind: DecisionKind,
    /// Of a fault that comes again and again: which strike, and how long after the faults began.
    strike: Option<Strike>,
    /// Whom it hit, for how long.
    pub(super) details: Vec<(DecisionKey, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Strike {
    fault: String,
    number: u64,
    after: u64,
}

/// What decides whether a fault comes after a turn.
const AFTER_TURN: &str = "after_turn";
/// Between the name of a fault and the number of its strike, in the cause of a decision.
const STRIKE: &str = " strike ";

/// The fault and the number out of `process.crash strike 3`.
fn strike_of(cause: &str) -> Option<(&str, u64)> {
    let (fault, number) = cause.split_once(STRIKE)?;
    Some((fault, number.parse().ok()?))
}

/// Everything in a run that did not go as in a calm one, in order.
pub(super) fn atoms_of(log: &[Decision]) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::new();
    let mut begun: BTreeMap<&str, u64> = BTreeMap::new();
    let mut last: Option<usize> = None;
    for decision in log {
        let Decision { key, kind, chosen, .. } = decision;
        if *kind == DecisionKind::Input {
            continue;
        }
        if *kind == DecisionKind::Detail {
            let owner = strike_of(&key.cause)
                .and_then(|_| atoms.iter().rposition(|a| a.strike.is_some() && a.key.cause == key.cause))
                .or(last);
            match owner {
                Some(owner) => atoms[owner].details.push((key.clone(), *chosen)),
                None => atoms.push(Atom::new(decision, None)),
            }
            continue;
        }
        last = None;
        let strike =
            strike_of(&key.cause).filter(|_| *kind == DecisionKind::Trigger).map(|(fault, number)| {
                let after = begun.entry(fault).or_default();
                *after = after.saturating_add(*chosen);
                Strike { fault: fault.to_owned(), number, after: *after }
            });
        if *chosen > 0 {
            last = Some(atoms.len());
            atoms.push(Atom::new(decision, strike));
        }
    }
    add_inputs(log, &mut atoms);
    atoms
}

impl Atom {
    /// A strike of a fault at some time, told as one that comes after the turn that was the last before it:
    /// there it stays, however much else in the run changes. `log` and `turns` are of a run in which it strikes.
    pub(super) fn anchored(&self, log: &[Decision], turns: &[NodeId]) -> Option<Atom> {
        let fault = &self.strike.as_ref()?.fault;
        let mut its = log.iter().filter(|d| d.kind == DecisionKind::Detail && d.key.cause == self.key.cause);
        let first = its.clone().next()?;
        // A crash is a turn of its own, and how long the node stays down is drawn after it.
        let crash = its.clone().find(|d| d.key.what == "down").map(|d| d.event as usize);
        let before = crash.map_or(first.event as usize, |crash| crash - 1);
        let victim = match crash {
            Some(crash) => Some(turns[crash - 1]),
            None => its.find(|d| d.key.what == "victim").map(|d| NodeId(d.chosen as u32)),
        };
        let is_there = |node: NodeId| victim.is_none_or(|victim| victim == node);
        let event = (1..=before).rev().find(|event| is_there(turns[event - 1]))? as u64;
        let is_at = |d: &&Decision| d.event == event && d.key.lane == *fault && d.key.what == AFTER_TURN;
        let key = &log.iter().find(is_at)?.key;
        let mut atom = Atom { key: key.clone(), value: 1, strike: None, ..self.clone() };
        let cause = atom.cause_of_details();
        atom.details.retain(|(detail, _)| detail.what != "victim");
        for (detail, _) in atom.details.iter_mut().filter(|(detail, _)| detail.cause == self.key.cause) {
            detail.cause.clone_from(&cause);
        }
        Some(atom)
    }

    /// What details of a fault are about that comes after a turn.
    fn cause_of_details(&self) -> ByteString {
        format!("{} after {} #{}", self.key.lane, self.key.cause, self.key.nth).into()
    }

    /// The same at an earlier one of the messages or turns that have its cause.
    pub(super) fn at(&self, nth: u32) -> Atom {
        let mut atom = self.clone();
        atom.key.nth = nth;
        let (before, now) = (self.cause_of_details(), atom.cause_of_details());
        for (detail, _) in atom.details.iter_mut().filter(|(detail, _)| detail.cause == before) {
            detail.cause.clone_from(&now);
        }
        atom
    }

    /// Whether it is told by a message or a turn, and not by a time.
    pub(super) fn has_cause(&self) -> bool {
        self.strike.is_none() && !self.key.cause.is_empty()
    }

    /// Rounds its length of time, if it is one, to so many digits that are not 0.
    pub(super) fn round(&mut self, digits: u32) {
        let rounded = |nanos: u64| match nanos.checked_ilog10().and_then(|log| log.checked_sub(digits - 1)) {
            Some(zeros) => (nanos / 10u64.pow(zeros)) * 10u64.pow(zeros),
            None => nanos,
        };
        if let Some(strike) = &mut self.strike {
            strike.after = rounded(strike.after);
        } else if self.value > 1 {
            self.value = rounded(self.value);
        }
    }

    pub(super) fn of(key: &DecisionKey, kind: DecisionKind, value: u64) -> Atom {
        Atom { key: key.clone(), value, kind, strike: None, details: Vec::new() }
    }

    fn new(decision: &Decision, strike: Option<Strike>) -> Atom {
        let Decision { key, kind, chosen, .. } = decision;
        Atom { key: key.clone(), value: *chosen, kind: *kind, strike, details: Vec::new() }
    }
}

/// The script in which just these happen. Strikes of a fault are numbered anew, and stay where they were in time.
pub(super) fn script_of(atoms: &[Atom], rest: Rest) -> Script {
    let mut script = Script::new([], rest);
    let mut numbers: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for atom in atoms {
        let Some(strike) = &atom.strike else {
            script.give(atom.key.clone(), atom.value);
            atom.details.iter().for_each(|(key, value)| script.give(key.clone(), *value));
            continue;
        };
        let (number, before) = numbers.entry(&strike.fault).or_default();
        *number += 1;
        let cause = ByteString::from(format!("{}{STRIKE}{number}", strike.fault));
        let moved = |key: &DecisionKey| match key.cause == atom.key.cause {
            true => DecisionKey { cause: cause.clone(), ..key.clone() },
            false => key.clone(),
        };
        script.give(moved(&atom.key), strike.after.saturating_sub(*before).max(1));
        atom.details.iter().for_each(|(key, value)| script.give(moved(key), *value));
        *before = strike.after;
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(entries: &[(&str, DecisionKind, u64)]) -> Vec<Decision> {
        let decision = |(key, kind, chosen): &(&str, DecisionKind, u64)| Decision {
            key: key.parse().unwrap(),
            kind: *kind,
            chosen: *chosen,
            range: u64::MAX,
            event: 0,
        };
        entries.iter().map(decision).collect()
    }

    fn text(script: &Script) -> String {
        script.decisions().iter().map(|(key, value)| format!("{key} = {value}\n")).collect()
    }

    #[test]
    fn strikes_that_are_left_stay_where_they_were_in_time() {
        use DecisionKind::{Detail, Trigger};
        let log = log(&[
            ("process.crash/wait process.crash strike 1 #1", Trigger, 100),
            ("process.crash/wait process.crash strike 2 #1", Trigger, 30),
            ("process.crash/victim process.crash strike 1 #1", Detail, 2),
            ("process.crash/wait process.crash strike 3 #1", Trigger, 5),
            ("process.crash/victim process.crash strike 2 #1", Detail, 1),
        ]);
        let atoms = atoms_of(&log);
        assert_eq!(script_of(&atoms, Rest::default()).decisions().len(), 5);
        insta::assert_snapshot!(text(&script_of(&atoms[1..], Rest::default())), @"
        process.crash/victim process.crash strike 1 #1 = 1
        process.crash/wait process.crash strike 1 #1 = 130
        process.crash/wait process.crash strike 2 #1 = 5
        ");
    }

    #[test]
    fn what_only_matters_because_of_another_goes_with_it() {
        use DecisionKind::{Detail, Noise, Trigger};
        let log = log(&[
            ("net.loss/hit a asks GET / #1", Trigger, 1),
            ("net.loss/hangs a asks GET / #1", Detail, 1),
            ("net.latency/extra a asks GET / #2", Noise, 7),
            ("net.loss/hit a asks GET / #2", Trigger, 0),
        ]);
        let atoms = atoms_of(&log);
        assert_eq!(atoms.len(), 2);
        insta::assert_snapshot!(text(&script_of(&atoms[1..], Rest::default())), @"net.latency/extra a asks GET / #2 = 7");
    }
}
