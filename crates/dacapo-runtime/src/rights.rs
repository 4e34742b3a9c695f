//! From what a guest asks for to where that is, if the configuration grants it.

use bytestring::ByteString;
use dacapo_core::plan::{self, Service};
use dacapo_core::{NetError, NodeId, ObjectId, ObjectKey, RequestHead, ServiceId, Target};

use crate::route::{host_of, origin_of, route};
use crate::topology::{Role, System};

/// What the host of a service ends with.
const INTERNAL: &str = ".internal";

/// Which service or host a call of `from` on `node` is for; the runtime then picks a node.
///
/// A call that is not granted becomes [`Target::Refused`] with a text that names the line that is
/// missing in the configuration.
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

/// Which service each service of a node has called last by its name. Most calls go where the one before
/// went, and what a name is for does not change while a node runs.
#[derive(Default)]
pub(crate) struct Recent(Vec<(String, ServiceId)>);

impl Recent {
    /// The same as [`resolve`], which is asked for what is new.
    #[inline(always)]
    pub(crate) fn resolve(
        &mut self,
        system: &System,
        node: NodeId,
        from: ServiceId,
        target: &Target,
        head: &RequestHead,
    ) -> Granted {
        if let (Target::Url, Some((origin, to))) = (target, self.0.get(from.0 as usize))
            && !origin.is_empty()
            && let Some(rest) = head.url.strip_prefix(origin.as_str())
            && let None | Some(b'/' | b'?' | b'#') = rest.as_bytes().first()
        {
            return Granted::Service(*to);
        }
        self.resolve_new(system, node, from, target, head)
    }

    #[inline(never)]
    fn resolve_new(
        &mut self,
        system: &System,
        node: NodeId,
        from: ServiceId,
        target: &Target,
        head: &RequestHead,
    ) -> Granted {
        let granted = resolve(system, node, from, target, head);
        // (Where another host leads may depend on the path.)
        if let (Target::Url, Granted::Service(to)) = (target, &granted)
            && let Some(origin) = origin_of(&head.url).filter(|origin| origin.ends_with(INTERNAL))
        {
            if self.0.is_empty() {
                self.0.resize(system.plan.services.len(), (String::new(), ServiceId(0)));
            }
            if let Some((last, service)) = self.0.get_mut(from.0 as usize) {
                origin.clone_into(last);
                *service = *to;
            }
        }
        granted
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
    if let Some(name) = host.strip_suffix(INTERNAL) {
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

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use dacapo_core::plan::{Plan, Route};
    use dacapo_core::{Boot, Digest, Headers, Instance, Program};

    use super::*;
    use crate::topology::{NodeSpec, Topology};

    /// Nobody starts it.
    struct Idle;

    impl Program for Idle {
        fn start(&self, _: Boot) -> Box<dyn Instance> {
            unreachable!("no node runs")
        }

        fn digest(&self) -> Digest {
            Digest::default()
        }
    }

    /// A shop that may call a cart, and a cart that may call nobody.
    fn system(role: Role) -> System {
        let route = |path: &str| Route { scheme: None, host: "*".into(), path: path.into(), is_prefix: true };
        let mut shop = Service { name: "shop".into(), routes: vec![route("/")], ..Service::default() };
        shop.calls.insert("CART".into(), "cart".into());
        let cart = Service { name: "cart".into(), routes: vec![route("/cart/")], ..Service::default() };
        let plan = Plan { services: vec![shop, cart], ..Plan::default() };
        let node = NodeSpec { name: "n0".into(), role, services: vec![ServiceId(0), ServiceId(1)] };
        let topology = Topology { nodes: vec![node], routes_inside: true, ..Topology::default() };
        System::new(plan, topology, vec![Rc::new(Idle), Rc::new(Idle)])
    }

    #[test]
    fn what_a_service_has_called_before_gives_no_other_right() {
        let urls = [
            "https://cart.internal/1",
            "https://cart.internal/2?x",
            "https://cart.internal",
            "https://cart.internal:1/",
            "https://cart.internal@shop.internal/",
            "https://cart.internal.evil.example/",
            "https://user@cart.internal/1",
            "https://shop.internal/",
            "http://cart.internal#1",
            "https://a.shop.example/cart/",
            "https://a.shop.example/",
            "cart.internal/",
        ];
        let calls: Vec<_> = urls.iter().flat_map(|url| [(url, ServiceId(0)), (url, ServiceId(1))]).collect();
        for role in [Role::Cluster, Role::Workload] {
            let system = system(role);
            let mut recent = Recent::default();
            for first in &calls {
                for second in &calls {
                    for (url, from) in [first, second] {
                        let (method, headers) = (http::Method::GET, Headers::default());
                        let head = RequestHead { method, url: (**url).into(), headers };
                        let granted = recent.resolve(&system, NodeId(0), *from, &Target::Url, &head);
                        let anew = resolve(&system, NodeId(0), *from, &Target::Url, &head);
                        assert_eq!(granted, anew, "{first:?} and then {url} by {from}");
                    }
                }
            }
        }
    }
}
