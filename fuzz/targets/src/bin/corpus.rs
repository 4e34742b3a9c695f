//! Writes what fuzzing begins with: `corpus NAME FOLDER`. Files are named by their content, so nothing is lost.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use dacapo_fuzz_targets::{TARGETS, root, schedule};

fn write(name: &str, folder: &str) -> Result<usize, String> {
    let seeds = match TARGETS.iter().find(|target| target.name == name) {
        Some(target) => (target.seeds)(&root()),
        None if name == "planted" => schedule::seeds(),
        None => {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            return Err(format!("there is no target {name:?}: it is one of {}, planted", names.join(", ")));
        }
    };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    for seed in &seeds {
        let path = folder.join(dacapo_core::digest_of(seed).to_string());
        std::fs::write(&path, seed)
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    }
    Ok(seeds.len())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, folder] = arguments.as_slice() else {
        eprintln!("corpus NAME FOLDER");
        return ExitCode::from(2);
    };
    match write(name, folder) {
        Ok(count) => {
            println!("{count} files to begin with in {folder}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("corpus: {error}");
            ExitCode::from(2)
        }
    }
}
