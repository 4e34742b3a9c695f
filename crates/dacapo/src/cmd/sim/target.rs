//! What `dacapo sim PATH` means: which scenarios, which seeds.

use std::ops::Range;
use std::path::{Path, PathBuf};

use dacapo::project::{Project, is_project};
use dacapo_config::{SavedSeed, is_seed, parse_seed};
use dacapo_core::plan::Scenario;
use dacapo_core::{Script, Seed};
use dacapo_lab::{Attempt, Experiment, Explorer, Setup, Strategy};
use miette::{IntoDiagnostic, WrapErr, miette};

use super::Args;
use crate::campaign::record::Name;

/// A scenario of a project and the seeds to run.
pub(crate) struct Target {
    pub(crate) project: Project,
    pub(crate) scenario: Scenario,
    pub(crate) seeds: Range<u64>,
    pub(crate) strategy: Strategy,
    /// The one attempt that is saved in a file, if it is not one of a strategy.
    pub(crate) script: Option<Script>,
    /// The saved seed that this came from.
    pub(crate) saved: Option<SavedSeed>,
}

impl Target {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.project.path().display(), self.scenario.name)
    }

    /// The line that repeats an attempt.
    pub(crate) fn repeat(&self, attempt: Name) -> String {
        let path = self.project.path().display();
        let strategy = match attempt.strategy {
            Strategy::Swarm => String::new(),
            strategy => format!(" --strategy {strategy}"),
        };
        format!("dacapo sim {path} --scenario {}{strategy} --seed {}", self.scenario.name, attempt.number)
    }

    /// The experiment, as large and as long as it is to be.
    pub(crate) fn experiment(&self) -> miette::Result<Experiment> {
        let experiment = self.project.experiment(&self.scenario)?;
        let Some(saved) = &self.saved else { return Ok(experiment) };
        let present = Setup {
            nodes: saved.nodes.unwrap_or(experiment.nodes()),
            lasts: saved.lasts.unwrap_or(experiment.options().lasts),
            swarm: experiment.options().swarm,
        };
        Ok(experiment.with_setup(present))
    }

    /// The attempt of this name.
    pub(crate) fn attempt(&self, experiment: &Experiment, name: Name) -> Attempt {
        match &self.script {
            None => Explorer::new(self.strategy, 0).attempt(experiment, name.strategy, name.number),
            Some(script) => Attempt {
                strategy: Strategy::Swarm,
                number: self.seeds.start,
                seed: Seed(self.seeds.start),
                lasts: experiment.options().lasts,
                script: Some(script.clone()),
            },
        }
    }

    /// The one attempt, of a target that has no other.
    pub(crate) fn only(&self, experiment: &Experiment) -> Attempt {
        self.attempt(experiment, Name { strategy: self.strategy, number: self.seeds.start })
    }
}

/// `500` or `100..200`.
pub(crate) fn parse_seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |part: &str| part.trim().parse::<u64>().map_err(|_| format!("{part:?} is not a number"));
    let range = match text.split_once("..") {
        Some((from, to)) => number(from)?..number(to)?,
        None => 0..number(text)?,
    };
    if range.is_empty() { Err("these are no seeds".to_owned()) } else { Ok(range) }
}

/// Everything that the arguments name.
pub(crate) fn find(args: &Args) -> miette::Result<Vec<Target>> {
    let mut targets = Vec::new();
    collect(args, &args.path, &mut targets)?;
    if targets.is_empty() {
        return Err(miette!(
            help = "it takes a project's folder, a folder of projects, or the file of a saved seed",
            "{} holds nothing to simulate",
            args.path.display()
        ));
    }
    Ok(targets)
}

fn collect(args: &Args, path: &Path, targets: &mut Vec<Target>) -> miette::Result<()> {
    let cannot_open = || format!("cannot open {}", path.display());
    if std::fs::metadata(path).into_diagnostic().wrap_err_with(cannot_open)?.is_file() {
        targets.push(saved(args, path)?);
        return Ok(());
    }
    if is_project(path) {
        return of_project(args, path, targets);
    }
    let entries = std::fs::read_dir(path).into_diagnostic().wrap_err_with(cannot_open)?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        paths.push(entry.into_diagnostic()?.path());
    }
    paths.sort();
    for path in paths {
        let is_saved = || std::fs::read_to_string(&path).is_ok_and(|text| is_seed(&text));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "node_modules" && is_project(&path) {
            of_project(args, &path, targets)?;
        } else if path.extension().is_some_and(|e| e == "hcl") && is_saved() {
            targets.push(saved(args, &path)?);
        }
    }
    Ok(())
}

fn of_project(args: &Args, path: &Path, targets: &mut Vec<Target>) -> miette::Result<()> {
    let count = Project::open(path)?.plan().scenarios.len();
    let project = Project::open(path)?;
    let names: Vec<String> = match &args.scenario {
        Some(name) => vec![project.scenario(Some(name))?.name.clone()],
        None if count == 0 => vec![project.scenario(None)?.name.clone()],
        None => project.plan().scenarios.iter().map(|s| s.name.clone()).collect(),
    };
    // One seed is the seed itself; of many each is an attempt of the best strategy for it.
    let usual = if args.seed.is_some() { Strategy::Swarm } else { Strategy::Portfolio };
    let strategy = args.strategy.unwrap_or(usual);
    for name in names {
        let project = Project::open_for(path, args.usage(strategy))?;
        let scenario = project.scenario(Some(&name))?.clone();
        let seeds = match (args.seed, &args.seeds) {
            (Some(seed), _) => seed..seed.saturating_add(1),
            (None, Some(seeds)) => seeds.clone(),
            (None, None) if args.lasts.is_some() => 0..u64::MAX,
            (None, None) => 0..scenario.seeds,
        };
        if args.seed.is_some() && strategy == Strategy::Portfolio {
            return Err(miette!(
                help = "name the strategy that the attempt is of, as the line does that repeats it",
                "a portfolio has no attempts of its own, so --seed cannot choose one"
            ));
        }
        targets.push(Target { project, scenario, seeds, strategy, script: None, saved: None });
    }
    Ok(())
}

fn saved(args: &Args, path: &Path) -> miette::Result<Target> {
    let text = std::fs::read_to_string(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read the saved seed {}", path.display()))?;
    let saved = parse_seed(&path.display().to_string(), &text)?;
    let strategy = match &saved.strategy {
        None => Strategy::Swarm,
        Some(name) => name
            .parse::<Strategy>()
            .into_diagnostic()
            .wrap_err_with(|| format!("the strategy of the saved seed {} cannot be used", path.display()))?,
    };
    let folder = path.parent().unwrap_or(Path::new(".")).join(&saved.project);
    let project = Project::open_for(&folder, args.usage(strategy))?;
    let scenario = project.scenario(Some(&saved.scenario))?.clone();
    let seeds = saved.seed..saved.seed.saturating_add(1);
    let script = match saved.decisions.is_empty() {
        true => None,
        false => Some(Script::from_lists(&saved.decisions).into_diagnostic().wrap_err_with(|| {
            format!("the decisions of the saved seed {} cannot be used", path.display())
        })?),
    };
    Ok(Target { project, scenario, seeds, strategy, script, saved: Some(saved) })
}

#[cfg(test)]
mod tests {
    use super::parse_seeds;

    #[test]
    fn seeds_are_a_number_or_a_range() {
        assert_eq!(parse_seeds("500"), Ok(0..500));
        assert_eq!(parse_seeds("100..200"), Ok(100..200));
        assert_eq!(parse_seeds("200..100"), Err("these are no seeds".into()));
        assert_eq!(parse_seeds("many"), Err("\"many\" is not a number".into()));
    }
}
