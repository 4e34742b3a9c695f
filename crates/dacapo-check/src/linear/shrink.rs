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

/// Shrinks a history that gets stuck at this end, for at most so many steps.
pub(super) fn shrink<'a, M: Model>(
    model: &M,
    entries: &[Entry<'a, M::Op>],
    stuck: u32,
    mut steps: u64,
) -> Small<'a, M::Op> {
    let of = entries.len();
    let mut left = cut(model, entries.iter().copied().enumerate().collect(), stuck);
    let mut size = left.len().div_ceil(2).max(1);
    let mut is_minimal = true;
    'sizes: loop {
        let mut has_shrunk = false;
        let mut from = 0;
        while from < left.len() {
            let to = (from + size).min(left.len());
            let staying = without(model, &left, from..to);
            if staying.len() == left.len() {
                from = to;
                continue;
            }
            let trial: Vec<Entry<'a, M::Op>> = staying.iter().map(|index| left[*index].1).collect();
            match search(model, &trial, &mut steps, None) {
                Found::Stuck(end) => {
                    let kept = staying.iter().map(|index| left[*index]).collect();
                    left = cut(model, kept, end);
                    has_shrunk = true;
                }
                Found::Order => from = to,
                Found::Limit => {
                    is_minimal = false;
                    break 'sizes;
                }
            }
        }
        if size > 1 {
            size = size.div_ceil(2);
        } else if !has_shrunk {
            break;
        }
    }
    let (places, entries) = left.into_iter().unzip();
    Small { entries, places, of, is_minimal }
}

type Placed<'a, O> = (usize, Entry<'a, O>);

/// What had been invoked at this end. What had not ended by then may come or not; of that, what changes
/// nothing does not matter.
fn cut<'a, M: Model>(model: &M, entries: Vec<Placed<'a, M::Op>>, end: u32) -> Vec<Placed<'a, M::Op>> {
    let begun = entries.into_iter().filter(|(_, entry)| entry.invoked < end);
    let cut = begun.map(|(place, entry)| {
        let returned = entry.returned.filter(|at| *at <= end);
        (place, Entry { returned, ..entry })
    });
    cut.filter(|(_, entry)| entry.returned.is_some() || model.gives(entry.op) != Tags::Nothing).collect()
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
            Tags::Anything => self.anything = true,
        }
    }

    fn meets(&self, tags: &Tags) -> bool {
        match tags {
            Tags::Nothing => false,
            Tags::These(_) if self.anything => true,
            Tags::These(values) => values.iter().any(|value| self.values.contains(value)),
            Tags::Anything => self.anything || !self.values.is_empty(),
        }
    }
}
