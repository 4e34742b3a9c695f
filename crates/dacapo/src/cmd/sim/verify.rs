//! The same seeds in a second process, under another environment: the digests must agree.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use miette::{IntoDiagnostic, WrapErr, miette};

use super::target::Target;
use crate::campaign::record::{Finished, Name};

/// One attempt of so many is made again,
const EVERY: u64 = 20;
/// and no more of them than this.
const SAMPLE_MAX: usize = 64;
/// So many attempts are named in one command line.
const NAMES_MAX: usize = 10_000;

/// The attempts that are made again.
pub(crate) struct Sample {
    all: bool,
    every: u64,
    count: u64,
    names: Vec<(Name, String)>,
}

impl Sample {
    /// Of all attempts, or of a share of them.
    pub(crate) fn new(all: bool) -> Sample {
        Sample { all, every: if all { 1 } else { EVERY }, count: 0, names: Vec::new() }
    }

    /// An attempt, of which the digest is known now.
    pub(crate) fn add(&mut self, finished: &Finished) {
        if self.count.is_multiple_of(self.every) {
            self.names.push((finished.name, finished.digest.clone()));
            if !self.all && self.names.len() > SAMPLE_MAX {
                // Every other one is enough, now and from now on.
                let mut index = 0;
                self.names.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.every *= 2;
            }
        }
        self.count += 1;
    }

    pub(crate) fn names(&self) -> &[(Name, String)] {
        &self.names
    }
}

/// What differs, if anything does.
pub(crate) fn in_another_process(
    target: &Target,
    attempts: &[(Name, String)],
    jobs: usize,
) -> miette::Result<Option<String>> {
    let size = attempts.len().div_ceil(jobs.max(1)).clamp(1, NAMES_MAX);
    let parts: Vec<&[(Name, String)]> = attempts.chunks(size).collect();
    for parts in parts.chunks(jobs.max(1)) {
        let children: Vec<Child> = parts.iter().map(|part| start(target, part)).collect::<Result<_, _>>()?;
        let mut found = None;
        for (child, part) in children.into_iter().zip(parts) {
            let difference = compare(target, part, child)?;
            found = found.or(difference);
        }
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn start(target: &Target, attempts: &[(Name, String)]) -> miette::Result<Child> {
    let me = std::env::current_exe().into_diagnostic()?;
    let mut command = Command::new(me);
    command.arg("digest").arg(target.project.path()).args(["--scenario", &target.scenario.name]);
    command.args(attempts.iter().map(|(attempt, _)| word(*attempt)));
    // Another time zone and another language: no guest may notice.
    command.env("TZ", "Pacific/Chatham").env("LANG", "ar_EG.UTF-8").env("LC_ALL", "ar_EG.UTF-8");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
    child.into_diagnostic().wrap_err("cannot start a second process to verify the digests")
}

fn compare(target: &Target, attempts: &[(Name, String)], child: Child) -> miette::Result<Option<String>> {
    let output = child.wait_with_output();
    let output =
        output.into_diagnostic().wrap_err("cannot hear the second process that verifies the digests")?;
    if !output.status.success() {
        return Err(miette!("the second process, which was to verify the digests, ended: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let others: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(' ')).collect();
    for (attempt, digest) in attempts {
        let name = word(*attempt);
        let other = others.get(name.as_str()).copied().unwrap_or("none");
        if other != digest {
            let line = target.repeat(*attempt);
            return Ok(Some(format!(
                "{name}: digest {digest} in this process, {other} in a second one\n  repeat: {line} --verify"
            )));
        }
    }
    Ok(None)
}

/// An attempt in one word.
fn word(attempt: Name) -> String {
    format!("{}:{}", attempt.strategy, attempt.number)
}

#[cfg(test)]
mod tests {
    use dacapo_lab::Strategy;

    use super::*;

    fn finished(number: u64) -> Finished {
        Finished {
            name: Name { strategy: Strategy::Swarm, number },
            seed: number,
            digest: String::new(),
            events: 0,
            virtual_ns: 0,
            ms: 0,
            failure: None,
            faults: Vec::new(),
            checks: Vec::new(),
            seen: crate::campaign::record::Steps::default(),
        }
    }

    #[test]
    fn a_long_campaign_is_looked_at_from_end_to_end_and_briefly() {
        let mut sample = Sample::new(false);
        (0..1_000_000).for_each(|number| sample.add(&finished(number)));
        let numbers: Vec<u64> = sample.names().iter().map(|(name, _)| name.number).collect();
        assert!((SAMPLE_MAX / 2..=SAMPLE_MAX).contains(&numbers.len()), "{numbers:?}");
        let gaps: Vec<u64> = numbers.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(numbers[0] == 0 && gaps.iter().all(|gap| *gap == gaps[0]), "{numbers:?}");
    }
}
