//! Looking for what is wrong in a short stretch of a long history.
//!
//! A mistake mostly shows within a few operations, while a search through a hundred thousand on one object can
//! take for ever, and refuting all of them says little. So stretches are searched by themselves, short ones
//! first. A stretch needs those that gave what is seen in it, wherever they stand, and can do without
//! everything else ([`Model::sees`]): if it has no order, neither has the history.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::model::{Model, Tags};
use super::search::{Entry, Found, search};
use crate::history::Value;

/// So many operations has a stretch at first, and then so many times as many.
const SHORTEST: usize = 16;
const GROWTH: usize = 4;
/// So many steps at most for each operation of a stretch.
const STEPS_EACH: u64 = 64;
/// So many others at most for each operation of a stretch.
const GIVERS_EACH: usize = 4;

/// The places of some entries that have no order by themselves, found in at most so many steps. There need not be any.
pub(super) fn wrong_window<M: Model>(
    model: &M,
    entries: &[Entry<'_, M::Op>],
    steps: &mut u64,
) -> Option<Vec<usize>> {
    let givers = givers(model, entries)?;
    let mut size = SHORTEST;
    while 2 * size <= entries.len() {
        for from in (0..entries.len()).step_by(size / 2) {
            let window = from..(from + size).min(entries.len());
            let Some(places) = closed(model, entries, &givers, window) else { continue };
            if *steps < places.len() as u64 {
                return None;
            }
            let part: Vec<Entry<'_, M::Op>> = places.iter().map(|place| entries[*place]).collect();
            let allowed = (STEPS_EACH * part.len() as u64).min(*steps);
            let mut left = allowed;
            let found = search(model, &part, &mut left);
            *steps -= allowed - left;
            if found == Found::NoOrder {
                return Some(places);
            }
        }
        size *= GROWTH;
    }
    None
}

/// Who gives each value. Nothing if somebody may give any.
fn givers<M: Model>(model: &M, entries: &[Entry<'_, M::Op>]) -> Option<BTreeMap<Value, Vec<usize>>> {
    let mut givers: BTreeMap<Value, Vec<usize>> = BTreeMap::new();
    for (place, entry) in entries.iter().enumerate() {
        match model.gives(entry.op) {
            Tags::Nothing => {}
            Tags::These(values) => {
                for value in values {
                    givers.entry(value).or_default().push(place);
                }
            }
            Tags::Anything | Tags::AnythingBut(_) => return None,
        }
    }
    Some(givers)
}

/// A stretch with all who gave what is seen by it. Nothing if that is too many.
fn closed<M: Model>(
    model: &M,
    entries: &[Entry<'_, M::Op>],
    givers: &BTreeMap<Value, Vec<usize>>,
    window: Range<usize>,
) -> Option<Vec<usize>> {
    let most = GIVERS_EACH * window.len();
    let sees = |place: usize| model.sees(entries[place].op);
    // Who has only seen that something is not there would need everybody, and nobody needs it.
    let is_blind = |place: &usize| {
        matches!(sees(*place), Tags::Anything | Tags::AnythingBut(_))
            && model.gives(entries[*place].op) == Tags::Nothing
    };
    let mut open: Vec<usize> = window.filter(|place| !is_blind(place)).collect();
    let mut places: BTreeSet<usize> = open.iter().copied().collect();
    while let Some(place) = open.pop() {
        match sees(place) {
            Tags::Nothing => {}
            Tags::These(values) => {
                for giver in values.iter().filter_map(|value| givers.get(value)).flatten() {
                    if places.insert(*giver) {
                        open.push(*giver);
                    }
                }
            }
            Tags::Anything | Tags::AnythingBut(_) => return None,
        }
        if places.len() > most {
            return None;
        }
    }
    Some(places.into_iter().collect())
}
