//! From what a guest asks for to where that is, if the configuration grants it.

use bytestring::ByteString;
use dacapo_core::plan::{self, Service};
use dacapo_core::{NetError, NodeId, ObjectId, ObjectKey, RequestHead, ServiceId, Target};

use crate::route::{host_of, route};
use crate::topology::{Role, System};

/// Which service or host a call of `from` on `node` is for; the runtime then picks a node.
///
/// A call that is not granted becomes [`Target::Refused`] with a text that names the line that is
/// missing in the configuration.
#[inline(always)]
pub fn resolve(
    system: &System,
    node: NodeId,
    from: ServiceId,
    target: &Target,
    head: &RequestHead,
) -> Granted {
    let workload = system.topology.role(node) == Role::Workload;
    match target {
        Target::Binding(name) => by_binding(system, from, name, workload),
        Target::Url => by_url(system, from, head, workload),
        Target::Object(name, id) => by_object(system, from, name, **id),
        // These are what the runtime itself makes of a call; a guest cannot name them.
        Target::Service(..) | Target::Owner(..) | Target::Outside(_) => {
            refused(NetError::Denied("not a name".into()))
        }
        Target::Refused(error) => refused(error.clone()),
    }
}

/// What a call turned out to be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// This service.
    Service(ServiceId),
    /// This durable object of this service.
    Object(ServiceId, ObjectKey),
    /// This host outside of the system.
    Outside(ByteString),
    /// Nothing: the caller gets this error.
    Refused(NetError),
}

#[cold]
fn refused(error: NetError) -> Granted {
    Granted::Refused(error)
}

#[cold]
fn denied(text: String) -> Granted {
    refused(NetError::Denied(text.into()))
}

fn by_binding(system: &System, from: ServiceId, name: &str, workload: bool) -> Granted {
    let service = system.plan.service(from);
    let granted = service.calls.get(name).and_then(|to| system.plan.service_named(to));
    match granted {
        Some(to) => Granted::Service(to),
        None if workload => refused(NetError::Unknown(format!("the workload has no binding {name}").into())),
        None => denied(format!(
            "service \"{0}\" has no binding {name}: add  calls = {{ {name} = \"…\" }}  to service \"{0}\"",
            service.name
        )),
    }
}

fn by_object(system: &System, from: ServiceId, name: &str, id: ObjectId) -> Granted {
    let service = system.plan.service(from);
    if let Some(key) = built_in(system, service, name, id) {
        return key;
    }
    let Some((owner, class)) = service.object_calls.get(name) else {
        return denied(format!(
            "service \"{0}\" has no objects behind {name}: add  calls = {{ {name} = \"service.Class\" }}  to \
             service \"{0}\"",
            service.name
        ));
    };
    let to = system.plan.service_named(owner);
    let found =
        to.and_then(|to| system.plan.service(to).objects.iter().find(|c| c.name == *class).zip(Some(to)));
    match found {
        Some((class, to)) => {
            Granted::Object(to, ObjectKey { namespace: class.namespace.as_str().into(), id })
        }
        None => refused(NetError::Unknown(
            format!("service \"{owner}\" has no class {class}: add  objects = [\"{class}\"]  to it").into(),
        )),
    }
}

/// The object behind a binding to a queue or a KV namespace. The right is to that one: an id of another is refused.
fn built_in(system: &System, service: &Service, name: &str, id: ObjectId) -> Option<Granted> {
    let (owner, class, is_it) = if let Some(queue) = service.queues.get(name) {
        let namespace = plan::builtin_namespace(plan::QUEUES, plan::QUEUE_CLASS);
        (plan::QUEUES, plan::QUEUE_CLASS, id == ObjectId::from_name(&namespace, queue))
    } else {
        let kv = service.kv.get(name)?;
        let namespace = plan::builtin_namespace(plan::KV, plan::KV_CLASS);
        let is_shard = |shard| id == ObjectId::from_name(&namespace, &format!("{kv}/{shard}"));
        (plan::KV, plan::KV_CLASS, (0..plan::KV_SHARDS).any(is_shard))
    };
    let Some(to) = system.plan.service_named(owner).filter(|_| is_it) else {
        return Some(denied(format!(
            "service \"{}\" has no right to that object behind {name}",
            service.name
        )));
    };
    let namespace = plan::builtin_namespace(owner, class).into();
    Some(Granted::Object(to, ObjectKey { namespace, id }))
}

#[inline]
fn by_url(system: &System, from: ServiceId, head: &RequestHead, workload: bool) -> Granted {
    let service = system.plan.service(from);
    let Some(host) = host_of(&head.url) else {
        return refused(NetError::Unknown(format!("{} has no host", head.url).into()));
    };
    if let Some(name) = host.strip_suffix(".internal") {
        return by_internal_name(system, from, name, workload);
    }
    if workload {
        return from_outside(system, head, host);
    }
    if !service.hosts.iter().any(|pattern| host_matches(pattern, host)) {
        return denied(format!(
            "service \"{0}\" may not call {host}: add  hosts = [\"{host}\"]  to service \"{0}\"",
            service.name
        ));
    }
    match stub_for(system, host) {
        Some(stub) => Granted::Service(stub),
        None => Granted::Outside(host.into()),
    }
}

fn by_internal_name(system: &System, from: ServiceId, name: &str, workload: bool) -> Granted {
    let service = system.plan.service(from);
    let Some(to) = system.plan.service_named(name) else {
        return refused(NetError::Unknown(format!("there is no service \"{name}\"").into()));
    };
    if workload || service.calls.values().any(|granted| granted == name) {
        return Granted::Service(to);
    }
    let binding = name.to_uppercase().replace('-', "_");
    denied(format!(
        "service \"{0}\" may not call \"{name}\": add  calls = {{ {binding} = \"{name}\" }}  to service \"{0}\"",
        service.name
    ))
}

/// The workload stands where clients stand: it reaches what has a route.
fn from_outside(system: &System, head: &RequestHead, host: &str) -> Granted {
    if !system.topology.routes_inside {
        return Granted::Outside(host.into());
    }
    match (route(&system.plan, head), stub_for(system, host)) {
        (Ok(to), _) | (Err(_), Some(to)) => Granted::Service(to),
        (Err(miss), None) => refused(NetError::Unknown(miss.to_string().into())),
    }
}

fn stub_for(system: &System, host: &str) -> Option<ServiceId> {
    let stubs = &system.topology.stubs;
    stubs.get(host).or_else(|| stubs.iter().find(|(p, _)| host_matches(p, host)).map(|(_, id)| id)).copied()
}

fn host_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => host.ends_with(suffix),
        None => pattern == host,
    }
}
