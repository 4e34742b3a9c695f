//! A new version of services, while the node runs.
//!
//! New requests go to new instances. Those of the old version finish what is under way, so for a while both versions
//! live on the node; objects, of which there is one each, begin anew with what is on the disk.

use dacapo_core::{Fault, FaultKind, InstanceId, Outbox, Turn};

use super::Runtime;

impl Runtime {
    /// The node runs this version from now on.
    pub(super) fn deploy(&mut self, version: u32, turn: &Turn, out: &mut Outbox) {
        if self.version == version {
            return;
        }
        self.version = version;
        let has_next = |id: &InstanceId| {
            let slot = self.instances.get(id)?;
            self.system.next.contains_key(&slot.service).then_some((*id, slot.object.is_some()))
        };
        let changed: Vec<(InstanceId, bool)> = self.instances.keys().filter_map(has_next).collect();
        self.by_service.retain(|service, _| !self.system.next.contains_key(service));
        for (id, is_object) in changed {
            if !is_object {
                self.retired.insert(id);
            } else if self.is_done(id) {
                self.put_away(id, turn, out);
            } else {
                let message = "its code was updated".into();
                self.end(id, Fault { kind: FaultKind::Evicted, message, location: None }, turn, out);
            }
        }
    }

    /// Whether nothing of this instance is under way.
    pub(super) fn is_done(&self, id: InstanceId) -> bool {
        let Some(slot) = self.instances.get(&id) else { return true };
        let is_settled = |active: &super::Active| active.is_settled() && active.calls.is_empty();
        !slot.is_busy
            && slot.object.as_deref().is_none_or(is_settled)
            && !self.open.any(|open| open.instance == id)
    }

    /// Drops what is left of the old version once it has nothing more to do.
    #[inline]
    pub(super) fn drop_retired(&mut self) {
        if !self.retired.is_empty() {
            self.drop_those_done();
        }
    }

    #[cold]
    fn drop_those_done(&mut self) {
        let done: Vec<InstanceId> = self.retired.iter().copied().filter(|id| self.is_done(*id)).collect();
        for id in done {
            self.retired.remove(&id);
            self.instances.remove(&id);
        }
    }
}
