//! One run after the other of an exhaustive search.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use dacapo_core::{Decision, Script, Seed};
use dacapo_sim::Ending;

use super::coincidence::{self, Set};
use super::tree::{Cut, Tree};
use super::{Bounds, Exhausted};
use crate::experiment::Experiment;
use crate::explore::{Attempt, Found, Strategy};
use crate::report::{Failure, Report};
use crate::run::RunOptions;

/// A search, and where it stands.
pub(crate) struct Search {
    experiment: Experiment,
    bounds: Bounds,
    tree: Rc<RefCell<Tree>>,
    /// The faults of the present runs, those that are yet to come with as many, and those with one more.
    set: Set,
    sets: VecDeque<Set>,
    more: VecDeque<Set>,
    known: BTreeSet<Set>,
    executions: u64,
    orders: Vec<u64>,
    complete: Option<usize>,
    cut: u64,
    diverged: bool,
    is_over: bool,
    last: Option<Script>,
}

/// A run of a search.
pub(crate) struct Walked {
    pub(crate) report: Report,
    /// Whether it is an order that no other run has shown.
    pub(crate) is_new: bool,
    /// Whether it ended because it was too long.
    pub(crate) is_cut: bool,
    bounds: Bounds,
    script: Script,
}

impl Walked {
    /// The attempt that repeats it.
    pub(crate) fn attempt(&self, number: u64) -> Attempt {
        let Bounds { lasts, seed, .. } = self.bounds;
        let millis = u32::try_from(lasts.as_millis()).unwrap_or(u32::MAX);
        let strategy = Strategy::Exhaustive(millis);
        Attempt { strategy, number, seed: Seed(seed), lasts, script: Some(self.script.clone()) }
    }
}

impl Search {
    pub(crate) fn new(experiment: &Experiment, bounds: Bounds) -> Search {
        let mut experiment = experiment.clone();
        experiment.options_mut().lasts = bounds.lasts;
        experiment.options_mut().deliveries_max = bounds.deliveries;
        Search {
            experiment,
            bounds,
            tree: Rc::new(RefCell::new(Tree::new(bounds.reduces))),
            set: Set::new(),
            sets: VecDeque::new(),
            more: VecDeque::new(),
            known: BTreeSet::new(),
            executions: 0,
            orders: vec![0],
            complete: None,
            cut: 0,
            diverged: false,
            is_over: false,
            last: None,
        }
    }

    /// The bounds that it keeps to.
    pub(crate) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// How many runs there were.
    pub(crate) fn executions(&self) -> u64 {
        self.executions
    }

    /// Makes the next run; `None` if there is none within the bounds.
    pub(crate) fn next(&mut self) -> Option<Walked> {
        if self.is_over {
            return None;
        }
        let mut script = coincidence::script(&self.experiment, &self.bounds, &self.set);
        self.tree.borrow_mut().begin();
        let options = RunOptions {
            script: Some(script.clone()),
            remember: true,
            scheduler: Some(self.tree.clone()),
            ..RunOptions::default()
        };
        let run = self.experiment.run_fully(Seed(self.bounds.seed), options);
        self.executions += 1;
        let has_more = self.tree.borrow_mut().end(run.sim.last_footprint());
        let cut = self.tree.borrow().cut;
        let is_cut = matches!(run.report.failure, Some(Failure::Ending(Ending::Endless(_))));
        self.cut += u64::from(is_cut);
        let is_whole = cut.is_none() && run.report.passed();
        let is_new = is_whole && coincidence::all_struck(&run.decisions, &self.set);
        *self.orders.last_mut().expect("of the present number of faults") += u64::from(is_new);
        if self.set.len() < self.bounds.faults {
            for set in coincidence::possible(&self.experiment, &run, &self.set) {
                if self.known.insert(set.clone()) {
                    self.more.push_back(set);
                }
            }
        }
        if cut == Some(Cut::Diverged) {
            (self.diverged, self.is_over) = (true, true);
        } else if !has_more {
            self.take_next_set();
        }
        give_order(&mut script, &run.decisions);
        self.last = Some(script.clone());
        Some(Walked { report: run.report, is_new, is_cut, bounds: self.bounds, script })
    }

    /// Makes the last run once more.
    pub(crate) fn again(&self) -> Option<Walked> {
        let script = self.last.clone()?;
        let options = RunOptions { script: Some(script.clone()), ..RunOptions::default() };
        let (report, _) = self.experiment.run_with(Seed(self.bounds.seed), options);
        Some(Walked { report, is_new: false, is_cut: false, bounds: self.bounds, script })
    }

    /// All orders with these faults were tried.
    fn take_next_set(&mut self) {
        *self.tree.borrow_mut() = Tree::new(self.bounds.reduces);
        if self.sets.is_empty() {
            let faults = self.set.len();
            if self.cut == 0 {
                // If nothing can go wrong, then not more than once either.
                self.complete = Some(if self.more.is_empty() { self.bounds.faults } else { faults });
            }
            if self.more.is_empty() {
                self.is_over = true;
                return;
            }
            self.sets = std::mem::take(&mut self.more);
            self.known.clear();
            self.orders.push(0);
        }
        self.set = self.sets.pop_front().expect("there are some");
    }

    pub(crate) fn finish(self, found: Option<Found>) -> Exhausted {
        let Search { bounds, executions, orders, complete, cut, diverged, .. } = self;
        Exhausted { bounds, executions, orders, complete, cut, found, diverged }
    }
}

/// What came first wherever something could, as far as that was not what was sent first.
fn give_order(script: &mut Script, log: &[Decision]) {
    let order = log.iter().filter(|decision| decision.key.lane == "schedule" && decision.chosen > 0);
    order.for_each(|decision| script.give(decision.key.clone(), decision.chosen));
}
