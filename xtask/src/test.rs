//! All tests of the workspace, as one command for people and for gates.

use std::io::IsTerminal;

use crate::process;
use crate::project::Project;
use crate::setup;

/// How many passed and how many failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Tally {
    pub(crate) fn of(passed: bool) -> Self {
        Self { passed: usize::from(passed), failed: usize::from(!passed) }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Sets up, runs the tests whose names contain one of the filters, and prints the tally.
pub(crate) fn run(project: &Project, filters: &[String]) -> Result<bool, String> {
    setup::run(project)?;
    setup::check_engine(project)?;
    let tally = tests(project, filters)?;
    println!("{tally}");
    Ok(tally.failed == 0)
}

/// Runs the tests, and those in documentation, of everything that is selected.
pub(crate) fn tests(project: &Project, filters: &[String]) -> Result<Tally, String> {
    let has_nextest = process::asks(&mut project.cargo(&["nextest", "--version"]))?.0;
    let subcommand: &[&str] = if has_nextest {
        &["nextest", "run", "--no-fail-fast"]
    } else {
        println!("test: cargo-nextest is not installed; `cargo test` runs the same tests, more slowly");
        &["test", "--no-fail-fast", "--lib", "--bins", "--tests"]
    };
    let mut tally = run_one(project, subcommand, filters)?;
    // nextest does not know the examples in documentation.
    if filters.is_empty() {
        tally.add(run_one(project, &["test", "--doc", "--no-fail-fast", "--quiet"], &[])?);
    }
    Ok(tally)
}

fn run_one(project: &Project, subcommand: &[&str], filters: &[String]) -> Result<Tally, String> {
    let mut command = project.cargo(subcommand);
    command.args(project.selection());
    let is_nextest = subcommand.first() == Some(&"nextest");
    if is_nextest {
        command.args(filters);
        if std::io::stderr().is_terminal() {
            command.args(["--color", "always"]);
        }
    } else if !filters.is_empty() {
        command.arg("--").args(filters);
    }
    // nextest reports on standard error, the harness of `cargo test` on standard output.
    let (ok, said) = if is_nextest {
        process::succeeds_and_says(&mut command)?
    } else {
        let (ok, said) = process::asks(&mut command)?;
        print!("{said}");
        (ok, said)
    };
    let mut tally = tally(&said);
    // It failed before or besides its tests: a compile error, a crash of the harness.
    if !ok && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

/// Adds up the summaries of nextest and of `cargo test`.
fn tally(said: &str) -> Tally {
    let mut tally = Tally::default();
    for line in said.lines().map(plain) {
        let is_nextest = line.contains("Summary [") && line.contains(" run:");
        if is_nextest || line.starts_with("test result:") {
            tally.passed += number_before(&line, "passed");
            tally.failed += number_before(&line, "failed") + number_before(&line, "timed out");
        }
    }
    tally
}

fn number_before(line: &str, word: &str) -> usize {
    let before = line.split(word).next().filter(|before| before.len() < line.len());
    before.and_then(|before| before.split_whitespace().last()?.parse().ok()).unwrap_or(0)
}

/// The line without the escape sequences that colour it.
fn plain(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(said: &str) -> (usize, usize) {
        let tally = tally(said);
        (tally.passed, tally.failed)
    }

    #[test]
    fn the_summary_of_nextest_is_counted_with_and_without_colours() {
        assert_eq!(
            counted("     Summary [   0.105s] 27 tests run: 25 passed, 2 failed, 1 skipped\n"),
            (25, 2)
        );
        assert_eq!(
            counted("Summary [ 61.0s] 3 tests run: 1 passed (1 slow), 1 failed, 1 timed out, 0 skipped"),
            (1, 2)
        );
        let coloured =
            "\u{1b}[32;1m Summary\u{1b}[0m [ 0.1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m passed";
        assert_eq!(counted(coloured), (2, 0));
        assert_eq!(counted("Summary [ 0.1s] 1 test run: 1 passed, 0 skipped"), (1, 0));
    }

    #[test]
    fn the_summaries_of_cargo_test_are_added_up() {
        let said =
            "test result: ok. 3 passed; 0 failed; 0 ignored;\nx\ntest result: FAILED. 1 passed; 2 failed;\n";
        assert_eq!(counted(said), (4, 2));
        assert_eq!(counted("error: could not compile\n"), (0, 0));
    }
}
