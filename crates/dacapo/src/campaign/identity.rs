//! What a campaign is of: a program, a scenario and a strategy. Results of two programs are never mixed.

use std::path::Path;
use std::time::SystemTime;

use dacapo::project::Project;
use dacapo_core::{Digest, Seed, digest_of};
use dacapo_lab::{Experiment, Strategy};
use serde::{Deserialize, Serialize};

/// The version of the format of results.
pub(crate) const VERSION: u32 = 1;

/// What stands at the head of a file of results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The version of the format.
    pub(crate) campaign: u32,
    /// The project, as the user gave it. For people.
    pub(crate) project: String,
    /// The name of the project's folder.
    pub(crate) folder: String,
    pub(crate) scenario: String,
    pub(crate) strategy: String,
    /// Name and version of the program that ran it.
    pub(crate) tool: String,
    pub(crate) engine: String,
    /// Stands for the whole plan: services, nodes, faults, length.
    pub(crate) plan: String,
    /// Each service with the digest of its program.
    pub(crate) programs: Vec<(String, String)>,
    /// When. For people.
    pub(crate) started: String,
}

impl Identity {
    pub(crate) fn of(project: &Project, experiment: &Experiment, strategy: Strategy) -> Identity {
        let run = experiment.identity(Seed(0), None);
        let path = project.path();
        let folder = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let programs = run.programs.iter().map(|(name, digest)| (name.clone(), digest.to_string()));
        Identity {
            campaign: VERSION,
            project: path.display().to_string(),
            folder: name_of(&folder),
            scenario: experiment.name().to_owned(),
            strategy: strategy.to_string(),
            tool: run.tool,
            engine: project.engine_identity(),
            plan: run.plan.to_string(),
            programs: programs.collect(),
            started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        }
    }

    /// What a person calls it.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.project, self.scenario)
    }

    /// A word for the names of its files.
    pub(crate) fn word(&self) -> String {
        let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        format!("{}-{}", self.folder, self.scenario).chars().map(plain).collect()
    }

    /// Whether both are of one scenario of one project, whatever its code.
    pub(crate) fn is_of(&self, other: &Identity) -> bool {
        (&self.folder, &self.scenario) == (&other.folder, &other.scenario)
    }

    /// Whether both are one campaign, if their programs do not differ.
    pub(crate) fn is_same(&self, other: &Identity) -> bool {
        self.is_of(other) && self.strategy == other.strategy
    }

    /// The first thing in which the other one's program differs.
    pub(crate) fn difference(&self, now: &Identity) -> Option<String> {
        let differs = |what: &str, then: &str, now: &str| {
            (then != now).then(|| format!("{what} was {then}, and is {now}"))
        };
        let programs = || {
            let now_of = |name: &String| now.programs.iter().find(|(other, _)| other == name);
            let changed = self.programs.iter().find(|it| now_of(&it.0) != Some(it));
            changed.map(|(name, _)| format!("the code of {name} has changed"))
        };
        differs("the program that simulates", &self.tool, &now.tool)
            .or_else(|| differs("the engine", &self.engine, &now.engine))
            .or_else(programs)
            .or_else(|| (self.plan != now.plan).then(|| "its configuration has changed".to_owned()))
    }

    /// One number for all that decides how an attempt goes.
    pub(crate) fn digest(&self) -> Digest {
        let Identity { campaign, folder, scenario, strategy, tool, engine, plan, programs, .. } = self;
        digest_of(&((campaign, folder, scenario, strategy), (tool, engine, plan, programs)))
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
