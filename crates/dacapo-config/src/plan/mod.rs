//! A project: services, scenarios, and what must hold between them.

mod across;
mod builtin;
mod cron;
mod fault;
mod object;
mod queue;
mod scenario;
mod service;

use dacapo_core::plan::Plan;
use hcl_edit::structure::Body;

use crate::error::{Place, Source};
use crate::read::{Reader, Shape};
use crate::{Errors, file_check::Module};
use queue::Stores;
use scenario::ScenarioDraft;
use service::ServiceDraft;

const PROJECT: Shape = Shape {
    attributes: &[],
    blocks: &["kv", "queue", "scenario", "service"],
    hints: &[("seed", "A saved seed is a file of its own: `dacapo sim FILE` runs it.")],
};

/// A project that was read: its plan, and where things stand.
#[derive(Clone, Debug)]
pub struct Config {
    /// The plan.
    pub plan: Plan,
    pub(crate) sources: Vec<Source>,
    pub(crate) modules: Vec<Module>,
}

/// Reads a project out of one file. Whether its modules exist is up to [`crate::check_files`].
pub fn parse(file_name: &str, text: &str) -> Result<Config, Errors> {
    parse_files(&[(file_name, text)])
}

/// Reads a project out of all of its files, given as name and text.
///
/// Services come in the order of the files' names, in whatever order the files are given: their
/// numbers are part of a run, and folders have no order.
pub fn parse_files(files: &[(&str, &str)]) -> Result<Config, Errors> {
    let mut files = files.to_vec();
    files.sort();
    let mut reader = Reader::default();
    let mut services = Vec::new();
    let mut scenarios = Vec::new();
    let mut stores = Stores::default();
    for (name, text) in files {
        if let Some(body) = reader.open(name, text) {
            read_body(&mut reader, &body, &mut services, &mut scenarios, &mut stores);
        }
    }
    across::check(&mut reader, &services, &scenarios, &stores);
    queue::check(&mut reader, &services, &stores);
    let (sources, errors) = reader.finish();
    Errors::check(errors)?;
    let mut modules = Vec::new();
    let mut plan = Plan::default();
    for draft in services {
        modules.extend(draft.module);
        modules.extend(draft.next);
        plan.services.push(draft.service);
    }
    plan.queues = stores.queues.into_iter().map(|draft| draft.queue).collect();
    plan.kv = stores.kv.into_iter().map(|name| name.value).collect();
    builtin::add(&mut plan);
    for draft in scenarios {
        modules.extend(draft.modules);
        plan.scenarios.push(draft.scenario);
    }
    Ok(Config { plan, sources, modules })
}

fn read_body(
    reader: &mut Reader,
    body: &Body,
    services: &mut Vec<ServiceDraft>,
    scenarios: &mut Vec<ScenarioDraft>,
    stores: &mut Stores,
) {
    let top: Place = reader.place(0..0);
    let fields = reader.fields("the top of a file", top, body, &PROJECT);
    for block in fields.blocks {
        match block.ident.as_str() {
            "kv" => stores.kv.extend(queue::read_kv(reader, block)),
            "queue" => stores.queues.extend(queue::read(reader, block)),
            "service" => services.extend(service::read(reader, block)),
            _ => scenarios.extend(scenario::read(reader, block)),
        }
    }
}
