//! How probable a failure was at each moment of a run: from there, the run goes on in other ways, and some of
//! those fail, too.
//!
//! A continuation has all decisions of the run up to its moment, and from then on those of another seed. Guests
//! draw the same random numbers as in the run itself: what they do otherwise, they do because of what they meet.

use dacapo_core::{Decision, DecisionKind, Noise, Rest, Script, Seed, Time, Triggers};
use dacapo_trace::diagram::Branch;

use crate::experiment::Experiment;
use crate::run::RunOptions;
use crate::shrink::ShrinkError;

/// So many moments are looked at first, at even distances.
const FIRST: u64 = 12;
/// So often the largest rise between two moments is looked at more closely.
const CLOSER: u32 = 8;

impl Experiment {
    /// Lets a run that fails go on in `runs` other ways from each of about twenty moments, most of them where the share
    /// of those that fail rises. `goes_on` is asked before each run.
    pub fn branches(
        &self,
        seed: Seed,
        script: Option<&Script>,
        runs: u32,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<Branch>, ShrinkError> {
        let run = self.run_fully(seed, RunOptions::all_told(script.cloned()));
        let mut experiment = self.clone();
        experiment.narrow_by_script();
        let failure = run.report.failure.as_ref().ok_or(ShrinkError::Passes)?;
        let signature = failure.signature();
        let last = failure.event().unwrap_or(run.report.events);
        let noise = match script.map(|script| script.rest.noise) {
            Some(Noise::Instant(together) | Noise::Shuffled(together)) => Noise::Shuffled(together),
            _ => Noise::Natural,
        };
        let mut continued = |event: u64| -> Option<Branch> {
            let mut failed = 0;
            for number in 0..runs {
                if !goes_on() {
                    return None;
                }
                let next = continuation(&run.decisions, event, u64::from(number), noise, script);
                let options = RunOptions { script: Some(next), ..RunOptions::default() };
                let (report, _) = experiment.run_with(seed, options);
                failed += u32::from(report.failure.is_some_and(|failure| failure.signature() == signature));
            }
            let at = run.times.get((event.max(1) - 1) as usize).copied().unwrap_or(Time::ZERO);
            Some(Branch { event, at, failed, runs })
        };
        let mut branches: Vec<Branch> = Vec::new();
        for step in 0..=FIRST {
            let Some(branch) = continued(last * step / FIRST) else { return Ok(branches) };
            branches.push(branch);
        }
        for _ in 0..CLOSER {
            let rise = |pair: &[Branch]| i64::from(pair[1].failed) - i64::from(pair[0].failed);
            let is_open = |pair: &&[Branch]| pair[1].event > pair[0].event + 1;
            let Some(largest) = branches.windows(2).filter(is_open).max_by_key(|pair| rise(pair)) else {
                break;
            };
            let Some(branch) = continued((largest[0].event + largest[1].event) / 2) else { break };
            let place = branches.partition_point(|other| other.event < branch.event);
            branches.insert(place, branch);
        }
        branches.dedup_by_key(|branch| branch.event);
        Ok(branches)
    }
}

/// The decisions of a run up to an event, and another seed's from then on. The workload goes on as it does in the run.
fn continuation(
    decisions: &[Decision],
    event: u64,
    number: u64,
    noise: Noise,
    own: Option<&Script>,
) -> Script {
    let is_kept = |d: &&Decision| d.event < event.max(1) || d.kind == DecisionKind::Input;
    let given = decisions.iter().filter(is_kept).map(|decision| (decision.key.clone(), decision.chosen));
    let seed = (event << 16) ^ number;
    let rounds = own.map(|script| script.rest.rounds).unwrap_or_default();
    Script::new(given, Rest { seed, noise, triggers: Triggers::Natural, rounds })
}
