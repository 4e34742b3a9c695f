//! Strategies for faults: which are allowed, and how strong they are.
//!
//! When they strike and whom is left to the seed of a case, and told by its story.

use std::fmt;
use std::time::Duration;

use dacapo_core::fault::{FaultKind, Param, find, group};
use dacapo_lab::ExperimentBuilder;
use proptest::prelude::*;
use proptest::sample::subsequence;

/// The faults that a case allows.
#[derive(Clone, Default, PartialEq)]
pub struct FaultPlan {
    /// Each with how much stronger it is than the catalogue says.
    pub faults: Vec<(&'static str, u32)>,
}

/// What `rate` of a fault is at most.
const RATE_MAX: f64 = 0.5;

impl FaultPlan {
    /// A plan without faults.
    pub fn calm() -> FaultPlan {
        FaultPlan::default()
    }

    /// The same system with these faults.
    pub fn apply(&self, system: ExperimentBuilder) -> ExperimentBuilder {
        self.faults.iter().fold(system, |system, (name, strength)| {
            let kind = find(name).expect("a plan has faults of the catalogue");
            system.fault(name, &stronger(kind, *strength), &[])
        })
    }
}

/// Its rate, or how often it strikes, so many times what the catalogue says.
fn stronger(kind: &FaultKind, strength: u32) -> Vec<(&'static str, Param)> {
    let params = kind.params.iter().filter_map(|spec| match (spec.name, spec.default) {
        ("rate", Param::Number(rate)) => {
            Some((spec.name, Param::Number((rate * f64::from(strength)).min(RATE_MAX))))
        }
        ("every", Param::Duration(every)) => Some((spec.name, Param::Duration(every / strength.max(1)))),
        _ => None,
    });
    params.collect()
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.faults.is_empty() {
            return f.write_str("none");
        }
        for (index, (name, strength)) in self.faults.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{name}")?;
            if *strength > 1 {
                write!(f, " ({strength} times as strong)")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Some of the faults with these names or of these groups, from as strong as the catalogue says to twenty times that.
/// Shrinks to fewer and weaker ones.
///
/// Panics if there is no such fault: a test that names one that does not exist tests nothing.
pub fn fault_plans(names: &[&str]) -> impl Strategy<Value = FaultPlan> + use<> {
    let mut kinds: Vec<&'static str> = Vec::new();
    for name in names {
        let of_name: Vec<&'static FaultKind> = group(name).chain(find(name)).collect();
        assert!(!of_name.is_empty(), "there is no fault and no group called {name}");
        kinds.extend(of_name.iter().map(|kind| kind.name));
    }
    let all = kinds.len();
    subsequence(kinds, 0..=all).prop_flat_map(|kinds| {
        let strengths = proptest::collection::vec(prop_oneof![Just(1u32), 2..=20u32], kinds.len());
        strengths
            .prop_map(move |strengths| FaultPlan { faults: kinds.iter().copied().zip(strengths).collect() })
    })
}

/// How long faults happen and clients ask, if a test does not say otherwise.
pub(crate) const LASTS: Duration = Duration::from_secs(10);
