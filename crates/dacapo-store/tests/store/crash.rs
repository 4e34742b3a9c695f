//! A crash, or an error, at any operation of the disk.

use dacapo_core::{ObjectKey, StorageErrorKind};
use dacapo_store::Store;
use proptest::prelude::*;

use crate::disk::{Fault, TestDisk};
use crate::model::{Model, apply, batches, contents};
use crate::{files, key, write};

const SEGMENT: u64 = 1500;

/// A small workload that opens, closes and cleans segments; it stops at the first failure. What was
/// acknowledged, and what it was doing when it failed.
fn work(disk: &TestDisk) -> (Vec<Model>, Option<Model>) {
    let mut model = Model::new();
    let mut acknowledged = vec![model.clone()];
    let Ok((mut store, _)) = Store::open_with(disk.boxed(), SEGMENT) else { return (acknowledged, None) };
    for n in 0..40u8 {
        // What an object was before it was removed is of no use any more: there is something to clean.
        let mut next = model.clone();
        if next.remove(&key(n % 3)).is_some() && n % 2 == 0 {
            if store.remove(&[key(n % 3)]).is_err() {
                return (acknowledged, Some(next));
            }
            model = next;
            acknowledged.push(model.clone());
        }
        let batch = [(key(n % 3), write(200, u64::from(n), &[n; 90])), (key(7), write(1, 0, &[n]))];
        let mut next = model.clone();
        apply(&mut next, &batch);
        if store.commit(&batch).is_err() {
            return (acknowledged, Some(next));
        }
        model = next;
        acknowledged.push(model.clone());
    }
    (acknowledged, None)
}

/// After a restart there is what was acknowledged last, or what was under way as a whole.
fn check(disk: &TestDisk, acknowledged: &[Model], under_way: Option<&Model>, place: &str) {
    let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
    let found = contents(&mut store);
    let last = acknowledged.last().unwrap();
    assert!(
        found == *last || Some(&found) == under_way,
        "{place}: neither what was acknowledged nor the next"
    );
    // And it goes on from there.
    store.commit(&[(key(1), write(3, 0, b"yes"))]).unwrap();
    let (mut again, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
    assert_eq!(again.load(&key(1)).unwrap().unwrap().bytes, "yes");
}

fn operations() -> u64 {
    let disk = TestDisk::new();
    work(&disk);
    let (first, _) = files(&disk).remove(0);
    assert!(*first > *"00000003.log", "it has cleaned: {first}");
    disk.operations()
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_that_was_acknowledged() {
    let count = operations();
    assert!(count > 80, "the workload works: {count}");
    for at in 1..=count {
        for seed in 0..12u64 {
            let disk = TestDisk::new();
            disk.fail_at(at, Fault::PowerCut);
            let (acknowledged, under_way) = work(&disk);
            // Everything un-synced is lost, all of it stays, or any part of it.
            let mut random = dacapo_core::Seed(seed).stream("sectors");
            disk.restart(|| match seed {
                0 => false,
                1 => true,
                _ => random.below(2) == 0,
            });
            check(&disk, &acknowledged, under_way.as_ref(), &format!("operation {at}, seed {seed}"));
        }
    }
}

#[test]
fn an_error_at_any_operation_loses_nothing_that_was_acknowledged() {
    for at in 1..=operations() {
        let disk = TestDisk::new();
        disk.fail_at(at, Fault::Error);
        let (acknowledged, under_way) = work(&disk);
        disk.heal();
        disk.restart(|| false);
        check(&disk, &acknowledged, under_way.as_ref(), &format!("operation {at}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_power_cut_splits_no_batch(batches in batches(30), at in 1u64..120, bits in any::<[u64; 4]>()) {
        let disk = TestDisk::new();
        disk.fail_at(at, Fault::PowerCut);
        let mut model = Model::new();
        let mut under_way = None;
        if let Ok((mut store, _)) = Store::open_with(disk.boxed(), SEGMENT) {
            for batch in &batches {
                let mut next = model.clone();
                apply(&mut next, batch);
                if store.commit(batch).is_err() {
                    under_way = Some(next);
                    break;
                }
                model = next;
            }
        }
        let mut n = 0;
        disk.restart(|| { n += 1; bits[n / 64 % 4] >> (n % 64) & 1 == 1 });
        let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
        let found = contents(&mut store);
        prop_assert!(found == model || Some(found) == under_way);
    }
}

#[test]
fn after_a_failed_sync_nothing_is_written_until_the_store_is_opened_again() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    store.commit(&[(key(1), write(1, 0, b"a"))]).unwrap();
    disk.fail_at(disk.operations() + 2, Fault::Error);
    let error = store.commit(&[(key(1), write(1, 0, b"b"))]).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Disk);
    disk.heal();
    let before = disk.operations();
    assert_eq!(store.commit(&[(key(1), write(1, 0, b"c"))]), Err(error));
    assert_eq!(disk.operations(), before, "nothing was written");
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    store.commit(&[(key(1), write(1, 0, b"c"))]).unwrap();
    assert_eq!(store.load(&key(1)).unwrap().unwrap().bytes, "c");
}

#[test]
fn a_full_disk_refuses_writes_and_recovers_when_space_returns() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    store.commit(&[(key(1), write(4, 0, b"kept"))]).unwrap();
    for space in 0..2000 {
        disk.set_space(Some(space));
        let large = write(3000, 0, &[7; 3000]);
        let error = store.commit(&[(key(2), large)]).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Full);
        assert_eq!(store.load(&key(1)).unwrap().unwrap().bytes, "kept", "reads go on");
    }
    disk.set_space(None);
    store.commit(&[(key(2), write(2, 0, b"in"))]).unwrap();
    disk.restart(|| false);
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    let keys: Vec<ObjectKey> = store.keys().cloned().collect();
    assert_eq!(keys, [key(1), key(2)]);
    assert_eq!(store.load(&key(2)).unwrap().unwrap().bytes, "in");
}

#[test]
fn a_sync_that_lies_loses_whole_commits_and_never_parts_of_them() {
    for at in 1..=operations() {
        let disk = TestDisk::new();
        disk.fail_at(at, Fault::Lie);
        let (acknowledged, _) = work(&disk);
        disk.restart(|| false);
        // What the disk lied about may be gone; then it is told as damage, or it is a state that was.
        let Ok((mut store, _)) = Store::open_with(disk.boxed(), SEGMENT) else { continue };
        for n in [0, 1, 2, 7] {
            if let Ok(found) = store.load(&key(n)) {
                let was = |model: &Model| model.get(&key(n)) == found.as_ref();
                assert!(
                    acknowledged.iter().any(was),
                    "operation {at}: object {n} has a state that never was"
                );
            }
        }
    }
}

#[test]
fn what_is_left_of_a_failed_commit_does_not_come_back() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    store.commit(&[(key(1), write(1, 0, b"a"))]).unwrap();
    disk.fail_at(disk.operations() + 1, Fault::Undead);
    // Two records of one size: the next commit covers exactly the first of them.
    let two = [(key(1), write(1, 0, b"b")), (key(2), write(1, 0, b"b"))];
    store.commit(&two).unwrap_err();
    disk.heal();
    store.commit(&[(key(1), write(1, 0, b"c"))]).unwrap();
    disk.restart(|| true);
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    assert_eq!(store.load(&key(1)).unwrap().unwrap().bytes, "c");
    assert_eq!(store.load(&key(2)), Ok(None));
}

#[test]
fn what_a_store_has_shown_survives_even_if_a_dead_process_had_not_synced_it() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    // The process dies between the write and the sync; the machine lives, with the write in its cache.
    disk.fail_at(disk.operations() + 2, Fault::Error);
    store.commit(&[(key(1), write(4, 0, b"seen"))]).unwrap_err();
    disk.heal();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    let seen = store.load(&key(1)).unwrap();
    disk.restart(|| false);
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    assert_eq!(store.load(&key(1)).unwrap(), seen);
    assert_eq!(seen.unwrap().bytes, "seen");
}

#[test]
fn a_full_disk_can_be_opened_and_read_whatever_it_has_no_room_for() {
    for room in 0..1000 {
        let disk = TestDisk::new();
        let (mut store, _) = Store::open_with(disk.boxed(), 300).unwrap();
        let mut model = Model::new();
        disk.leave_room(Some(room));
        for n in 0..4u8 {
            let batch = [(key(n), write(90, 0, &[n; 90]))];
            match store.commit(&batch) {
                Ok(()) => apply(&mut model, &batch),
                Err(error) => assert_eq!(error.kind, StorageErrorKind::Full),
            }
        }
        let (mut store, _) = Store::open_with(disk.boxed(), 300).unwrap();
        assert_eq!(contents(&mut store), model, "room {room}");
        disk.leave_room(None);
        store.commit(&[(key(7), write(4, 0, b"room"))]).unwrap();
        assert_eq!(store.check().unwrap(), vec![]);
        let (mut store, _) = Store::open_with(disk.boxed(), 300).unwrap();
        assert_eq!(store.load(&key(7)).unwrap().unwrap().bytes, "room");
    }
}

#[test]
fn an_error_that_nobody_dies_of_loses_nothing_when_the_power_is_cut_much_later() {
    for at in 1..=operations() {
        let disk = TestDisk::new();
        disk.fail_at(at, Fault::Error);
        let (acknowledged, under_way) = work(&disk);
        let mut model = acknowledged.last().unwrap().clone();
        // The process starts again, and not the machine.
        let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
        let found = contents(&mut store);
        assert!(found == model || Some(&found) == under_way.as_ref(), "operation {at}");
        model = found;
        for n in 0..80u8 {
            let batch = [(key(n % 3), write(200, u64::from(n % 100), &[n; 90]))];
            store.remove(&[key(n % 3)]).unwrap();
            store.commit(&batch).unwrap();
            model.remove(&key(n % 3));
            apply(&mut model, &batch);
        }
        disk.restart(|| false);
        let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
        assert_eq!(contents(&mut store), model, "operation {at}");
        assert_eq!(store.check().unwrap(), [], "operation {at}");
    }
}
