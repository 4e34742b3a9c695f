//! Linearizability by trying every order: slow, and plainly right.

use dacapo_check::{History, Model, Operation, Outcome};

/// Whether some order of the operations (all that are known, any of the unknown) respects time and the
/// model.
pub(crate) fn is_linearizable<M: Model>(history: &History, model: &M) -> bool {
    let all: Vec<&Operation> =
        history.operations().iter().filter(|it| it.outcome != Outcome::Failed).collect();
    let ops: Vec<M::Op> = all.iter().map(|operation| model.op(operation).unwrap()).collect();
    let mut left: Vec<usize> = (0..all.len()).collect();
    extend(&all, &ops, model, &mut left, model.initial())
}

fn extend<M: Model>(
    all: &[&Operation],
    ops: &[M::Op],
    model: &M,
    left: &mut Vec<usize>,
    state: M::State,
) -> bool {
    if left.iter().all(|index| all[*index].outcome == Outcome::Unknown) {
        return true;
    }
    for place in 0..left.len() {
        let index = left[place];
        let before = |other: &usize| all[*other].returned().is_some_and(|end| end < all[index].invoked);
        if left.iter().any(before) {
            continue;
        }
        if let Some(after) = model.step(&state, &ops[index]) {
            left.remove(place);
            let found = extend(all, ops, model, left, after);
            left.insert(place, index);
            if found {
                return true;
            }
        }
    }
    false
}
