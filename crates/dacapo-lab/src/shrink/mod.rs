//! Shrinking: of a run that fails, the few decisions without which it would not.
//!
//! A run under a seed is told again as a script: all of its decisions by name. Then decisions are
//! taken out, many at a time and in the end one by one, as long as what is left fails for the same
//! reason. What is not named any more is calm: messages are quick, nothing goes wrong. Likewise with the rounds of the
//! workload, and what is drawn in those that stay gets small. The cluster gets fewer nodes and the run a
//! shorter time, if that will do.

mod atom;
mod reduce;
mod small;
mod told;
mod workload;

use std::collections::BTreeSet;
use std::time::Duration;

use dacapo_core::{DecisionKey, DecisionKind, Drawn, Noise, Rest, RoundKey, Rounds, Script, Seed};

use crate::experiment::Experiment;
use crate::report::Report;
use crate::run::{Run, RunOptions, uses};
use atom::{Atom, atoms_of, script_of};
use reduce::reduce;

/// Lengths of time, in milliseconds, that a run is tried to be shortened to.
const SHORTER: [u64; 9] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 40_000];

/// How long, in milliseconds, the short runs are in which small sets of coincidences are tried.
const SMALL_SCOPES: [u64; 2] = [500, 3_000];
/// Up to so many coincidences.
const SMALL: usize = 3;
/// So many sets of each size.
const SETS_MAX: usize = 3_000;

/// Which of the messages or turns with the same cause is tried instead of a later one.
const EARLIER: [u32; 12] = [1, 2, 3, 4, 5, 6, 8, 11, 16, 32, 64, 128];

/// A run that fails, and nothing in it that need not be.
pub struct Shrunk {
    /// The experiment, on as few nodes and as short as will do.
    pub experiment: Experiment,
    /// The decisions that matter.
    pub script: Script,
    /// What comes of it.
    pub report: Report,
    /// What the workload does in it, in order.
    pub drawn: Vec<Drawn>,
    /// A decision without which the run passes, all else being equal: the latest of them.
    pub pivot: Option<DecisionKey>,
    /// How many runs it took to find out.
    pub runs: u64,
}

/// How far shrinking has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many runs there were.
    pub runs: u64,
    /// How many decisions are left.
    pub decisions: usize,
}

/// A run that was to be shrunk, and cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShrinkError {
    /// It does not fail.
    #[error("the run does not fail, so there is nothing to shrink")]
    Passes,
    /// Told by its decisions, it is not the same run.
    #[error("the same decisions, given by name, do not lead to the same failure")]
    NotTheSame,
}

impl Experiment {
    /// Shrinks a run that fails. `goes_on` is asked before each run; once it says no, what was found by then
    /// is given.
    pub fn shrink(
        &self,
        seed: Seed,
        script: Option<&Script>,
        goes_on: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Shrunk, ShrinkError> {
        let first = self.run_fully(seed, RunOptions::all_told(script.cloned()));
        let mut experiment = self.clone();
        experiment.narrow_by_script();
        let failure = first.report.failure.as_ref().ok_or(ShrinkError::Passes)?;
        let has_rounds = first.decisions.iter().any(|d| RoundKey::of_round(&d.key).is_some());
        let rounds = if has_rounds { Rounds::Given } else { Rounds::All };
        let mut search = Search {
            experiment,
            seed,
            signature: failure.signature(),
            rest: Rest {
                seed: script.map_or(seed.0, |script| script.rest.seed),
                noise: script.map_or(Noise::Calm, |script| calm(script.rest.noise)),
                rounds,
                ..Rest::default()
            },
            runs: 1,
            goes_on,
            best: atoms_of(&first.decisions),
        };
        // What comes after the failure cannot matter, and the run has ended by then.
        if search.fails(&search.best.clone()) == Some(false) {
            return Err(ShrinkError::NotTheSame);
        }
        search.anchor();
        search.leave_out_kinds();
        search.leave_out_causes();
        // With fewer rounds each run that follows is a shorter one.
        search.shrink_workload();
        search.leave_out_atoms();
        search.shrink_workload();
        search.look_into_small_scopes();
        search.begin_early();
        search.shorten();
        search.leave_out_nodes();
        search.leave_out_atoms();
        search.leave_out_details();
        search.shrink_workload();
        search.round();
        Ok(search.finish())
    }
}

/// As little noise as there can be: messages that take no time go on taking none.
fn calm(noise: Noise) -> Noise {
    match noise {
        Noise::Instant(together) | Noise::Shuffled(together) => Noise::Instant(together),
        _ => Noise::Calm,
    }
}

struct Search<'a> {
    experiment: Experiment,
    seed: Seed,
    signature: String,
    rest: Rest,
    runs: u64,
    goes_on: &'a mut dyn FnMut(Progress) -> bool,
    best: Vec<Atom>,
}

impl Search<'_> {
    /// Whether a run in which just these happen fails for the same reason; `None` if the time is up.
    fn fails(&mut self, atoms: &[Atom]) -> Option<bool> {
        self.count_run(atoms)?;
        Some(self.run_fails(&self.experiment, atoms))
    }

    fn fails_in(&mut self, experiment: &Experiment, atoms: &[Atom]) -> Option<bool> {
        self.count_run(atoms)?;
        Some(self.run_fails(experiment, atoms))
    }

    /// The run in which just these happen, with all that is decided in it, and whether it fails for the same reason; `None` if
    /// the time is up.
    fn run_of(&mut self, atoms: &[Atom]) -> Option<(bool, Run)> {
        self.count_run(atoms)?;
        let options = RunOptions::all_told(Some(script_of(atoms, self.rest)));
        let run = self.experiment.run_fully(self.seed, options);
        Some((self.is_same_failure(&run.report), run))
    }

    /// `None` if there is no time for one run more.
    fn count_run(&mut self, atoms: &[Atom]) -> Option<()> {
        let goes_on = (self.goes_on)(Progress { runs: self.runs, decisions: atoms.len() });
        self.runs += u64::from(goes_on);
        goes_on.then_some(())
    }

    fn run_fails(&self, experiment: &Experiment, atoms: &[Atom]) -> bool {
        let script = Some(script_of(atoms, self.rest));
        let (report, _) = experiment.run_with(self.seed, RunOptions { script, ..RunOptions::default() });
        self.is_same_failure(&report)
    }

    fn is_same_failure(&self, report: &Report) -> bool {
        report.failure.as_ref().is_some_and(|failure| failure.signature() == self.signature)
    }

    /// Keeps only those of the atoms whose group is needed, and those that are in none.
    fn leave_out<G: Ord + Clone>(&mut self, group: impl Fn(&Atom) -> Option<G>) {
        let atoms = std::mem::take(&mut self.best);
        let mut groups: Vec<G> = Vec::new();
        let mut known = BTreeSet::new();
        for of in atoms.iter().filter_map(&group) {
            if known.insert(of.clone()) {
                groups.push(of);
            }
        }
        if groups.is_empty() {
            self.best = atoms;
            return;
        }
        let of = |groups: &[G]| -> Vec<Atom> {
            let kept: BTreeSet<&G> = groups.iter().collect();
            let stays = |atom: &&Atom| group(atom).is_none_or(|group| kept.contains(&group));
            atoms.iter().filter(stays).cloned().collect()
        };
        let kept = reduce(groups, |rest| self.fails(&of(rest)));
        self.best = of(&kept);
    }

    fn leave_out_kinds(&mut self) {
        self.leave_out(|atom| (!atom.is_input()).then(|| (atom.kind, atom.key.lane.clone())));
    }

    fn leave_out_causes(&mut self) {
        self.leave_out(|atom| (!atom.is_input()).then(|| (atom.key.lane.clone(), atom.key.cause.clone())));
    }

    fn leave_out_atoms(&mut self) {
        self.leave_out(|atom| (!atom.is_input()).then(|| atom.key.clone()));
    }

    /// Whom a fault hits and for how long follows from the seed where it does not matter.
    fn leave_out_details(&mut self) {
        let mut bare = self.best.clone();
        bare.iter_mut().filter(|atom| !atom.is_input()).for_each(|atom| atom.details.clear());
        if self.fails(&bare) == Some(true) {
            self.best = bare;
            return;
        }
        for atom in (0..self.best.len()).filter(|atom| !bare[*atom].is_input()) {
            for detail in (0..self.best[atom].details.len()).rev() {
                let mut without = self.best.clone();
                without[atom].details.remove(detail);
                if self.fails(&without) == Some(true) {
                    self.best = without;
                }
            }
        }
    }

    /// Lets faults come after a turn instead of at a time.
    fn anchor(&mut self) {
        let script = script_of(&self.best, self.rest);
        let run = self.experiment.run_fully(self.seed, RunOptions::all_told(Some(script)));
        self.runs += 1;
        for index in 0..self.best.len() {
            let Some(anchored) = self.best[index].anchored(&run.decisions, &run.turns) else { continue };
            self.keep_if_it_fails(index, anchored);
        }
    }

    /// Looks for a small set of coincidences in a short run that lead to the same failure.
    fn look_into_small_scopes(&mut self) {
        for lasts in SMALL_SCOPES.map(Duration::from_millis) {
            let (inputs, wrong): (Vec<Atom>, Vec<Atom>) = self.best.iter().cloned().partition(Atom::is_input);
            if wrong.len() <= 2 || lasts >= self.experiment.options().lasts {
                return;
            }
            let mut experiment = self.experiment.clone();
            experiment.options_mut().lasts = lasts;
            let mut script = script_of(&inputs, self.rest);
            wrong.iter().map(|atom| uses(&atom.key.lane)).for_each(|(key, used)| script.give(key, used));
            let calm = experiment.run_fully(self.seed, RunOptions::all_told(Some(script)));
            self.runs += 1;
            let candidates = small::candidates(&calm.decisions, &wrong);
            for size in 1..wrong.len().min(SMALL + 1) {
                for mut set in small::sets(&candidates, size).into_iter().take(SETS_MAX) {
                    set.extend(inputs.iter().cloned());
                    match self.fails_in(&experiment, &set) {
                        Some(true) => {
                            (self.experiment, self.best) = (experiment, set);
                            return;
                        }
                        Some(false) => {}
                        None => return,
                    }
                }
            }
        }
    }

    /// Lets what happens happen at the first opportunity.
    fn begin_early(&mut self) {
        for index in 0..self.best.len() {
            let atom = self.best[index].clone();
            let may_move = atom.has_cause() && !atom.is_input();
            let earlier = EARLIER.into_iter().filter(|nth| may_move && *nth < atom.key.nth);
            for nth in earlier {
                if self.keep_if_it_fails(index, atom.at(nth)) {
                    break;
                }
            }
        }
    }

    fn keep_if_it_fails(&mut self, index: usize, atom: Atom) -> bool {
        let mut changed = self.best.clone();
        changed[index] = atom;
        let fails = self.fails(&changed) == Some(true);
        if fails {
            self.best = changed;
        }
        fails
    }

    fn shorten(&mut self) {
        let lasts = self.experiment.options().lasts;
        for shorter in SHORTER.map(Duration::from_millis).into_iter().filter(|shorter| *shorter < lasts) {
            let mut experiment = self.experiment.clone();
            experiment.options_mut().lasts = shorter;
            let atoms = self.best.clone();
            match self.fails_in(&experiment, &atoms) {
                Some(true) => {
                    self.experiment = experiment;
                    return;
                }
                Some(false) => {}
                None => return,
            }
        }
    }

    fn leave_out_nodes(&mut self) {
        for nodes in 1..self.experiment.nodes() {
            let Some(experiment) = self.experiment.on_nodes(nodes) else { return };
            let atoms = self.best.clone();
            if self.fails_in(&experiment, &atoms) == Some(true) {
                self.experiment = experiment;
                return;
            }
        }
    }

    /// Makes lengths of time round, so that a person can read them.
    fn round(&mut self) {
        for index in 0..self.best.len() {
            // Of what the workload does only pauses are lengths of time.
            let atom = &self.best[index];
            if atom.is_input() && !RoundKey::is_pause(&atom.key) {
                continue;
            }
            for digits in [1, 2] {
                let mut rounded = self.best[index].clone();
                rounded.round(digits);
                if rounded != self.best[index] && self.keep_if_it_fails(index, rounded) {
                    break;
                }
            }
        }
    }

    fn finish(mut self) -> Shrunk {
        let mut pivot = None;
        for index in (0..self.best.len()).rev() {
            let mut without = self.best.clone();
            let atom = without.remove(index);
            let can_be = atom.kind != DecisionKind::Detail && !atom.is_input();
            let is_pivot = can_be && self.fails(&without) == Some(false);
            if is_pivot {
                pivot = Some(atom.key);
                break;
            }
        }
        let script = script_of(&self.best, self.rest);
        // A script that gives rounds asks the workload to tell them.
        let options = RunOptions { script: Some(script.clone()), ..RunOptions::default() };
        let Run { report, drawn, .. } = self.experiment.run_fully(self.seed, options);
        Shrunk { experiment: self.experiment, script, report, drawn, pivot, runs: self.runs + 1 }
    }
}
