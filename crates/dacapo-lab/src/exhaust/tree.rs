//! The tree of all orders, of which one path after the other is walked, and as few as will do.
//!
//! Two orders that differ only in steps that have nothing to do with each other lead to the same, so one of them is
//! enough: dynamic partial-order reduction (Flanagan and Godefroid, POPL 2005) with source sets and sleep sets (Abdulla,
//! Aronis, Jonsson and Sagonas, "Optimal Dynamic Partial Order Reduction", POPL 2014). A path is walked in the order in
//! which things were sent; then every race in it, which is two steps that could have come the other way round and whose
//! footprints meet, asks for a branch at the earlier of them.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_sim::{Footprint, Scheduler, UnderWay};

use super::race;

/// The path that is walked at present, and what is still to be done beside it.
pub(super) struct Tree {
    /// Without reduction every order is walked: to compare with.
    pub(super) reduces: bool,
    path: Vec<Fork>,
    /// How many steps the present run has taken.
    at: usize,
    /// The first step of the present run that was not taken in the one before.
    first_new: usize,
    /// Why the present run was ended early.
    pub(super) cut: Option<Cut>,
}

/// Why a run was ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Whatever could come next would repeat what was seen.
    Repeats,
    /// What was under way was not the same as the first time.
    Diverged,
}

/// A moment at which something had to come next.
pub(super) struct Fork {
    pub(super) under_way: Vec<UnderWay>,
    /// Which of them was taken, and what it turned out to have to do with.
    pub(super) taken: usize,
    pub(super) footprint: Footprint,
    /// What is to be taken here, in this run or another.
    wanted: BTreeSet<u64>,
    /// What was taken before, with all that followed.
    done: BTreeMap<u64, Footprint>,
    /// What was taken before elsewhere: here it would lead to the same.
    asleep: BTreeMap<u64, Footprint>,
}

impl Fork {
    /// What was taken.
    pub(super) fn step(&self) -> &UnderWay {
        &self.under_way[self.taken]
    }

    /// Asks for one of these, unless one of them is asked for, or needless.
    fn want_one_of(&mut self, steps: &[u64]) {
        if steps.iter().any(|step| self.wanted.contains(step) || self.asleep.contains_key(step)) {
            return;
        }
        match steps.iter().find(|step| self.under_way.iter().any(|other| other.id == **step)) {
            Some(step) => {
                self.wanted.insert(*step);
            }
            // It cannot be taken here, so there is no telling what leads to it.
            None => self.wanted.extend(self.under_way.iter().map(|step| step.id)),
        }
    }

    /// What is wanted and not done.
    fn open(&self) -> Option<usize> {
        let is_open = |step: &UnderWay| {
            self.wanted.contains(&step.id)
                && !self.done.contains_key(&step.id)
                && !self.asleep.contains_key(&step.id)
        };
        self.under_way.iter().position(is_open)
    }
}

impl Tree {
    pub(super) fn new(reduces: bool) -> Tree {
        Tree { reduces, path: Vec::new(), at: 0, first_new: 0, cut: None }
    }

    /// A run begins.
    pub(super) fn begin(&mut self) {
        self.at = 0;
        self.cut = None;
    }

    /// A run has ended, and this is what its last step has to do with. Gives whether there is another order to try.
    pub(super) fn end(&mut self, last: Option<&Footprint>) -> bool {
        if self.at < self.path.len() {
            self.cut = Some(Cut::Diverged);
        }
        if self.cut == Some(Cut::Diverged) {
            return false;
        }
        if let (None, Some(fork), Some(last)) = (self.cut, self.path.last_mut(), last) {
            fork.footprint = last.clone();
        }
        if self.reduces {
            for (index, steps) in race::reversals(&self.path, self.first_new) {
                self.path[index].want_one_of(&steps);
            }
        }
        self.backtrack()
    }

    /// Goes back to the last fork at which something is left to be taken.
    fn backtrack(&mut self) -> bool {
        while let Some(fork) = self.path.last_mut() {
            let step = fork.step().id;
            fork.done.insert(step, std::mem::take(&mut fork.footprint));
            if let Some(next) = fork.open() {
                fork.taken = next;
                self.first_new = self.path.len() - 1;
                return true;
            }
            self.path.pop();
        }
        false
    }

    /// A fork that no run has come to before; `None` if all that is under way is asleep.
    fn fork(&self, under_way: &[UnderWay]) -> Option<Fork> {
        let is_apart = |(_, footprint): &(&u64, &Footprint)| {
            self.path.last().is_some_and(|before| !before.footprint.meets(footprint))
        };
        let before = self.path.last().into_iter().flat_map(|fork| fork.asleep.iter().chain(&fork.done));
        let asleep: BTreeMap<u64, Footprint> =
            before.filter(is_apart).filter(|_| self.reduces).map(|(id, f)| (*id, f.clone())).collect();
        let taken = under_way.iter().position(|step| !asleep.contains_key(&step.id))?;
        let wanted = match self.reduces {
            true => BTreeSet::from([under_way[taken].id]),
            false => under_way.iter().map(|step| step.id).collect(),
        };
        let (footprint, done) = (Footprint::default(), BTreeMap::new());
        Some(Fork { under_way: under_way.to_vec(), taken, footprint, wanted, done, asleep })
    }
}

impl Scheduler for Tree {
    fn choose(&mut self, last: Option<&Footprint>, under_way: &[UnderWay]) -> Option<usize> {
        if let (Some(index), Some(last)) = (self.at.checked_sub(1), last) {
            self.path[index].footprint = last.clone();
        }
        if let Some(fork) = self.path.get(self.at) {
            if fork.under_way != under_way {
                self.cut = Some(Cut::Diverged);
                return None;
            }
        } else {
            let Some(fork) = self.fork(under_way) else {
                self.cut = Some(Cut::Repeats);
                return None;
            };
            self.path.push(fork);
        }
        self.at += 1;
        Some(self.path[self.at - 1].taken)
    }
}
