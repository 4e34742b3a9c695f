//! Transactions as they stand in a history: lists of reads and writes.

use std::collections::BTreeMap;

use super::graph::{Graph, why};
use crate::history::{History, Operation, Outcome, Value};
use crate::verdict::Mistake;

/// One read or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Micro {
    /// `["r", key, what was read]`. None: nobody heard the answer.
    Read(u32, Option<Value>),
    /// `["append", key, value]` or `["w", key, value]`
    Write(u32, Value),
}

/// A transaction.
#[derive(Clone, Debug)]
pub(super) struct Txn<'a> {
    pub(super) operation: &'a Operation,
    pub(super) micros: Vec<Micro>,
    /// Whether it took place, as far as is known.
    pub(super) is_committed: bool,
}

/// A value of a key, and who wrote it.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) key: u32,
    pub(super) value: Value,
    pub(super) writer: u32,
    /// Whether its transaction wrote the key no more.
    pub(super) is_last: bool,
}

/// All transactions of a history.
pub(super) struct Txns<'a> {
    pub(super) all: Vec<Txn<'a>>,
    pub(super) keys: Vec<Value>,
    pub(super) versions: Vec<Version>,
    /// For each key, its versions by value.
    by_value: Vec<BTreeMap<Value, u32>>,
}

impl<'a> Txns<'a> {
    /// Reads them. `write` is the word for writing: `append` or `w`.
    pub(super) fn new(history: &'a History, write: &str) -> Result<Txns<'a>, Mistake> {
        let mut txns = Txns { all: Vec::new(), keys: Vec::new(), versions: Vec::new(), by_value: Vec::new() };
        let mut places: BTreeMap<Value, u32> = BTreeMap::new();
        for operation in history.operations() {
            let micros = txns.micros(operation, write, &mut places).map_err(|why| {
                let (process, at) = (operation.process, operation.invoked.at);
                Mistake(format!("the transaction of process {process} at {at} cannot be judged: {why}"))
            })?;
            txns.all.push(Txn { operation, micros, is_committed: operation.outcome == Outcome::Ok });
        }
        Ok(txns)
    }

    fn micros(
        &mut self,
        operation: &Operation,
        write: &str,
        places: &mut BTreeMap<Value, u32>,
    ) -> Result<Vec<Micro>, String> {
        let is_ok = operation.outcome == Outcome::Ok;
        let list = if is_ok { &operation.result } else { &operation.value };
        let list =
            list.as_list().ok_or_else(|| format!("it must be a list of reads and writes, not {list}"))?;
        let writer = self.all.len() as u32;
        let mut micros = Vec::with_capacity(list.len());
        let mut last: BTreeMap<u32, u32> = BTreeMap::new();
        for micro in list {
            let Some([f, key, value]) = micro.as_list() else {
                return Err(format!("{micro} is not [what, key, value]"));
            };
            let place = *places.entry(key.clone()).or_insert_with(|| {
                self.keys.push(key.clone());
                self.by_value.push(BTreeMap::new());
                self.keys.len() as u32 - 1
            });
            let f = f.as_text().unwrap_or_default();
            if f == "r" {
                micros.push(Micro::Read(place, is_ok.then(|| value.clone())));
            } else if f == write {
                if value.is_null() {
                    return Err(format!("{micro} writes nothing"));
                }
                let version = self.versions.len() as u32;
                if self.by_value[place as usize].insert(value.clone(), version).is_some() {
                    return Err(format!(
                        "{micro} writes a value that was written before; each must be written once"
                    ));
                }
                self.versions.push(Version { key: place, value: value.clone(), writer, is_last: true });
                if let Some(before) = last.insert(place, version) {
                    self.versions[before as usize].is_last = false;
                }
                micros.push(Micro::Write(place, value.clone()));
            } else {
                return Err(format!("\"{f}\" is neither r nor {write}"));
            }
        }
        Ok(micros)
    }

    pub(super) fn version(&self, key: u32, value: &Value) -> Option<u32> {
        self.by_value[key as usize].get(value).copied()
    }

    pub(super) fn writer(&self, version: u32) -> u32 {
        self.versions[version as usize].writer
    }

    /// What was written took place.
    pub(super) fn was_seen(&mut self, version: u32) {
        let writer = &mut self.all[self.versions[version as usize].writer as usize];
        writer.is_committed |= writer.operation.outcome == Outcome::Unknown;
    }

    pub(super) fn has_failed(&self, version: u32) -> bool {
        self.all[self.writer(version) as usize].operation.outcome == Outcome::Failed
    }

    /// Adds that the transactions of each process come in their order.
    pub(super) fn add_process_order(&self, graph: &mut Graph) {
        let mut last: BTreeMap<u64, u32> = BTreeMap::new();
        for (index, txn) in self.all.iter().enumerate().filter(|(_, txn)| txn.is_committed) {
            let process = txn.operation.process;
            if let Some(before) = last.get(&process) {
                graph.add(*before, index as u32, why::PROCESS, 0);
            }
            // What has no end that is known may still take place after what its process does next.
            if txn.operation.outcome == Outcome::Ok {
                last.insert(process, index as u32);
            }
        }
    }

    /// Adds that what had ended comes before what began afterwards. (Only as many reasons as are needed:
    /// of those that ended before, only those after whose end none began and ended.)
    pub(super) fn add_time_order(&self, graph: &mut Graph) {
        let mut moments = Vec::new();
        for (index, txn) in self.all.iter().enumerate().filter(|(_, txn)| txn.is_committed) {
            moments.push((txn.operation.invoked, true, index as u32));
            moments.extend(txn.operation.returned().map(|ended| (ended, false, index as u32)));
        }
        moments.sort_unstable();
        let mut ended: Vec<u32> = Vec::new();
        let mut before: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (_, is_begin, index) in moments {
            if is_begin {
                ended.iter().for_each(|other| graph.add(*other, index, why::REALTIME, 0));
                before.insert(index, ended.clone());
            } else {
                let covered = before.remove(&index).unwrap_or_default();
                ended.retain(|other| !covered.contains(other));
                ended.push(index);
            }
        }
    }
}
