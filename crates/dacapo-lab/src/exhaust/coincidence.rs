//! Coincidences: which faults can strike in a run, and how each is told in a script.

use std::collections::BTreeMap;

use dacapo_core::{Decision, DecisionKey, Noise, Rest, Script};
use dacapo_sim::NodeKind;

use super::Bounds;
use crate::experiment::Experiment;
use crate::run::{Run, is_of_fault, uses};

/// Faults that strike in one run: at which message or after which turn, and which of the ways in which that fault can
/// strike.
pub(super) type Set = BTreeMap<DecisionKey, usize>;

/// A number below 2^32 as large as can be.
const MOST: u64 = (1 << 32) - 1;

/// Faults that hold for a whole run, and so strike at no message and after no turn: they are left out.
const ALWAYS: [&str; 3] = ["clock.skew", "clock.drift", "net.bandwidth"];

/// The ways in which a fault can strike a message, as far as they are tried: the detail, and its values. Of other details,
/// such as how long a node is down, one value is drawn.
fn ways(fault: &str) -> (&'static str, &'static [u64]) {
    match fault {
        // The cube of this share of the longest delay: a sixty-fourth, an eighth, nearly all of it.
        "net.delay" => ("late", &[1 << 30, 1 << 31, MOST]),
        // The sender learns of it, or nobody does.
        "net.loss" => ("hangs", &[0, 1]),
        _ => ("", &[0]),
    }
}

/// What else could have gone wrong in this run.
pub(super) fn possible(experiment: &Experiment, run: &Run, set: &Set) -> Vec<Set> {
    let mut sets = Vec::new();
    for decision in run.decisions.iter().filter(|decision| is_of_fault(decision)) {
        let Decision { key, chosen, range, event, .. } = decision;
        if (*chosen, *range) != (0, 2)
            || key.what == "after_turn" && !can_strike(experiment, run, &key.lane, *event)
        {
            continue;
        }
        let (_, values) = ways(&key.lane);
        sets.extend((0..values.len()).map(|way| {
            let mut set = set.clone();
            set.insert(key.clone(), way);
            set
        }));
    }
    sets
}

/// Whether this fault can strike the node that had this turn, if it strikes single nodes.
fn can_strike(experiment: &Experiment, run: &Run, fault: &str, event: u64) -> bool {
    let is_aimed = ["process.", "clock.", "disk."].iter().any(|group| fault.starts_with(group));
    let Some(node) = event.checked_sub(1).and_then(|index| run.turns.get(index as usize)) else {
        return true;
    };
    let options = experiment.options();
    let spares = |node| options.faults.iter().any(|f| f.name == fault && f.spare.contains(node));
    !is_aimed || options.nodes[node.0 as usize].kind == NodeKind::Cluster && !spares(node)
}

/// Whether all of these faults were asked for in a run.
pub(super) fn all_struck(log: &[Decision], set: &Set) -> bool {
    let struck = log.iter().filter(|d| d.chosen > 0 && set.contains_key(&d.key)).count();
    struck == set.len()
}

/// The script in which these faults strike, and no others.
pub(super) fn script(experiment: &Experiment, bounds: &Bounds, set: &Set) -> Script {
    // Each fault is in use, so that it is asked where it could strike.
    let faults = experiment.options().faults.iter().filter(|fault| !ALWAYS.contains(&fault.name.as_str()));
    let faults = faults.flat_map(|fault| {
        let (used, value) = uses(&fault.name);
        let strength = DecisionKey { what: "strength".into(), ..used.clone() };
        [(used, value), (strength, MOST)]
    });
    let noise = Noise::Instant(bounds.together);
    let mut script = Script::new(faults, Rest { seed: bounds.seed, noise, ..Rest::default() });
    let mut details: BTreeMap<DecisionKey, u32> = BTreeMap::new();
    for (key, way) in set {
        script.give(key.clone(), 1);
        let (detail, values) = ways(&key.lane);
        if detail.is_empty() {
            continue;
        }
        // Details are counted for themselves: the first strike of a cause has the first one.
        let mut detail = DecisionKey { what: detail.into(), nth: 0, ..key.clone() };
        let nth = details.entry(detail.clone()).or_default();
        *nth += 1;
        detail.nth = *nth;
        script.give(detail, values[*way]);
    }
    script
}
