//! The workload of a failing run: the few rounds without which it would not fail, early, and with small values.
//!
//! A fault that strikes at the hundredth request strikes at an earlier one when the rounds before are gone, so
//! wherever rounds are taken away, faults that are told by a message or a turn are also tried where they would be then.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_core::{Decision, DecisionKey, DecisionKind, RoundKey};

use super::Search;
use super::atom::Atom;
use super::reduce::reduce;

/// Draws outside of rounds (of setup, invariants, judgments) that are tried to be made small, at most.
const OUTSIDE_MAX: usize = 32;

/// Makes of what a workload drew the atoms of a run: a round with all that was drawn in it, and the rest one by one.
pub(super) fn add_inputs(log: &[Decision], atoms: &mut Vec<Atom>) {
    let mut rounds: BTreeMap<RoundKey, usize> = BTreeMap::new();
    for Decision { key, kind, chosen, .. } in log.iter().filter(|d| d.kind == DecisionKind::Input) {
        if let Some(round) = RoundKey::of_round(key) {
            if *chosen > 0 {
                rounds.insert(round, atoms.len());
                atoms.push(Atom::of(key, *kind, *chosen));
            }
            continue;
        }
        let owner = RoundKey::of_detail(key).filter(|_| !RoundKey::is_pause(key));
        match owner.and_then(|round| rounds.get(&round)) {
            Some(owner) => atoms[*owner].details.push((key.clone(), *chosen)),
            // That something is not left out needs no word.
            None if key.lane == "swarm" && *chosen == 0 => {}
            None => atoms.push(Atom::of(key, *kind, *chosen)),
        }
    }
}

impl Atom {
    /// Whether it is something that the workload does, and nothing that goes wrong.
    pub(super) fn is_input(&self) -> bool {
        self.kind == DecisionKind::Input
    }

    fn as_round(&self) -> Option<RoundKey> {
        RoundKey::of_round(&self.key).filter(|_| self.is_input())
    }

    fn is_pause(&self) -> bool {
        RoundKey::is_pause(&self.key)
    }

    /// Whether it belongs to no round: a draw of setup, of an invariant or a judgment, and what the workload does without.
    fn is_outside(&self) -> bool {
        self.is_input() && self.as_round().is_none() && !self.is_pause()
    }
}

impl Search<'_> {
    /// Takes rounds away, lets those that stay begin early, and makes what they draw small.
    pub(super) fn shrink_workload(&mut self) {
        if !self.best.iter().any(Atom::is_input) {
            return;
        }
        self.leave_out(|atom| atom.is_outside().then_some(()));
        self.leave_out_clients();
        self.leave_out_rounds(RoundKey::clone);
        self.begin_rounds_early();
        self.leave_out(|atom| atom.is_pause().then_some(()));
        self.leave_out(|atom| atom.is_pause().then(|| atom.key.cause.clone()));
        self.leave_out(|atom| atom.is_pause().then(|| atom.key.clone()));
        self.leave_out(|atom| atom.is_outside().then(|| (atom.key.lane.clone(), atom.key.cause.clone())));
        self.leave_out(|atom| atom.is_outside().then(|| atom.key.clone()));
        self.lessen();
    }

    /// Takes whole drivers and clients away.
    pub(super) fn leave_out_clients(&mut self) {
        self.leave_out_rounds(|round| round.driver.clone());
        self.leave_out_rounds(|round| (round.driver.clone(), round.client));
        // Nobody waits for a round that he does not make.
        let clients = |atom: &Atom| atom.as_round().map(|round| (round.driver, round.client));
        let left: BTreeSet<(String, u32)> = self.best.iter().filter_map(clients).collect();
        let is_left = |round: RoundKey| left.contains(&(round.driver, round.client));
        self.best.retain(|atom| !atom.is_pause() || RoundKey::of_detail(&atom.key).is_none_or(is_left));
    }

    /// Keeps only those rounds whose group is needed.
    fn leave_out_rounds<G: Ord + Clone>(&mut self, group: impl Fn(&RoundKey) -> G) {
        let rounds: BTreeSet<RoundKey> = self.best.iter().filter_map(Atom::as_round).collect();
        let mut known = BTreeSet::new();
        let groups: Vec<G> = rounds.iter().map(&group).filter(|group| known.insert(group.clone())).collect();
        if groups.is_empty() {
            return;
        }
        let Some((true, run)) = self.run_of(&self.best.clone()) else { return };
        let mut log = run.decisions;
        reduce(groups, |rest| {
            let kept: BTreeSet<&G> = rest.iter().collect();
            let stays = |round: &RoundKey| kept.contains(&group(round));
            let is_kept = |atom: &&Atom| atom.as_round().is_none_or(|round| stays(&round));
            let without: Vec<Atom> = self.best.iter().filter(is_kept).cloned().collect();
            if without.len() == self.best.len() {
                return Some(true);
            }
            let moved = moved_with(&without, &log, stays);
            let mut candidates = vec![without];
            if moved != candidates[0] {
                candidates.push(moved);
            }
            for atoms in candidates {
                let (fails, run) = self.run_of(&atoms)?;
                if fails {
                    (self.best, log) = (atoms, run.decisions);
                    return Some(true);
                }
            }
            Some(false)
        });
    }

    /// Lets clients make their rounds as the first ones: at the same times if it must be so.
    fn begin_rounds_early(&mut self) {
        let Some((true, run)) = self.run_of(&self.best.clone()) else { return };
        let mut clients: BTreeMap<(String, u32), Vec<u32>> = BTreeMap::new();
        for RoundKey { driver, client, round } in self.best.iter().filter_map(Atom::as_round) {
            clients.entry((driver, client)).or_default().push(round);
        }
        let pauses: BTreeMap<&DecisionKey, u64> =
            run.decisions.iter().filter(|d| RoundKey::is_pause(&d.key)).map(|d| (&d.key, d.chosen)).collect();
        let all: Vec<_> = clients.keys().cloned().collect();
        let tries = [all.clone()].into_iter().chain(all.into_iter().map(|client| vec![client]));
        for tried in tries {
            let early: Vec<Atom> = self.best.iter().flat_map(|atom| early(atom, &tried, &clients)).collect();
            let kept = tried.iter().flat_map(|client| summed(client, &clients[client], &pauses));
            let timed: Vec<Atom> = early.iter().cloned().chain(kept).collect();
            for atoms in [early, timed] {
                if atoms != self.best && self.fails(&atoms) == Some(true) {
                    self.best = atoms;
                    break;
                }
            }
        }
    }

    /// Makes values small: all at once if that will do, and else one after the other.
    fn lessen(&mut self) {
        let mut least = self.best.clone();
        for atom in least.iter_mut().filter(|atom| atom.as_round().is_some()) {
            atom.details.iter_mut().for_each(|(_, value)| *value = 0);
        }
        if least != self.best && self.fails(&least) == Some(true) {
            self.best = least;
        } else {
            for index in 0..self.best.len() {
                for detail in 0..self.best[index].details.len() {
                    if self.best[index].as_round().is_some() {
                        self.lessen_one(|atoms| &mut atoms[index].details[detail].1);
                    }
                }
            }
        }
        let is_value = |atom: &Atom| atom.is_outside() && atom.key.lane == "workload";
        let outside: Vec<usize> = (0..self.best.len()).filter(|at| is_value(&self.best[*at])).collect();
        for index in outside.into_iter().take(OUTSIDE_MAX) {
            self.lessen_one(|atoms| &mut atoms[index].value);
        }
        self.name_what_was_drawn();
    }

    /// Makes one value as small as it can be found to be by halves.
    fn lessen_one(&mut self, of: impl Fn(&mut Vec<Atom>) -> &mut u64) {
        let (mut too_small, mut enough) = (None, *of(&mut self.best));
        while too_small.map_or(enough > 0, |less| enough - less > 1) {
            let tried = too_small.map_or(0, |less| less + (enough - less) / 2);
            let mut atoms = self.best.clone();
            *of(&mut atoms) = tried;
            match self.fails(&atoms) {
                None => return,
                Some(true) => (self.best, enough) = (atoms, tried),
                Some(false) => too_small = Some(tried),
            }
        }
    }

    /// A value that is less than the least one stands for that; one that is never drawn, for nothing.
    fn name_what_was_drawn(&mut self) {
        let Some((true, run)) = self.run_of(&self.best.clone()) else { return };
        let drawn: BTreeMap<&DecisionKey, u64> = run.decisions.iter().map(|d| (&d.key, d.chosen)).collect();
        for atom in self.best.iter_mut().filter(|atom| atom.is_input()) {
            atom.details.retain_mut(|(key, value)| match drawn.get(key) {
                Some(chosen) => {
                    *value = *chosen;
                    true
                }
                None => false,
            });
            atom.value = drawn.get(&atom.key).copied().unwrap_or(atom.value);
        }
    }
}

/// Faults where they are once some rounds are gone: at the message of the same kind that is left in their place. Messages
/// count to the round that began last before them.
fn moved_with(atoms: &[Atom], log: &[Decision], stays: impl Fn(&RoundKey) -> bool) -> Vec<Atom> {
    let mut kept = true;
    let mut before: BTreeMap<(&str, &str, &str), u32> = BTreeMap::new();
    let mut moved: BTreeMap<&DecisionKey, u32> = BTreeMap::new();
    for Decision { key, kind, chosen, .. } in log {
        if *kind == DecisionKind::Input {
            if let Some(round) = RoundKey::of_round(key).filter(|_| *chosen > 0) {
                kept = stays(&round);
            }
            continue;
        }
        let count = before.entry((&key.lane, &key.what, &key.cause)).or_default();
        *count += u32::from(kept);
        moved.insert(key, (*count).max(1));
    }
    let place = |atom: &Atom| match moved.get(&atom.key) {
        Some(nth) if !atom.is_input() && atom.has_cause() => atom.at(*nth),
        _ => atom.clone(),
    };
    atoms.iter().map(place).collect()
}

/// The atom when the rounds of these clients are their first ones; pauses of theirs go.
fn early(atom: &Atom, tried: &[(String, u32)], clients: &BTreeMap<(String, u32), Vec<u32>>) -> Option<Atom> {
    let key = RoundKey::of_round(&atom.key).or_else(|| RoundKey::of_detail(&atom.key));
    let Some(RoundKey { driver, client, round }) = key.filter(|_| atom.is_input()) else {
        return Some(atom.clone());
    };
    let client = (driver, client);
    if !tried.contains(&client) {
        return Some(atom.clone());
    }
    let at = clients[&client].iter().filter(|other| **other <= round).count() as u32;
    let mut atom = atom.clone();
    if atom.is_pause() {
        return None;
    }
    atom.key = RoundKey::moved(&atom.key, at);
    atom.details.iter_mut().for_each(|(key, _)| *key = RoundKey::moved(key, at));
    Some(atom)
}

/// The pauses with which the rounds of a client, made as its first ones, begin when they did before.
fn summed(
    (driver, client): &(String, u32),
    rounds: &[u32],
    pauses: &BTreeMap<&DecisionKey, u64>,
) -> Vec<Atom> {
    let cause = RoundKey::client_cause(driver, *client);
    let mut sorted = rounds.to_vec();
    sorted.sort_unstable();
    let before = [0].into_iter().chain(sorted.iter().copied());
    let gap = |(from, to): (u32, u32)| -> u64 {
        let within = pauses.iter().filter(|(key, _)| key.cause == cause && key.nth > from && key.nth <= to);
        within.map(|(_, pause)| *pause).fold(0, u64::saturating_add)
    };
    let gaps = before.zip(sorted.iter().copied()).map(gap);
    gaps.zip(1..)
        .map(|(gap, nth)| Atom::of(&RoundKey::pause(&cause, nth), DecisionKind::Input, gap))
        .collect()
}
