//! How far each turn is from the failure, going back in time along what can have led to it: messages,
//! the turns that the same instance ran before, the crash that took an instance's memory, and what
//! was on the disk. A turn that cannot be reached so cannot have mattered.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use dacapo_core::{Address, Body, Effect, Event, ExchangeId, InstanceId, NodeId, ObjectKey};

use crate::{Causes, Part, Record};

/// A step back along a message, a timer, an answer of the disk.
const CAUSE: u32 = 1;
/// A step back to the turn before, of the same instance.
const BEFORE: u32 = 2;
/// What a request that names the same things as the broken check is away from it.
const NAMED: u32 = 1;
/// A word that more requests have than this says nothing about any of them.
const NAMED_MAX: usize = 8;
/// How much of a body is searched for words of the check.
const SEARCHED_MAX: usize = 4096;

/// The distance of each turn.
pub(super) struct Past {
    /// For each record the number of its turn, from 0; notes belong to the turn before.
    turns: Vec<Option<usize>>,
    /// For each turn, its distance.
    distances: Vec<Option<u32>>,
}

impl Past {
    /// Seen from the record `end`, which is part of the last turn that counts. `words`: what the check
    /// says of this run.
    pub(super) fn of(records: &[Record], causes: &Causes, end: Option<usize>, words: &str) -> Past {
        let graph = Graph::of(records, causes);
        let mut seeds = Vec::new();
        match end.and_then(|end| graph.turns[end]) {
            Some(turn) => seeds.push((0, turn)),
            // Without a failure the end of every node's story is of interest.
            None => seeds.extend(graph.last.values().map(|turn| (0, *turn))),
        }
        for exchange in named(records, words) {
            for index in causes.chain(records, exchange) {
                seeds.extend(graph.turns[index].map(|turn| (NAMED, turn)));
            }
        }
        let distances = graph.distances(seeds);
        Past { turns: graph.turns, distances }
    }

    /// How far this record is from the failure; `None`: it cannot have led to it.
    pub(super) fn distance(&self, index: usize) -> Option<u32> {
        self.turns[index].and_then(|turn| self.distances[turn])
    }
}

/// Turns and the steps back from each.
struct Graph {
    turns: Vec<Option<usize>>,
    back: Vec<Vec<(u32, usize)>>,
    last: BTreeMap<NodeId, usize>,
}

#[derive(Default)]
struct Before {
    of_instance: BTreeMap<Address, usize>,
    boots: BTreeMap<NodeId, usize>,
    commits: BTreeMap<ObjectKey, usize>,
    loading: BTreeMap<Address, ObjectKey>,
}

impl Graph {
    fn of(records: &[Record], causes: &Causes) -> Graph {
        let mut graph = Graph { turns: Vec::new(), back: Vec::new(), last: BTreeMap::new() };
        let mut before = Before::default();
        for (index, record) in records.iter().enumerate() {
            if let Part::Delivery(delivery) = &record.part {
                graph.back.push(Vec::new());
                let turn = graph.back.len() - 1;
                graph.turns.push(Some(turn));
                if let Some(cause) = causes.cause(index) {
                    graph.step(turn, CAUSE, graph.turns[cause]);
                }
                graph.deliver(turn, delivery.to, &delivery.event, &mut before);
                graph.last.insert(delivery.to.node, turn);
                continue;
            }
            let turn = graph.back.len().checked_sub(1);
            graph.turns.push(turn);
            if let (Part::Effect(from, effect), Some(turn)) = (&record.part, turn) {
                graph.run(turn, *from, &mut before);
                match effect {
                    // What waited for somebody else's disk: caused by an earlier turn than this one.
                    Effect::Respond { .. } | Effect::ResponseChunk(..) => {
                        let origin = causes.cause(index).and_then(|cause| graph.turns[cause]);
                        graph.step(turn, CAUSE, origin.filter(|origin| *origin != turn));
                    }
                    Effect::Commit(_, key, _) => drop(before.commits.insert((**key).clone(), turn)),
                    Effect::Load(key) => drop(before.loading.insert(*from, (**key).clone())),
                    _ => {}
                }
            }
        }
        graph
    }

    fn step(&mut self, turn: usize, cost: u32, to: Option<usize>) {
        self.back[turn].extend(to.filter(|to| *to != turn).map(|to| (cost, to)));
    }

    fn deliver(&mut self, turn: usize, to: Address, event: &Event, before: &mut Before) {
        match event {
            Event::Crash => {
                self.step(turn, BEFORE, self.last.get(&to.node).copied());
                before.of_instance.retain(|address, _| address.node != to.node);
                before.boots.insert(to.node, turn);
            }
            Event::Boot { .. } => {
                // The crash, or at the start nothing.
                self.step(turn, CAUSE, before.boots.insert(to.node, turn));
                before.of_instance.retain(|address, _| address.node != to.node);
            }
            Event::Loaded(_) => {
                let key = before.loading.remove(&to);
                self.step(turn, BEFORE, key.and_then(|key| before.commits.get(&key).copied()));
                self.run(turn, to, before);
            }
            _ => self.run(turn, to, before),
        }
    }

    /// This instance runs in this turn.
    fn run(&mut self, turn: usize, address: Address, before: &mut Before) {
        if address.instance == InstanceId::RUNTIME {
            return;
        }
        let previous = before.of_instance.insert(address, turn);
        if previous != Some(turn) {
            self.step(turn, BEFORE, previous.or_else(|| before.boots.get(&address.node).copied()));
        }
    }

    fn distances(&self, seeds: Vec<(u32, usize)>) -> Vec<Option<u32>> {
        let mut distances: Vec<Option<u32>> = vec![None; self.back.len()];
        let mut next: BinaryHeap<Reverse<(u32, usize)>> = seeds.into_iter().map(Reverse).collect();
        while let Some(Reverse((distance, turn))) = next.pop() {
            if distances[turn].is_some() {
                continue;
            }
            distances[turn] = Some(distance);
            next.extend(
                self.back[turn].iter().map(|(cost, to)| Reverse((distance.saturating_add(*cost), *to))),
            );
        }
        distances
    }
}

/// The requests that name something which the check names as well, and few others do: an id, a key.
fn named(records: &[Record], words: &str) -> Vec<ExchangeId> {
    let words = words_of(words);
    let mut requests = Vec::new();
    for record in records {
        if let Part::Delivery(delivery) = &record.part
            && let Event::Request { exchange, head, body, .. } = &delivery.event
        {
            let bytes = match body {
                Body::Full(bytes) => &bytes[..bytes.len().min(SEARCHED_MAX)],
                Body::Empty | Body::Stream => &[],
            };
            let body = String::from_utf8_lossy(bytes);
            requests.push((*exchange, format!("{} {body}", head.url)));
        }
    }
    let mut found = Vec::new();
    for word in &words {
        let has: Vec<ExchangeId> =
            requests.iter().filter(|(_, text)| has_word(text, word)).map(|(exchange, _)| *exchange).collect();
        if has.len() <= NAMED_MAX {
            found.extend(has);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The words of a text, and the parts of those that have several (`c1=17`).
fn words_of(text: &str) -> BTreeSet<String> {
    let ends = |c: char| c.is_whitespace() || "\"'`,;()[]{}".contains(c);
    let whole = text.split(ends).map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let words = whole.flat_map(|word| std::iter::once(word).chain(word.split(['=', ':', '/'])));
    words
        .filter(|word| word.chars().filter(|c| c.is_alphanumeric()).count() >= 2)
        .map(str::to_owned)
        .collect()
}

/// Whether the text has the word, and not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let ends = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
        ends(text[..at].chars().next_back()) && ends(text[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::{has_word, words_of};

    #[test]
    fn words_are_found_whole_and_in_parts() {
        let words: Vec<String> =
            words_of("c1=17 was \"acknowledged\", x is [order/9:12]").into_iter().collect();
        assert_eq!(words, ["12", "17", "acknowledged", "c1", "c1=17", "is", "order", "order/9:12", "was"]);
    }

    #[test]
    fn a_word_is_no_part_of_a_longer_one() {
        assert!(has_word("c1=17", "c1=17"));
        assert!(has_word("{\"order\":17}", "17"));
        assert!(!has_word("c1=170", "c1=17"));
        assert!(!has_word("ac1=17", "c1=17"));
    }
}
