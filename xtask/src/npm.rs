//! The npm packages of guests that are tested with real ones.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process;
use crate::project::Project;

/// Folders whose guests may have packages of their own; the peers of the benchmarks install themselves.
const HOMES: &[&str] = &["examples", "sim-scenarios/fast", "sim-scenarios/conformance"];

/// Installs what each `package-lock.json` pins, where that has not been done.
pub(crate) fn install(project: &Project) -> Result<(), String> {
    for folder in HOMES.iter().flat_map(|home| folders(&project.root.join(home))) {
        if is_installed(&folder) {
            continue;
        }
        let name = folder.strip_prefix(&project.root).unwrap_or(&folder).display().to_string();
        println!("setup: npm ci in {name}");
        // Guests are bundled by Dacapo itself, so no package's install script has anything to do here.
        let mut npm = project.command("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
        let (ok, said) =
            process::asks(&mut npm).map_err(|error| format!("{name} needs npm packages: {error}"))?;
        if !ok {
            return Err(format!("npm ci failed in {name}; can this machine reach its npm registry?\n{said}"));
        }
    }
    Ok(())
}

/// The folders directly below `home` that pin packages, in order.
fn folders(home: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(home).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<_> = entries.filter(|folder| folder.join("package-lock.json").is_file()).collect();
    folders.sort();
    folders
}

/// npm leaves a list of what it installed; one that is older than the pins is out of date.
fn is_installed(folder: &Path) -> bool {
    let changed = |path: &str| fs::metadata(folder.join(path)).and_then(|data| data.modified()).ok();
    matches!(
        (changed("node_modules/.package-lock.json"), changed("package-lock.json")),
        (Some(installed), Some(pinned)) if installed >= pinned
    )
}
