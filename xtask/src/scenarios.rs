//! Every scenario in the tree is run, each with what is expected of its folder.
//!
//! What a scenario means is for `dacapo` to judge; here only exit codes are compared.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait_timeout::ChildExt;

use crate::project::{Engines, Profile, Project};
use crate::test::Tally;
use crate::{process, setup};

/// The longest that one scenario may take before it counts as hanging.
const LIMIT: Duration = Duration::from_secs(300);

/// Exit codes of `dacapo` that scenarios are held to.
const HOLDS: i32 = 0;
const CHECK_BROKE: i32 = 1;

/// A folder of scenarios, how each is called, and how it must end.
struct Kind {
    folder: &'static str,
    /// Whether an entry is a project folder (one that holds `*.hcl`) or a single file.
    entries: Entries,
    before: &'static [&'static str],
    after: &'static [&'static str],
    ends: i32,
    /// Whether what is printed must hold the rule that the saved seed names.
    names_rule: bool,
}

#[derive(PartialEq, Eq)]
enum Entries {
    Projects,
    Files,
}

const KINDS: &[Kind] = &[
    normal("sim-scenarios/fast"),
    normal("examples"),
    Kind { before: &["conform"], after: &[], ..normal("sim-scenarios/conformance") },
    // A planted bug must be found within these seeds.
    Kind {
        after: &["--seeds", "100", "--shrink", "0"],
        ends: CHECK_BROKE,
        ..normal("sim-scenarios/negative")
    },
    // The bug is mended, so the seed passes.
    Kind { entries: Entries::Files, after: &[], ..normal("sim-scenarios/regressions") },
    // The bug is still there: another ending, or another rule, means that the file is no longer true.
    Kind {
        entries: Entries::Files,
        after: &["--shrink", "0"],
        ends: CHECK_BROKE,
        names_rule: true,
        ..normal("sim-scenarios/regressions/open")
    },
];

/// Twenty seeds, each run again in a second process with an equal digest.
const fn normal(folder: &'static str) -> Kind {
    Kind {
        folder,
        entries: Entries::Projects,
        before: &["sim"],
        after: &["--seeds", "20", "--verify"],
        ends: HOLDS,
        names_rule: false,
    }
}

/// Sets up, builds `dacapo`, and runs the scenarios whose path contains the filter.
pub(crate) fn run(project: &Project, filter: &str) -> Result<bool, String> {
    setup::run(project)?;
    setup::check_engine(project)?;
    let tally = scenarios(project, filter)?;
    println!("{tally}");
    Ok(tally.failed == 0)
}

/// Builds `dacapo` and runs the scenarios; without JavaScript there is none to run.
pub(crate) fn scenarios(project: &Project, filter: &str) -> Result<Tally, String> {
    let mut tally = Tally::default();
    if project.engines == Engines::WithoutJs {
        println!("scenarios: their guests are JavaScript; none is run without it");
        return Ok(tally);
    }
    if !build(project)? {
        return Ok(Tally::of(false));
    }
    let logs = project.target().join("scenarios");
    fs::create_dir_all(&logs).map_err(|error| format!("cannot make {}: {error}", logs.display()))?;
    for kind in KINDS {
        for path in entries(&project.root.join(kind.folder), &kind.entries)? {
            let name = path.strip_prefix(&project.root).unwrap_or(&path).display().to_string();
            if name.contains(filter) {
                tally.add(Tally::of(holds(project, kind, &name, &logs)?));
            }
        }
    }
    if tally == Tally::default() {
        // A gate that found nothing to do has found nothing out.
        println!("scenarios: there is none whose path contains `{filter}`");
        return Ok(Tally::of(false));
    }
    Ok(tally)
}

/// Builds what the scenarios need.
fn build(project: &Project) -> Result<bool, String> {
    let mut build = match project.profile {
        // The very units that the tests are built from, so that a gate compiles them once.
        Profile::Dev => {
            let mut build = project.cargo(&["build", "--lib", "--bins", "--tests"]);
            build.args(project.selection());
            build
        }
        Profile::Release => project.cargo(&["build", "--release", "--package", "dacapo", "--bin", "dacapo"]),
    };
    process::succeeds(&mut build)
}

/// Runs one scenario and compares how it ends; what it printed is shown where that differs.
fn holds(project: &Project, kind: &Kind, name: &str, logs: &Path) -> Result<bool, String> {
    let log = logs.join(format!("{}.log", name.replace(['/', '\\'], "+")));
    let out = File::create(&log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
    let err = out.try_clone().map_err(|error| format!("cannot write {}: {error}", log.display()))?;
    let mut command = Command::new(project.dacapo());
    command.current_dir(&project.root).args(kind.before).arg(name).args(kind.after);
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    let began = Instant::now();
    let mut child = command.spawn().map_err(|error| process::cannot_start(&command, &error))?;
    let status = child.wait_timeout(LIMIT).map_err(|error| format!("cannot wait for {name}: {error}"))?;
    let ended = match status {
        Some(status) => status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}")),
        None => {
            let _ = child.kill();
            let _ = child.wait();
            format!("no end within {} s", LIMIT.as_secs())
        }
    };
    let rule = if kind.names_rule { rule_of(&project.root.join(name))? } else { String::new() };
    let printed =
        || fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let ok = status.and_then(|status| status.code()) == Some(kind.ends) && printed().contains(&rule);
    let verdict = if ok { "holds" } else { "FAILS" };
    println!("scenario {verdict} {name} ({:.1} s)", began.elapsed().as_secs_f64());
    if !ok {
        println!(
            "  dacapo {} {name} {}: {ended}, expected {}{}",
            kind.before.join(" "),
            kind.after.join(" "),
            kind.ends,
            if kind.names_rule { format!(" with the rule {rule:?}") } else { String::new() }
        );
        print!("{}", printed());
    }
    Ok(ok)
}

/// The rule that a saved seed broke when it was found.
fn rule_of(file: &Path) -> Result<String, String> {
    let text =
        fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let values =
        text.lines().filter_map(|line| line.trim().strip_prefix("rule")?.trim_start().strip_prefix('='));
    let rule = values.map(|value| value.trim().trim_matches('"').to_owned()).find(|rule| !rule.is_empty());
    rule.ok_or_else(|| format!("{} does not say which rule it breaks", file.display()))
}

/// The scenarios of a folder, in order. A folder that is missing holds none.
fn entries(folder: &Path, kind: &Entries) -> Result<Vec<PathBuf>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let listed = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let listed = listed.map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = listed.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| match kind {
        Entries::Projects => is_project(path),
        Entries::Files => path.is_file() && path.extension().is_some_and(|extension| extension != "md"),
    });
    paths.sort();
    Ok(paths)
}

fn is_project(folder: &Path) -> bool {
    let mut inside = fs::read_dir(folder).into_iter().flatten().flatten();
    inside.any(|entry| entry.path().extension().is_some_and(|extension| extension == "hcl"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_folders_with_hcl_and_saved_seeds_are_files() {
        let home = tempfile::tempdir().unwrap();
        for path in ["b/dacapo.hcl", "a/dacapo.hcl", "c/readme.md", "lost.hcl", "README.md"] {
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let names = |kind| {
            let paths = entries(home.path(), &kind).unwrap().into_iter();
            paths.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(Entries::Projects), ["a", "b"]);
        assert_eq!(names(Entries::Files), ["lost.hcl"]);
        assert_eq!(entries(&home.path().join("gone"), &Entries::Files), Ok(Vec::new()));
    }

    #[test]
    fn a_saved_seed_says_which_rule_it_breaks() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("lost.hcl");
        fs::write(&file, "seed \"lost\" {\n  rule      = \"no money appears\"\n}\n").unwrap();
        assert_eq!(rule_of(&file), Ok("no money appears".to_owned()));
        fs::write(&file, "seed \"lost\" {}\n").unwrap();
        assert!(rule_of(&file).is_err());
    }
}
