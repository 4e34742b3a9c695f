//! Slices: the parts of the hash space of object ids, and on which nodes each is kept.

use std::cmp::Reverse;

use dacapo_core::{NodeId, ObjectId, ServiceId, digest_of};

/// How many slices the objects of a service have. A power of two, so that one can be cut in two later
/// without moving anything else.
pub(crate) const SLICES: u32 = 16;

/// One part of the objects of a service: what is owned, moved and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SliceId {
    pub(crate) service: ServiceId,
    pub(crate) index: u32,
}

impl SliceId {
    /// The slice of an object: the ids of a slice are a range.
    pub(crate) fn of(service: ServiceId, id: &ObjectId) -> SliceId {
        let first = u32::from_be_bytes([id.0[0], id.0[1], id.0[2], id.0[3]]);
        let index = (u64::from(first) * u64::from(SLICES)) >> 32;
        SliceId { service, index: index as u32 }
    }
}

/// The nodes that keep each slice of a service, by rendezvous hashing (Thaler and Ravishankar, 1998):
/// a node more or less moves only what that node has or gets. The first one is where it should be owned.
pub(crate) fn replicas(service: &str, hosts: &[(NodeId, &str)], count: u32) -> Vec<Vec<NodeId>> {
    let of_slice = |index| {
        let mut all = hosts.to_vec();
        all.sort_by_cached_key(|(_, name)| Reverse(digest_of(&("slice", service, index, *name))));
        all.iter().take(count as usize).map(|(node, _)| *node).collect()
    };
    (0..SLICES).map(of_slice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_ranges_that_cover_everything() {
        let of = |first: u8| SliceId::of(ServiceId(0), &ObjectId([first; 32])).index;
        let all: Vec<u32> = (0..=255).map(of).collect();
        assert!(all.is_sorted());
        assert_eq!((all[0], all[255]), (0, SLICES - 1));
        assert!((0..SLICES).all(|index| all.iter().filter(|of| **of == index).count() == 16));
    }

    #[test]
    fn a_node_more_moves_only_what_it_gets() {
        let names: Vec<String> = (0..6).map(|i| format!("n{i}")).collect();
        let hosts: Vec<(NodeId, &str)> = (0..).map(NodeId).zip(names.iter().map(String::as_str)).collect();
        let (before, after) = (replicas("s", &hosts[..5], 3), replicas("s", &hosts, 3));
        for (before, after) in before.iter().zip(&after) {
            let kept = after.iter().filter(|node| before.contains(node)).count();
            assert!(kept == 3 || kept == 2 && after.contains(&NodeId(5)), "{before:?} {after:?}");
        }
        assert!(before.iter().all(|nodes| nodes.len() == 3));
    }
}
