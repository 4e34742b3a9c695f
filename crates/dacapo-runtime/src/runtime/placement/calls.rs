//! Calls to objects that move: to whom they go, and what happens if that one is not the owner.
//!
//! A call is sent again only if no object can have seen it: its node was down, or said that it does not
//! own the object. Whatever else goes wrong is for the caller, as with any call.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_core::{
    Address, Body, CallId, Effect, Event, ExchangeId, Headers, InstanceId, NetError, NodeId, ObjectKey,
    Outbox, RequestHead, ResponseHead, ServiceId, Target, Time, Turn,
};
use http::{HeaderName, HeaderValue, StatusCode};

use super::Runtime;
use super::slice::SliceId;
use crate::cluster::runtime_of;
use crate::runtime::object::ObjectTimer;

/// How long an owner is looked for.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first wait before somebody else is asked; it doubles up to 32 times that.
const WAIT: Duration = Duration::from_millis(20);

/// How a node says that it does not own an object, and who does if it knows. Guests cannot say it.
const OWNER: HeaderName = HeaderName::from_static("dacapo-owner");

/// The calls of this node to objects that are kept on several.
#[derive(Default)]
pub(in crate::runtime) struct Calls {
    open: BTreeMap<(InstanceId, CallId), Call>,
    /// Who answered for a slice the last time.
    owners: BTreeMap<SliceId, NodeId>,
}

struct Call {
    slice: SliceId,
    by: Option<ServiceId>,
    key: ObjectKey,
    head: Box<RequestHead>,
    body: Body,
    to: NodeId,
    tries: u32,
    /// When it was refused for the first time.
    since: Option<Time>,
}

impl Calls {
    pub(in crate::runtime) fn are_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(in crate::runtime) fn forget(&mut self, id: InstanceId, call: CallId) {
        self.open.remove(&(id, call));
    }

    pub(in crate::runtime) fn forget_all(&mut self, id: InstanceId) {
        self.open.retain(|(by, _), _| *by != id);
    }
}

/// Whether an answer says that its node does not own the object.
fn is_misdirected(head: &ResponseHead) -> bool {
    head.status == StatusCode::MISDIRECTED_REQUEST && head.headers.0.iter().any(|(name, _)| *name == OWNER)
}

/// Takes from a guest's answer what only a node may say.
pub(in crate::runtime) fn clean(head: &mut ResponseHead) {
    if is_misdirected(head) {
        head.headers.0.retain(|(name, _)| *name != OWNER);
    }
}

impl Runtime {
    /// Where a granted call to an object goes.
    pub(in crate::runtime) fn place_call(
        &mut self,
        id: InstanceId,
        call: CallId,
        slice: SliceId,
        by: Option<ServiceId>,
        key: ObjectKey,
        request: (&RequestHead, &Body),
    ) -> Target {
        let known = self.placement.calls.owners.get(&slice).copied();
        let own = self.owns(slice).then_some(self.node);
        let Some(to) = own.or(known).or_else(|| self.replicas_of(slice).first().copied()) else {
            return self.runs_nowhere(slice.service);
        };
        let (head, body) = (Box::new(request.0.clone()), request.1.clone());
        let target = Target::Owner(to, slice.service, by, Box::new(key.clone()));
        if body != Body::Stream {
            let call_of = Call { slice, by, key, head, body, to, tries: 0, since: None };
            self.placement.calls.open.insert((id, call), call_of);
        }
        target
    }

    /// What a call got, before its caller sees it; `None` if it is sent again.
    pub(in crate::runtime) fn look_at_answer(
        &mut self,
        id: InstanceId,
        event: Event,
        turn: &Turn,
        out: &mut Outbox,
    ) -> Option<Event> {
        let (call, hint, is_refused) = match &event {
            Event::Response { call, head, .. } if is_misdirected(head) => {
                let hint = head.headers.0.iter().find(|(name, _)| *name == OWNER)?;
                let node = hint.1.to_str().ok().and_then(|text| text.parse().ok()).map(NodeId);
                (*call, node, true)
            }
            Event::Failed(call, NetError::Refused) => (*call, None, true),
            Event::Response { call, .. } | Event::Failed(call, _) => (*call, None, false),
            _ => return Some(event),
        };
        let Some(open) = self.placement.calls.open.get_mut(&(id, call)) else {
            // The body of the request is gone, so it cannot be sent again.
            return Some(if is_refused { Event::Failed(call, NetError::Refused) } else { event });
        };
        let (slice, to) = (open.slice, open.to);
        if !is_refused {
            if let Event::Response { .. } = event {
                self.placement.calls.owners.insert(slice, to);
            }
            self.placement.calls.open.remove(&(id, call));
            return Some(event);
        }
        let since = *open.since.get_or_insert(turn.now);
        if turn.now.since(since) > PATIENCE {
            self.placement.calls.open.remove(&(id, call));
            return Some(Event::Failed(call, NetError::Refused));
        }
        self.ask_another(id, call, hint, out);
        None
    }

    fn ask_another(&mut self, id: InstanceId, call: CallId, hint: Option<NodeId>, out: &mut Outbox) {
        let calls = &self.placement.calls.open;
        let Some(slice) = calls.get(&(id, call)).map(|open| open.slice) else { return };
        let replicas = self.replicas_of(slice).to_vec();
        let calls = &mut self.placement.calls;
        let Some(open) = calls.open.get_mut(&(id, call)) else { return };
        let is_news = hint.is_some_and(|hint| hint != open.to && replicas.contains(&hint));
        let wait =
            if is_news && open.tries == 0 { Duration::ZERO } else { WAIT * 2u32.pow(open.tries.min(5)) };
        open.tries += 1;
        let after = replicas.iter().position(|node| *node == open.to).map_or(0, |at| at + 1);
        match hint {
            Some(hint) if is_news => open.to = hint,
            _ => open.to = replicas[after % replicas.len()],
        }
        calls.owners.insert(slice, open.to);
        self.set_runtime_timer(ObjectTimer::Call(id, call), wait, out);
    }

    /// It is time to send a call again.
    pub(in crate::runtime) fn call_again(&mut self, id: InstanceId, call: CallId, out: &mut Outbox) {
        let Some(open) = self.placement.calls.open.get(&(id, call)) else { return };
        let target = Target::Owner(open.to, open.slice.service, open.by, Box::new(open.key.clone()));
        let (head, body) = (open.head.clone(), open.body.clone());
        let from = Address { node: self.node, instance: id };
        out.push((from, Effect::Fetch { call, target, head, body }));
    }

    /// Tells a caller that this node does not own the object.
    pub(super) fn misdirect(&mut self, exchange: ExchangeId, slice: SliceId, out: &mut Outbox) {
        let holder = self.placement.leases.holder(slice).filter(|holder| *holder != self.node);
        let hint = holder.map_or_else(String::new, |holder| holder.0.to_string());
        let hint = HeaderValue::from_str(&hint).unwrap_or_else(|_| HeaderValue::from_static(""));
        let head =
            ResponseHead { status: StatusCode::MISDIRECTED_REQUEST, headers: Headers(vec![(OWNER, hint)]) };
        // Without a body it cannot break in its middle.
        out.push((runtime_of(self.node), Effect::Respond { exchange, head, body: Body::Empty }));
    }
}
