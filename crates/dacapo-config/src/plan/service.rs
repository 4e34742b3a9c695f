//! The `service` block.

use std::collections::BTreeMap;

use dacapo_core::plan::{Limits, Route, Service};
use hcl_edit::structure::Block;

use super::cron;
use super::object::{self, ClassDraft};
use crate::Code;
use crate::error::Place;
use crate::file_check::Module;
use crate::read::{Fields, NameRule, PathRule, Placed, Reader, Shape, address};

const SERVICE: Shape = Shape {
    attributes: &[
        "calls",
        "cron",
        "deleted_objects",
        "hosts",
        "instances",
        "kv",
        "module",
        "next",
        "objects",
        "queues",
        "replicas",
        "routes",
        "secrets",
        "vars",
        "zone",
    ],
    blocks: &["limits", "object", "workflow"],
    hints: &[
        ("timezone", "That is `zone`: zone = \"Europe/Berlin\"."),
        ("workflows", "A class of workflows has a block of its own:  workflow \"Booking\" {}"),
        ("env", "Variables are `vars = { NAME = value }`, secrets are `secrets = [\"NAME\"]`."),
    ],
};

const LIMITS: Shape =
    Shape { attributes: &["memory", "request_body", "turn_budget"], blocks: &[], hints: &[] };

/// The most nodes a cluster can have.
pub(super) const NODES_MAX: u64 = 500;

/// The most nodes that can keep an object: each of them hears of each of its writes.
const REPLICAS_MAX: u64 = 9;

/// A service that was read, and the places that are checked against other blocks.
pub(super) struct ServiceDraft {
    pub(super) service: Service,
    pub(super) name: Placed<String>,
    pub(super) calls: Vec<Placed<String>>,
    pub(super) classes: Vec<ClassDraft>,
    pub(super) deleted: Vec<Placed<String>>,
    pub(super) routes: Vec<Placed<Route>>,
    pub(super) queues: Vec<Placed<String>>,
    pub(super) kv: Vec<Placed<String>>,
    pub(super) instances: Option<Placed<u64>>,
    pub(super) module: Option<Module>,
    pub(super) next: Option<Module>,
}

pub(super) fn read(reader: &mut Reader, block: &Block) -> Option<ServiceDraft> {
    let name = reader.label(block)?;
    reader.check_name(NameRule::Service, "a service", &name);
    let owner = format!("service {:?}", name.value);
    let fields = reader.fields(&owner, name.place.clone(), &block.body, &SERVICE);
    let module = module(reader, &fields);
    let next = next(reader, &fields);
    let routes = routes(reader, &fields);
    let calls = calls(reader, &fields);
    let queues = bindings(reader, &fields, "queues", "queues = { JOBS = \"jobs\" }");
    let kv = bindings(reader, &fields, "kv", "kv = { SESSIONS = \"sessions\" }");
    let vars = vars(reader, &fields);
    let secrets = secrets(reader, &fields);
    let names =
        |of: &[(Placed<String>, Placed<String>)]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    one_env(reader, &[&names(&calls), &names(&queues), &names(&kv), &vars.0, &secrets]);
    let instances = fields
        .get("instances")
        .and_then(|e| reader.integer(e, "`instances`", 1..=NODES_MAX, "instances = 1"));
    let replicas = fields
        .get("replicas")
        .and_then(|e| reader.integer(e, "`replicas`", 1..=REPLICAS_MAX, "replicas = 3"));
    let limits = limits(reader, &fields);
    let classes = object::classes(reader, &fields, &name.value);
    let deleted = object::deleted(reader, &fields, &name.value);
    if let Some(replicas) = replicas.as_ref().filter(|_| classes.is_empty()) {
        let message = format!("{owner} has replicas and no objects");
        let help = "Only what durable objects store is kept on several nodes: name their classes in `objects`, or remove the line.";
        reader.report(Code::Contradiction, message, &replicas.place, "of nothing", help);
    }
    let rights = || calls.iter().map(|(binding, to)| (binding.value.clone(), to.value.as_str()));
    let service = Service {
        name: name.value.clone(),
        module: module.as_ref().map(|m| m.path.clone()).unwrap_or_default(),
        next: next.as_ref().map(|m| m.path.clone()),
        routes: routes.iter().map(|r| r.value.clone()).collect(),
        calls: rights()
            .filter(|(_, to)| object::split(to).is_none())
            .map(|(binding, to)| (binding, to.to_owned()))
            .collect(),
        object_calls: rights()
            .filter_map(|(binding, to)| {
                object::split(to).map(|(owner, class)| (binding, (owner.to_owned(), class.to_owned())))
            })
            .collect(),
        objects: classes.iter().map(|draft| draft.class.clone()).collect(),
        queues: to_map(&queues),
        kv: to_map(&kv),
        deleted_objects: deleted.iter().map(|name| name.value.clone()).collect(),
        hosts: hosts(reader, &fields),
        vars: vars.0.into_iter().map(|name| name.value).zip(vars.1).collect(),
        secrets: secrets.into_iter().map(|secret| secret.value).collect(),
        cron: cron::read(reader, &fields),
        instances: instances.as_ref().map(|n| n.value as u32),
        replicas: replicas.map(|n| n.value as u32),
        limits,
    };
    let to = |of: Vec<(_, Placed<String>)>| of.into_iter().map(|(_, to)| to).collect();
    let (calls, queues, kv) = (to(calls), to(queues), to(kv));
    Some(ServiceDraft { service, name, calls, classes, deleted, routes, queues, kv, instances, module, next })
}

fn module(reader: &mut Reader, fields: &Fields<'_>) -> Option<Module> {
    let value = reader.required(fields, "module", "\"main.ts\"")?;
    let path = reader.path(value, "`module`", PathRule::Inside, "module = \"main.ts\"")?;
    Some(Module { path: path.value, place: path.place, of: fields.owner.clone() })
}

/// The module of the next version.
fn next(reader: &mut Reader, fields: &Fields<'_>) -> Option<Module> {
    let value = fields.get("next")?;
    let path = reader.path(value, "`next`", PathRule::Inside, "next = \"main.next.ts\"")?;
    Some(Module { path: path.value, place: path.place, of: fields.owner.clone() })
}

fn routes(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Placed<Route>> {
    let example = "routes = [\"https://shop.example/*\"]";
    let Some(value) = fields.get("routes") else { return Vec::new() };
    let mut routes = Vec::new();
    for text in reader.strings(value, "`routes`", example) {
        match address::route(&text.value) {
            Ok(value) => routes.push(Placed { value, place: text.place }),
            Err(why) => {
                let message = format!("{:?} is not a route: {why}", text.value);
                reader.report(
                    Code::Route,
                    message,
                    &text.place,
                    "this route",
                    format!("For example: {example}"),
                );
            }
        }
    }
    routes
}

fn calls(reader: &mut Reader, fields: &Fields<'_>) -> Vec<(Placed<String>, Placed<String>)> {
    bindings(reader, fields, "calls", "calls = { LEDGER = \"ledger\" }")
}

/// An attribute that gives rights: binding → what it leads to.
fn bindings(
    reader: &mut Reader,
    fields: &Fields<'_>,
    attribute: &str,
    example: &str,
) -> Vec<(Placed<String>, Placed<String>)> {
    let Some(value) = fields.get(attribute) else { return Vec::new() };
    let mut bindings = Vec::new();
    for (binding, value) in reader.entries(value, &format!("`{attribute}`"), example) {
        reader.check_name(NameRule::Binding, "a binding", &binding);
        if let Some(to) = reader.string(value, &format!("a binding in `{attribute}`"), example) {
            bindings.push((binding, to));
        }
    }
    bindings
}

fn to_map(bindings: &[(Placed<String>, Placed<String>)]) -> BTreeMap<String, String> {
    bindings.iter().map(|(name, to)| (name.value.clone(), to.value.clone())).collect()
}

fn vars(reader: &mut Reader, fields: &Fields<'_>) -> (Vec<Placed<String>>, Vec<String>) {
    let Some(value) = fields.get("vars") else { return Default::default() };
    let mut vars = (Vec::new(), Vec::new());
    for (name, value) in reader.entries(value, "`vars`", "vars = { GREETING = \"hello\" }") {
        reader.check_name(NameRule::Binding, "a variable", &name);
        if let Some(json) = reader.json(value) {
            vars.0.push(name);
            vars.1.push(json);
        }
    }
    vars
}

fn secrets(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Placed<String>> {
    let Some(value) = fields.get("secrets") else { return Vec::new() };
    let secrets = reader.strings(value, "`secrets`", "secrets = [\"PAY_KEY\"]");
    for secret in &secrets {
        reader.check_name(NameRule::Binding, "a secret", secret);
    }
    secrets
}

/// Bindings, variables and secrets are members of one `env`.
fn one_env(reader: &mut Reader, kinds: &[&[Placed<String>]]) {
    let mut seen = BTreeMap::<&str, &Place>::new();
    for name in kinds.iter().copied().flatten() {
        if let Some(first) = seen.insert(&name.value, &name.place) {
            let message = format!("`env.{}` would be two things", name.value);
            let help = "Bindings in `calls`, `queues` and `kv`, `vars` and `secrets` share one `env`: give one of them another name.";
            reader.report_both(
                Code::Contradiction,
                message,
                (&name.place, "again here"),
                (first, "first here"),
                help,
            );
        }
    }
}

fn hosts(reader: &mut Reader, fields: &Fields<'_>) -> Vec<String> {
    let example = "hosts = [\"api.example.com\", \"*.example.org\"]";
    let Some(value) = fields.get("hosts") else { return Vec::new() };
    let mut hosts = Vec::new();
    for text in reader.strings(value, "`hosts`", example) {
        hosts.extend(host(reader, &text, true, example).map(|host| host.value));
    }
    hosts
}

/// A host out of `hosts` or `stubs`.
pub(super) fn host(
    reader: &mut Reader,
    text: &Placed<String>,
    may_be_wildcard: bool,
    example: &str,
) -> Option<Placed<String>> {
    match address::host(&text.value, may_be_wildcard) {
        Ok(value) => Some(Placed { value, place: text.place.clone() }),
        Err(why) => {
            let message = format!("{:?} is not a host: {why}", text.value);
            reader.report(Code::Host, message, &text.place, "this host", format!("For example: {example}"));
            None
        }
    }
}

fn limits(reader: &mut Reader, fields: &Fields<'_>) -> Limits {
    let mut limits = Limits::default();
    let mut first: Option<Place> = None;
    for block in fields.blocks.iter().filter(|block| block.ident.as_str() == "limits") {
        let place = reader.place_of(&block.ident);
        if let Some(first) = &first {
            let message = format!("{} has two `limits` blocks", fields.owner);
            let (here, there) = ((&place, "again here"), (first, "first here"));
            reader.report_both(Code::Repeated, message, here, there, "Put all limits into one block.");
        }
        reader.no_label(block);
        let fields = reader.fields("`limits`", place.clone(), &block.body, &LIMITS);
        if let Some(value) = fields.get("turn_budget") {
            let budget = reader.integer(value, "`turn_budget`", 1..=u64::MAX, "turn_budget = 50000000");
            limits.turn_budget = budget.map_or(limits.turn_budget, |n| n.value);
        }
        if let Some(value) = fields.get("memory") {
            // Less than a mebibyte holds no guest of any engine.
            let memory = reader.size(value, "`memory`", 1 << 20..=64 << 30);
            limits.memory_max = memory.map_or(limits.memory_max, |n| n.value);
        }
        if let Some(value) = fields.get("request_body") {
            let body = reader.size(value, "`request_body`", 0..=1 << 40);
            limits.request_body_max = body.map_or(limits.request_body_max, |n| n.value);
        }
        first.get_or_insert(place);
    }
    limits
}
