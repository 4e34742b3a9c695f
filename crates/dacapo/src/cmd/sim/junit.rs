//! A report that CI servers read.

use std::path::Path;
use std::time::Duration;

use miette::{IntoDiagnostic, WrapErr};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::campaign::summary::Summary;

/// A target, as a suite of tests.
pub(crate) struct Suite<'a> {
    pub(crate) name: &'a str,
    pub(crate) summary: &'a Summary,
    pub(crate) seconds: f64,
    pub(crate) divergence: Option<&'a str>,
}

pub(crate) fn write<'a>(path: &Path, suites: impl Iterator<Item = Suite<'a>>) -> miette::Result<()> {
    let mut report = Report::new("dacapo sim");
    for suite in suites {
        let mut cases = TestSuite::new(suite.name);
        let mut case = |name: String, status: TestCaseStatus| {
            let mut case = TestCase::new(name, status);
            case.set_time(Duration::from_secs_f64(suite.seconds));
            cases.add_test_case(case);
        };
        let bugs = suite.summary.bugs();
        // A campaign may have thousands of failing runs: each bug is one test, named by the run that shows it.
        for bug in &bugs {
            let (name, text) = (bug.example.name, bug.example.failure.as_ref().map(|failure| &failure.text));
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(bug.signature.as_str());
            status.set_description(format!(
                "{} of its runs failed so\n{}",
                bug.count,
                text.map_or("", String::as_str)
            ));
            case(format!("{} {}", name.strategy, name.number), status);
        }
        for (name, lost) in &suite.summary.lost {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(format!("no verdict: {lost}"));
            case(format!("{} {}", name.strategy, name.number), status);
        }
        if let Some(divergence) = suite.divergence {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(divergence);
            case("determinism".to_owned(), status);
        }
        if bugs.is_empty() && suite.divergence.is_none() {
            case(format!("{} seeds", suite.summary.attempts), TestCaseStatus::success());
        }
        report.add_test_suite(cases);
    }
    let text = report.to_string().into_diagnostic()?;
    std::fs::write(path, text).into_diagnostic().wrap_err_with(|| format!("cannot write {}", path.display()))
}
