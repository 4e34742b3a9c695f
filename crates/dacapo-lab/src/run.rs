//! One run of an experiment.

use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;

use dacapo_core::{
    Decision, DecisionKey, DecisionKind, Decisions, Drawn, NodeId, Script, Seed, Source, Time,
};
use dacapo_runtime::{Cluster, run};
use dacapo_sim::{Ending, SharedScheduler, Sim};
use dacapo_trace::{Identity, Outcome, Recorder};

use crate::experiment::{Experiment, Setup};
use crate::report::{Failure, Report};
use crate::seen::Seen;
use crate::states::SharedStates;
use crate::watch::Watch;

/// How to run.
#[derive(Default)]
pub struct RunOptions {
    /// Decisions that are given, and a rule for the rest; without it, the seed decides.
    pub script: Option<Script>,
    /// A fuzzer's bytes: they decide everything (`script` is not used).
    pub bytes: Option<Vec<u8>>,
    /// Remember the decisions of the run, for [`Run::decisions`].
    pub remember: bool,
    /// Remember what the workload draws as well, also for [`Run::drawn`]. It has to tell it, so the run has another digest.
    pub inputs: bool,
    /// Watch what is seen in the run, for [`Run::seen`].
    pub coverage: bool,
    /// Where the recording goes, and what it says about itself.
    pub record: Option<(Identity, Box<dyn Write>)>,
    /// Where the states of durable objects go, as they are at the end.
    pub states: Option<SharedStates>,
    /// Who says what comes next, if messages take no time ([`dacapo_core::Noise::Instant`]).
    pub scheduler: Option<SharedScheduler>,
}

impl RunOptions {
    /// Remember all that is decided under this script, by the workload as well.
    pub(crate) fn all_told(script: Option<Script>) -> RunOptions {
        RunOptions { script, remember: true, inputs: true, ..RunOptions::default() }
    }
}

/// Whether this was asked of a fault while it is in use: when it strikes, or whether.
pub(crate) fn is_of_fault(decision: &Decision) -> bool {
    decision.kind == DecisionKind::Trigger && decision.key.lane != SWARM
}

/// The lane of which faults are in use.
const SWARM: &str = "swarm";

/// The decision that a fault is in use. In a calm run it is then asked where it could strike, and never does.
pub(crate) fn uses(fault: &str) -> (DecisionKey, u64) {
    (DecisionKey { lane: SWARM.into(), what: "uses".into(), cause: fault.into(), nth: 1 }, 1)
}

/// What is left of a run.
pub struct Run {
    /// What came of it.
    pub report: Report,
    /// Whether the recording is complete.
    pub written: Result<(), dacapo_trace::WriteError>,
    /// Its decisions in order, if they were to be remembered.
    pub decisions: Vec<Decision>,
    /// What the workload drew in order, with the words for it, as far as it was asked to tell: by [`RunOptions::inputs`], or by a
    /// script that says something of it.
    pub drawn: Vec<Drawn>,
    /// The node and the time of each delivery, likewise; the first delivery is number 1 and stands at 0.
    pub(crate) turns: Vec<NodeId>,
    pub(crate) times: Vec<Time>,
    /// What was seen in the run, if that was to be watched: a number for each thing, and the delivery at which it was first
    /// seen.
    pub seen: BTreeMap<u64, u64>,
    pub(crate) sim: Sim,
}

impl Experiment {
    /// Runs under this seed.
    pub fn run(&self, seed: u64) -> Report {
        self.run_with(Seed(seed), RunOptions::default()).0
    }

    /// Runs under this seed with these options. The second part is an error if the recording is
    /// incomplete; the run is not affected by that.
    pub fn run_with(
        &self,
        seed: Seed,
        options: RunOptions,
    ) -> (Report, Result<(), dacapo_trace::WriteError>) {
        let run = self.run_fully(seed, options);
        (run.report, run.written)
    }

    /// The same, with all that is left of the run.
    pub fn run_fully(&self, seed: Seed, options: RunOptions) -> Run {
        let source = match (options.bytes, options.script) {
            (Some(bytes), _) => Source::Bytes(bytes),
            (None, Some(script)) => Source::Script(script),
            (None, None) => Source::Seed,
        };
        let mut decisions = Decisions::new(seed, source);
        if options.remember {
            decisions.remember();
        }
        if options.inputs {
            decisions.remember_inputs();
        }
        let mut sim = Sim::with_store(self.options.clone(), decisions, dacapo_store::open_store);
        if let Some(scheduler) = options.scheduler {
            sim.schedule_by(scheduler);
        }
        let recorder = match options.record {
            Some((identity, out)) => Recorder::with_writer(sim, &identity, out),
            None => Recorder::new(sim),
        };
        let names = self.system.topology.nodes.iter().map(|n| n.name.clone()).collect();
        let mut world = Watch::new(recorder, names, options.states);
        world.turns = options.remember.then(Vec::new);
        world.seen = options.coverage.then(|| Seen::of(self.services()));
        let mut cluster = Cluster::new(Rc::clone(&self.system));
        run(&mut world, &mut cluster);
        let Watch { world: recorder, table, failure, turns, seen, drawn, .. } = world;
        let failure = failure.or_else(|| match recorder.world().ending() {
            None | Some(Ending::Done) => None,
            Some(ending) => Some(Failure::Ending(ending.clone())),
        });
        let outcome = match &failure {
            None => Outcome::Passed,
            Some(failure) => Outcome::Failed(failure.to_string()),
        };
        let (mut sim, summary, written) = recorder.finish(outcome);
        let report = Report {
            seed,
            failure,
            digest: summary.digest,
            events: summary.events,
            time: sim.now(),
            faults: sim.faults_in_use().into_iter().map(str::to_owned).collect(),
            checks: table,
        };
        let decisions = sim.take_decisions();
        let (turns, times) = turns.unwrap_or_default().into_iter().unzip();
        let seen = seen.unwrap_or_default().first;
        Run { report, written, decisions, drawn, turns, times, seen, sim }
    }

    /// What a recording of this experiment says about itself.
    pub fn identity(&self, seed: Seed, script: Option<&Script>) -> Identity {
        let plan = &self.system.plan;
        let names: Vec<String> = plan.services.iter().map(|s| s.name.clone()).collect();
        let digests = self.system.programs.iter().map(|p| p.digest());
        let next =
            self.system.next.iter().map(|(id, program)| {
                (format!("{} (next version)", plan.service(*id).name), program.digest())
            });
        Identity {
            tool: format!("dacapo {}", env!("CARGO_PKG_VERSION")),
            scenario: Some(self.name.clone()),
            seed: Some(seed),
            overrides: self
                .setup()
                .map(Setup::to_lists)
                .into_iter()
                .chain(script.map(Script::to_lists).unwrap_or_default())
                .collect(),
            programs: names.iter().cloned().zip(digests).chain(next).collect(),
            // The debug text of the plan and of the simulator's options: every field is in it.
            plan: dacapo_core::digest_of(&(format!("{plan:?}"), format!("{:?}", self.options))),
            nodes: self.system.topology.nodes.iter().map(|n| n.name.clone()).collect(),
            services: names,
            ..Identity::default()
        }
    }
}

/// Runs a seed a second time and says whether the digests agree.
pub fn rerun(experiment: &Experiment, report: &Report) -> Result<(), String> {
    let again = experiment.run(report.seed.0);
    if again.digest == report.digest {
        return Ok(());
    }
    Err(format!(
        "seed {} is not deterministic: digest {} after {} deliveries, then {} after {}",
        report.seed, report.digest, report.events, again.digest, again.events
    ))
}

impl Experiment {
    /// Plays a recording against this experiment's programs. Stops at the first difference.
    pub fn replay<R: std::io::Read>(&self, recording: dacapo_trace::Reader<R>) -> dacapo_trace::ReplayEnd {
        let mut world = dacapo_trace::Replay::new(recording);
        let mut cluster = Cluster::new(Rc::clone(&self.system));
        run(&mut world, &mut cluster);
        world.finish()
    }
}
