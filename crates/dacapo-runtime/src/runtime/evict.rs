//! What ends an instance from outside of it, and what may not enter one.

use dacapo_core::plan::{EVENT_FIELDS, Service};
use dacapo_core::{Event, ExchangeId, Fault, FaultKind, InstanceId, ObjectKey, Outbox, ServiceId, Turn};

use super::Runtime;
use crate::topology::Topology;

impl Runtime {
    /// Takes away what only the platform's own services may say to a service: that a request is an event.
    pub(super) fn drop_forged(&self, event: &mut Event) {
        let Event::Request { from, head, .. } = event else { return };
        let is_ours =
            |id: ServiceId| self.system.plan.services.get(id.0 as usize).is_some_and(Service::is_builtin);
        if !from.is_some_and(is_ours) {
            head.headers.0.retain(|(name, _)| !EVENT_FIELDS.contains(&name.as_str()));
        }
    }

    /// Where an object lives that does not live here. One that was active on two nodes would be two objects.
    /// (Of one that moves its owner knows: see `placement`.)
    pub(super) fn lives_elsewhere(&self, service: ServiceId, key: &ObjectKey) -> Option<String> {
        if self.slice_of(service, key).is_some() {
            return None;
        }
        let hosts = self.system.hosts.get(service.0 as usize)?;
        let owner = Topology::owner(hosts, key).filter(|owner| *owner != self.node)?;
        let node = |id: dacapo_core::NodeId| &self.system.topology.nodes[id.0 as usize].name;
        Some(format!("the object {key} lives on {}, not on {}", node(owner), node(self.node)))
    }

    /// Ends the instance that is answering this request, if it still is.
    pub(super) fn evict_at(&mut self, exchange: ExchangeId, kind: FaultKind, turn: &Turn, out: &mut Outbox) {
        let Some(id) = self.open.get(exchange).map(|open| open.instance) else { return };
        if kind == FaultKind::Moved {
            return self.move_at(id, turn, out);
        }
        // An object that is still being read is no instance yet.
        if self.instances.contains_key(&id) {
            let message = "the platform ended it in the middle of a request".into();
            self.end(id, Fault { kind, message, location: None }, turn, out);
        }
    }

    /// Ends an instance that only goes on after its answers: what `waitUntil` was given is cut short.
    pub(super) fn cut(&mut self, id: InstanceId, kind: FaultKind, turn: &Turn, out: &mut Outbox) {
        let Some(slot) = self.instances.get(&id) else { return };
        let is_settled = slot.object.as_ref().is_none_or(|active| active.is_settled());
        if slot.is_busy && is_settled && !self.open.any(|open| open.instance == id) {
            let message = "what was given to waitUntil() was cut short".into();
            self.end(id, Fault { kind, message, location: None }, turn, out);
        }
    }
}
