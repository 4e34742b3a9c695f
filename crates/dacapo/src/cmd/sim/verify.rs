//! The same seeds in a second process, under another environment: the digests must agree.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use dacapo_core::Digest;
use dacapo_lab::Attempt;
use miette::{IntoDiagnostic, WrapErr, miette};

use super::target::Target;

/// What differs, if anything does.
pub(crate) fn in_another_process(
    target: &Target,
    attempts: &[(Attempt, Digest)],
) -> miette::Result<Option<String>> {
    if attempts.is_empty() {
        return Ok(None);
    }
    let me = std::env::current_exe().into_diagnostic()?;
    let mut command = Command::new(me);
    command.arg("digest").arg(target.project.path()).args(["--scenario", &target.scenario.name]);
    command.args(attempts.iter().map(|(attempt, _)| name(attempt)));
    // Another time zone and another language: no guest may notice.
    command.env("TZ", "Pacific/Chatham").env("LANG", "ar_EG.UTF-8").env("LC_ALL", "ar_EG.UTF-8");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.into_diagnostic().wrap_err("cannot start a second process to verify the digests")?;
    if !output.status.success() {
        return Err(miette!("the second process, which was to verify the digests, ended: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let others: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(' ')).collect();
    for (attempt, digest) in attempts {
        let name = name(attempt);
        let other = others.get(name.as_str()).copied().unwrap_or("none");
        if other != digest.to_string() {
            let line = target.repeat(attempt);
            return Ok(Some(format!(
                "{name}: digest {digest} in this process, {other} in a second one\n  repeat: {line} --verify"
            )));
        }
    }
    Ok(None)
}

/// An attempt in one word.
fn name(attempt: &Attempt) -> String {
    format!("{}:{}", attempt.strategy, attempt.number)
}
