//! Who must come before whom, and circles in that.

use std::collections::VecDeque;

/// Why one transaction comes before another. Each is a bit, so that several can be allowed.
pub(super) mod why {
    /// The other wrote the next version.
    pub(in crate::transaction) const WW: u8 = 1;
    /// The other read what this one wrote.
    pub(in crate::transaction) const WR: u8 = 2;
    /// The other wrote the version after the one that this one read.
    pub(in crate::transaction) const RW: u8 = 4;
    /// The same process ran the other later.
    pub(in crate::transaction) const PROCESS: u8 = 8;
    /// This one had ended when the other began.
    pub(in crate::transaction) const REALTIME: u8 = 16;
}

/// One reason for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) to: u32,
    pub(super) why: u8,
    /// The version that tells, if one does: the one that was read or, of two, the later.
    pub(super) version: u32,
}

/// One step of a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) from: u32,
    pub(super) edge: Edge,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    edges: Vec<Vec<Edge>>,
}

/// How many transactions may be visited in search of circles of one kind.
const VISITS_MAX: usize = 20_000_000;

/// Circles of a kind: the shortest that was found, and whether all places were looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Circles {
    pub(super) shortest: Option<Vec<Step>>,
    pub(super) is_complete: bool,
}

impl Graph {
    pub(super) fn new(nodes: usize) -> Graph {
        Graph { edges: vec![Vec::new(); nodes] }
    }

    /// Adds a reason. Nobody comes before itself.
    pub(super) fn add(&mut self, from: u32, to: u32, why: u8, version: u32) {
        if from != to {
            self.edges[from as usize].push(Edge { to, why, version });
        }
    }

    pub(super) fn sort(&mut self) {
        for edges in &mut self.edges {
            edges.sort_unstable();
            edges.dedup_by_key(|edge| (edge.to, edge.why));
        }
    }

    /// For each node, which strongly connected component of these reasons it is in (Tarjan, 1972), or none
    /// if it is alone in it.
    fn components(&self, mask: u8) -> Vec<Option<u32>> {
        const NONE: u32 = u32::MAX;
        let count = self.edges.len();
        let (mut index, mut low) = (vec![NONE; count], vec![NONE; count]);
        let mut component = vec![None; count];
        let mut is_open = vec![false; count];
        let (mut open, mut work) = (Vec::<u32>::new(), Vec::<(u32, usize)>::new());
        let (mut next_index, mut next_component) = (0, 0);
        for root in 0..count as u32 {
            if index[root as usize] == NONE {
                work.push((root, 0));
            }
            while let Some((node, at)) = work.last_mut() {
                let n = *node as usize;
                if index[n] == NONE {
                    (index[n], low[n], is_open[n]) = (next_index, next_index, true);
                    next_index += 1;
                    open.push(*node);
                }
                if let Some(edge) = self.edges[n].get(*at) {
                    *at += 1;
                    let to = edge.to as usize;
                    if edge.why & mask == 0 {
                        continue;
                    }
                    if index[to] == NONE {
                        work.push((edge.to, 0));
                    } else if is_open[to] {
                        low[n] = low[n].min(index[to]);
                    }
                    continue;
                }
                work.pop();
                if let Some((parent, _)) = work.last() {
                    low[*parent as usize] = low[*parent as usize].min(low[n]);
                }
                if low[n] == index[n] {
                    let from = open.iter().rposition(|other| *other as usize == n).unwrap_or(0);
                    let members = open.split_off(from);
                    for member in &members {
                        is_open[*member as usize] = false;
                        component[*member as usize] = (members.len() > 1).then_some(next_component);
                    }
                    next_component += 1;
                }
            }
        }
        component
    }

    /// The shortest circle that begins with one of these reasons and goes on with any of those, by a rule.
    pub(super) fn circle(&self, first: u8, rest: u8, rule: Rule) -> Circles {
        let component = self.components(first | rest);
        let mut finder = Finder {
            graph: self,
            rest,
            rule,
            component: &component,
            visited: vec![0; self.edges.len() * 4],
            came_from: vec![None; self.edges.len() * 4],
            round: 0,
            visits: 0,
        };
        let mut circles = Circles { shortest: None, is_complete: true };
        for from in (0..self.edges.len() as u32).filter(|node| component[*node as usize].is_some()) {
            for edge in self.edges[from as usize].iter().filter(|edge| edge.why & first != 0) {
                if component[edge.to as usize] != component[from as usize] {
                    continue;
                }
                if finder.visits > VISITS_MAX {
                    circles.is_complete = false;
                    return circles;
                }
                let longest = circles.shortest.as_ref().map_or(usize::MAX, |steps| steps.len() - 1);
                if let Some(steps) = finder.close(Step { from, edge: *edge }, longest) {
                    let is_shortest_possible = steps.len() == 2;
                    circles.shortest = Some(steps);
                    if is_shortest_possible {
                        return circles;
                    }
                }
            }
        }
        circles
    }
}

/// What must be true of the missed writes (`RW`) of a circle besides its first step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing.
    Any,
    /// There is one more at least.
    Several,
    /// There is one more at least, and no two follow each other.
    Nonadjacent,
}

/// Breadth-first searches one after the other, each from the end of a step back to its beginning.
struct Finder<'a> {
    graph: &'a Graph,
    rest: u8,
    rule: Rule,
    component: &'a [Option<u32>],
    /// In which round a node was last visited, for each way to be there (see `place`).
    visited: Vec<u32>,
    came_from: Vec<Option<(usize, Step)>>,
    round: u32,
    visits: usize,
}

/// A node, whether the last step was a missed write, and whether one was after the first step.
fn place(node: u32, was_missed: bool, has_missed: bool) -> usize {
    node as usize * 4 + usize::from(was_missed) * 2 + usize::from(has_missed)
}

impl Finder<'_> {
    /// The shortest circle with this first step, if it has fewer than `longest` + 1 steps.
    fn close(&mut self, first: Step, longest: usize) -> Option<Vec<Step>> {
        self.round += 1;
        let home = self.component[first.from as usize];
        let begin = place(first.edge.to, first.edge.why == why::RW, false);
        let mut queue = VecDeque::from([(begin, 1)]);
        self.visited[begin] = self.round;
        self.came_from[begin] = None;
        while let Some((at, steps)) = queue.pop_front() {
            self.visits += 1;
            if steps >= longest {
                return None;
            }
            let (node, was_missed, has_missed) = ((at / 4) as u32, at & 2 != 0, at & 1 != 0);
            for edge in &self.graph.edges[node as usize] {
                let is_missed = edge.why == why::RW;
                let is_barred = self.rule == Rule::Nonadjacent && is_missed && was_missed;
                if edge.why & self.rest == 0 || is_barred || self.component[edge.to as usize] != home {
                    continue;
                }
                let has_missed = has_missed || is_missed;
                let step = Step { from: node, edge: *edge };
                let fits = match self.rule {
                    Rule::Any => true,
                    Rule::Several => has_missed,
                    Rule::Nonadjacent => has_missed && !is_missed,
                };
                if edge.to == first.from {
                    let steps = fits.then(|| self.steps(first, at, step));
                    if let Some(steps) = steps.filter(|steps| is_simple(steps)) {
                        return Some(steps);
                    }
                    continue;
                }
                let next = place(edge.to, is_missed, has_missed);
                if self.visited[next] != self.round {
                    self.visited[next] = self.round;
                    self.came_from[next] = Some((at, step));
                    queue.push_back((next, steps + 1));
                }
            }
        }
        None
    }

    fn steps(&self, first: Step, mut at: usize, last: Step) -> Vec<Step> {
        let mut steps = vec![last];
        while let Some((before, step)) = self.came_from[at] {
            steps.push(step);
            at = before;
        }
        steps.push(first);
        steps.reverse();
        steps
    }
}

/// Whether no node comes twice.
fn is_simple(steps: &[Step]) -> bool {
    let mut nodes: Vec<u32> = steps.iter().map(|step| step.from).collect();
    nodes.sort_unstable();
    nodes.windows(2).all(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: usize, edges: &[(u32, u32, u8)]) -> Graph {
        let mut graph = Graph::new(nodes);
        edges.iter().for_each(|(from, to, why)| graph.add(*from, *to, *why, 0));
        graph.sort();
        graph
    }

    fn nodes(circles: &Circles) -> Option<Vec<u32>> {
        circles.shortest.as_ref().map(|steps| steps.iter().map(|step| step.from).collect())
    }

    #[test]
    fn the_shortest_circle_is_found_and_other_reasons_are_not_followed() {
        let graph = graph(
            6,
            &[
                (0, 1, why::WW),
                (1, 2, why::WW),
                (2, 0, why::WW),
                (3, 4, why::WW),
                (4, 3, why::WR),
                (2, 3, why::WW),
            ],
        );
        assert_eq!(nodes(&graph.circle(why::WW, why::WW, Rule::Any)), Some(vec![0, 1, 2]));
        assert_eq!(nodes(&graph.circle(why::WR, why::WW | why::WR, Rule::Any)), Some(vec![4, 3]));
        assert_eq!(nodes(&graph.circle(why::RW, why::WW | why::WR, Rule::Any)), None);
    }

    #[test]
    fn missed_writes_that_follow_each_other_are_told_from_those_that_do_not() {
        let skew = graph(2, &[(0, 1, why::RW), (1, 0, why::RW)]);
        assert_eq!(nodes(&skew.circle(why::RW, why::RW, Rule::Several)), Some(vec![0, 1]));
        assert_eq!(nodes(&skew.circle(why::RW, why::RW, Rule::Nonadjacent)), None);
        let long = graph(4, &[(0, 1, why::RW), (1, 2, why::WR), (2, 3, why::RW), (3, 0, why::WW)]);
        assert_eq!(nodes(&long.circle(why::RW, u8::MAX, Rule::Nonadjacent)), Some(vec![0, 1, 2, 3]));
        assert_eq!(nodes(&long.circle(why::RW, why::WR | why::WW, Rule::Any)), None);
    }
}
