//! What stands around the records in format 1: who ran, how far each chunk goes, how it ended.

use std::collections::BTreeMap;

use dacapo_core::{Digest, Seed, Time};
use serde::{Deserialize, Serialize};

use crate::{Identity, Outcome, Summary, WorldKind};

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Header<'a> {
    tool: &'a str,
    project: &'a str,
    is_host: bool,
    scenario: Option<&'a str>,
    seed: Option<u64>,
    overrides: BTreeMap<&'a str, Vec<u64>>,
    programs: Vec<(&'a str, u128)>,
    engine: &'a str,
    plan: u128,
    config: Option<&'a str>,
    nodes: Vec<&'a str>,
    services: Vec<&'a str>,
}

impl<'a> From<&'a Identity> for Header<'a> {
    fn from(i: &'a Identity) -> Header<'a> {
        Header {
            tool: &i.tool,
            project: &i.project,
            is_host: i.world == WorldKind::Host,
            scenario: i.scenario.as_deref(),
            seed: i.seed.map(|seed| seed.0),
            overrides: i.overrides.iter().map(|(lane, list)| (lane.as_str(), list.clone())).collect(),
            programs: i.programs.iter().map(|(name, digest)| (name.as_str(), digest.0)).collect(),
            engine: &i.engine,
            plan: i.plan.0,
            config: i.config.as_deref(),
            nodes: i.nodes.iter().map(String::as_str).collect(),
            services: i.services.iter().map(String::as_str).collect(),
        }
    }
}

impl From<Header<'_>> for Identity {
    fn from(h: Header<'_>) -> Identity {
        Identity {
            tool: h.tool.to_owned(),
            project: h.project.to_owned(),
            world: if h.is_host { WorldKind::Host } else { WorldKind::Sim },
            scenario: h.scenario.map(str::to_owned),
            seed: h.seed.map(Seed),
            overrides: h.overrides.into_iter().map(|(lane, list)| (lane.to_owned(), list)).collect(),
            programs: h
                .programs
                .into_iter()
                .map(|(name, digest)| (name.to_owned(), Digest(digest)))
                .collect(),
            engine: h.engine.to_owned(),
            plan: Digest(h.plan),
            config: h.config.map(str::to_owned),
            nodes: h.nodes.into_iter().map(str::to_owned).collect(),
            services: h.services.into_iter().map(str::to_owned).collect(),
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
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Footer<'a> {
    outcome: FooterOutcome<'a>,
    digest: u128,
    events: u64,
    effects: u64,
    notes: u64,
    end: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
enum FooterOutcome<'a> {
    Passed,
    Failed(&'a str),
    Stopped(&'a str),
}

impl<'a> From<&'a Summary> for Footer<'a> {
    fn from(s: &'a Summary) -> Footer<'a> {
        let outcome = match &s.outcome {
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

impl From<Footer<'_>> for Summary {
    fn from(f: Footer<'_>) -> Summary {
        let outcome = match f.outcome {
            FooterOutcome::Passed => Outcome::Passed,
            FooterOutcome::Failed(why) => Outcome::Failed(why.to_owned()),
            FooterOutcome::Stopped(why) => Outcome::Stopped(why.to_owned()),
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
