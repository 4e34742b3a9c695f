//! What is yet to happen, ordered by time. Among things due at the same instant a decision
//! chooses, so that no order is taken for granted that the real world does not promise.

use dacapo_core::{Decisions, Lane, Time};

use crate::agenda::{Agenda, Due};

/// A queue of things with their times.
pub(crate) struct Queue<T> {
    agenda: Agenda,
    items: Vec<T>,
    free: Vec<u32>,
    /// How many had been put in before what lies in each slot.
    seqs: Vec<u64>,
    pushed: u64,
    ties: Vec<(u64, u32)>,
    lane: Lane,
}

/// Where an item lies that was popped and has yet to be taken.
pub(crate) struct QueueSlot(pub(crate) u32);

impl<T: Default> Queue<T> {
    pub(crate) fn new(decisions: &mut Decisions) -> Queue<T> {
        Queue {
            agenda: Agenda::default(),
            items: Vec::new(),
            free: Vec::new(),
            seqs: Vec::new(),
            pushed: 0,
            ties: Vec::new(),
            lane: decisions.lane("schedule"),
        }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, at: Time, item: T) {
        self.push_with(at, || item);
    }

    /// The same; the item is made where it is to lie, because it is large.
    #[inline(always)]
    pub(crate) fn push_with(&mut self, at: Time, item: impl FnOnce() -> T) {
        let slot = self.slot_for(at);
        // (What lies in a free slot was taken out: there is nothing left to drop.)
        std::mem::forget(std::mem::replace(slot, item()));
    }

    /// A free slot for what happens then.
    #[inline(never)]
    fn slot_for(&mut self, at: Time) -> &mut T {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.items.push(T::default());
            self.seqs.push(0);
            self.items.len() as u32 - 1
        });
        self.agenda.add(Due { at, slot });
        self.seqs[slot as usize] = self.pushed;
        self.pushed += 1;
        &mut self.items[slot as usize]
    }

    /// Says what happens next, and when. The item stays in its slot until it is taken, because it is
    /// large.
    #[inline(always)]
    pub(crate) fn pop(&mut self, decisions: &mut Decisions) -> Option<(Time, QueueSlot)> {
        let Due { at, slot } = self.agenda.take()?;
        let slot = if self.agenda.is_due(at) { self.choose(at, slot, decisions) } else { slot };
        Some((at, QueueSlot(slot)))
    }

    /// Takes it out.
    #[inline]
    pub(crate) fn take(&mut self, slot: QueueSlot) -> T {
        std::mem::take(self.take_in_place(slot))
    }

    /// The same, where it lies: it is gone with the next thing that is put in, and whatever it holds must have been taken
    /// out of it by then.
    #[inline(always)]
    pub(crate) fn take_in_place(&mut self, QueueSlot(slot): QueueSlot) -> &mut T {
        self.free.push(slot);
        &mut self.items[slot as usize]
    }

    /// All that waits, with its time and its place in the order in which things were put in: in the order in which it happens if
    /// nobody chooses.
    pub(crate) fn pop_all(&mut self) -> Vec<(Time, u64, QueueSlot)> {
        let all = std::iter::from_fn(|| self.agenda.take());
        let mut all: Vec<_> =
            all.map(|Due { at, slot }| (at, self.seqs[slot as usize], QueueSlot(slot))).collect();
        all.sort_unstable_by_key(|(at, seq, _)| (*at, *seq));
        all
    }

    /// What lies in a slot that was popped and not taken yet.
    pub(crate) fn peek(&self, slot: u32) -> &T {
        &self.items[slot as usize]
    }

    /// The lane of what comes first.
    pub(crate) fn lane(&self) -> Lane {
        self.lane
    }

    #[cold]
    fn choose(&mut self, at: Time, slot: u32, decisions: &mut Decisions) -> u32 {
        self.ties.push((self.seqs[slot as usize], slot));
        while self.agenda.is_due(at) {
            let slot = self.agenda.take().expect("it is due").slot;
            self.ties.push((self.seqs[slot as usize], slot));
        }
        self.ties.sort_unstable();
        let chosen = decisions.order(self.lane, "first", self.ties.len() as u64) as usize;
        let (_, slot) = self.ties.remove(chosen);
        for (_, slot) in self.ties.drain(..) {
            self.agenda.add(Due { at, slot });
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dacapo_core::{Seed, Source};

    fn order(seed: u64, times: &[u64]) -> Vec<u64> {
        let mut decisions = Decisions::new(Seed(seed), Source::Seed);
        let mut queue = Queue::new(&mut decisions);
        for (i, t) in times.iter().enumerate() {
            queue.push(Time(*t), i as u64);
        }
        std::iter::from_fn(|| {
            let (_, slot) = queue.pop(&mut decisions)?;
            Some(queue.take(slot))
        })
        .collect()
    }

    #[test]
    fn time_never_goes_back() {
        assert_eq!(order(1, &[5, 3, 9, 1]), [3, 1, 0, 2]);
    }

    #[test]
    fn the_seed_chooses_among_equals() {
        let orders: std::collections::BTreeSet<_> = (0..50).map(|seed| order(seed, &[7, 7, 7])).collect();
        assert_eq!(orders.len(), 6, "every order of three equals comes up");
        assert_eq!(order(3, &[7, 7, 7]), order(3, &[7, 7, 7]));
    }

    #[test]
    fn what_is_put_in_meanwhile_comes_in_its_turn() {
        let mut decisions = Decisions::new(Seed(1), Source::Seed);
        let mut queue = Queue::new(&mut decisions);
        let (mut random, mut expected) = (Seed(2).stream("steps"), std::collections::BTreeMap::new());
        for number in 0..10_000 {
            // More comes in than goes out until there are many, then the other way round.
            if random.below(100) < if number % 400 < 200 { 70 } else { 30 } {
                let at = random.below(1 << 40);
                queue.push(Time(at), number);
                expected.insert(at, number);
            } else {
                let next = queue.pop(&mut decisions).map(|(Time(at), slot)| (at, queue.take(slot)));
                assert_eq!(next, expected.pop_first());
            }
        }
    }
}
