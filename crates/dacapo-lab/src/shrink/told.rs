//! The rounds of a shrunk run in words.

use dacapo_core::{Drawn, RoundKey, Rounds};

use super::Shrunk;

/// More lines than this tell nobody anything.
const LINES_MAX: usize = 12;

impl Shrunk {
    /// What the workload does in it, in order: ``2 rounds of `transfer` by client 1, amount 1``. If that is much, the last of
    /// it are counted. None where it does what it does by itself.
    pub fn rounds(&self) -> Vec<String> {
        if self.script.rest.rounds == Rounds::Given { rounds(&self.drawn) } else { Vec::new() }
    }
}

fn rounds(drawn: &[Drawn]) -> Vec<String> {
    let mut made: Vec<(RoundKey, Vec<String>)> = Vec::new();
    for drawn in drawn {
        if let Some(round) = RoundKey::of_round(&drawn.key).filter(|_| drawn.chosen > 0) {
            made.push((round, Vec::new()));
        } else if let Some(round) = RoundKey::of_detail(&drawn.key)
            && !RoundKey::is_pause(&drawn.key)
            && let Some((_, words)) = made.iter_mut().rev().find(|(other, _)| *other == round)
        {
            words.push(drawn.words());
        }
    }
    let alike = |a: &(RoundKey, Vec<String>), b: &(RoundKey, Vec<String>)| {
        (&a.0.driver, a.0.client, &a.1) == (&b.0.driver, b.0.client, &b.1)
    };
    let line = |same: &[(RoundKey, Vec<String>)]| {
        let (RoundKey { driver, client, .. }, words) = &same[0];
        let count = if same.len() == 1 { "1 round".to_owned() } else { format!("{} rounds", same.len()) };
        let words: String = words.iter().map(|words| format!(", {words}")).collect();
        format!("{count} of `{driver}` by client {client}{words}")
    };
    let mut groups = made.chunk_by(alike);
    let mut lines: Vec<String> = groups.by_ref().take(LINES_MAX).map(line).collect();
    let left: usize = groups.map(<[_]>::len).sum();
    lines.extend((left > 0).then(|| format!("and {left} more")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rounds_are_counted() {
        let key = |n: u32| format!("workload/round work client {} #{n}", n % 2);
        let drawn = |n| Drawn { key: key(n).parse().unwrap(), chosen: 1, range: 2, says: None };
        let log: Vec<Drawn> = (1..=40).map(drawn).collect();
        let lines = rounds(&log);
        assert_eq!((lines.len(), lines[12].as_str()), (13, "and 28 more"));
    }

    #[test]
    fn rounds_that_are_alike_and_follow_each_other_are_told_together() {
        let drawn = |(key, chosen): &(&str, u64)| Drawn {
            key: key.parse().unwrap(),
            chosen: *chosen,
            range: 100,
            says: None,
        };
        let log = [
            ("workload/int setup #1", 5),
            ("workload/pause transfer client 1 #1", 50),
            ("workload/round transfer client 1 #1", 1),
            ("workload/amount transfer client 1 round 1 #1", 1),
            ("workload/round transfer client 1 #2", 0),
            ("workload/round transfer client 1 #3", 1),
            ("workload/round deposit client 0 #1", 1),
            ("workload/amount transfer client 1 round 3 #1", 1),
        ];
        let log: Vec<Drawn> = log.iter().map(drawn).collect();
        insta::assert_snapshot!(rounds(&log).join("\n"), @"
        2 rounds of `transfer` by client 1, amount 1
        1 round of `deposit` by client 0
        ");
    }
}
