//! The `dacapo` command line.

#![forbid(unsafe_code)]

mod campaign;
mod cmd;
mod explain;
mod lifecycle;
mod output;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Will my services survive? Simulate them under faults, replay what went wrong, serve the same bundle.
///
/// Exit codes: 0 all is well; 1 a check broke; 2 the input cannot be used (arguments, configuration,
/// programs, files); 3 a run was not deterministic, or a replay diverged; 4 no verdict, because one turn did
/// not end or a worker of a campaign died; 5 the disk of a server failed; 130 somebody stopped it.
#[derive(Parser)]
#[command(name = "dacapo", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a new project to begin with
    New(cmd::new::Args),
    /// Run scenarios under many seeds, and stop at the first that fails
    Sim(cmd::sim::Args),
    /// Look at the results of campaigns, and merge those of several machines
    Campaign(cmd::campaign::Args),
    /// Play a recording again, and stop where it differs
    Replay(cmd::replay::Args),
    /// Print a recording
    Trace(cmd::trace::Args),
    /// Serve a project over real HTTP
    Serve(cmd::serve::Args),
    /// Check a project: configuration, modules, types of values
    Validate(cmd::validate::Args),
    /// Look after what durable objects have stored
    Store(cmd::store::Args),
    /// Write histories of workflows, and check that the code still fits them
    Workflows(cmd::workflows::Args),
    /// Run scenarios in Sim without faults and over loopback, and compare what they print
    Conform(cmd::conform::Args),
    /// Print the digests of seeds, for comparison with another process
    #[command(hide = true)]
    Digest(cmd::digest::Args),
    /// Make the attempts that are named on standard input, for a campaign
    #[command(hide = true)]
    Worker(cmd::worker::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::New(args) => cmd::new::run(&args),
        Command::Sim(args) => cmd::sim::run(&args),
        Command::Campaign(args) => cmd::campaign::run(&args),
        Command::Replay(args) => cmd::replay::run(&args),
        Command::Trace(args) => cmd::trace::run(&args),
        Command::Serve(args) => cmd::serve::run(&args),
        Command::Validate(args) => cmd::validate::run(&args),
        Command::Store(args) => cmd::store::run(&args),
        Command::Workflows(args) => cmd::workflows::run(&args),
        Command::Conform(args) => cmd::conform::run(&args),
        Command::Digest(args) => cmd::digest::run(&args),
        Command::Worker(args) => cmd::worker::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(report) => {
            anstream::eprintln!("{report:?}");
            output::UNUSABLE.into()
        }
    }
}
