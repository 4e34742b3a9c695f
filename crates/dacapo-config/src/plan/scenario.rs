//! The `scenario` block.

use std::time::Duration;

use dacapo_core::plan::Scenario;
use hcl_edit::expr::Expression;
use hcl_edit::structure::Block;

use super::fault::{self, FaultDraft};
use super::service::{NODES_MAX, host};
use crate::Code;
use crate::file_check::Module;
use crate::read::{Fields, NameRule, PathRule, Placed, Reader, Shape};

const SCENARIO: Shape = Shape {
    attributes: &["faults", "lasts", "nodes", "seeds", "settles", "stubs", "workload"],
    blocks: &["fault"],
    hints: &[
        ("services", "A scenario runs every service of the project."),
        ("checks", "Checks are functions of the workload module."),
        ("seed", "`seeds` says how many to run; to run one, use `dacapo sim --seed S`."),
    ],
};

const NODES: u64 = 3;
const SEEDS: u64 = 100;
const LASTS: Duration = Duration::from_secs(60);
const SETTLES: Duration = Duration::from_secs(60);

/// A scenario that was read, and the places that are checked against other blocks.
pub(super) struct ScenarioDraft {
    pub(super) scenario: Scenario,
    pub(super) name: Placed<String>,
    pub(super) nodes: Placed<u64>,
    pub(super) stubs: Vec<Placed<String>>,
    pub(super) faults: Vec<FaultDraft>,
    pub(super) modules: Vec<Module>,
}

pub(super) fn read(reader: &mut Reader, block: &Block) -> Option<ScenarioDraft> {
    let name = reader.label(block)?;
    reader.check_name(NameRule::File, "a scenario", &name);
    let owner = format!("scenario {:?}", name.value);
    let fields = reader.fields(&owner, name.place.clone(), &block.body, &SCENARIO);
    let mut modules = Vec::new();
    let workload = reader.required(&fields, "workload", "\"checkout.sim.ts\"");
    if let Some(value) = workload {
        modules.extend(module(reader, &fields, value, "`workload`", "workload = \"checkout.sim.ts\""));
    }
    let workload = modules.first().map(|m| m.path.clone()).unwrap_or_default();
    let nodes = fields
        .get("nodes")
        .and_then(|e| reader.integer(e, "`nodes`", 1..=NODES_MAX, "nodes = 3"))
        .unwrap_or(Placed { value: NODES, place: name.place.clone() });
    let seeds = fields
        .get("seeds")
        .and_then(|e| reader.integer(e, "`seeds`", 1..=u64::MAX, "seeds = 100"))
        .map_or(SEEDS, |n| n.value);
    let stubs = stubs(reader, &fields);
    let faults = fault::read(reader, &fields);
    let scenario = Scenario {
        name: name.value.clone(),
        workload,
        nodes: nodes.value as u32,
        lasts: time(reader, &fields, "lasts", LASTS),
        settles: time(reader, &fields, "settles", SETTLES),
        faults: faults.iter().map(|fault| fault.spec.clone()).collect(),
        stubs: stubs.iter().map(|(host, module)| (host.value.clone(), module.path.clone())).collect(),
        seeds,
    };
    let (stubs, stub_modules): (Vec<_>, Vec<_>) = stubs.into_iter().unzip();
    modules.extend(stub_modules);
    Some(ScenarioDraft { scenario, name, nodes, stubs, faults, modules })
}

fn module(
    reader: &mut Reader,
    fields: &Fields<'_>,
    value: &Expression,
    what: &str,
    example: &str,
) -> Option<Module> {
    let path = reader.path(value, what, PathRule::Inside, example)?;
    Some(Module { path: path.value, place: path.place, of: fields.owner.clone() })
}

fn time(reader: &mut Reader, fields: &Fields<'_>, name: &str, default: Duration) -> Duration {
    // A run of no length starts nothing, and nothing becomes quiet in no time.
    let min = Duration::from_millis(1);
    let value = fields.get(name).and_then(|e| reader.duration(e, &format!("`{name}`"), min));
    value.unwrap_or(default)
}

fn stubs(reader: &mut Reader, fields: &Fields<'_>) -> Vec<(Placed<String>, Module)> {
    let example = "stubs = { \"api.pay.example\" = \"stubs/pay.ts\" }";
    let Some(value) = fields.get("stubs") else { return Vec::new() };
    let mut stubs: Vec<(Placed<String>, Module)> = Vec::new();
    for (name, value) in reader.entries(value, "`stubs`", example) {
        let host = host(reader, &name, false, example);
        let module = module(reader, fields, value, "a stub", example);
        let (Some(host), Some(module)) = (host, module) else { continue };
        if let Some((first, _)) = stubs.iter().find(|(other, _)| other.value == host.value) {
            let message = format!("{:?} has two stubs", host.value);
            let (here, there) = ((&host.place, "again here"), (&first.place, "first here"));
            reader.report_both(Code::Repeated, message, here, there, "Remove one of them.");
        } else {
            stubs.push((host, module));
        }
    }
    stubs
}
