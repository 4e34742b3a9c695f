//! Slices go where there is less to do, and away from nodes that stop.
//!
//! Every few looks at the leases the nodes of a service tell each other how many requests for its objects
//! they have had. A node that has more than others gives one slice to the replica that has least, if that
//! is still not the busier one of the two afterwards: so nothing goes back and forth. At most one slice
//! leaves a node in each round, and none that came a short time ago.
//!
//! Nothing is copied: whoever gets a slice is one of its replicas already. A slice leaves when nothing is
//! under way in it; the lease then says whom it goes to, and that one takes it up as after a crash.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dacapo_core::{Effect, InstanceId, Level, NodeId, Outbox, ServiceId, Time, Turn};

use super::Runtime;
use super::slice::SliceId;
use super::words::What;
use crate::cluster::runtime_of;

/// Nodes tell each other what they do once in so many looks at the leases.
const LOOKS: u64 = 5;
/// What was heard of a node counts for so long; whoever says nothing for longer gets no slice.
const HEARD: Duration = Duration::from_secs(15);
/// A slice stays with its owner for so long at least.
const STAYS: Duration = Duration::from_secs(30);
/// How long it may take until nothing is under way in a slice that is to leave.
const LEAVES: Duration = Duration::from_secs(2);
/// A difference of less than so many requests in a round moves nothing.
const DIFFERENCE_MIN: u64 = 50;

#[derive(Default)]
pub(super) struct Balance {
    looks: BTreeMap<ServiceId, u64>,
    /// The load of other nodes, and when they told it.
    loads: BTreeMap<(ServiceId, NodeId), (u64, Time)>,
}

/// A slice that may go: its load, and its replicas with theirs.
struct MayGo {
    slice: SliceId,
    load: u64,
    replicas: Vec<(NodeId, u64)>,
}

/// A slice that goes: its load, where to, and how much that node has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Move {
    slice: SliceId,
    load: u64,
    to: NodeId,
    theirs: u64,
}

/// Which of these slices should go where, for a node with so much to do.
fn choose(own: u64, slices: &[MayGo]) -> Option<Move> {
    let moves = slices.iter().flat_map(|MayGo { slice, load, replicas }| {
        replicas.iter().map(|(to, theirs)| Move { slice: *slice, load: *load, to: *to, theirs: *theirs })
    });
    let helps = |it: &Move| {
        let is_worth_it = own.saturating_sub(it.theirs) >= DIFFERENCE_MIN.max(own / 4);
        it.load > 0 && is_worth_it && it.theirs + it.load <= own - it.load
    };
    // The busiest that may go; of several replicas the one with least to do.
    moves.filter(helps).max_by_key(|it| (it.load, Reverse((it.theirs, it.slice, it.to))))
}

impl Runtime {
    /// With a look at the leases: from time to time what to do is shared anew.
    pub(super) fn balance(&mut self, service: ServiceId, turn: &Turn, out: &mut Outbox) {
        let looks = self.placement.balance.looks.entry(service).or_default();
        *looks += 1;
        if !looks.is_multiple_of(LOOKS) {
            return;
        }
        let mut own = 0;
        for (_, owned) in self.placement.owned.iter_mut().filter(|(slice, _)| slice.service == service) {
            owned.load = (owned.load + std::mem::take(&mut owned.requests)).div_ceil(2);
            own += owned.load;
        }
        for to in self.partners(service) {
            self.say(to, SliceId { service, index: 0 }, 0, What::Load(own), out);
        }
        if !self.is_stopping {
            self.move_one(service, own, turn, out);
        }
    }

    /// The nodes with which this one shares slices of a service.
    fn partners(&self, service: ServiceId) -> BTreeSet<NodeId> {
        let slices = self.system.placed[service.0 as usize].iter().flatten();
        let shared = slices.filter(|nodes| nodes.contains(&self.node)).flatten();
        shared.copied().filter(|node| *node != self.node).collect()
    }

    /// Another node says what it has to do.
    pub(super) fn load_is(&mut self, from: NodeId, service: ServiceId, load: u64, turn: &Turn) {
        self.placement.balance.loads.insert((service, from), (load, turn.now));
    }

    /// The replicas of a slice that were heard lately, other than this node, with their loads.
    fn heard_lately(&self, slice: SliceId, turn: &Turn) -> Vec<(NodeId, u64)> {
        let load_of = |node: &NodeId| {
            let (load, at) = self.placement.balance.loads.get(&(slice.service, *node))?;
            (turn.now.since(*at) <= HEARD).then_some((*node, *load))
        };
        self.replicas_of(slice).iter().filter(|node| **node != self.node).filter_map(load_of).collect()
    }

    fn move_one(&mut self, service: ServiceId, own: u64, turn: &Turn, out: &mut Outbox) {
        let all = self.placement.owned.iter().filter(|(slice, _)| slice.service == service);
        if all.clone().any(|(_, owned)| owned.leaves.is_some()) {
            return;
        }
        let may_go = all.filter(|(_, owned)| turn.now.since(owned.since) >= STAYS);
        let may_go = may_go.map(|(slice, owned)| MayGo {
            slice: *slice,
            load: owned.load,
            replicas: self.heard_lately(*slice, turn),
        });
        let Some(Move { slice, load, to, theirs }) = choose(own, &may_go.collect::<Vec<_>>()) else { return };
        let Some(owned) = self.placement.owned.get_mut(&slice) else { return };
        owned.leaves = Some((to, turn.now));
        let (name, node) = (&self.system.plan.service(service).name, self.name_of(to));
        let text = format!(
            "slice {} of {name} moves to {node}: {load} of {own} requests here, {theirs} there",
            slice.index
        );
        out.push((runtime_of(self.node), Effect::Log(Level::Info, text.into())));
    }

    /// Slices that are to leave do so when nothing is under way in them; if that takes too long they stay.
    pub(super) fn let_slices_leave(&mut self, turn: &Turn, out: &mut Outbox) {
        let leaving = self.placement.owned.iter();
        let leaving: Vec<_> = leaving.filter_map(|(slice, owned)| Some((*slice, owned.leaves?))).collect();
        for (slice, (to, since)) in leaving {
            if self.is_slice_quiet(slice) {
                self.release(slice, Some(to), turn, out);
            } else if turn.now.since(since) > LEAVES
                && let Some(owned) = self.placement.owned.get_mut(&slice)
            {
                owned.leaves = None;
                owned.since = turn.now;
            }
        }
    }

    /// While the node stops: slices in which nothing is under way go to others, the first replicas that
    /// were heard lately.
    pub(super) fn release_quiet_slices(&mut self, turn: &Turn, out: &mut Outbox) {
        for slice in self.placement.owned.keys().copied().collect::<Vec<_>>() {
            if !self.is_slice_quiet(slice) {
                continue;
            }
            let to = self.heard_lately(slice, turn).first().map(|(node, _)| *node);
            let (name, whom) = (
                &self.system.plan.service(slice.service).name,
                to.map_or("whoever takes it", |to| self.name_of(to)),
            );
            let text = format!("slice {} of {name} goes to {whom}: this node stops", slice.index);
            out.push((runtime_of(self.node), Effect::Log(Level::Info, text.into())));
            self.release(slice, to, turn, out);
        }
    }

    /// An object goes to another of its replicas at once, whatever is under way in it, and its slice with it. One that
    /// lives on one node only stays.
    pub(in crate::runtime) fn move_at(&mut self, id: InstanceId, turn: &Turn, out: &mut Outbox) {
        let key = self.instances.get(&id).and_then(|slot| Some(slot.object.as_ref()?.key.clone()));
        let Some(slice) = key.and_then(|key| self.slice_of_key(&key)) else { return };
        if self.placement.owned.contains_key(&slice) && !self.is_stopping {
            let heard = self.heard_lately(slice, turn).first().map(|(node, _)| *node);
            let other = || self.replicas_of(slice).iter().copied().find(|node| *node != self.node);
            let to = heard.or_else(other);
            self.release(slice, to, turn, out);
        }
    }

    fn name_of(&self, node: NodeId) -> &str {
        &self.system.topology.nodes[node.0 as usize].name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(index: u32) -> SliceId {
        SliceId { service: ServiceId(0), index }
    }

    fn may_go(index: u32, load: u64, theirs: u64) -> MayGo {
        MayGo { slice: slice(index), load, replicas: vec![(NodeId(1), theirs)] }
    }

    #[test]
    fn a_move_makes_no_other_node_the_busier_one() {
        let goes = |index, load, theirs| Some(Move { slice: slice(index), load, to: NodeId(1), theirs });
        assert_eq!(choose(1000, &[may_go(0, 1000, 0)]), None, "it would only be busy elsewhere");
        assert_eq!(choose(1000, &[may_go(0, 500, 0), may_go(1, 500, 0)]), goes(0, 500, 0));
        assert_eq!(choose(1000, &[may_go(0, 300, 500)]), None);
        assert_eq!(choose(1000, &[may_go(0, 250, 500)]), goes(0, 250, 500));
        assert_eq!(choose(40, &[may_go(0, 10, 0)]), None, "not worth it");
    }

    #[test]
    fn however_load_is_spread_moves_come_to_an_end() {
        proptest::proptest!(|(loads in proptest::collection::vec(0u64..2000, 16), nodes in 2usize..6)| {
            let mut at: Vec<usize> = (0..16).map(|i| i * 7 % nodes).collect();
            let total = |at: &[usize], node| (0..16).filter(|i| at[*i] == node).map(|i| loads[i]).sum::<u64>();
            for step in 0.. {
                assert!(step < 200, "slices wander");
                let moved = (0..nodes).find_map(|node| {
                    let others = (0..nodes).filter(|n| *n != node);
                    let others: Vec<_> = others.map(|n| (NodeId(n as u32), total(&at, n))).collect();
                    let own = (0..16).filter(|i| at[*i] == node);
                    let own = own.map(|i| MayGo { slice: slice(i as u32), load: loads[i], replicas: others.clone() });
                    choose(total(&at, node), &own.collect::<Vec<_>>())
                });
                match moved {
                    None => break,
                    Some(it) => at[it.slice.index as usize] = it.to.0 as usize,
                }
            }
        });
    }
}
