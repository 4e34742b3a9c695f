//! Who still wants to see which value, for objects that hold one value at a time ([`Model::holds`]).
//!
//! With values that are written once each, this makes the search for an order of a register's
//! operations one without regrets, as Gibbons and Korach ("Testing shared memories", 1997) have it: a
//! value whose readers have all come is done with, and one that was overwritten too early is a dead end at
//! once.

use std::hash::BuildHasherDefault;

use indexmap::IndexMap;
use rustc_hash::FxHasher;

use super::model::{Model, Tags};
use super::search::Entry;
use crate::history::Value;

/// How many operations that have not come yet have to do with a value.
#[derive(Clone, Copy, Default)]
struct Count {
    /// Give it.
    give: u32,
    /// See it, and will come for certain.
    see: u32,
    /// See it, and may come.
    may_see: u32,
    /// Must see something else.
    avoid: u32,
}

impl Count {
    fn clash(&self) -> u32 {
        u32::from(self.avoid > 0 && self.give > 0)
    }
}

/// What one operation has to do with values.
#[derive(Clone, Default)]
struct Part {
    gives: Vec<u32>,
    sees: Vec<u32>,
    avoids: Option<u32>,
    sees_anything: bool,
    is_certain: bool,
}

pub(super) struct Wanted {
    places: IndexMap<Value, u32, BuildHasherDefault<FxHasher>>,
    counts: Vec<Count>,
    parts: Vec<Part>,
    /// How many operations are left whose answer depends on any value.
    anything: u32,
    /// How many values some operation that is left must not see and another one that is left gives. While there
    /// are any, what wipes out what may matter.
    clashes: u32,
}

impl Wanted {
    /// Nothing if the model does not say what a state holds.
    pub(super) fn new<M: Model>(model: &M, entries: &[Entry<'_, M::Op>]) -> Option<Wanted> {
        model.holds(&model.initial())?;
        let mut wanted = Wanted {
            places: IndexMap::default(),
            counts: Vec::new(),
            parts: Vec::new(),
            anything: 0,
            clashes: 0,
        };
        for entry in entries {
            let mut part = Part { is_certain: entry.returned.is_some(), ..Part::default() };
            if let Tags::These(values) = model.gives(entry.op) {
                part.gives = values.iter().map(|value| wanted.place(value)).collect();
            }
            match model.sees(entry.op) {
                Tags::Nothing => {}
                Tags::These(values) => part.sees = values.iter().map(|value| wanted.place(value)).collect(),
                Tags::AnythingBut(value) => part.avoids = Some(wanted.place(&value)),
                Tags::Anything => part.sees_anything = true,
            }
            wanted.parts.push(part);
        }
        (0..entries.len() as u32).for_each(|index| wanted.put_back(index));
        Some(wanted)
    }

    fn place(&mut self, value: &Value) -> u32 {
        let next = self.counts.len() as u32;
        let place = *self.places.entry(value.clone()).or_insert(next);
        if place == next {
            self.counts.push(Count::default());
        }
        place
    }

    fn count(&self, value: &Value) -> Count {
        self.places.get(value).map(|place| self.counts[*place as usize]).unwrap_or_default()
    }

    /// The operation has come.
    pub(super) fn take(&mut self, index: u32) {
        self.count_in(index, |count| *count -= 1);
    }

    /// It has not.
    pub(super) fn put_back(&mut self, index: u32) {
        self.count_in(index, |count| *count += 1);
    }

    fn count_in(&mut self, index: u32, change: impl Fn(&mut u32)) {
        let Wanted { counts, parts, anything, clashes, .. } = self;
        let part = &parts[index as usize];
        let mut change_at = |place: u32, which: fn(&mut Count) -> &mut u32| {
            let count = &mut counts[place as usize];
            *clashes -= count.clash();
            change(which(count));
            *clashes += count.clash();
        };
        part.gives.iter().for_each(|place| change_at(*place, |count| &mut count.give));
        for place in &part.sees {
            change_at(
                *place,
                if part.is_certain { |count| &mut count.see } else { |count| &mut count.may_see },
            );
        }
        part.avoids.iter().for_each(|place| change_at(*place, |count| &mut count.avoid));
        if part.sees_anything {
            change(anything);
        }
    }

    /// Whether somebody will certainly want to see the value and nobody will give it again.
    pub(super) fn is_missed(&self, value: &Value) -> bool {
        let count = self.count(value);
        count.see > 0 && count.give == 0
    }

    /// Whether nobody will want to see the value, or care which one is there.
    pub(super) fn is_seen_off(&self, value: &Value) -> bool {
        let count = self.count(value);
        let wanting = count.see + count.may_see + count.give + count.avoid + self.anything + self.clashes;
        wanting == 0
    }
}
