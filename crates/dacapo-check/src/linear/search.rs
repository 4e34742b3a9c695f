//! The search for an order: Wing and Gong's algorithm with Lowe's memory of what was tried.
//!
//! It builds the order from its beginning. Next can come whatever was invoked before the first end of an
//! operation that has not come yet (the *blocker*). It goes back when nothing fits, and never
//! enters the same pair of operations done and state twice.
//!
//! What makes it fast: operations that change nothing are taken as soon as they fit, since that can do no
//! harm; so only changes are a choice. Of those the blocker is tried first, then what leads to it: an order
//! is disturbed as late as possible. Where a model says what an object holds, `wanted.rs` tells dead ends
//! and choices that need not be regretted. And what is done is remembered as "all before this one, and
//! these after it", so that a memory costs as much as clients overlap, not as the history is long.

use std::hash::BuildHasherDefault;

use indexmap::IndexSet;
use rustc_hash::FxHasher;

use super::model::{Model, Tags};
use super::wanted::Wanted;

/// An operation between two moments, by their order.
#[derive(Debug)]
pub(super) struct Entry<'a, O> {
    pub(super) op: &'a O,
    pub(super) invoked: u32,
    /// None if it may come at any later moment, or never.
    pub(super) returned: Option<u32>,
}

impl<O> Clone for Entry<'_, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O> Copy for Entry<'_, O> {}

/// What the search has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There is an order.
    Order,
    /// There is none.
    NoOrder,
    /// There were not enough steps to say.
    Limit,
}

/// The order that got furthest, and the state to which it leads.
#[derive(Clone, Debug)]
pub(super) struct Furthest<S> {
    pub(super) order: Vec<u32>,
    pub(super) state: S,
    /// The end that it did not get past.
    blocker: u32,
}

/// A choice that was made.
struct Choice<S> {
    /// What else could come here, the best last.
    others: Vec<u32>,
    /// How long the order was.
    length: usize,
    state: S,
    /// Whether nobody wants to see this state any more.
    is_seen_off: bool,
}

type Seen<S> = IndexSet<(Box<[u64]>, S), BuildHasherDefault<FxHasher>>;

/// A history during the search: what has not come yet, in a list that an operation can leave and come back
/// to at no cost.
pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    entries: &'a [Entry<'a, M::Op>],
    is_read: Vec<bool>,
    /// Moments in order; `i` is the invocation of an entry and `entries.len() + i` its end.
    next: Vec<u32>,
    previous: Vec<u32>,
    done: Done,
    wanted: Option<Wanted>,
    order: Vec<u32>,
    known_left: usize,
}

/// Searches for an order of these entries, which stand in the order of their invocations. Takes what it
/// costs from `steps`.
pub(super) fn search<M: Model>(model: &M, entries: &[Entry<'_, M::Op>], steps: &mut u64) -> Found {
    let certain: Vec<&M::Op> =
        entries.iter().filter(|entry| entry.returned.is_some()).map(|entry| entry.op).collect();
    let knowing = model.knowing(&certain);
    let model = knowing.as_ref().unwrap_or(model);
    Search::new(model, entries, Wanted::new(model, entries)).run(steps, None)
}

/// How far an order of these entries gets that looks at the past only: what is impossible because of what
/// comes later is tried as well.
pub(super) fn furthest<M: Model>(
    model: &M,
    entries: &[Entry<'_, M::Op>],
    steps: &mut u64,
) -> Furthest<M::State> {
    let mut furthest = Furthest { order: Vec::new(), state: model.initial(), blocker: 0 };
    Search::new(model, entries, None).run(steps, Some(&mut furthest));
    furthest
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &'a M, entries: &'a [Entry<'a, M::Op>], wanted: Option<Wanted>) -> Search<'a, M> {
        let count = entries.len();
        let mut moments: Vec<(u32, u32)> = Vec::with_capacity(count * 2);
        for (index, entry) in entries.iter().enumerate() {
            moments.push((entry.invoked, index as u32));
            moments.extend(entry.returned.map(|at| (at, (count + index) as u32)));
        }
        moments.sort_unstable();
        // The list is a ring through one more node, which stands for its beginning and its end.
        let head = (count * 2) as u32;
        let (mut next, mut previous) = (vec![head; count * 2 + 1], vec![head; count * 2 + 1]);
        let mut last = head;
        for (_, node) in moments {
            next[last as usize] = node;
            previous[node as usize] = last;
            last = node;
        }
        next[last as usize] = head;
        previous[head as usize] = last;
        Search {
            model,
            entries,
            is_read: entries.iter().map(|entry| model.gives(entry.op) == Tags::Nothing).collect(),
            next,
            previous,
            done: Done::new(entries),
            wanted,
            order: Vec::new(),
            known_left: entries.iter().filter(|entry| entry.returned.is_some()).count(),
        }
    }

    fn run(mut self, steps: &mut u64, mut furthest: Option<&mut Furthest<M::State>>) -> Found {
        let mut seen: Seen<M::State> = IndexSet::default();
        let mut choices: Vec<Choice<M::State>> = Vec::new();
        let mut state = self.model.initial();
        loop {
            self.take_reads(&state, steps);
            if self.known_left == 0 {
                return Found::Order;
            }
            let held = self.model.holds(&state).zip(self.wanted.as_ref());
            let is_seen_off = held.as_ref().is_some_and(|(value, wanted)| wanted.is_seen_off(value));
            // One value after another was given, and all who want to see either have seen it. Had that come
            // later, everything else could stand in the same order after it.
            if let Some(choice) = choices.last_mut()
                && is_seen_off
                && choice.is_seen_off
            {
                choice.others.clear();
            }
            let (others, blocker) = self.candidates(&state, steps);
            if let Some(furthest) = &mut furthest
                && (blocker, self.order.len()) > (furthest.blocker, furthest.order.len())
            {
                **furthest = Furthest { order: self.order.clone(), state: state.clone(), blocker };
            }
            choices.push(Choice { others, length: self.order.len(), state, is_seen_off });
            // The next thing to try, here or at the last choice where something is left.
            state = loop {
                if *steps == 0 {
                    return Found::Limit;
                }
                let Some(choice) = choices.last_mut() else { return Found::NoOrder };
                let Some(index) = choice.others.pop() else {
                    choices.pop();
                    let length = choices.last().map_or(0, |choice| choice.length);
                    self.undo(length);
                    continue;
                };
                *steps = steps.saturating_sub(1);
                let Some(after) = self.model.step(&choice.state, self.entries[index as usize].op) else {
                    continue;
                };
                let is_optional = self.entries[index as usize].returned.is_none();
                if is_optional && after == choice.state {
                    continue;
                }
                let lost = if after == choice.state { None } else { self.model.holds(&choice.state) };
                self.take(index);
                let is_dead_end =
                    lost.zip(self.wanted.as_ref()).is_some_and(|(value, wanted)| wanted.is_missed(&value));
                if !is_dead_end && seen.insert((self.done.key(), after.clone())) {
                    break after;
                }
                let length = choice.length;
                self.undo(length);
            };
        }
    }

    /// Takes every operation that fits and changes nothing.
    fn take_reads(&mut self, state: &M::State, steps: &mut u64) {
        let count = self.entries.len() as u32;
        // Taking one may move the first end away, and let more come.
        let mut node = self.next[self.head()];
        while node < count {
            let (index, following) = (node, self.next[node as usize]);
            node = following;
            if self.is_read[index as usize] && self.entries[index as usize].returned.is_some() {
                *steps = steps.saturating_sub(1);
                if self.model.step(state, self.entries[index as usize].op).is_some() {
                    // If the next moment is its end, that goes too.
                    if node == index + count {
                        node = self.next[node as usize];
                    }
                    self.take(index);
                }
            }
        }
    }

    /// The changes that may come next, the best last, and the first end that is in the way.
    fn candidates(&self, state: &M::State, steps: &mut u64) -> (Vec<u32>, u32) {
        let count = self.entries.len() as u32;
        let mut candidates = Vec::new();
        let mut node = self.next[self.head()];
        while node < count {
            if !self.is_read[node as usize] {
                candidates.push(node);
            }
            node = self.next[node as usize];
        }
        let blocker = node - count;
        let wanted = &self.entries[blocker as usize];
        let end = wanted.returned.expect("only what has an end is in the way");
        candidates.reverse();
        *steps = steps.saturating_sub(1);
        if self.is_read[blocker as usize] || self.model.step(state, wanted.op).is_none() {
            let model = self.model;
            let distance = |index: &u32| {
                let after = model.step(state, self.entries[*index as usize].op);
                std::cmp::Reverse(after.map_or(u64::MAX, |after| model.distance(&after, wanted.op)))
            };
            *steps = steps.saturating_sub(candidates.len() as u64);
            candidates.sort_by_cached_key(distance);
        } else if let Some(at) = candidates.iter().position(|index| *index == blocker) {
            let best = candidates.remove(at);
            candidates.push(best);
        }
        (candidates, end)
    }

    fn head(&self) -> usize {
        self.entries.len() * 2
    }

    fn take(&mut self, index: u32) {
        self.unlink(index);
        if self.entries[index as usize].returned.is_some() {
            self.unlink(index + self.entries.len() as u32);
            self.known_left -= 1;
        }
        self.done.insert(index);
        if let Some(wanted) = &mut self.wanted {
            wanted.take(index);
        }
        self.order.push(index);
    }

    /// Takes back what was taken since the order was this long.
    fn undo(&mut self, length: usize) {
        while self.order.len() > length {
            let Some(index) = self.order.pop() else { return };
            self.done.remove(index);
            if let Some(wanted) = &mut self.wanted {
                wanted.put_back(index);
            }
            if self.entries[index as usize].returned.is_some() {
                self.known_left += 1;
                self.link(index + self.entries.len() as u32);
            }
            self.link(index);
        }
    }

    fn unlink(&mut self, node: u32) {
        let (before, after) = (self.previous[node as usize], self.next[node as usize]);
        self.next[before as usize] = after;
        self.previous[after as usize] = before;
    }

    /// The opposite of the `unlink` that came last.
    fn link(&mut self, node: u32) {
        let (before, after) = (self.previous[node as usize], self.next[node as usize]);
        self.next[before as usize] = node;
        self.previous[after as usize] = node;
    }
}

/// Which operations are done.
struct Done {
    /// One bit for each entry with an end, in order.
    known: Vec<u64>,
    /// One bit for each without.
    unknown: Vec<u64>,
    /// Where the bit of an entry is.
    place: Vec<(bool, u32)>,
    /// All entries with an end before this one are done.
    base: u32,
    /// How many bits of `known` may be set, and of `unknown`, in words.
    known_words: usize,
    unknown_words: usize,
    known_count: u32,
}

impl Done {
    fn new<O>(entries: &[Entry<'_, O>]) -> Done {
        let (mut known, mut unknown) = (0, 0);
        let mut place = Vec::with_capacity(entries.len());
        for entry in entries {
            let count = if entry.returned.is_some() { &mut known } else { &mut unknown };
            place.push((entry.returned.is_some(), *count));
            *count += 1;
        }
        Done {
            known: vec![0; known as usize / 64 + 1],
            unknown: vec![0; unknown as usize / 64 + 1],
            place,
            base: 0,
            known_words: 0,
            unknown_words: 0,
            known_count: known,
        }
    }

    fn insert(&mut self, index: u32) {
        let (is_known, bit) = self.place[index as usize];
        let (words, used) = if is_known {
            (&mut self.known, &mut self.known_words)
        } else {
            (&mut self.unknown, &mut self.unknown_words)
        };
        words[bit as usize / 64] |= 1 << (bit % 64);
        *used = (*used).max(bit as usize / 64 + 1);
        while self.base < self.known_count && self.known[self.base as usize / 64] >> (self.base % 64) & 1 == 1
        {
            self.base += 1;
        }
    }

    fn remove(&mut self, index: u32) {
        let (is_known, bit) = self.place[index as usize];
        let words = if is_known { &mut self.known } else { &mut self.unknown };
        words[bit as usize / 64] &= !(1 << (bit % 64));
        if is_known {
            self.base = self.base.min(bit);
        }
    }

    /// The same for equal sets, and for no others.
    fn key(&mut self) -> Box<[u64]> {
        let from = self.base as usize / 64;
        while self.known_words > from && self.known[self.known_words - 1] == 0 {
            self.known_words -= 1;
        }
        while self.unknown_words > 0 && self.unknown[self.unknown_words - 1] == 0 {
            self.unknown_words -= 1;
        }
        let known = self.known.get(from..self.known_words).unwrap_or_default();
        let unknown = &self.unknown[..self.unknown_words];
        let mut key = Vec::with_capacity(1 + known.len() + unknown.len());
        key.push(u64::from(self.base) << 32 | known.len() as u64);
        key.extend_from_slice(known);
        key.extend_from_slice(unknown);
        key.into()
    }
}
