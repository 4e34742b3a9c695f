//! What is yet to happen, ordered by time. Among things due at the same instant a decision
//! chooses, so that no order is taken for granted that the real world does not promise.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use dacapo_core::{Decisions, Lane, Time};

/// A queue of things with their times.
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<(Time, u64, u32)>>,
    items: Vec<Option<T>>,
    free: Vec<u32>,
    pushed: u64,
    ties: Vec<(u64, u32)>,
    lane: Lane,
}

/// Where an item lies that was popped and has yet to be taken.
pub(crate) struct QueueSlot(pub(crate) u32);

impl<T> Queue<T> {
    pub(crate) fn new(decisions: &mut Decisions) -> Queue<T> {
        Queue {
            heap: BinaryHeap::new(),
            items: Vec::new(),
            free: Vec::new(),
            pushed: 0,
            ties: Vec::new(),
            lane: decisions.lane("schedule"),
        }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, at: Time, item: T) {
        let slot = self.slot_for(at);
        self.items[slot as usize] = Some(item);
    }

    /// A free slot for what happens then.
    fn slot_for(&mut self, at: Time) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.items.push(None);
            self.items.len() as u32 - 1
        });
        self.heap.push(Reverse((at, self.pushed, slot)));
        self.pushed += 1;
        slot
    }

    /// Says what happens next, and when. The item stays in its slot until it is taken, because it is
    /// large.
    #[inline(always)]
    pub(crate) fn pop(&mut self, decisions: &mut Decisions) -> Option<(Time, QueueSlot)> {
        let Reverse((at, seq, slot)) = self.heap.pop()?;
        let slot = match self.heap.peek() {
            Some(Reverse((next, ..))) if *next == at => self.choose(at, seq, slot, decisions),
            _ => slot,
        };
        Some((at, QueueSlot(slot)))
    }

    /// Takes it out.
    #[inline]
    pub(crate) fn take(&mut self, QueueSlot(slot): QueueSlot) -> T {
        self.free.push(slot);
        self.items[slot as usize].take().expect("a queued slot holds an item")
    }

    /// What happens next if nobody chooses, with its time and its place in the order in which things were put in.
    pub(crate) fn pop_in_order(&mut self) -> Option<(Time, u64, QueueSlot)> {
        self.heap.pop().map(|Reverse((at, seq, slot))| (at, seq, QueueSlot(slot)))
    }

    /// What lies in a slot that was popped and not taken yet.
    pub(crate) fn peek(&self, slot: u32) -> &T {
        self.items[slot as usize].as_ref().expect("a queued slot holds an item")
    }

    /// The lane of what comes first.
    pub(crate) fn lane(&self) -> Lane {
        self.lane
    }

    #[cold]
    fn choose(&mut self, at: Time, seq: u64, slot: u32, decisions: &mut Decisions) -> u32 {
        self.ties.push((seq, slot));
        while let Some(Reverse((next, seq, slot))) = self.heap.peek().copied() {
            if next != at {
                break;
            }
            self.heap.pop();
            self.ties.push((seq, slot));
        }
        let chosen = decisions.order(self.lane, "first", self.ties.len() as u64) as usize;
        let (_, slot) = self.ties.remove(chosen);
        for (seq, slot) in self.ties.drain(..) {
            self.heap.push(Reverse((at, seq, slot)));
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
}
