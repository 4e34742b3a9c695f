//! The small scope: most bugs need few coincidences, and show in a short run.
//!
//! Taking out of a long run what does not matter can get stuck: a loss and a crash that must follow each
//! other closely stay where they are by the help of everything else that shifts them in time. So all
//! small sets of coincidences of the kinds that matter are tried in a short run, too (Jackson, "Software
//! Abstractions", 2006, on small scopes).

use std::collections::{BTreeMap, BTreeSet};

use dacapo_core::{Decision, DecisionKey, DecisionKind};

use super::atom::Atom;

/// Of messages and turns with the same cause so many are tried.
const OF_A_CAUSE: u32 = 4;
/// Messages are tried to be this late, in nanoseconds.
const LATE: [u64; 2] = [20_000_000, 2_000_000_000];

/// What could happen in a run whose decisions are these, of the kinds that these atoms are of.
pub(super) fn candidates(log: &[Decision], atoms: &[Atom]) -> Vec<Atom> {
    let lanes: BTreeSet<(DecisionKind, &str)> =
        atoms.iter().map(|atom| (atom.kind, &*atom.key.lane)).collect();
    let mut found = Vec::new();
    for decision in log.iter().filter(|d| d.key.nth <= OF_A_CAUSE && !d.key.cause.is_empty()) {
        if !lanes.contains(&(decision.kind, &*decision.key.lane)) {
            continue;
        }
        match decision.kind {
            DecisionKind::Trigger if decision.range == 2 => {
                found.push(Atom::of(&decision.key, decision.kind, 1))
            }
            // Of noise the lengths of time: who is late by how much.
            DecisionKind::Noise if decision.range == u64::MAX => {
                found.extend(LATE.map(|late| Atom::of(&decision.key, decision.kind, late)));
            }
            _ => {}
        }
    }
    found
}

/// All sets of `size` of them, those first in which things happen early.
pub(super) fn sets(candidates: &[Atom], size: usize) -> Vec<Vec<Atom>> {
    let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        let mut longer = Vec::new();
        for set in &sets {
            let from = set.last().map_or(0, |last| last + 1);
            longer.extend((from..candidates.len()).map(|next| [set.as_slice(), &[next]].concat()));
            if longer.len() > MANY {
                break;
            }
        }
        sets = longer;
    }
    let late = |set: &Vec<usize>| set.iter().map(|index| candidates[*index].key.nth).sum::<u32>();
    let mut by_time: BTreeMap<u32, Vec<Vec<usize>>> = BTreeMap::new();
    sets.into_iter().for_each(|set| by_time.entry(late(&set)).or_default().push(set));
    let in_order = by_time.into_values().flatten();
    let distinct =
        |set: &Vec<Atom>| set.iter().map(|atom| &atom.key).collect::<BTreeSet<&DecisionKey>>().len();
    let sets = in_order.map(|set| set.into_iter().map(|index| candidates[index].clone()).collect::<Vec<_>>());
    sets.filter(|set| distinct(set) == set.len()).collect()
}

/// More sets than this are never tried.
const MANY: usize = 20_000;
