//! Durable objects and workflows in the `service` block: classes, and the right to call them.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_core::plan::{ObjectClass, Workflow};

use hcl_edit::structure::Block;

use super::service::ServiceDraft;
use crate::Code;
use crate::error::Place;
use crate::read::{Fields, NameRule, Placed, Reader, Shape};

const OBJECT: Shape = Shape { attributes: &["idle", "was"], blocks: &[], hints: &[] };
const WORKFLOW: Shape = Shape { attributes: &["idle", "version", "was"], blocks: &[], hints: &[] };

/// The longest version that the code of a workflow can have, in bytes.
const VERSION_MAX: usize = 100;

/// How long an object stays in memory that has nothing to do, unless its class says otherwise.
const IDLE: Duration = Duration::from_secs(10);

/// A class that was read.
pub(super) struct ClassDraft {
    pub(super) class: ObjectClass,
    place: Place,
    /// Where the namespace stands, if it is told.
    namespace: Place,
}

/// The classes of `objects = […]` and of the blocks `object "Class" { … }`.
pub(super) fn classes(reader: &mut Reader, fields: &Fields<'_>, service: &str) -> Vec<ClassDraft> {
    let mut classes: Vec<ClassDraft> = Vec::new();
    let mut add = |reader: &mut Reader, draft: ClassDraft| match classes
        .iter()
        .find(|other| other.class.name == draft.class.name)
    {
        Some(first) => {
            let message = format!("the class {:?} is declared twice", draft.class.name);
            let (here, there) = ((&draft.place, "again here"), (&first.place, "first here"));
            reader.report_both(Code::Repeated, message, here, there, "Remove one of them.");
        }
        None => classes.push(draft),
    };
    if let Some(value) = fields.get("objects") {
        for name in reader.strings(value, "`objects`", "objects = [\"Account\"]") {
            reader.check_name(NameRule::Class, "a class", &name);
            let namespace = format!("{service}.{}", name.value);
            let class = ObjectClass { name: name.value, namespace, idle: IDLE, workflow: None };
            add(reader, ClassDraft { class, namespace: name.place.clone(), place: name.place });
        }
    }
    for block in &fields.blocks {
        let shape = match block.ident.as_str() {
            "object" => &OBJECT,
            "workflow" => &WORKFLOW,
            _ => continue,
        };
        if let Some(draft) = class(reader, block, shape, service) {
            add(reader, draft);
        }
    }
    classes
}

/// One block `object "Class" { … }` or `workflow "Class" { … }`.
fn class(reader: &mut Reader, block: &Block, shape: &Shape, service: &str) -> Option<ClassDraft> {
    let name = reader.label(block)?;
    reader.check_name(NameRule::Class, "a class", &name);
    let what = block.ident.as_str();
    let fields = reader.fields(&format!("{what} {:?}", name.value), name.place.clone(), &block.body, shape);
    let was = fields.get("was").and_then(|value| reader.string(value, "`was`", "was = \"shop.Basket\""));
    let was = was.filter(|was| is_namespace(reader, was));
    let idle =
        fields.get("idle").and_then(|value| reader.duration(value, "`idle`", Duration::from_millis(1)));
    let workflow = (what == "workflow").then(|| Workflow { version: version(reader, &fields) });
    let namespace = was.as_ref().map_or_else(|| format!("{service}.{}", name.value), |was| was.value.clone());
    let class = ObjectClass { name: name.value, namespace, idle: idle.unwrap_or(IDLE), workflow };
    let namespace = was.map_or_else(|| name.place.clone(), |was| was.place);
    Some(ClassDraft { class, namespace, place: name.place })
}

/// What new instances of a workflow note as the version of their code.
fn version(reader: &mut Reader, fields: &Fields<'_>) -> Option<String> {
    let example = "version = \"2\"";
    let version = reader.string(fields.get("version")?, "`version`", example)?;
    if version.value.is_empty() || version.value.len() > VERSION_MAX {
        let message = format!("a version has 1 to {VERSION_MAX} bytes, not {}", version.value.len());
        reader.report(
            Code::Range,
            message,
            &version.place,
            "this version",
            format!("For example: {example}"),
        );
        return None;
    }
    Some(version.value)
}

/// Namespaces whose state is to be removed.
pub(super) fn deleted(reader: &mut Reader, fields: &Fields<'_>, service: &str) -> Vec<Placed<String>> {
    let Some(value) = fields.get("deleted_objects") else { return Vec::new() };
    let mut deleted = reader.strings(value, "`deleted_objects`", "deleted_objects = [\"Basket\"]");
    deleted.retain_mut(|name| {
        if split(&name.value).is_some() {
            return is_namespace(reader, name);
        }
        let is_class = reader.check_name(NameRule::Class, "a class", name);
        name.value = format!("{service}.{}", name.value);
        is_class
    });
    deleted
}

/// `service.Class`: the two parts of a right to call objects, or `None` for one to call a service.
pub(super) fn split(callee: &str) -> Option<(&str, &str)> {
    callee.split_once('.')
}

/// Whether this is a `service.Class`, of now or of then; tells of it if not.
fn is_namespace(reader: &mut Reader, name: &Placed<String>) -> bool {
    let Some((service, class)) = split(&name.value) else {
        let message = format!("{:?} does not say of which service the class was", name.value);
        let help = "Write  was = \"service.Class\", as it was then.";
        reader.report(Code::Name, message, &name.place, "this name", help);
        return false;
    };
    let part = |value: &str| Placed { value: value.to_owned(), place: name.place.clone() };
    reader.check_name(NameRule::Service, "a service", &part(service))
        && reader.check_name(NameRule::Class, "a class", &part(class))
}

/// What must hold between the classes of all services.
pub(super) fn check(reader: &mut Reader, services: &[ServiceDraft]) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for draft in services.iter().flat_map(|service| &service.classes) {
        let namespace = draft.class.namespace.as_str();
        if let Some(first) = seen.insert(namespace, &draft.namespace) {
            let message = format!("two classes keep their state as {namespace:?}");
            let help = "One class owns a state. `was` names what a class was called before: the old class must be gone.";
            let (here, there) = ((&draft.namespace, "again here"), (first, "first here"));
            reader.report_both(Code::Contradiction, message, here, there, help);
        }
    }
    let mut gone: BTreeMap<&str, &Place> = BTreeMap::new();
    for deleted in services.iter().flat_map(|service| &service.deleted) {
        if let Some(first) = gone.insert(&deleted.value, &deleted.place) {
            let message = format!("{:?} is deleted twice", deleted.value);
            let (here, there) = ((&deleted.place, "again here"), (first, "first here"));
            reader.report_both(Code::Repeated, message, here, there, "Remove one of them.");
        }
        if let Some(alive) = seen.get(deleted.value.as_str()) {
            let message = format!("{:?} is deleted and declared", deleted.value);
            let help = "A class is there, or it is no more: take it out of one of the two.";
            let (here, there) = ((&deleted.place, "deleted here"), (*alive, "declared here"));
            reader.report_both(Code::Contradiction, message, here, there, help);
        }
    }
}

/// A right to call the class of another service needs that class.
pub(super) fn known(reader: &mut Reader, service: &ServiceDraft, class: &str, place: &Place) {
    let names = || service.classes.iter().map(|draft| draft.class.name.as_str());
    // A class may stand in a part that could not be read.
    if names().any(|name| name == class) || reader.has_gaps {
        return;
    }
    let written = Placed { value: class.to_owned(), place: place.clone() };
    if !reader.check_name(NameRule::Class, "a class", &written) {
        return;
    }
    let message = format!("service {:?} has no class {class:?}", service.name.value);
    let meant = reader.did_you_mean(class, names());
    let help = if meant.starts_with("Did") {
        meant
    } else {
        format!("Add  objects = [{class:?}]  to service {:?}, whose module exports it.", service.name.value)
    };
    reader.report(Code::UnknownClass, message, place, "unknown class", help);
}
