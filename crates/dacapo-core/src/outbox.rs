//! What leaves a node after a delivery.

use std::iter::{Zip, repeat_n};

use crate::{Address, Effect, Effects};

/// Effects in order, each with its sender.
///
/// (In two lists, so that the effects of a turn become those of a node without being moved.)
#[derive(Debug, Default)]
pub struct Outbox {
    from: Vec<Address>,
    effects: Effects,
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// Adds an effect.
    pub fn push(&mut self, (from, effect): (Address, Effect)) {
        self.from.push(from);
        self.effects.push(effect);
    }

    /// Adds all effects of a turn; leaves none.
    #[inline]
    pub fn add_turn(&mut self, from: Address, effects: &mut Effects) {
        self.from.extend(repeat_n(from, effects.len()));
        if self.effects.is_empty() {
            std::mem::swap(&mut self.effects, effects);
        } else {
            self.effects.append(effects);
        }
    }

    /// All of them.
    #[inline]
    pub fn iter(
        &self,
    ) -> Zip<std::iter::Copied<std::slice::Iter<'_, Address>>, std::slice::Iter<'_, Effect>> {
        self.from.iter().copied().zip(&self.effects)
    }

    /// Takes all of them out. (Off the end of the list, for which most turns need nothing turned round: they have one effect.)
    #[inline(always)]
    pub fn take_each(&mut self, mut take: impl FnMut(Address, Effect)) {
        self.effects.reverse();
        for from in self.from.drain(..) {
            if let Some(effect) = self.effects.pop() {
                take(from, effect);
            }
        }
    }
}

impl Extend<(Address, Effect)> for Outbox {
    fn extend<T: IntoIterator<Item = (Address, Effect)>>(&mut self, all: T) {
        all.into_iter().for_each(|sent| self.push(sent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InstanceId, NodeId, TimerId};

    #[test]
    fn effects_stay_in_order_with_their_senders() {
        let address = |instance| Address { node: NodeId(0), instance: InstanceId(instance) };
        let clear = |timer| Effect::ClearTimer(TimerId(timer));
        let mut out = Outbox::new();
        let mut turn = vec![clear(1), clear(2)];
        out.add_turn(address(1), &mut turn);
        assert_eq!(turn, []);
        out.push((address(0), clear(3)));
        out.add_turn(address(2), &mut vec![clear(4)]);
        let senders: Vec<u32> = out.iter().map(|(from, _)| from.instance.0).collect();
        let mut effects = Vec::new();
        out.take_each(|_, effect| effects.push(effect));
        assert_eq!((senders, effects), (vec![1, 1, 0, 2], (1..=4).map(clear).collect()));
        assert_eq!(out.iter().count(), 0);
    }
}
