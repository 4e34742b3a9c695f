//! The faults of a scenario: the list `faults`, and the blocks that refine or add one.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use dacapo_core::fault::{CATALOGUE, FaultKind, Param, ParamSpec, find, group};
use dacapo_core::plan::FaultSpec;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Structure};

use crate::Code;
use crate::error::Place;
use crate::read::{DURATION_MAX, Fields, Placed, Reader};

/// A fault that was read, and the places that are checked against other blocks.
pub(super) struct FaultDraft {
    pub(super) kind: &'static FaultKind,
    pub(super) spec: FaultSpec,
    pub(super) spare: Vec<Placed<String>>,
    /// Where it stands by its own name, and not by that of its group.
    pub(super) named: Option<Place>,
}

/// What a parameter may be.
pub(crate) enum Bounds {
    Time(Duration),
    Number(RangeInclusive<f64>),
    Flag,
}

/// The bounds of a parameter, which follow from its unit and its name.
pub(crate) fn bounds(kind: &FaultKind, param: &ParamSpec) -> Bounds {
    match (param.default, kind.name, param.name) {
        // A mean time of nothing between two faults is faults without end: time would stand still.
        (Param::Duration(_), _, "every") => Bounds::Time(Duration::from_millis(1)),
        (Param::Duration(_), ..) => Bounds::Time(Duration::ZERO),
        // A clock that is slower by its whole speed stands still, and its timers never fire.
        (Param::Number(_), "clock.drift", "max") => Bounds::Number(0.0..=0.5),
        (Param::Number(default), ..) if default <= 1.0 => Bounds::Number(0.0..=1.0),
        (Param::Number(_), ..) => Bounds::Number(1.0..=1e15),
        (Param::Flag(_), ..) => Bounds::Flag,
    }
}

/// The faults of a scenario, in the order of the catalogue.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Vec<FaultDraft> {
    let mut drafts = BTreeMap::new();
    if let Some(value) = fields.get("faults") {
        for name in reader.strings(value, "`faults`", "faults = [\"network\", \"process.crash\"]") {
            let mut kinds = group(&name.value).chain(find(&name.value)).peekable();
            if kinds.peek().is_none() {
                unknown(reader, &name);
            }
            for kind in kinds {
                let named = (kind.name == name.value).then(|| name.place.clone());
                let earlier: Option<FaultDraft> = drafts.remove(&index_of(kind));
                let named = named.or_else(|| earlier?.named);
                drafts.insert(index_of(kind), FaultDraft { named, ..draft(kind) });
            }
        }
    }
    let mut refined: BTreeMap<&'static str, Place> = BTreeMap::new();
    for block in &fields.blocks {
        let Some(name) = reader.label(block) else { continue };
        let Some(kind) = find(&name.value) else {
            unknown(reader, &name);
            continue;
        };
        if let Some(first) = refined.insert(kind.name, name.place.clone()) {
            let message = format!("two blocks for the fault {:?}", kind.name);
            let (here, there) = ((&name.place, "again here"), (&first, "first here"));
            reader.report_both(Code::Repeated, message, here, there, "Put its parameters into one block.");
        }
        let named = Some(name.place.clone());
        drafts.insert(index_of(kind), FaultDraft { named, ..refine(reader, kind, block) });
    }
    drafts.into_values().collect()
}

fn index_of(kind: &FaultKind) -> usize {
    CATALOGUE.iter().position(|k| k.name == kind.name).unwrap_or(usize::MAX)
}

fn draft(kind: &'static FaultKind) -> FaultDraft {
    let spec = FaultSpec { name: kind.name.to_owned(), params: BTreeMap::new(), spare: Vec::new() };
    FaultDraft { kind, spec, spare: Vec::new(), named: None }
}

fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = CATALOGUE.iter().map(|kind| kind.group).collect();
    groups.dedup();
    groups
}

fn unknown(reader: &mut Reader, name: &Placed<String>) {
    if group(&name.value).next().is_some() {
        let message = format!("{:?} is a group of faults, and a block is for one fault", name.value);
        let members: Vec<&str> = group(&name.value).map(|kind| kind.name).collect();
        let help =
            format!("Switch the group on in `faults`, and refine its members: {}.", members.join(", "));
        return reader.report(Code::UnknownFault, message, &name.place, "this group", help);
    }
    let message = format!("there is no fault and no group of faults {:?} in this version", name.value);
    let kinds = || CATALOGUE.iter().map(|kind| kind.name);
    let meant = reader.did_you_mean(&name.value, groups().into_iter().chain(kinds()));
    let known = format!("The groups are: {}.", groups().join(", "));
    let help = if meant.starts_with("Did") {
        format!("{meant} {known}")
    } else {
        format!("{known} The faults are: {}.", kinds().collect::<Vec<_>>().join(", "))
    };
    reader.report(Code::UnknownFault, message, &name.place, "unknown fault", help);
}

fn refine(reader: &mut Reader, kind: &'static FaultKind, block: &Block) -> FaultDraft {
    let mut draft = draft(kind);
    for structure in &block.body {
        match structure {
            Structure::Attribute(attribute) => {
                let name = attribute.key.as_str();
                if name == "spare" {
                    draft.spare = reader.strings(&attribute.value, "`spare`", "spare = [\"ledger\"]");
                } else if let Some(param) = kind.params.iter().find(|p| p.name == name) {
                    if let Some(value) = value(reader, kind, param, &attribute.value) {
                        draft.spec.params.insert(name.to_owned(), value);
                    }
                } else {
                    let place = reader.place_of(&attribute.key);
                    unknown_param(reader, kind, name, &place);
                }
            }
            Structure::Block(inner) => {
                let place = reader.place_of(&inner.ident);
                let message = format!("fault {:?} has no block `{}`", kind.name, inner.ident.as_str());
                reader.report(
                    Code::UnknownBlock,
                    message,
                    &place,
                    "unknown block",
                    "A fault has attributes only.",
                );
            }
        }
    }
    draft.spec.spare = draft.spare.iter().map(|name| name.value.clone()).collect();
    draft
}

fn unknown_param(reader: &mut Reader, kind: &FaultKind, name: &str, place: &Place) {
    let names = kind.params.iter().map(|p| p.name).chain(["spare"]);
    let help = reader.did_you_mean(name, names);
    let message = format!("fault {:?} has no parameter `{name}`", kind.name);
    reader.report(Code::UnknownParam, message, place, "unknown parameter", help);
}

fn value(reader: &mut Reader, kind: &FaultKind, param: &ParamSpec, value: &Expression) -> Option<Param> {
    let what = format!("`{}`", param.name);
    match bounds(kind, param) {
        Bounds::Time(min) => reader.duration(value, &what, min.min(DURATION_MAX)).map(Param::Duration),
        Bounds::Number(bounds) => {
            let example = format!("{} = {}", param.name, param.default);
            reader.number(value, &what, bounds, &example).map(Param::Number)
        }
        Bounds::Flag => reader.flag(value, &what, &format!("{} = true", param.name)).map(Param::Flag),
    }
}
