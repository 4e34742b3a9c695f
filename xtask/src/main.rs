//! The chores of this workspace, run as `cargo xtask NAME`.
//!
//! It starts cargo, npm and the built `dacapo`; it never links an engine or a world itself.

#![forbid(unsafe_code)]

mod ci;
mod clippy_toml;
mod npm;
mod oracle;
mod process;
mod project;
mod scenarios;
mod setup;
mod test;
mod tidy;
mod v8_library;

use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::*;

use crate::project::{Engines, Profile, Project};

const HELP: &str = "\
The chores of this workspace.

  cargo xtask setup                 fetch what a build needs and cargo does not bring: the V8 library, npm packages
  cargo xtask test [FILTER..]       set up, then run all tests
  cargo xtask run [--] ARGS..       set up, then build and start dacapo with the arguments
  cargo xtask scenarios [FILTER]    run every scenario under sim-scenarios and examples, with its expectation
  cargo xtask oracle [FILTER]       run the same modules in npm's workerd and in dacapo, and compare what they observe
  cargo xtask tidy                  check the rules of the house
  cargo xtask clippy-toml           write the clippy.toml files
  cargo xtask ci                    everything that must hold before a change goes in

  --no-js      leave out the JavaScript engine (setup, test, run, scenarios, ci)
  --release    build dacapo with the release profile (run, scenarios)
";

fn main() -> ExitCode {
    let outcome = Request::parse().and_then(|request| request.perform());
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}

/// The root of the project: where the workspace manifest lies.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable for what it starts; the compiled-in value serves a binary started by hand.
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = PathBuf::from(manifest);
    manifest.parent().map_or(manifest.clone(), PathBuf::from)
}

/// What was asked for on the command line.
struct Request {
    name: Option<String>,
    rest: Vec<String>,
    engines: Engines,
    profile: Profile,
}

impl Request {
    fn parse() -> Result<Self, String> {
        let mut request = Self { name: None, rest: Vec::new(), engines: Engines::All, profile: Profile::Dev };
        let mut arguments = lexopt::Parser::from_env();
        let failed = |error: lexopt::Error| format!("{error}\n\n{HELP}");
        while let Some(argument) = arguments.next().map_err(failed)? {
            match argument {
                Long("help") | Short('h') => request.name = Some("help".to_owned()),
                Long("no-js") => request.engines = Engines::WithoutJs,
                Long("release") => request.profile = Profile::Release,
                Value(name) if request.name.is_none() => {
                    let name = name.string().map_err(failed)?;
                    let takes_all = name == "run";
                    request.name = Some(name);
                    // Options that follow belong to dacapo; ours stand before the word `run` or right after it.
                    if takes_all {
                        let mut raw = arguments.raw_args().map_err(failed)?.peekable();
                        while let Some(own) = raw.next_if(|next| next == "--no-js" || next == "--release") {
                            match own.to_str() {
                                Some("--no-js") => request.engines = Engines::WithoutJs,
                                _ => request.profile = Profile::Release,
                            }
                        }
                        raw.next_if(|next| next == "--");
                        request.rest = raw.map(|next| next.to_string_lossy().into_owned()).collect();
                    }
                }
                Value(value) => request.rest.push(value.string().map_err(failed)?),
                other => return Err(failed(other.unexpected())),
            }
        }
        Ok(request)
    }

    /// Performs the chore; `false` means that it ran and found something wrong.
    fn perform(self) -> Result<bool, String> {
        let project = Project::open(root(), self.engines, self.profile)?;
        match self.name.as_deref() {
            Some("setup") => setup::run(&project).map(|()| true),
            Some("test") => test::run(&project, &self.rest),
            Some("run") => project::run_dacapo(&project, &self.rest),
            Some("scenarios") => scenarios::run(&project, self.rest.first().map_or("", String::as_str)),
            Some("oracle") => oracle::run(&project, self.rest.first().map_or("", String::as_str)),
            Some("tidy") => run_tidy(&project),
            Some("clippy-toml") => clippy_toml::write(&project.root).map(|()| true),
            Some("ci") => ci::run(&project),
            Some("help") | None => {
                print!("{HELP}");
                Ok(true)
            }
            Some(other) => Err(format!("there is no chore `{other}`\n\n{HELP}")),
        }
    }
}

fn run_tidy(project: &Project) -> Result<bool, String> {
    let findings = tidy::run(&project.root)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!(
        "tidy: {}",
        if findings.is_empty() { "clean".to_owned() } else { format!("{} to mend", findings.len()) }
    );
    Ok(findings.is_empty())
}
