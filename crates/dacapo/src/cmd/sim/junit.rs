//! A report that CI servers read.

use std::path::Path;
use std::time::Duration;

use miette::{IntoDiagnostic, WrapErr};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Outcome;

pub(crate) fn write(path: &Path, outcomes: &[Outcome]) -> miette::Result<()> {
    let mut report = Report::new("dacapo sim");
    for outcome in outcomes {
        let mut suite = TestSuite::new(outcome.name.as_str());
        let mut case = |name: String, status: TestCaseStatus| {
            let mut case = TestCase::new(name, status);
            case.set_time(Duration::from_secs_f64(outcome.seconds));
            suite.add_test_case(case);
        };
        for (attempt, failed) in &outcome.failed {
            let failure = failed.failure.as_ref();
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(failure.map(|f| f.signature()).unwrap_or_default());
            status.set_description(failure.map(ToString::to_string).unwrap_or_default());
            case(format!("{} {}", attempt.strategy, attempt.number), status);
        }
        if let Some(divergence) = &outcome.divergence {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(divergence.as_str());
            case("determinism".to_owned(), status);
        }
        if outcome.failed.is_empty() && outcome.divergence.is_none() {
            case(format!("{} seeds", outcome.seeds), TestCaseStatus::success());
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string().into_diagnostic()?;
    std::fs::write(path, text).into_diagnostic().wrap_err_with(|| format!("cannot write {}", path.display()))
}
