//! The project as cargo sees it: where things are, and how its parts are selected for a build.

use std::path::PathBuf;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::{process, setup};

/// Which engines a build takes in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engines {
    All,
    /// For machines without the V8 library.
    WithoutJs,
}

/// How `dacapo` is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// Where the project lies and what was asked of its builds.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) engines: Engines,
    pub(crate) profile: Profile,
    metadata: Metadata,
}

impl Project {
    pub(crate) fn open(root: PathBuf, engines: Engines, profile: Profile) -> Result<Self, String> {
        let metadata = MetadataCommand::new()
            .current_dir(&root)
            .no_deps()
            .exec()
            .map_err(|error| format!("cargo metadata failed in {}: {error}", root.display()))?;
        Ok(Self { root, engines, profile, metadata })
    }

    /// A command that starts in the root of the project.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// `cargo SUBCOMMAND` in the root; the same cargo that started us.
    pub(crate) fn cargo(&self, subcommand: &[&str]) -> Command {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = self.command(&cargo);
        command.args(subcommand);
        command
    }

    /// The arguments that select every member that can be built with the engines asked for.
    pub(crate) fn selection(&self) -> Vec<String> {
        let mut arguments = vec!["--workspace".to_owned()];
        if self.engines == Engines::WithoutJs {
            arguments.push("--no-default-features".to_owned());
            for package in self.metadata.workspace_packages() {
                let needs_engine = package.dependencies.iter().any(|need| {
                    let unavoidable = !need.optional && need.kind != DependencyKind::Build;
                    unavoidable && matches!(need.name.as_str(), "v8" | "dacapo-js")
                });
                if needs_engine {
                    arguments.extend(["--exclude".to_owned(), package.name.to_string()]);
                }
            }
        }
        arguments
    }

    /// The folder that cargo builds into.
    pub(crate) fn target(&self) -> PathBuf {
        self.metadata.target_directory.clone().into_std_path_buf()
    }

    /// Where a build leaves the command line.
    pub(crate) fn dacapo(&self) -> PathBuf {
        let profile = match self.profile {
            Profile::Dev => "debug",
            Profile::Release => "release",
        };
        self.target().join(profile).join(format!("dacapo{}", std::env::consts::EXE_SUFFIX))
    }
}

/// Sets up, builds the command line and starts it.
pub(crate) fn run_dacapo(project: &Project, arguments: &[String]) -> Result<bool, String> {
    if !build_dacapo(project)? {
        return Ok(false);
    }
    // The caller's folder, not the root: paths in the arguments are the caller's.
    let mut command = Command::new(project.dacapo());
    let status = command.args(arguments).status().map_err(|error| process::cannot_start(&command, &error))?;
    std::process::exit(status.code().unwrap_or(2))
}

/// Sets up, and builds the command line; whether it could be built.
pub(crate) fn build_dacapo(project: &Project) -> Result<bool, String> {
    setup::run(project)?;
    setup::check_engine(project)?;
    let mut build = project.cargo(&["build", "--package", "dacapo", "--bin", "dacapo"]);
    if project.profile == Profile::Release {
        build.arg("--release");
    }
    if project.engines == Engines::WithoutJs {
        build.arg("--no-default-features");
    }
    process::succeeds(&mut build)
}
