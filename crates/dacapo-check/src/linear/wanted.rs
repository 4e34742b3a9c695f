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
}

impl Wanted {
    /// Nothing if the model does not say what a state holds.
    pub(super) fn new<M: Model>(model: &M, entries: &[Entry<'_, M::Op>]) -> Option<Wanted> {
        model.holds(&model.initial())?;
        let mut wanted =
            Wanted { places: IndexMap::default(), counts: Vec::new(), parts: Vec::new(), anything: 0 };
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
        let part = &self.parts[index as usize];
        part.gives.iter().for_each(|place| self.counts[*place as usize].give -= 1);
        for place in &part.sees {
            let count = &mut self.counts[*place as usize];
            *(if part.is_certain { &mut count.see } else { &mut count.may_see }) -= 1;
        }
        if let Some(place) = part.avoids {
            self.counts[place as usize].avoid -= 1;
        }
        self.anything -= u32::from(part.sees_anything);
    }

    /// It has not.
    pub(super) fn put_back(&mut self, index: u32) {
        let part = &self.parts[index as usize];
        part.gives.iter().for_each(|place| self.counts[*place as usize].give += 1);
        for place in &part.sees {
            let count = &mut self.counts[*place as usize];
            *(if part.is_certain { &mut count.see } else { &mut count.may_see }) += 1;
        }
        if let Some(place) = part.avoids {
            self.counts[place as usize].avoid += 1;
        }
        self.anything += u32::from(part.sees_anything);
    }

    /// Whether somebody will certainly want to see the value and nobody will give it again.
    pub(super) fn is_missed(&self, value: &Value) -> bool {
        let count = self.count(value);
        count.see > 0 && count.give == 0
    }

    /// Whether nobody will want to see the value, or care which one is there.
    pub(super) fn is_seen_off(&self, value: &Value) -> bool {
        let count = self.count(value);
        let wanting = count.see + count.may_see + count.give + count.avoid + self.anything;
        wanting == 0
    }
}
