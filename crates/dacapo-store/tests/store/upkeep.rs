//! Whole states, and the cleaner: what they cost, and that they go on.

use dacapo_core::StorageErrorKind;
use dacapo_store::Store;

use crate::disk::{Fault, TestDisk};
use crate::{files, key, write};

const SEGMENT: u64 = 2000;

#[test]
fn a_large_state_is_not_written_for_each_few_small_changes() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    store.commit(&[(key(1), write(3_000_000, 0, &vec![7; 3_000_000]))]).unwrap();
    let before = disk.written();
    for n in 0..1000u64 {
        store.commit(&[(key(1), write(3_000_000, n, b"x"))]).unwrap();
    }
    let written = disk.written() - before;
    assert!(written < 300_000, "{written} bytes for 1000 changes of a byte");
    assert_eq!(store.load(&key(1)).unwrap().unwrap().bytes[..1000], [b'x'; 1000]);
}

#[test]
fn zeros_cost_nothing() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    for n in 0..200u64 {
        store.commit(&[(key(1), write(1_000_000, n * 5000, b"some"))]).unwrap();
    }
    assert!(disk.written() < 60_000, "{}", disk.written());
    let state = store.load(&key(1)).unwrap().unwrap().bytes;
    assert_eq!((state.len(), &state[995_000..995_006]), (1_000_000, &b"some\0\0"[..]));
}

#[test]
fn a_commit_writes_few_whole_states_besides() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    let batch = |at: u64| (0..200u8).map(move |n| (key(n), write(20_000, at, &[n; 900]))).collect::<Vec<_>>();
    store.commit(&(0..200u8).map(|n| (key(n), write(20_000, 0, &[n; 20_000]))).collect::<Vec<_>>()).unwrap();
    for n in 0..120 {
        let before = disk.written();
        store.commit(&batch(n)).unwrap();
        let written = disk.written() - before;
        assert!(written < 2_200_000, "commit {n} wrote {written} bytes");
    }
}

/// A store with one object whose only record is damaged, in its oldest segment.
fn damaged() -> TestDisk {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
    store.commit(&[(key(9), write(90, 0, &[9; 90]))]).unwrap();
    for n in 0..20u8 {
        store.commit(&[(key(n % 3), write(90, 0, &[n; 90]))]).unwrap();
    }
    disk.edit(|files| files.get_mut("00000001.log").unwrap()[160] ^= 1);
    disk
}

#[test]
fn damage_does_not_stop_the_cleaner_and_the_cleaner_does_not_end_damage() {
    let disk = damaged();
    let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
    store.remove(&[key(2)]).unwrap();
    for n in 0..3000u32 {
        store.commit(&[(key((n % 2) as u8), write(90, 0, &[n as u8; 90]))]).unwrap();
    }
    for _ in 0..2 {
        let size: usize = files(&disk).iter().map(|(_, len)| len).sum();
        assert!(size < 80_000, "{size} {:?}", files(&disk));
        assert_eq!(store.load(&key(9)).unwrap_err().kind, StorageErrorKind::Corrupt);
        assert_eq!(store.load(&key(1)).unwrap().unwrap().bytes, [0xb7; 90][..]);
        assert_eq!(store.load(&key(2)), Ok(None), "what was removed stays away");
        assert_eq!(store.load(&key(5)), Ok(None));
        assert_eq!(store.check().unwrap().len(), 1);
        (store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
    }
}

#[test]
fn a_power_cut_while_it_cleans_behind_damage_loses_nothing() {
    let work = |disk: &TestDisk| {
        let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).ok()?;
        let mut last = None;
        for n in 0..120u8 {
            store.commit(&[(key(n % 2), write(90, 0, &[n; 90]))]).ok()?;
            last = Some(n);
        }
        last
    };
    let whole = damaged();
    let before = whole.operations();
    work(&whole).unwrap();
    assert!(whole.renames() > 0, "it has cleaned behind the damage");
    for at in before + 1..=whole.operations() {
        for seed in 0..4u64 {
            let disk = damaged();
            disk.fail_at(at, Fault::PowerCut);
            work(&disk);
            let mut random = dacapo_core::Seed(seed).stream("sectors");
            disk.restart(|| seed == 1 || seed > 1 && random.below(2) == 0);
            let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
            let place = format!("operation {at}, seed {seed}");
            assert_eq!(store.load(&key(9)).unwrap_err().kind, StorageErrorKind::Corrupt, "{place}");
            for n in 0..3 {
                assert!(store.load(&key(n)).unwrap().is_some(), "{place}: object {n}");
            }
            assert_eq!(store.load(&key(5)), Ok(None), "{place}");
            assert!(work(&disk).is_some(), "{place}: it goes on");
        }
    }
}

#[test]
fn a_segment_that_cannot_be_closed_or_begun_stops_nothing() {
    // Whichever operation the disk refuses: the index, the header of the next segment, a record.
    for after in 0..60 {
        let disk = TestDisk::new();
        let (mut store, _) = Store::open_with(disk.boxed(), 400).unwrap();
        disk.fail_at(disk.operations() + after, Fault::Error);
        for n in 0..20u8 {
            let change = [(key(1), write(90, 0, &[n; 90]))];
            if store.commit(&change).is_err() && store.commit(&change).is_err() {
                // It was a sync.
                (store, _) = Store::open_with(disk.boxed(), 400).unwrap();
                store.commit(&change).unwrap();
            }
        }
        for _ in 0..2 {
            assert_eq!(store.load(&key(1)).unwrap().unwrap().bytes, [19; 90][..], "operation {after}");
            assert_eq!(store.check().unwrap(), [], "operation {after}");
            let files = files(&disk);
            assert!(files.iter().all(|(_, len)| *len < 1200), "operation {after}: {files:?}");
            (store, _) = Store::open_with(disk.boxed(), 400).unwrap();
        }
    }
}
