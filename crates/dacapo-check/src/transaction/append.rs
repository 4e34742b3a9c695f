//! Lists to which transactions append. A read shows all versions that there were before, so their order is
//! known: this is what Kingsbury and Alvaro's "Elle" (2020) lives on.

use std::collections::{BTreeMap, BTreeSet};

use super::anomaly::Anomaly;
use super::graph::{Graph, why};
use super::level::AnomalyKind;
use super::txn::{Micro, Txns};
use crate::history::{History, Outcome, Value};
use crate::verdict::Mistake;

/// Reasons from versions that no read shows: so many of one key are looked at.
const UNSEEN_MAX: usize = 16;

/// What a transaction read of a list: all but what it had appended itself by then.
struct Read {
    txn: u32,
    key: u32,
    length: usize,
}

/// What is wrong with single transactions, and who must come before whom.
pub(super) fn analyse(history: &History) -> Result<(Txns<'_>, Vec<Anomaly>, Graph), Mistake> {
    let mut txns = Txns::new(history, "append")?;
    let mut anomalies = Vec::new();
    let mut longest: Vec<Vec<Value>> = vec![Vec::new(); txns.keys.len()];
    let mut longest_by: Vec<u32> = vec![0; txns.keys.len()];
    for (index, txn) in txns.all.iter().enumerate() {
        for micro in &txn.micros {
            let Micro::Read(key, Some(value)) = micro else { continue };
            let items = list_of(value)?;
            if items.len() > longest[*key as usize].len() {
                longest[*key as usize] = items.to_vec();
                longest_by[*key as usize] = index as u32;
            }
        }
    }
    // What can be seen has happened.
    for (key, items) in longest.iter().enumerate() {
        for item in items {
            if let Some(version) = txns.version(key as u32, item) {
                txns.was_seen(version);
            }
        }
    }
    for (key, items) in longest.iter_mut().enumerate() {
        order(&txns, key as u32, items, longest_by[key], &mut anomalies);
    }
    let mut reads = Vec::new();
    for index in 0..txns.all.len() as u32 {
        if txns.all[index as usize].operation.outcome == Outcome::Ok {
            look(&txns, index, &longest, &longest_by, &mut reads, &mut anomalies)?;
        }
    }
    let graph = graph(&txns, &longest, &reads);
    lost_updates(&txns, &reads, &mut anomalies);
    Ok((txns, anomalies, graph))
}

fn list_of(value: &Value) -> Result<&[Value], Mistake> {
    match value {
        Value::Null => Ok(&[]),
        Value::List(items) => Ok(items),
        other => Err(Mistake(format!("a read of a list answers a list, not {other}"))),
    }
}

/// Looks at the order of all versions of a key, and leaves the committed ones that somebody wrote.
fn order(txns: &Txns<'_>, key: u32, items: &mut Vec<Value>, reader: u32, anomalies: &mut Vec<Anomaly>) {
    let name = &txns.keys[key as usize];
    let mut seen = BTreeSet::new();
    let mut failed: Option<&Value> = None;
    for item in items.iter() {
        if !seen.insert(item) {
            let what = format!("{{0}} saw {item} twice in {name}");
            anomalies.push(Anomaly::plain(AnomalyKind::DuplicateElements, &[reader], &what));
            break;
        }
        match (txns.version(key, item), failed) {
            (Some(version), _) if txns.has_failed(version) => failed = Some(item),
            (Some(version), Some(before)) => {
                let what =
                    format!("{{0}} appended {item} to {name} on top of {before}, whose transaction failed");
                anomalies.push(Anomaly::plain(AnomalyKind::DirtyUpdate, &[txns.writer(version)], &what));
                break;
            }
            _ => {}
        }
    }
    let mut known = BTreeSet::new();
    let is_real = |item: &Value| txns.version(key, item).is_some_and(|version| !txns.has_failed(version));
    let kept: Vec<Value> =
        items.iter().filter(|item| is_real(item) && known.insert((*item).clone())).cloned().collect();
    *items = kept;
}

/// Looks at what one transaction saw.
fn look(
    txns: &Txns<'_>,
    index: u32,
    longest: &[Vec<Value>],
    longest_by: &[u32],
    reads: &mut Vec<Read>,
    anomalies: &mut Vec<Anomaly>,
) -> Result<(), Mistake> {
    let mut own: BTreeMap<u32, Vec<&Value>> = BTreeMap::new();
    let mut base: BTreeMap<u32, &[Value]> = BTreeMap::new();
    for micro in &txns.all[index as usize].micros {
        let (key, items) = match micro {
            Micro::Write(key, value) => {
                own.entry(*key).or_default().push(value);
                continue;
            }
            Micro::Read(_, None) => continue,
            Micro::Read(key, Some(value)) => (*key, list_of(value)?),
        };
        let name = &txns.keys[key as usize];
        let mine: &[&Value] = own.get(&key).map_or(&[], Vec::as_slice);
        let split = items.len().saturating_sub(mine.len());
        let (others, tail) = items.split_at(split);
        let is_known_base = base.get(&key).is_none_or(|known| *known == others);
        if !tail.iter().eq(mine.iter().copied()) || !is_known_base || sees_itself(txns, index, key, others) {
            let what = format!(
                "{{0}} read {} of {name}, which is not what it had read and appended before",
                Value::List(items.into())
            );
            anomalies.push(Anomaly::plain(AnomalyKind::Internal, &[index], &what));
            continue;
        }
        base.insert(key, others);
        look_at_others(txns, index, key, others, anomalies);
        let order = &longest[key as usize];
        let is_real =
            |item: &&Value| txns.version(key, item).is_some_and(|version| !txns.has_failed(version));
        let real: Vec<&Value> = others.iter().filter(is_real).collect();
        if real.len() > order.len() || !real.iter().copied().eq(&order[..real.len()]) {
            let whole = Value::List(order.as_slice().into());
            let what = format!(
                "{{0}} saw {} in {name}, and {{1}} saw {whole}: neither is a beginning of the other",
                Value::List(items.into())
            );
            anomalies.push(Anomaly::plain(
                AnomalyKind::IncompatibleOrder,
                &[index, longest_by[key as usize]],
                &what,
            ));
            continue;
        }
        reads.push(Read { txn: index, key, length: real.len() });
    }
    Ok(())
}

fn sees_itself(txns: &Txns<'_>, index: u32, key: u32, others: &[Value]) -> bool {
    others.iter().any(|item| txns.version(key, item).is_some_and(|version| txns.writer(version) == index))
}

fn look_at_others(txns: &Txns<'_>, index: u32, key: u32, others: &[Value], anomalies: &mut Vec<Anomaly>) {
    let name = &txns.keys[key as usize];
    for item in others {
        match txns.version(key, item) {
            None => {
                let what = format!("{{0}} saw {item} in {name}, and nobody appended it");
                anomalies.push(Anomaly::plain(AnomalyKind::GarbageRead, &[index], &what));
            }
            Some(version) if txns.has_failed(version) => {
                let what = format!("{{0}} saw {item} in {name}, which {{1}} appended, and {{1}} failed");
                anomalies.push(Anomaly::plain(AnomalyKind::G1a, &[index, txns.writer(version)], &what));
            }
            Some(_) => {}
        }
    }
    if let Some(last) = others.last()
        && let Some(version) = txns.version(key, last)
        && !txns.versions[version as usize].is_last
    {
        let what = format!(
            "{{0}} saw {name} end with {last}, and {{1}}, which appended that, went on to append more to it"
        );
        anomalies.push(Anomaly::plain(AnomalyKind::G1b, &[index, txns.writer(version)], &what));
    }
}

fn graph(txns: &Txns<'_>, longest: &[Vec<Value>], reads: &[Read]) -> Graph {
    let mut graph = Graph::new(txns.all.len());
    let ordered: Vec<Vec<u32>> = longest
        .iter()
        .enumerate()
        .map(|(key, items)| items.iter().filter_map(|item| txns.version(key as u32, item)).collect())
        .collect();
    // Committed versions that no read shows: they come after all that are shown.
    let mut unseen: Vec<Vec<u32>> = vec![Vec::new(); txns.keys.len()];
    let shown: BTreeSet<u32> = ordered.iter().flatten().copied().collect();
    for (index, version) in txns.versions.iter().enumerate() {
        let of_key = &mut unseen[version.key as usize];
        let is_committed = txns.all[version.writer as usize].is_committed;
        if is_committed && !shown.contains(&(index as u32)) && of_key.len() < UNSEEN_MAX {
            of_key.push(index as u32);
        }
    }
    for (key, versions) in ordered.iter().enumerate() {
        for pair in versions.windows(2) {
            graph.add(txns.writer(pair[0]), txns.writer(pair[1]), why::WW, pair[1]);
        }
        if let Some(last) = versions.last() {
            unseen[key]
                .iter()
                .for_each(|next| graph.add(txns.writer(*last), txns.writer(*next), why::WW, *next));
        }
    }
    for read in reads {
        let versions = &ordered[read.key as usize];
        if let Some(last) = read.length.checked_sub(1).and_then(|place| versions.get(place)) {
            graph.add(txns.writer(*last), read.txn, why::WR, *last);
        }
        match versions.get(read.length) {
            Some(next) => graph.add(read.txn, txns.writer(*next), why::RW, *next),
            None => {
                for next in &unseen[read.key as usize] {
                    graph.add(read.txn, txns.writer(*next), why::RW, *next);
                }
            }
        }
    }
    graph
}

/// Two transactions that read the same version of a key and both appended to it.
fn lost_updates(txns: &Txns<'_>, reads: &[Read], anomalies: &mut Vec<Anomaly>) {
    let mut first: BTreeMap<(u32, usize), u32> = BTreeMap::new();
    for read in reads {
        let appends = |micro: &Micro| matches!(micro, Micro::Write(key, _) if *key == read.key);
        if !txns.all[read.txn as usize].micros.iter().any(appends) {
            continue;
        }
        let other = *first.entry((read.key, read.length)).or_insert(read.txn);
        if other != read.txn {
            let name = &txns.keys[read.key as usize];
            let what =
                format!("{{0}} and {{1}} both read the same version of {name} and both appended to it");
            anomalies.push(Anomaly::plain(AnomalyKind::LostUpdate, &[other, read.txn], &what));
        }
    }
}
