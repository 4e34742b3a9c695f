//! Races: pairs of steps of a run that could have come the other way round, and would then have led to something else.

use super::tree::Fork;

/// For each race whose later step is not before `first_new`: the place of the earlier step, and what could be taken
/// there, instead of it, on the way to the later one.
pub(super) fn reversals(path: &[Fork], first_new: usize) -> Vec<(usize, Vec<u64>)> {
    let mut found = Vec::new();
    let mut start = match path.get(first_new) {
        Some(fork) => fork.step().settled,
        None => return found,
    };
    while start < path.len() {
        let length = path[start..].iter().take_while(|fork| fork.step().settled <= start).count();
        of_instant(&path[start..start + length.max(1)], start, first_new, &mut found);
        start += length.max(1);
    }
    found
}

/// The same for the steps of one instant, of which the first stands at `start`. Steps of different instants never race.
fn of_instant(steps: &[Fork], start: usize, first_new: usize, found: &mut Vec<(usize, Vec<u64>)>) {
    let mut before: Vec<Places> = Vec::with_capacity(steps.len());
    for (later, fork) in steps.iter().enumerate() {
        let mut of_later = Places::none(steps.len());
        let mut racing = Vec::new();
        // From the latest on: what is not before it by way of one that comes between is right before it.
        for earlier in (0..later).rev() {
            if of_later.has(earlier) {
                continue;
            }
            let by_nature = fork.step().after.contains(&(start + earlier + 1));
            if by_nature || fork.footprint.meets(&steps[earlier].footprint) {
                of_later.add_all(&before[earlier]);
                of_later.add(earlier);
                if !by_nature && start + later >= first_new {
                    racing.push(earlier);
                }
            }
        }
        before.push(of_later);
        for earlier in racing {
            found.push((start + earlier, initials(steps, &before, earlier, later)));
        }
    }
}

/// What can come first of the steps that lead to `later` without `earlier`; `later` itself first of all.
fn initials(steps: &[Fork], before: &[Places], earlier: usize, later: usize) -> Vec<u64> {
    let between = (earlier + 1..later).filter(|step| !before[*step].has(earlier));
    let mut way = Places::none(steps.len());
    let mut initials = Vec::new();
    for step in between.chain([later]) {
        if !before[step].meets(&way) {
            initials.insert(if step == later { 0 } else { initials.len() }, steps[step].step().id);
        }
        way.add(step);
    }
    initials
}

/// A set of places in a path.
struct Places(Vec<u64>);

impl Places {
    fn none(length: usize) -> Places {
        Places(vec![0; length.div_ceil(64)])
    }

    fn has(&self, place: usize) -> bool {
        self.0[place / 64] >> (place % 64) & 1 == 1
    }

    fn add(&mut self, place: usize) {
        self.0[place / 64] |= 1 << (place % 64);
    }

    fn add_all(&mut self, other: &Places) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, its)| *mine |= its);
    }

    fn meets(&self, other: &Places) -> bool {
        self.0.iter().zip(&other.0).any(|(mine, its)| mine & its != 0)
    }
}
