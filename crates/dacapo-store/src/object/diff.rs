//! Which bytes of a state have changed.

use bytes::Bytes;

/// Compared at once; where nothing differs no byte is looked at alone.
const BLOCK: usize = 4096;

/// Two changes with fewer equal bytes between them are one: a range costs twelve bytes by itself.
const GAP: usize = 16;

/// Makes `base` what `now` is; says which ranges had to change, in order.
pub(super) fn update(base: &mut Vec<u8>, now: &[u8]) -> Vec<(u64, Bytes)> {
    // What is new counts as changed from zeros, which is what a state is lengthened with.
    base.resize(now.len(), 0);
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (index, (old, new)) in base.chunks(BLOCK).zip(now.chunks(BLOCK)).enumerate() {
        if old == new {
            continue;
        }
        let start = index * BLOCK;
        for (at, _) in old.iter().zip(new).enumerate().filter(|(_, (old, new))| old != new) {
            let at = start + at;
            match ranges.last_mut() {
                Some((_, end)) if at < *end + GAP => *end = at + 1,
                _ => ranges.push((at, at + 1)),
            }
        }
    }
    let copy = |(start, end): (usize, usize)| {
        base[start..end].copy_from_slice(&now[start..end]);
        (start as u64, Bytes::copy_from_slice(&now[start..end]))
    };
    ranges.into_iter().map(copy).collect()
}

#[cfg(test)]
mod tests {
    use dacapo_core::Changes;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_ranges_lead_from_the_old_state_to_the_new(
            old in prop::collection::vec(0u8..3, 0..9000),
            new in prop::collection::vec(0u8..3, 0..9000),
        ) {
            let (mut base, mut other) = (old.clone(), old);
            let writes = update(&mut base, &new);
            prop_assert_eq!(&base, &new);
            let ends: Vec<u64> = writes.iter().map(|(at, bytes)| at + bytes.len() as u64).collect();
            prop_assert!(writes.iter().skip(1).zip(&ends).all(|((at, _), end)| at > end));
            Changes { len: new.len() as u64, writes, alarm: None }.apply(&mut other);
            prop_assert_eq!(other, new);
        }
    }

    #[test]
    fn one_changed_byte_is_one_byte() {
        let mut base = vec![0; 100_000];
        let mut now = base.clone();
        now[70_000] = 1;
        assert_eq!(update(&mut base, &now), [(70_000, Bytes::from_static(&[1]))]);
    }
}
