//! Making a history that is not linearizable small: it keeps the end that no order gets past, and of the
//! rest as little as possible.
//!
//! Not everything may be left out. Without the write, every history is wrong in which its value is read;
//! that would be a smaller history, and a lie. What may leave is what nothing that stays has seen
//! ([`Model::sees`]): then the large history is wrong whenever the small one is.

use std::collections::BTreeSet;

use super::model::{Model, Tags};
use super::search::{Entry, Found, search};
use crate::history::Value;

/// What is left, in order, and which of it cannot be passed.
pub(super) struct Small<'a, O> {
    pub(super) entries: Vec<Entry<'a, O>>,
    /// Where each stood before.
    pub(super) places: Vec<usize>,
    /// How many there were.
    pub(super) of: usize,
    /// Whether all was tried.
    pub(super) is_minimal: bool,
}

/// Shrinks a history that is not linearizable, of which the entries at these places are not either, for at most so many
/// steps.
pub(super) fn shrink<'a, M: Model>(
    model: &M,
    entries: &[Entry<'a, M::Op>],
    places: Vec<usize>,
    mut steps: u64,
) -> Small<'a, M::Op> {
    let of = entries.len();
    let mut left: Vec<Placed<'a, M::Op>> = places.into_iter().map(|place| (place, entries[place])).collect();
    let mut is_minimal =
        first_end(model, &mut left, &mut steps) && leave_out_blind(model, &mut left, &mut steps);
    let mut size = left.len().div_ceil(2).max(1);
    while is_minimal {
        let before = left.len();
        is_minimal = leave_out(model, &mut left, size, &mut steps) && first_end(model, &mut left, &mut steps);
        if size > 1 {
            size = size.div_ceil(2);
        } else if left.len() == before {
            break;
        }
    }
    let (places, entries) = left.into_iter().unzip();
    Small { entries, places, of, is_minimal }
}

type Placed<'a, O> = (usize, Entry<'a, O>);

/// Whether there is still no order. Nothing if there were not enough steps to say.
fn is_wrong<M: Model>(model: &M, left: &[Placed<'_, M::Op>], steps: &mut u64) -> Option<bool> {
    let entries: Vec<Entry<'_, M::Op>> = left.iter().map(|(_, entry)| *entry).collect();
    match search(model, &entries, steps) {
        Found::Order => Some(false),
        Found::NoOrder => Some(true),
        Found::Limit => None,
    }
}

/// Keeps what had begun by the first end that no order gets past. False if there was no time to find it.
fn first_end<'a, M: Model>(model: &M, left: &mut Vec<Placed<'a, M::Op>>, steps: &mut u64) -> bool {
    let mut ends: Vec<u32> = left.iter().filter_map(|(_, entry)| entry.returned).collect();
    ends.sort_unstable();
    // The wrong end is among `ends[good..=bad]`: what is wrong at one end is wrong at all later ones.
    let (mut good, mut bad) = (0, ends.len().saturating_sub(1));
    while good < bad {
        let middle = good.midpoint(bad);
        match is_wrong(model, &cut(model, left, ends[middle]), steps) {
            Some(true) => bad = middle,
            Some(false) => good = middle + 1,
            None => return false,
        }
    }
    if let Some(end) = ends.get(bad) {
        *left = cut(model, left, *end);
    }
    true
}

/// What had been invoked at this end. What had not ended by then may come or not; of that, what changes
/// nothing does not matter.
fn cut<'a, M: Model>(model: &M, left: &[Placed<'a, M::Op>], end: u32) -> Vec<Placed<'a, M::Op>> {
    let begun = left.iter().filter(|(_, entry)| entry.invoked < end);
    let cut = begun.map(|(place, entry)| {
        let returned = entry.returned.filter(|at| *at <= end);
        (*place, Entry { returned, ..*entry })
    });
    cut.filter(|(_, entry)| entry.returned.is_some() || model.gives(entry.op) != Tags::Nothing).collect()
}

/// Leaves out what has seen that something is not there, if it can be done without: as long as it stays,
/// so must all others. False if there was no time to try it.
fn leave_out_blind<M: Model>(model: &M, left: &mut Vec<Placed<'_, M::Op>>, steps: &mut u64) -> bool {
    let is_blind = |entry: &Entry<'_, M::Op>| {
        model.gives(entry.op) == Tags::Nothing && matches!(model.sees(entry.op), Tags::AnythingBut(_))
    };
    let trial: Vec<Placed<'_, M::Op>> = left.iter().filter(|(_, entry)| !is_blind(entry)).copied().collect();
    match is_wrong(model, &trial, steps) {
        Some(true) => *left = trial,
        Some(false) => {}
        None => return false,
    }
    true
}

/// Leaves out so many at a time, as long as the rest is wrong. False if there was no time to try it all.
fn leave_out<'a, M: Model>(
    model: &M,
    left: &mut Vec<Placed<'a, M::Op>>,
    size: usize,
    steps: &mut u64,
) -> bool {
    let mut from = 0;
    while from < left.len() {
        let to = (from + size).min(left.len());
        // To look who may leave takes time as well.
        *steps = steps.saturating_sub(left.len() as u64);
        if *steps == 0 {
            return false;
        }
        let staying = without(model, left, from..to);
        let trial: Vec<Placed<'a, M::Op>> = staying.iter().map(|index| left[*index]).collect();
        if trial.len() == left.len() {
            from = to;
            continue;
        }
        match is_wrong(model, &trial, steps) {
            Some(true) => *left = trial,
            Some(false) => from = to,
            None => return false,
        }
    }
    true
}

/// The places of what must stay if this range, or as much of it as may, leaves, and with it all that has to
/// do with its values. (What is stuck may leave as well: the rest may be stuck at another end.)
fn without<'a, M: Model>(
    model: &M,
    entries: &[Placed<'a, M::Op>],
    range: std::ops::Range<usize>,
) -> Vec<usize> {
    let mut given = Values::default();
    for (_, entry) in &entries[range.clone()] {
        if let values @ Tags::These(_) = model.gives(entry.op) {
            given.add(values);
        }
    }
    let mut seen = Values::default();
    let mut leaving: Vec<usize> = Vec::new();
    let mut staying: Vec<usize> = Vec::new();
    for (index, (_, entry)) in entries.iter().enumerate() {
        let has_to_do = |tags: Tags| matches!(tags, Tags::These(_)) && given.meets(&tags);
        if range.contains(&index) || has_to_do(model.gives(entry.op)) || has_to_do(model.sees(entry.op)) {
            leaving.push(index);
        } else {
            staying.push(index);
            seen.add(model.sees(entry.op));
        }
    }
    // What has to stay may have seen what else would leave.
    loop {
        let (must_stay, may_leave): (Vec<usize>, Vec<usize>) =
            leaving.iter().partition(|index| seen.meets(&model.gives(entries[**index].1.op)));
        leaving = may_leave;
        if must_stay.is_empty() {
            break;
        }
        for index in &must_stay {
            seen.add(model.sees(entries[*index].1.op));
        }
        staying.extend(must_stay);
    }
    staying.sort_unstable();
    staying
}

/// What several operations give or see.
#[derive(Default)]
struct Values {
    anything: bool,
    values: BTreeSet<Value>,
}

impl Values {
    fn add(&mut self, tags: Tags) {
        match tags {
            Tags::Nothing => {}
            Tags::These(values) => self.values.extend(values),
            Tags::Anything | Tags::AnythingBut(_) => self.anything = true,
        }
    }

    fn meets(&self, tags: &Tags) -> bool {
        match tags {
            Tags::Nothing => false,
            Tags::These(_) if self.anything => true,
            Tags::These(values) => values.iter().any(|value| self.values.contains(value)),
            Tags::Anything | Tags::AnythingBut(_) => self.anything || !self.values.is_empty(),
        }
    }
}
