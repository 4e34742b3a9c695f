//! Whose records are lost.
//!
//! Records are numbered, so it is known how many are missing, and the next one says whose the ones
//! before it were. Only if more are missing than it names may it have been anybody's.

use dacapo_core::ObjectKey;

use super::{Damage, Entry, Store, file, trail};

impl Store {
    /// Why the state of this object cannot be told, if it cannot.
    pub(super) fn damage_of(&self, key: &ObjectKey) -> Option<&Damage> {
        match self.objects.get(key) {
            Some(Entry { damage, .. }) => damage.as_ref(),
            // It may have been this object's only record that was hit.
            None => self.strangers.get(&trail::owner(key)).or(self.anonymous.as_ref()),
        }
    }

    /// The next record, or the first of the next segment, has this number, and stands there.
    pub(super) fn expect(&mut self, number: u64, trail: &[u32], segment: u32, offset: u64) {
        let pending = self.pending.take();
        let missing = self.recent.skip_to(number, trail, segment, offset);
        if missing == 0 {
            return;
        }
        // The records are missing between these two, or in this one. What says so stays.
        let is_within = pending.as_ref().is_some_and(|damage| damage.file == file::name(segment));
        for (_, segment) in self.segments.range_mut(..=segment).rev().take(if is_within { 1 } else { 2 }) {
            segment.is_damaged = true;
        }
        let damage = pending.unwrap_or_else(|| Damage { file: file::name(segment), offset, object: None });
        match usize::try_from(missing).ok().and_then(|missing| trail.get(..missing)) {
            Some(owners) => owners.iter().for_each(|&owner| self.lose_of(owner, &damage)),
            None => self.lose_any(damage),
        }
    }

    /// The segment after this one is not there.
    pub(super) fn lack_file(&mut self, before: u32) {
        if let Some(segment) = self.segments.get_mut(&before) {
            segment.is_damaged = true;
        }
        let damage = Damage { file: file::name(before + 1), offset: 0, object: None };
        self.pending.get_or_insert(damage);
    }

    /// A record of the object with this digest is lost.
    fn lose_of(&mut self, owner: u32, damage: &Damage) {
        let mut is_known = false;
        for (_, entry) in self.objects.iter_mut().filter(|(key, _)| trail::owner(key) == owner) {
            is_known = true;
            // Until a later record shows that nothing of this object was lost.
            entry.damage.get_or_insert_with(|| damage.clone());
        }
        if !is_known {
            self.strangers.insert(owner, damage.clone());
        }
    }

    /// Records are lost, and they may have been anybody's.
    fn lose_any(&mut self, damage: Damage) {
        for entry in self.objects.values_mut() {
            entry.damage.get_or_insert_with(|| damage.clone());
        }
        self.anonymous = Some(damage);
    }
}
