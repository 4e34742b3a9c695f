//! What a store should have, kept beside it.

use std::collections::BTreeMap;

use bytes::Bytes;
use dacapo_core::{Changes, Image, ObjectKey, WallTime};
use dacapo_store::Store;
use proptest::prelude::*;

use crate::disk::TestDisk;
use crate::key;

/// The states by object.
pub(crate) type Model = BTreeMap<ObjectKey, Image>;

/// Makes changes in a model.
pub(crate) fn apply(model: &mut Model, batch: &[(ObjectKey, Changes)]) {
    for (key, changes) in batch {
        let image = model.entry(key.clone()).or_default();
        let mut bytes = image.bytes.to_vec();
        changes.apply(&mut bytes);
        *image = Image { bytes: bytes.into(), alarm: changes.alarm.unwrap_or(image.alarm) };
    }
}

/// Everything that a store has.
pub(crate) fn contents(store: &mut Store) -> Model {
    let keys: Vec<ObjectKey> = store.keys().cloned().collect();
    keys.into_iter().map(|key| (key.clone(), store.load(&key).unwrap().unwrap())).collect()
}

fn changes() -> impl Strategy<Value = Changes> {
    let alarm = prop::option::weighted(0.2, prop::option::of(any::<i64>().prop_map(WallTime)));
    (
        1u64..3000,
        prop::collection::vec((0.0..1.0f64, prop::collection::vec(any::<u8>(), 1..600)), 0..3),
        alarm,
    )
        .prop_map(|(len, writes, alarm)| {
            let place = |(at, bytes): (f64, Vec<u8>)| {
                let size = (bytes.len() as u64).min(len);
                let at = ((len - size) as f64 * at) as u64;
                (at, Bytes::from(bytes[..size as usize].to_vec()))
            };
            Changes { len, writes: writes.into_iter().map(place).collect(), alarm }
        })
}

/// Commits of a few objects.
pub(crate) fn batches(most: usize) -> impl Strategy<Value = Vec<Vec<(ObjectKey, Changes)>>> {
    let batch = prop::collection::vec(((0u8..5).prop_map(key), changes()), 1..4);
    prop::collection::vec(batch, 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_store_that_is_opened_again_has_what_was_committed(batches in batches(80), segment_max in 500u64..9000) {
        let disk = TestDisk::new();
        let (mut store, _) = Store::open_with(disk.boxed(), segment_max).unwrap();
        let mut model = Model::new();
        for batch in &batches {
            store.commit(batch).unwrap();
            apply(&mut model, batch);
        }
        prop_assert_eq!(&contents(&mut store), &model);
        let (mut again, alarms) = Store::open_with(disk.boxed(), segment_max).unwrap();
        prop_assert_eq!(&contents(&mut again), &model);
        let set: Vec<_> = model.iter().filter_map(|(key, image)| Some((key.clone(), image.alarm?))).collect();
        prop_assert_eq!(alarms, set);
        prop_assert_eq!(again.check().unwrap(), vec![]);
    }

    #[test]
    fn the_same_commits_are_the_same_calls_of_the_disk(batches in batches(20)) {
        let run = || {
            let disk = TestDisk::new();
            let (mut store, _) = Store::open_with(disk.boxed(), 2000).unwrap();
            batches.iter().for_each(|batch| store.commit(batch).unwrap());
            disk.history()
        };
        prop_assert_eq!(run(), run());
    }
}

#[test]
fn the_log_of_a_busy_object_stays_short() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open_with(disk.boxed(), 10_000).unwrap();
    store.commit(&[(key(9), crate::write(4, 0, b"cold"))]).unwrap();
    for n in 0..5000u64 {
        store.commit(&[(key(1), crate::write(100, n % 90, b"0123456789"))]).unwrap();
    }
    let mut size = 0;
    disk.edit(|files| size = files.values().map(Vec::len).sum());
    assert!(size < 60_000, "{size} bytes for a state of 100");
    assert_eq!(store.load(&key(9)).unwrap().unwrap().bytes, "cold");
    let (mut again, _) = Store::open_with(disk.boxed(), 10_000).unwrap();
    assert_eq!(contents(&mut again), contents(&mut store));
}

#[test]
fn what_was_removed_stays_away() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open_with(disk.boxed(), 1000).unwrap();
    store.commit(&[(key(1), crate::alarm(Some(5)))]).unwrap();
    store.remove(&[key(1)]).unwrap();
    assert_eq!(store.load(&key(1)), Ok(None));
    let (mut again, alarms) = Store::open_with(disk.boxed(), 1000).unwrap();
    assert_eq!((again.load(&key(1)), alarms), (Ok(None), vec![]));
    again.commit(&[(key(1), crate::write(3, 0, b"new"))]).unwrap();
    let (mut again, _) = Store::open_with(disk.boxed(), 1000).unwrap();
    assert_eq!(again.load(&key(1)).unwrap().unwrap().bytes, "new");
}
