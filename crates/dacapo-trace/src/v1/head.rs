//! What stands around the records in format 1: who ran, how far each chunk goes, how it ended.

use std::collections::BTreeMap;

use dacapo_core::{Digest, Seed, Time};
use serde::{Deserialize, Serialize};

use crate::{Identity, Outcome, Summary, WorldKind};

#[derive(Serialize, Deserialize)]
pub(crate) struct Header {
    tool: String,
    project: String,
    is_host: bool,
    scenario: Option<String>,
    seed: Option<u64>,
    overrides: BTreeMap<String, Vec<u64>>,
    programs: Vec<(String, u128)>,
    engine: String,
    plan: u128,
    config: Option<String>,
    nodes: Vec<String>,
    services: Vec<String>,
}

impl From<&Identity> for Header {
    fn from(identity: &Identity) -> Header {
        let i = identity.clone();
        Header {
            tool: i.tool,
            project: i.project,
            is_host: i.world == WorldKind::Host,
            scenario: i.scenario,
            seed: i.seed.map(|seed| seed.0),
            overrides: i.overrides,
            programs: i.programs.into_iter().map(|(name, digest)| (name, digest.0)).collect(),
            engine: i.engine,
            plan: i.plan.0,
            config: i.config,
            nodes: i.nodes,
            services: i.services,
        }
    }
}

impl From<Header> for Identity {
    fn from(h: Header) -> Identity {
        Identity {
            tool: h.tool,
            project: h.project,
            world: if h.is_host { WorldKind::Host } else { WorldKind::Sim },
            scenario: h.scenario,
            seed: h.seed.map(Seed),
            overrides: h.overrides,
            programs: h.programs.into_iter().map(|(name, digest)| (name, Digest(digest))).collect(),
            engine: h.engine,
            plan: Digest(h.plan),
            config: h.config,
            nodes: h.nodes,
            services: h.services,
        }
    }
}

/// Stands at the front of a data chunk.
#[derive(Serialize, Deserialize)]
pub(crate) struct ChunkHead {
    /// Deliveries in the chunks before this one.
    pub(crate) events_before: u64,
    /// Records in this one.
    pub(crate) records: u32,
    /// The rolling digest after the last of them.
    pub(crate) digest: u128,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Footer {
    outcome: FooterOutcome,
    digest: u128,
    events: u64,
    effects: u64,
    notes: u64,
    end: u64,
}

#[derive(Serialize, Deserialize)]
enum FooterOutcome {
    Passed,
    Failed(String),
    Stopped(String),
}

impl From<&Summary> for Footer {
    fn from(s: &Summary) -> Footer {
        let outcome = match s.outcome.clone() {
            Outcome::Passed => FooterOutcome::Passed,
            Outcome::Failed(why) => FooterOutcome::Failed(why),
            Outcome::Stopped(why) => FooterOutcome::Stopped(why),
        };
        Footer {
            outcome,
            digest: s.digest.0,
            events: s.events,
            effects: s.effects,
            notes: s.notes,
            end: s.end.0,
        }
    }
}

impl From<Footer> for Summary {
    fn from(f: Footer) -> Summary {
        let outcome = match f.outcome {
            FooterOutcome::Passed => Outcome::Passed,
            FooterOutcome::Failed(why) => Outcome::Failed(why),
            FooterOutcome::Stopped(why) => Outcome::Stopped(why),
        };
        Summary {
            outcome,
            digest: Digest(f.digest),
            events: f.events,
            effects: f.effects,
            notes: f.notes,
            end: Time(f.end),
        }
    }
}
