//! A project folder: its configuration, its files, its programs.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use dacapo_config::{Config, check_files, parse_files};
use dacapo_core::Program;
use dacapo_core::plan::{Plan, Scenario};
use dacapo_host::OsFiles;
use dacapo_lab::Experiment;
use miette::{IntoDiagnostic, WrapErr, miette};

use crate::engines::{Engines, Use};

/// A project that was opened.
pub struct Project {
    path: PathBuf,
    files: OsFiles,
    config: Config,
    config_text: String,
    engines: Engines,
    usage: Use,
}

impl Project {
    /// Opens the project in this folder, to simulate it.
    pub fn open(path: &Path) -> miette::Result<Project> {
        Project::open_for(path, Use::Simulate)
    }

    /// Opens the project in this folder.
    pub fn open_for(path: &Path, usage: Use) -> miette::Result<Project> {
        let texts = read_config(path)?;
        let named: Vec<(&str, &str)> = texts.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
        let config = parse_files(&named)?;
        let files = OsFiles::new(path).into_diagnostic()?;
        check_files(&config, &files)?;
        let config_text = texts.iter().map(|(_, text)| text.as_str()).collect();
        Ok(Project {
            path: path.to_owned(),
            files,
            config,
            config_text,
            engines: Engines::start(usage)?,
            usage,
        })
    }

    /// The folder, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it was opened for.
    pub fn usage(&self) -> Use {
        self.usage
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.config.plan
    }

    /// The text of the configuration.
    pub fn config_text(&self) -> &str {
        &self.config_text
    }

    /// Versions of the engines.
    pub fn engine_identity(&self) -> String {
        self.engines.identity()
    }

    /// The scenario of this name; without a name, the only one.
    pub fn scenario(&self, name: Option<&str>) -> miette::Result<&Scenario> {
        let scenarios = &self.plan().scenarios;
        let names = || scenarios.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
        match name {
            Some(name) => scenarios.iter().find(|s| s.name == name).ok_or_else(|| {
                miette!("{} has no scenario \"{name}\"; it has: {}", self.path.display(), names())
            }),
            None if scenarios.len() == 1 => Ok(&scenarios[0]),
            None if scenarios.is_empty() => Err(miette!(
                help = "add a block  scenario \"main\" { workload = \"main.sim.ts\" }  to its configuration",
                "{} has no scenario",
                self.path.display()
            )),
            None => Err(miette!(
                help = "name one with --scenario",
                "{} has several scenarios: {}",
                self.path.display(),
                names()
            )),
        }
    }

    fn load(&self, module: &str) -> miette::Result<Rc<dyn Program>> {
        self.engines.load(module, &self.files)
    }

    /// The programs of all services, in the order of the plan.
    pub fn programs(&self) -> miette::Result<Vec<Rc<dyn Program>>> {
        self.plan().services.iter().map(|service| self.load(&service.module)).collect()
    }

    /// The scenario with everything that it needs, loaded.
    pub fn experiment(&self, scenario: &Scenario) -> miette::Result<Experiment> {
        let mut programs = self.programs()?;
        programs.push(self.load(&scenario.workload)?);
        for module in scenario.stubs.values() {
            programs.push(self.load(module)?);
        }
        for next in self.plan().services.iter().filter_map(|service| service.next.as_ref()) {
            programs.push(self.load(next)?);
        }
        Ok(Experiment::from_plan(self.plan(), scenario, programs))
    }
}

/// Whether this folder is a project: whether it holds configuration that is no saved seed.
pub fn is_project(path: &Path) -> bool {
    read_config(path).is_ok_and(|texts| !texts.is_empty())
}

/// How long a configuration file may be, in bytes.
const CONFIG_MAX: u64 = 1 << 20;

/// The configuration files of a folder, by name, without those that hold saved seeds.
fn read_config(path: &Path) -> miette::Result<Vec<(String, String)>> {
    let entries = std::fs::read_dir(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot open the project {}", path.display()))?;
    let mut texts = Vec::new();
    for entry in entries {
        let file = entry.into_diagnostic()?.path();
        if file.extension().is_none_or(|e| e != "hcl") {
            continue;
        }
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let cannot_read = || format!("cannot read {}", file.display());
        let size = std::fs::metadata(&file).into_diagnostic().wrap_err_with(cannot_read)?.len();
        if size > CONFIG_MAX {
            return Err(miette!(
                help = "configuration is small; data belongs into modules, or into files of another name",
                "{} has {size} bytes, and a configuration file may have {CONFIG_MAX}",
                file.display()
            ));
        }
        let text = std::fs::read_to_string(&file).into_diagnostic().wrap_err_with(cannot_read)?;
        if !dacapo_config::is_seed(&text) {
            texts.push((name, text));
        }
    }
    if texts.is_empty() {
        return Err(miette!(
            help = "`dacapo new NAME` makes a project to begin with",
            "{} is not a project: it has no *.hcl file",
            path.display()
        ));
    }
    texts.sort();
    Ok(texts)
}
