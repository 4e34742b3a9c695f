//! What is decided for a workload, between core and format 1.

use dacapo_core as core;
use dacapo_core::Rounds;

use super::{DecisionKey, Drawn, Inputs};

impl<'a> From<&'a core::Inputs> for Inputs<'a> {
    fn from(inputs: &'a core::Inputs) -> Inputs<'a> {
        let core::Inputs { given, rounds, narrows, at_once, tells } = inputs;
        Inputs {
            given: given.iter().map(|(key, value)| (key.into(), *value)).collect(),
            only_given_rounds: *rounds == Rounds::Given,
            narrows: *narrows,
            at_once: *at_once,
            tells: *tells,
        }
    }
}

impl From<Inputs<'_>> for core::Inputs {
    fn from(inputs: Inputs<'_>) -> core::Inputs {
        let Inputs { given, only_given_rounds, narrows, at_once, tells } = inputs;
        core::Inputs {
            given: given.into_iter().map(|(key, value)| (key.into(), value)).collect(),
            rounds: if only_given_rounds { Rounds::Given } else { Rounds::All },
            narrows,
            at_once,
            tells,
        }
    }
}

impl<'a> From<&'a core::Drawn> for Drawn<'a> {
    fn from(drawn: &'a core::Drawn) -> Drawn<'a> {
        let core::Drawn { key, chosen, range, says } = drawn;
        Drawn { key: key.into(), chosen: *chosen, range: *range, says: says.as_deref() }
    }
}

impl From<Drawn<'_>> for core::Drawn {
    fn from(drawn: Drawn<'_>) -> core::Drawn {
        let Drawn { key, chosen, range, says } = drawn;
        core::Drawn { key: key.into(), chosen, range, says: says.map(Into::into) }
    }
}

impl<'a> From<&'a core::DecisionKey> for DecisionKey<'a> {
    fn from(key: &'a core::DecisionKey) -> DecisionKey<'a> {
        let core::DecisionKey { lane, what, cause, nth } = key;
        DecisionKey { lane, what, cause, nth: *nth }
    }
}

impl From<DecisionKey<'_>> for core::DecisionKey {
    fn from(key: DecisionKey<'_>) -> core::DecisionKey {
        let DecisionKey { lane, what, cause, nth } = key;
        core::DecisionKey { lane: lane.into(), what: what.into(), cause: cause.into(), nth }
    }
}
