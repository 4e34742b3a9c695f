//! Everything that must hold before a change goes in. Each gate runs even where one before it failed.

use std::time::Instant;

use crate::project::{Engines, Project};
use crate::test::Tally;
use crate::{process, scenarios, setup, test, tidy};

/// A gate: its name, and how it is run.
type Gate = (&'static str, fn(&Project) -> Result<Tally, String>);

const GATES: &[Gate] = &[
    ("format", format),
    ("tidy", house),
    ("clippy", clippy),
    ("clippy without js", clippy_without_js),
    ("tests", tests),
    ("scenarios", |project| scenarios::scenarios(project, "")),
];

/// Runs the gates; the last line printed is the tally.
pub(crate) fn run(project: &Project) -> Result<bool, String> {
    setup::run(project)?;
    setup::check_engine(project)?;
    let mut total = Tally::default();
    let mut lines = Vec::new();
    for (name, gate) in GATES {
        println!("── {name}");
        let began = Instant::now();
        let tally = gate(project).unwrap_or_else(|error| {
            println!("{error}");
            Tally::of(false)
        });
        total.add(tally);
        let verdict = if tally.failed == 0 { "holds" } else { "FAILS" };
        lines.push(format!("{verdict} {name}: {tally}, {:.0} s", began.elapsed().as_secs_f64()));
    }
    println!("──\n{}\n{total}", lines.join("\n"));
    Ok(total.failed == 0)
}

fn format(project: &Project) -> Result<Tally, String> {
    process::succeeds(&mut project.cargo(&["fmt", "--all", "--check"])).map(Tally::of)
}

fn house(project: &Project) -> Result<Tally, String> {
    let findings = tidy::run(&project.root)?;
    findings.iter().for_each(|finding| println!("{finding}"));
    Ok(Tally::of(findings.is_empty()))
}

fn clippy(project: &Project) -> Result<Tally, String> {
    let mut command = project.cargo(&["clippy", "--all-targets"]);
    command.args(project.selection()).args(["--", "--deny", "warnings"]);
    process::succeeds(&mut command).map(Tally::of)
}

/// A machine without the V8 library builds everything else; this keeps that true.
fn clippy_without_js(project: &Project) -> Result<Tally, String> {
    if project.engines == Engines::WithoutJs {
        return Ok(Tally::default());
    }
    clippy(&Project::open(project.root.clone(), Engines::WithoutJs, project.profile)?)
}

fn tests(project: &Project) -> Result<Tally, String> {
    test::tests(project, &[])
}
