//! What runtimes say to each other and to the coordination service, in format 1: both ways.

use std::time::Duration;

use bytes::Bytes;
use dacapo_core as core;

use super::{Bin, LeaseCall, LeaseRecord, LeaseSwap, Message};

impl<'a> From<&'a core::Message> for Message<'a> {
    fn from(message: &'a core::Message) -> Message<'a> {
        Message { name: &message.name, body: Bin(&message.body) }
    }
}

impl From<Message<'_>> for core::Message {
    fn from(message: Message<'_>) -> core::Message {
        core::Message { name: message.name.into(), body: Bytes::copy_from_slice(message.body.0) }
    }
}

impl<'a> From<&'a core::LeaseCall> for LeaseCall<'a> {
    fn from(call: &'a core::LeaseCall) -> LeaseCall<'a> {
        let swap = |swap: &'a core::LeaseSwap| LeaseSwap {
            key: swap.key,
            expected: swap.expected,
            value: &swap.value,
            ttl_nanos: u64::try_from(swap.ttl.as_nanos()).unwrap_or(u64::MAX),
        };
        LeaseCall { number: call.number, group: &call.group, swaps: call.swaps.iter().map(swap).collect() }
    }
}

impl From<LeaseCall<'_>> for core::LeaseCall {
    fn from(call: LeaseCall<'_>) -> core::LeaseCall {
        let swap = |swap: LeaseSwap<'_>| core::LeaseSwap {
            key: swap.key,
            expected: swap.expected,
            value: swap.value.into(),
            ttl: Duration::from_nanos(swap.ttl_nanos),
        };
        let swaps = call.swaps.into_iter().map(swap).collect();
        core::LeaseCall { number: call.number, group: call.group.into(), swaps }
    }
}

impl<'a> From<&'a core::LeaseRecord> for LeaseRecord<'a> {
    fn from(record: &'a core::LeaseRecord) -> LeaseRecord<'a> {
        let core::LeaseRecord { key, version, value, is_held } = record;
        LeaseRecord { key: *key, version: *version, value, is_held: *is_held }
    }
}

impl From<LeaseRecord<'_>> for core::LeaseRecord {
    fn from(record: LeaseRecord<'_>) -> core::LeaseRecord {
        let LeaseRecord { key, version, value, is_held } = record;
        core::LeaseRecord { key, version, value: value.into(), is_held }
    }
}
