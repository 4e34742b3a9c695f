//! The door to a coordination service: small records that are swapped if they are as expected, and
//! that are free again after a while. And what such a service does, for the worlds that have none.
//!
//! A record's version counts its values, so it serves as a fencing token: whoever got a record holds
//! a number that no later holder has, and that every later one exceeds.

use std::collections::BTreeMap;
use std::time::Duration;

use bytestring::ByteString;

use crate::Time;

/// Swaps some records of a group, each for itself, and gives the whole group as it is then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaseCall {
    /// Names this call in its answer; the caller counts.
    pub number: u64,
    /// Which records: those of one purpose, whose names are numbers.
    pub group: ByteString,
    /// What to swap. None: only look.
    pub swaps: Vec<LeaseSwap>,
}

/// Gives a record a value, if its version is the expected one.
///
/// The same value again is no new value: the record is held longer, under the same version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaseSwap {
    /// Which record of the group.
    pub key: u32,
    /// The version that it must have; 0 for one that never had a value.
    pub expected: u64,
    /// Who holds it, in the caller's own words; empty: nobody.
    pub value: ByteString,
    /// How long, from when the service does it.
    pub ttl: Duration,
}

/// A record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LeaseRecord {
    /// Its name within the group.
    pub key: u32,
    /// Counts its values.
    pub version: u64,
    /// The last one.
    pub value: ByteString,
    /// Whether its time is not over. (Whoever swaps a record that is held takes it away: that is
    /// allowed, and polite only towards oneself.)
    pub is_held: bool,
}

/// The records of a coordination service that lives in the memory of a world.
#[derive(Clone, Debug, Default)]
pub struct LeaseTable {
    groups: BTreeMap<ByteString, BTreeMap<u32, Entry>>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    version: u64,
    value: ByteString,
    until: Time,
}

impl LeaseTable {
    /// Does what is asked for, at this time on the service's own clock.
    pub fn call(&mut self, now: Time, call: &LeaseCall) -> Vec<LeaseRecord> {
        let group = self.groups.entry(call.group.clone()).or_default();
        for LeaseSwap { key, expected, value, ttl } in &call.swaps {
            let entry = group.entry(*key).or_default();
            if entry.version != *expected {
                continue;
            }
            if entry.value != *value {
                entry.version += 1;
                entry.value = value.clone();
            }
            entry.until = if value.is_empty() { now } else { now + *ttl };
        }
        let records = group.iter().map(|(key, entry)| LeaseRecord {
            key: *key,
            version: entry.version,
            value: entry.value.clone(),
            is_held: entry.until > now,
        });
        records.collect()
    }

    /// The records that are held, in order.
    pub fn held(&self, now: Time) -> Vec<(ByteString, u32)> {
        let names = |(group, records): (&ByteString, &BTreeMap<u32, Entry>)| {
            let held = records.iter().filter(|(_, entry)| entry.until > now);
            held.map(|(key, _)| (group.clone(), *key)).collect::<Vec<_>>()
        };
        self.groups.iter().flat_map(names).collect()
    }

    /// Ends the time of a record: it is free now, whatever its holder was promised.
    pub fn expire(&mut self, group: &str, key: u32, now: Time) {
        if let Some(entry) = self.groups.get_mut(group).and_then(|records| records.get_mut(&key)) {
            entry.until = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swap(table: &mut LeaseTable, now: u64, expected: u64, value: &'static str) -> (u64, String, bool) {
        let ttl = Duration::from_nanos(10);
        let swaps = vec![LeaseSwap { key: 7, expected, value: value.into(), ttl }];
        let call = LeaseCall { number: 1, group: "g".into(), swaps };
        let record = table.call(Time(now), &call).remove(0);
        (record.version, record.value.to_string(), record.is_held)
    }

    #[test]
    fn a_version_has_one_holder_and_a_later_holder_a_later_version() {
        let mut table = LeaseTable::default();
        assert_eq!(swap(&mut table, 0, 0, "a"), (1, "a".into(), true));
        assert_eq!(swap(&mut table, 0, 0, "b"), (1, "a".into(), true), "not as expected");
        assert_eq!(swap(&mut table, 5, 1, "a"), (1, "a".into(), true), "held longer");
        assert_eq!(swap(&mut table, 12, 9, ""), (1, "a".into(), true), "the end has moved");
        assert_eq!(swap(&mut table, 15, 9, ""), (1, "a".into(), false), "its time is over");
        assert_eq!(swap(&mut table, 16, 1, "b"), (2, "b".into(), true));
        assert_eq!(swap(&mut table, 17, 1, "a"), (2, "b".into(), true), "the first one comes too late");
        assert_eq!(swap(&mut table, 18, 2, ""), (3, String::new(), false), "given up");
    }
}
