//! Runs the command line as a person does.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

// The exit codes.
pub const PASSED: i32 = 0;
pub const BROKEN: i32 = 1;
pub const UNUSABLE: i32 = 2;
pub const NO_VERDICT: i32 = 4;
pub const STOPPED: i32 = 130;

/// `dacapo` with these arguments, in this folder.
pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
    command.current_dir(folder).args(args);
    command
}

/// Runs it to its end.
pub fn dacapo(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().expect("the binary that cargo has built")
}

/// Expects this exit code of what has run, and gives what it printed.
pub fn told(what: &str, output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{what}\n{text}\n{errors}");
    text + &errors
}

/// Runs it, expects this exit code, and gives what it printed.
pub fn run(folder: &Path, args: &[&str], code: i32) -> String {
    told(&format!("dacapo {args:?}"), &dacapo(folder, args), code)
}

/// A new project, `hello`, in a folder of its own.
pub fn project() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    run(home.path(), &["new", "hello"], PASSED);
    home
}

/// One with a change that makes each try count as another visit: some seeds fail.
pub fn broken_project() -> TempDir {
    let home = project();
    change(&home, "greeter.ts", "headers: { visit },", "headers: { visit: crypto.randomUUID() },");
    home
}

/// Replaces text in a file of the project.
pub fn change(home: &TempDir, file: &str, from: &str, to: &str) {
    let file = home.path().join("hello").join(file);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "the template has changed");
    fs::write(file, text.replace(from, to)).unwrap();
}
