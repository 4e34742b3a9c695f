//! The reduction loses nothing: small worlds of nodes that send each other messages are walked through with it and without.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_core::{NodeId, digest_of};
use dacapo_sim::{Footprint, Scheduler, UnderWay};
use proptest::prelude::*;

use super::tree::{Cut, Tree};

/// What nodes do: a message has a kind, and one of kind `k` lets its node send messages of lower kinds, which depend on what
/// the node has seen before.
#[derive(Clone, Debug)]
struct Program {
    nodes: usize,
    /// What is under way at the beginning, and what comes each time when nothing is under way any more.
    rounds: Vec<Vec<(usize, usize)>>,
    /// By kind, then by what was seen before: whom a node sends to, as a distance from itself.
    sends: Vec<Vec<Vec<usize>>>,
    /// The kinds that change the next node, too.
    reach: BTreeSet<usize>,
    /// Whether messages from one node to another keep their order.
    is_in_order: bool,
}

struct Message {
    id: u64,
    to: usize,
    kind: usize,
    from: usize,
    sent_by: usize,
}

impl Program {
    /// Lets the program run; gives what the nodes have seen in the end, if it came to an end, and what the last step has to
    /// do with.
    fn run(&self, tree: &mut Tree) -> Option<(Vec<u64>, Option<Footprint>)> {
        let mut states = vec![0u64; self.nodes];
        let mut last_of: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        let (mut steps, mut settled, mut last) = (0, 0, None::<Footprint>);
        tree.begin();
        for (round, first) in self.rounds.iter().enumerate() {
            let first = first.iter().enumerate().map(|(n, (to, kind))| Message {
                id: digest_of(&(round, n)).low(),
                to: to % self.nodes,
                kind: *kind,
                from: self.nodes + n,
                sent_by: steps,
            });
            let mut pool: Vec<Message> = first.collect();
            settled = if round > 0 { steps } else { settled };
            last_of.clear();
            while !pool.is_empty() {
                let mut lines = BTreeSet::new();
                let is_first = |m: &Message| !self.is_in_order || lines.insert((m.from, m.to));
                let firsts: Vec<bool> = pool.iter().map(is_first).collect();
                let can: Vec<usize> = (0..pool.len()).filter(|index| firsts[*index]).collect();
                let under_way = |index: &usize| {
                    let Message { id, from, to, sent_by, .. } = &pool[*index];
                    let behind = last_of.get(&(*from, *to)).copied().unwrap_or(0);
                    UnderWay { id: *id, settled, after: [*sent_by, behind] }
                };
                let all: Vec<UnderWay> = can.iter().map(under_way).collect();
                let chosen = tree.choose(last.as_ref(), &all)?;
                let Message { id, to, kind, from, .. } = pool.remove(can[chosen]);
                steps += 1;
                if self.is_in_order {
                    last_of.insert((from, to), steps);
                }
                let sends = &self.sends[kind][(states[to] % self.sends[kind].len() as u64) as usize];
                let mut nodes = vec![NodeId(to as u32)];
                states[to] = digest_of(&(states[to], id)).low();
                if self.reach.contains(&kind) {
                    let next = (to + 1) % self.nodes;
                    nodes.push(NodeId(next as u32));
                    states[next] = digest_of(&(states[next], id)).low();
                }
                last = Some(Footprint::of(nodes));
                pool.extend(sends.iter().enumerate().filter(|_| kind > 0).map(|(n, distance)| Message {
                    id: digest_of(&(id, n)).low(),
                    to: (to + distance) % self.nodes,
                    kind: kind - 1,
                    from: to,
                    sent_by: steps,
                }));
            }
        }
        Some((states, last))
    }

    /// All outcomes, and the number of runs; `None` if there are too many.
    fn outcomes(&self, reduces: bool, most: usize) -> Option<(BTreeSet<Vec<u64>>, usize)> {
        let mut tree = Tree::new(reduces);
        let mut outcomes = BTreeSet::new();
        for runs in 1..=most {
            let (states, last) = self.run(&mut tree).unzip();
            outcomes.extend(states);
            let has_more = tree.end(last.flatten().as_ref());
            assert_ne!(tree.cut, Some(Cut::Diverged));
            if !has_more {
                return Some((outcomes, runs));
            }
        }
        None
    }
}

fn programs() -> impl Strategy<Value = Program> {
    let message = (0usize..3, 0usize..3);
    let rounds = prop::collection::vec(prop::collection::vec(message, 1..4), 1..3);
    let sends = prop::collection::vec(prop::collection::vec(prop::collection::vec(0usize..3, 0..3), 1..3), 3);
    (1usize..4, rounds, sends, prop::collection::btree_set(0usize..3, 0..2), any::<bool>()).prop_map(
        |(nodes, rounds, sends, reach, is_in_order)| Program { nodes, rounds, sends, reach, is_in_order },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn the_reduction_loses_no_outcome(program in programs()) {
        let Some((all, without)) = program.outcomes(false, 1_000) else { return Ok(()) };
        let (some, with) = program.outcomes(true, 1_000).expect("not more runs than without reduction");
        prop_assert_eq!(&all, &some);
        prop_assert!(with <= without, "{} runs with reduction, {} without", with, without);
    }
}

/// `n` messages at once, to as many nodes or all to one.
fn writers(n: usize, nodes: usize) -> Program {
    let rounds = vec![(0..n).map(|to| (to, 0)).collect()];
    Program { nodes, rounds, sends: vec![vec![Vec::new()]], reach: BTreeSet::new(), is_in_order: false }
}

#[test]
fn writers_to_nodes_of_their_own_have_one_order_and_writers_to_one_node_have_all() {
    let runs = |program: &Program, reduces| program.outcomes(reduces, 1_000).expect("few runs").1;
    let line = |n| {
        let (apart, together) = (writers(n, n), writers(n, 1));
        format!(
            "{n}: apart {} of {}, together {} of {}\n",
            runs(&apart, true),
            runs(&apart, false),
            runs(&together, true),
            runs(&together, false)
        )
    };
    insta::assert_snapshot!((1..=5).map(line).collect::<String>(), @r"
    1: apart 1 of 1, together 1 of 1
    2: apart 1 of 2, together 2 of 2
    3: apart 1 of 6, together 6 of 6
    4: apart 1 of 24, together 24 of 24
    5: apart 1 of 120, together 120 of 120
    ");
}
