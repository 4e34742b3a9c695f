//! Registers that transactions read and write. A read shows one version, so their order is known only in
//! part: nothing comes first, and who read a version and then wrote has put the next one after it.

use std::collections::{BTreeMap, BTreeSet};

use super::anomaly::Anomaly;
use super::graph::{Graph, Rule, why};
use super::level::AnomalyKind;
use super::txn::{Micro, Txns};
use crate::history::{History, Outcome, Value};
use crate::verdict::Mistake;

/// How many reasons are taken from those who read nothing to those who wrote without reading, for one key.
const FROM_NOTHING_MAX: usize = 100_000;

/// What a transaction has to do with one key: the version it read (none: nothing was there), before it wrote
/// any, and the last that it wrote.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    read: Option<Option<u32>>,
    wrote: Option<u32>,
}

/// What is wrong with single transactions, and who must come before whom.
pub(super) fn analyse(history: &History) -> Result<(Txns<'_>, Vec<Anomaly>, Graph), Mistake> {
    let mut txns = Txns::new(history, "w")?;
    let mut anomalies = Vec::new();
    let seen: Vec<u32> = txns
        .all
        .iter()
        .flat_map(|txn| &txn.micros)
        .filter_map(|micro| match micro {
            Micro::Read(key, Some(value)) => txns.version(*key, value),
            _ => None,
        })
        .collect();
    seen.into_iter().for_each(|version| txns.was_seen(version));
    let mut parts: Vec<BTreeMap<u32, Part>> = vec![BTreeMap::new(); txns.keys.len()];
    for index in 0..txns.all.len() as u32 {
        if txns.all[index as usize].is_committed {
            look(&txns, index, &mut parts, &mut anomalies);
        }
    }
    let mut graph = Graph::new(txns.all.len());
    for (key, parts) in parts.iter().enumerate() {
        add_key(&txns, key as u32, parts, &mut graph, &mut anomalies);
    }
    Ok((txns, anomalies, graph))
}

/// Looks at what one transaction saw.
fn look(txns: &Txns<'_>, index: u32, parts: &mut [BTreeMap<u32, Part>], anomalies: &mut Vec<Anomaly>) {
    let is_ok = txns.all[index as usize].operation.outcome == Outcome::Ok;
    let mut holds: BTreeMap<u32, &Value> = BTreeMap::new();
    for micro in &txns.all[index as usize].micros {
        match micro {
            Micro::Write(key, value) => {
                holds.insert(*key, value);
                parts[*key as usize].entry(index).or_default().wrote = txns.version(*key, value);
            }
            Micro::Read(key, Some(value)) if is_ok => {
                let name = &txns.keys[*key as usize];
                if let Some(before) = holds.insert(*key, value) {
                    if before != value {
                        let what = format!("{{0}} read {value} of {name}, which had been {before} to it");
                        anomalies.push(Anomaly::plain(AnomalyKind::Internal, &[index], &what));
                    }
                    continue;
                }
                let version = txns.version(*key, value);
                look_at(txns, index, *key, value, version, anomalies);
                let is_sound = value.is_null()
                    || version.is_some_and(|v| !txns.has_failed(v) && txns.writer(v) != index);
                if is_sound {
                    parts[*key as usize].entry(index).or_default().read = Some(version);
                }
            }
            Micro::Read(..) => {}
        }
    }
}

fn look_at(
    txns: &Txns<'_>,
    index: u32,
    key: u32,
    value: &Value,
    version: Option<u32>,
    anomalies: &mut Vec<Anomaly>,
) {
    let name = &txns.keys[key as usize];
    let Some(version) = version else {
        if !value.is_null() {
            let what = format!("{{0}} read {value} of {name}, and nobody wrote it");
            anomalies.push(Anomaly::plain(AnomalyKind::GarbageRead, &[index], &what));
        }
        return;
    };
    let writer = txns.writer(version);
    if writer == index {
        let what = format!("{{0}} read {value} of {name} before it wrote it");
        anomalies.push(Anomaly::plain(AnomalyKind::Internal, &[index], &what));
    } else if txns.has_failed(version) {
        let what = format!("{{0}} read {value} of {name}, which {{1}} wrote, and {{1}} failed");
        anomalies.push(Anomaly::plain(AnomalyKind::G1a, &[index, writer], &what));
    } else if !txns.versions[version as usize].is_last {
        let what =
            format!("{{0}} read {value} of {name}, and {{1}}, which wrote that, went on to write it again");
        anomalies.push(Anomaly::plain(AnomalyKind::G1b, &[index, writer], &what));
    }
}

fn add_key(
    txns: &Txns<'_>,
    key: u32,
    parts: &BTreeMap<u32, Part>,
    graph: &mut Graph,
    anomalies: &mut Vec<Anomaly>,
) {
    let mut readers: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
    let mut next: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
    let mut has_before: BTreeSet<u32> = BTreeSet::new();
    for (index, part) in parts {
        if let Some(read) = part.read {
            readers.entry(read).or_default().push(*index);
            if let Some(wrote) = part.wrote {
                next.entry(read).or_default().push(wrote);
                has_before.insert(wrote);
            }
        }
    }
    lost_updates(txns, key, parts, anomalies);
    if let Some(circle) = circle_of_versions(txns, &next) {
        let name = &txns.keys[key as usize];
        let values: Vec<String> =
            circle.iter().map(|version| txns.versions[*version as usize].value.to_string()).collect();
        let what = format!("{name} was written over and over in a circle: {}", values.join(", "));
        let writers: Vec<u32> = circle.iter().map(|version| txns.writer(*version)).collect();
        anomalies.push(Anomaly::plain(AnomalyKind::CyclicVersions, &writers, &what));
        next.clear();
    }
    // What was written without reading comes after nothing.
    let roots = parts.values().filter_map(|part| part.wrote).filter(|wrote| !has_before.contains(wrote));
    let readers_of_nothing = readers.get(&None).map_or(0, Vec::len).max(1);
    next.entry(None).or_default().extend(roots.take(FROM_NOTHING_MAX / readers_of_nothing));
    for (version, readers) in &readers {
        if let Some(version) = version {
            for reader in readers {
                graph.add(txns.writer(*version), *reader, why::WR, *version);
            }
        }
    }
    for (version, later) in &next {
        for later in later {
            if let Some(version) = version {
                graph.add(txns.writer(*version), txns.writer(*later), why::WW, *later);
            }
            for reader in readers.get(version).into_iter().flatten() {
                graph.add(*reader, txns.writer(*later), why::RW, *later);
            }
        }
    }
}

fn circle_of_versions(txns: &Txns<'_>, next: &BTreeMap<Option<u32>, Vec<u32>>) -> Option<Vec<u32>> {
    let known: BTreeSet<u32> = next.iter().flat_map(|(v, later)| v.iter().chain(later)).copied().collect();
    let places: BTreeMap<u32, u32> = known.iter().enumerate().map(|(place, v)| (*v, place as u32)).collect();
    let mut graph = Graph::new(txns.versions.len().min(places.len()));
    for (version, later) in next {
        let Some(version) = version else { continue };
        later.iter().for_each(|later| graph.add(places[version], places[later], why::WW, *later));
    }
    let steps = graph.circle(why::WW, why::WW, Rule::Any).shortest?;
    Some(steps.iter().map(|step| step.edge.version).collect())
}

/// Two transactions that read the same version of a key and both wrote it.
fn lost_updates(txns: &Txns<'_>, key: u32, parts: &BTreeMap<u32, Part>, anomalies: &mut Vec<Anomaly>) {
    let mut first: BTreeMap<Option<u32>, u32> = BTreeMap::new();
    for (index, part) in parts {
        let (Some(read), Some(_)) = (part.read, part.wrote) else { continue };
        let other = *first.entry(read).or_insert(*index);
        if other != *index {
            let name = &txns.keys[key as usize];
            let value = read.map_or(Value::Null, |version| txns.versions[version as usize].value.clone());
            let what = format!("{{0}} and {{1}} both read {value} of {name} and both wrote it");
            anomalies.push(Anomaly::plain(AnomalyKind::LostUpdate, &[other, *index], &what));
        }
    }
}
