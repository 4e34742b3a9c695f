//! A crash at every point of a small workload, one after the other: not a sample but all of them.

use std::fmt;

use dacapo_core::{NodeId, Seed};
use dacapo_sim::{CrashPoint, NodeKind};

use crate::experiment::Experiment;
use crate::report::Report;
use crate::run::RunOptions;

/// What came of a crash at every point.
#[derive(Clone, Debug, PartialEq)]
pub struct CrashReport {
    /// How many points there are: each had a run of its own, but for those after the first failure.
    pub points: u64,
    /// How many runs there were, the one without a crash included.
    pub runs: u64,
    /// The first run that failed, and where its node crashed (`None`: it failed without a crash).
    pub failed: Option<(Option<CrashPoint>, Report)>,
}

impl Experiment {
    /// Runs under this seed once without a crash, and then once for each operation of each disk and
    /// each message of each node of the cluster, with a crash of that node just before it. Stops at
    /// the first run that fails.
    ///
    /// A run before the crash is the same as the first one, so no point is missed; what only happens
    /// after a crash has no crash of its own. The workload has to bear a crash in every phase, so in
    /// `setup` and `judge`, too, it tries again what fails. Keep it small: a write to an object is
    /// about six points.
    pub fn crash_everywhere(&self, seed: u64) -> CrashReport {
        let run = self.run_fully(Seed(seed), RunOptions::default());
        let (first, sim) = (run.report, run.sim);
        let cluster = (0..).map(NodeId).zip(&self.options.nodes).filter(|(_, n)| n.kind == NodeKind::Cluster);
        let points: Vec<CrashPoint> = cluster
            .flat_map(|(node, _)| {
                let disk = (1..=sim.disk_operations(node)).map(move |k| CrashPoint::Disk(node, k));
                let messages = (1..=sim.messages(node)).map(move |k| CrashPoint::Message(node, k));
                disk.chain(messages)
            })
            .collect();
        let mut result = CrashReport { points: points.len() as u64, runs: 1, failed: None };
        if !first.passed() {
            result.failed = Some((None, first));
            return result;
        }
        for point in points {
            let mut experiment = self.clone();
            experiment.options.crash_at = Some(point);
            let report = experiment.run(seed);
            result.runs += 1;
            if !report.passed() {
                result.failed = Some((Some(point), report));
                break;
            }
        }
        result
    }
}

impl CrashReport {
    /// Panics with the failure and where the crash was, if there is one.
    pub fn check(&self) {
        assert!(self.failed.is_none(), "\n{self}\n");
    }
}

impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((point, report)) = &self.failed else {
            return write!(f, "a crash at each of {} points: passed", self.points);
        };
        match point {
            None => write!(f, "failed without a crash")?,
            Some(CrashPoint::Disk(node, k)) => {
                write!(f, "failed with a crash of {node} before operation {k} of its disk")?
            }
            Some(CrashPoint::Message(node, k)) => {
                write!(f, "failed with a crash of {node} before message {k} to or from it")?;
            }
        }
        write!(f, " (run {} of {}, seed {})", self.runs, self.points + 1, report.seed)?;
        report.failure.as_ref().map_or(Ok(()), |failure| write!(f, "\n\n{failure}"))
    }
}
