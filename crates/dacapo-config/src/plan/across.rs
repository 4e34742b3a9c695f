//! What must hold between blocks, wherever they stand.

use std::collections::BTreeMap;

use dacapo_core::plan::Route;

use super::fault::FaultDraft;
use super::object;
use super::queue::Stores;
use super::scenario::ScenarioDraft;
use super::service::ServiceDraft;
use crate::Code;
use crate::error::Place;
use crate::read::{Placed, Reader};

pub(super) fn check(
    reader: &mut Reader,
    services: &[ServiceDraft],
    scenarios: &[ScenarioDraft],
    stores: &Stores,
) {
    if services.is_empty() && !reader.has_gaps {
        let help = "Add one:  service \"shop\" { module = \"shop.ts\" }  in dacapo.hcl";
        reader.report_nowhere(Code::NoService, "the project has no service", help);
    }
    names_differ(reader, "service", services.iter().map(|s| &s.name));
    names_differ(reader, "scenario", scenarios.iter().map(|s| &s.name));
    routes_differ(reader, services);
    object::check(reader, services);
    let by_name: BTreeMap<&str, &ServiceDraft> =
        services.iter().map(|s| (s.name.value.as_str(), s)).collect();
    for service in services {
        for call in &service.calls {
            let Some((owner, class)) = object::split(&call.value) else {
                if !is_store(reader, &by_name, call, stores) {
                    known(reader, &by_name, call, "`calls`");
                }
                continue;
            };
            let owner = Placed { value: owner.to_owned(), place: call.place.clone() };
            if let Some(owner) = known(reader, &by_name, &owner, "`calls`") {
                object::known(reader, owner, class, &call.place);
            }
        }
    }
    for scenario in scenarios {
        nodes_suffice(reader, scenario, services);
        stubs_are_called(reader, scenario, services);
        for fault in &scenario.faults {
            can_happen(reader, fault, services);
            for spared in &fault.spare {
                if let Some(service) = known(reader, &by_name, spared, "`spare`") {
                    something_is_left(reader, scenario, fault.kind, spared, service);
                }
            }
        }
    }
}

fn names_differ<'a>(reader: &mut Reader, what: &str, names: impl Iterator<Item = &'a Placed<String>>) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for name in names {
        if let Some(first) = seen.get(name.value.as_str()) {
            let message = format!("there are two {what}s {:?}", name.value);
            let (here, there) = ((&name.place, "again here"), (*first, "first here"));
            reader.report_both(Code::Repeated, message, here, there, "Give one of them another name.");
        } else {
            seen.insert(&name.value, &name.place);
        }
    }
}

/// A route and the service that has it.
type Claim<'a> = (&'a Placed<Route>, &'a str);

fn routes_differ(reader: &mut Reader, services: &[ServiceDraft]) {
    let mut seen: BTreeMap<(&str, &str, bool), Vec<Claim<'_>>> = BTreeMap::new();
    for service in services {
        for route in &service.routes {
            let key = (route.value.host.as_str(), route.value.path.as_str(), route.value.is_prefix);
            let same = seen.entry(key).or_default();
            let scheme = &route.value.scheme;
            // A scheme does not make a route better than one without: neither would win.
            let overlaps = |other: &Option<String>| other.is_none() || scheme.is_none() || other == scheme;
            let clash = same.iter().find(|(other, _)| overlaps(&other.value.scheme));
            match clash {
                Some((other, owner)) => {
                    let message = if *owner == service.name.value {
                        format!("service {owner:?} has the same route twice")
                    } else {
                        format!("services {owner:?} and {:?} claim the same route", service.name.value)
                    };
                    let (here, there) =
                        ((&route.place, "claimed again here"), (&other.place, "claimed here"));
                    let help = "A request goes to one service: remove one route, or make one more exact, with a \
                                longer path, another host or another scheme.";
                    reader.report_both(Code::RouteTaken, message, here, there, help);
                }
                None => same.push((route, &service.name.value)),
            }
        }
    }
}

/// Whether `calls` names a queue or a KV namespace, which is bound elsewhere.
fn is_store(
    reader: &mut Reader,
    services: &BTreeMap<&str, &ServiceDraft>,
    call: &Placed<String>,
    stores: &Stores,
) -> bool {
    let name = &call.value;
    let is_queue = stores.queues.iter().any(|draft| draft.name.value == *name);
    let (kind, attribute) = match is_queue {
        true => ("queue", "queues"),
        false if stores.kv.iter().any(|kv| kv.value == *name) => ("KV namespace", "kv"),
        false => return false,
    };
    if services.contains_key(name.as_str()) {
        return false;
    }
    let message = format!("`calls` names a service {name:?}, and that is a {kind}");
    let help = format!("Bind it in  {attribute} = {{ NAME = {name:?} }}  instead.");
    reader.report(Code::UnknownService, message, &call.place, "no service", &help);
    true
}

fn known<'a>(
    reader: &mut Reader,
    services: &BTreeMap<&str, &'a ServiceDraft>,
    name: &Placed<String>,
    what: &str,
) -> Option<&'a ServiceDraft> {
    let service = services.get(name.value.as_str()).copied();
    // A service may stand in a part that could not be read.
    if service.is_none() && !reader.has_gaps {
        let message = format!("{what} names a service {:?}, and there is none", name.value);
        let help = reader.did_you_mean(&name.value, services.keys().copied());
        reader.report(Code::UnknownService, message, &name.place, "unknown service", help);
    }
    service
}

fn nodes_suffice(reader: &mut Reader, scenario: &ScenarioDraft, services: &[ServiceDraft]) {
    for service in services {
        let Some(instances) = service.instances.as_ref().filter(|n| n.value > scenario.nodes.value) else {
            continue;
        };
        let (name, service) = (&scenario.name.value, &service.name.value);
        let message = format!(
            "scenario {name:?} has {} nodes, too few for the {} instances of service {service:?}",
            scenario.nodes.value, instances.value
        );
        let help =
            format!("A node runs one instance of a service: set  nodes = {}  or more.", instances.value);
        let (here, there) = ((&scenario.nodes.place, "the nodes"), (&instances.place, "the instances"));
        reader.report_both(Code::Contradiction, message, here, there, help);
    }
}

fn stubs_are_called(reader: &mut Reader, scenario: &ScenarioDraft, services: &[ServiceDraft]) {
    let hosts = || services.iter().flat_map(|s| s.service.hosts.iter().map(String::as_str));
    for stub in &scenario.stubs {
        let covers = |pattern: &str| match pattern.strip_prefix('*') {
            Some(suffix) => stub.value.ends_with(suffix),
            None => pattern == stub.value,
        };
        if !hosts().any(covers) && !reader.has_gaps {
            let message = format!("no service may call {:?}, so its stub is never called", stub.value);
            let mut all: Vec<&str> = hosts().collect();
            all.sort_unstable();
            all.dedup();
            let meant = reader.did_you_mean(&stub.value, all);
            let help = if meant.starts_with("Did") {
                meant
            } else {
                format!("Grant the call in the service that makes it:  hosts = [{:?}]", stub.value)
            };
            reader.report(Code::UnusedStub, message, &stub.place, "never called", help);
        }
    }
}

/// Some faults need something of the project, and who asks for them by name means them.
fn can_happen(reader: &mut Reader, fault: &FaultDraft, services: &[ServiceDraft]) {
    let Some(place) = fault.named.as_ref().filter(|_| !reader.has_gaps && !services.is_empty()) else {
        return;
    };
    let has = |wants: fn(&ServiceDraft) -> bool| services.iter().any(wants);
    let (why, help) = match fault.kind.name {
        "deploy.rolling" if !has(|it| it.service.next.is_some()) => (
            "no service has a next version",
            "Name the module of the new version in the block of a service:  next = \"shop.next.ts\"",
        ),
        "object.moved" if !has(|it| it.service.replicas.is_some_and(|replicas| replicas > 1)) => (
            "no service keeps its objects on several nodes",
            "Add to the block of a service with objects:  replicas = 3",
        ),
        _ => return,
    };
    let message = format!("fault {:?} never happens: {why}", fault.kind.name);
    reader.report(Code::Contradiction, message, place, "asked for here", help);
}

/// A fault of whole nodes that spares a service on every node never happens.
fn something_is_left(
    reader: &mut Reader,
    scenario: &ScenarioDraft,
    kind: &dacapo_core::fault::FaultKind,
    spared: &Placed<String>,
    service: &ServiceDraft,
) {
    let nodes = scenario.nodes.value;
    let runs_on = service.instances.as_ref().map_or(nodes, |n| n.value);
    if kind.group == "network" || runs_on < nodes {
        return;
    }
    let message = format!(
        "fault {:?} never happens: it spares {:?}, which runs on every one of the {nodes} nodes",
        kind.name, spared.value
    );
    let help = format!(
        "Give service {:?} fewer  instances  than the scenario has nodes, or do not spare it.",
        spared.value
    );
    let (there, label) = match &service.instances {
        Some(n) => (&n.place, "as many instances as nodes"),
        None => (&service.name.place, "no `instances`: it runs on every node"),
    };
    reader.report_both(Code::Contradiction, message, (&spared.place, "spared here"), (there, label), help);
}
