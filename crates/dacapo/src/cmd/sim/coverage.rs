//! What a person is told of the code that runs have reached.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dacapo_core::PointKind;
use dacapo_lab::{Coverage, Experiment};
use miette::{IntoDiagnostic, WrapErr};
use serde_json::{Value, json};

use crate::campaign::summary::Summary;
use crate::output::{FAINT, STRONG};

/// What to do with coverage.
#[derive(clap::Args, Default)]
#[group(skip)]
pub(crate) struct Args {
    /// Name each function and branch of the services that no run has reached
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Write which functions and branches of the services were reached to this file, as LCOV
    #[arg(long, value_name = "FILE")]
    pub(crate) lcov: Option<PathBuf>,
}

impl Args {
    /// Whether somebody wants to know.
    pub(crate) fn is_wanted(&self) -> bool {
        self.coverage || self.lcov.is_some()
    }
}

/// What the attempts of a summary have reached; `None` if the programs have no probes.
pub(crate) fn of(experiment: &Experiment, summary: &Summary) -> Option<Coverage> {
    experiment.coverage(|sight| summary.has_seen(sight)).filter(|coverage| {
        // Guests in other languages have no functions and branches that anybody knows of.
        [PointKind::Function, PointKind::Branch].iter().any(|kind| coverage.share(*kind).all > 0)
    })
}

/// Prints how much was reached, and on request what was not.
pub(crate) fn tell(args: &Args, coverage: &Coverage) {
    anstream::println!("{STRONG}coverage{STRONG:#}  {coverage}");
    if !args.coverage {
        return;
    }
    for point in coverage.missed() {
        let what = match (point.kind, point.name.is_empty()) {
            (PointKind::Function, true) => "function".to_owned(),
            (PointKind::Function, false) => format!("function {}", point.name),
            (PointKind::Branch, _) => point.name.to_string(),
        };
        anstream::println!("  never reached  {}  {FAINT}{what}{FAINT:#}", point.location);
    }
}

/// All of it for programs.
pub(crate) fn to_json(args: &Args, coverage: &Coverage) -> Value {
    let share = |kind| {
        let share = coverage.share(kind);
        json!({ "reached": share.reached, "all": share.all })
    };
    let mut value = json!({ "functions": share(PointKind::Function), "branches": share(PointKind::Branch) });
    if args.coverage {
        let missed = coverage.missed().map(|point| {
            let kind = match point.kind {
                PointKind::Function => "function",
                PointKind::Branch => "branch",
            };
            json!({ "kind": kind, "name": *point.name, "at": point.location.to_string() })
        });
        value["never_reached"] = missed.collect();
    }
    value
}

/// Writes the coverage of projects, each by its folder, to the file for LCOV.
pub(crate) fn write(path: &Path, coverages: &[(PathBuf, Coverage)]) -> miette::Result<()> {
    let mut texts: BTreeMap<&Path, String> = BTreeMap::new();
    for (project, coverage) in coverages {
        let path_of = |file: &str| project.join(file).display().to_string();
        texts.entry(project).or_default().push_str(&coverage.lcov(path_of));
    }
    let text: String = texts.into_values().collect();
    std::fs::write(path, text).into_diagnostic().wrap_err_with(|| format!("cannot write {}", path.display()))
}
