//! What was lost is told, of the right objects, for as long as it is lost.

use std::ops::Range;

use dacapo_core::{ObjectId, ObjectKey, StorageErrorKind};
use dacapo_store::Store;

use crate::disk::{Fault, TestDisk};
use crate::{files, key, write};

const SEGMENT: u64 = 2000;

/// Damages the only record of an object while its segment is still written to; then that is closed.
fn damage_is_remembered(at: usize) {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
    store.commit(&[(key(1), write(4, 0, b"only"))]).unwrap();
    store.commit(&[(key(2), write(4, 0, b"more"))]).unwrap();
    disk.edit(|files| files.get_mut("00000001.log").unwrap()[at] ^= 1);
    for last in [b'a', b'b'] {
        let (mut store, _) = Store::open_with(disk.boxed(), SEGMENT).unwrap();
        assert_eq!(store.load(&key(1)).unwrap_err().kind, StorageErrorKind::Corrupt);
        assert!(store.load(&key(2)).is_ok());
        assert_eq!(store.load(&key(3)), Ok(None));
        for _ in 0..60 {
            store.commit(&[(key(2), write(90, 0, &[last; 90]))]).unwrap();
        }
        assert_eq!(store.load(&key(2)).unwrap().unwrap().bytes, [last; 90][..]);
    }
    assert!(files(&disk).len() > 2, "{:?}", files(&disk));
}

#[test]
fn damage_to_a_head_is_remembered_when_its_segment_is_closed() {
    damage_is_remembered(32 + 20);
}

#[test]
fn damage_to_a_body_is_remembered_when_its_segment_is_closed() {
    damage_is_remembered(32 + 92 + 3);
}

#[test]
fn the_last_batch_survives_damage_to_the_one_before() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    store.commit(&[(key(1), write(4, 0, b"aaaa"))]).unwrap();
    let before = files(&disk)[0].1;
    store.commit(&[(key(2), write(4, 0, b"bbbb"))]).unwrap();
    store.commit(&[(key(3), write(4, 0, b"cccc")), (key(4), write(4, 0, b"dddd"))]).unwrap();
    disk.edit(|files| files.get_mut("00000001.log").unwrap()[before + 20] ^= 1);
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    assert_eq!(store.load(&key(1)).unwrap().unwrap().bytes, "aaaa");
    assert_eq!(store.load(&key(2)).unwrap_err().kind, StorageErrorKind::Corrupt);
    assert_eq!(store.load(&key(3)).unwrap().unwrap().bytes, "cccc");
    assert_eq!(store.load(&key(4)).unwrap().unwrap().bytes, "dddd");
}

/// Fills a part of a log of small commits with zeros; which of a hundred objects cannot be loaded, and
/// which had a record there.
fn blot(hurt: Range<usize>, batch: usize) -> (Vec<u8>, Vec<u8>, Store) {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    let all: Vec<u8> = (0..100).collect();
    // Alone each record would end where the file does; in a batch they are of one size.
    let mut starts = vec![32];
    for keys in all.chunks(batch) {
        let changes: Vec<_> = keys.iter().map(|&n| (key(n), write(20, 0, &[n; 20]))).collect();
        store.commit(&changes).unwrap();
        starts.push(files(&disk)[0].1);
    }
    disk.edit(|files| files.get_mut("00000001.log").unwrap()[hurt.clone()].fill(0));
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    let is_told = |n: &u8| match store.load(&key(*n)) {
        Ok(found) => {
            assert_eq!(found.unwrap().bytes, [*n; 20][..]);
            false
        }
        Err(error) => {
            assert_eq!(error.kind, StorageErrorKind::Corrupt);
            true
        }
    };
    let told = all.iter().copied().filter(is_told).collect();
    let is_hit = |n: &u8| {
        let at = usize::from(*n) / batch;
        starts[at] < hurt.end && hurt.start < starts[at + 1]
    };
    (told, all.iter().copied().filter(is_hit).collect(), store)
}

#[test]
fn a_bad_sector_hurts_only_the_objects_whose_records_it_hit() {
    for sector in 1..20 {
        let (told, hit, mut store) = blot(sector * 512..(sector + 1) * 512, 1);
        assert_eq!(told, hit, "sector {sector}");
        assert_eq!(store.load(&key(200)), Ok(None), "a new object can begin");
    }
}

#[test]
fn a_bad_sector_in_a_large_batch_hurts_no_other_batch() {
    for sector in 1..20 {
        let (told, hit, mut store) = blot(sector * 512..(sector + 1) * 512, 10);
        assert!(
            !told.is_empty() && told.iter().all(|n| hit.contains(n)),
            "sector {sector}: {told:?} {hit:?}"
        );
        assert!(told.len() <= 6, "sector {sector}: {told:?}");
        assert_eq!(store.load(&key(200)), Ok(None), "a new object can begin");
    }
}

#[test]
fn more_damage_than_can_be_laid_to_somebody_is_not_taken_for_nothing() {
    let (told, hit, mut store) = blot(1000..6000, 1);
    assert!(hit.iter().all(|n| told.contains(n)), "{told:?} {hit:?}");
    assert_eq!(store.load(&key(200)).unwrap_err().kind, StorageErrorKind::Corrupt);
}

#[test]
fn a_file_that_is_gone_from_the_middle_is_missed_for_good() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open_with(disk.boxed(), 300).unwrap();
    for n in 0..9u8 {
        store.commit(&[(key(n), write(90, 0, &[n; 90]))]).unwrap();
    }
    disk.edit(|files| drop(files.remove("00000002.log")));
    for _ in 0..3 {
        let (mut store, _) = Store::open_with(disk.boxed(), 300).unwrap();
        let found: Vec<_> = (0..9).map(|n| store.load(&key(n))).collect();
        let lost: Vec<usize> = (0..9).filter(|n| found[*n].is_err()).collect();
        // The two records of that file, and nobody else's.
        assert_eq!(lost, [2, 3], "{found:?}");
        assert!(found.iter().all(|found| !matches!(found, Ok(None))), "{found:?}");
        let check = store.check().unwrap();
        assert_eq!(
            check[0].to_string(),
            "00000002.log is damaged at byte 0: it cannot be told which object that was"
        );
        for n in 0..50 {
            store.commit(&[(key(20), write(90, 0, &[n; 90]))]).unwrap();
        }
        let error = store.commit(&[(key(2), write(1, 0, b"x"))]).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Corrupt, "nothing is stored that cannot be read back");
    }
}

#[test]
fn an_index_that_is_damaged_costs_time_and_nothing_else() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open_with(disk.boxed(), 600).unwrap();
    for n in 0..9u8 {
        store.commit(&[(key(n), write(90, 0, &[n; 90]))]).unwrap();
    }
    let (first, len) = files(&disk).remove(0);
    let (mut harmless, mut found) = (0, 0);
    for at in len - 200..len {
        disk.edit(|files| files.get_mut(&first).unwrap()[at] ^= 1);
        let (mut store, _) = Store::open_with(disk.boxed(), 600).unwrap();
        harmless += (0..9).filter(|n| store.load(&key(*n)).unwrap().unwrap().bytes == [*n; 90][..]).count();
        found += usize::from(!store.check().unwrap().is_empty());
        disk.edit(|files| files.get_mut(&first).unwrap()[at] ^= 1);
    }
    assert_eq!((harmless, found), (9 * 200, 200));
}

#[test]
fn a_wrong_answer_that_the_disk_gives_once_is_no_damage() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    store.commit(&[(key(1), write(4, 0, b"true"))]).unwrap();
    disk.misread_after(0);
    assert_eq!(store.load(&key(1)).unwrap().unwrap().bytes, "true");
}

#[test]
fn what_a_failed_sync_was_for_is_written_again_before_it_is_shown() {
    // The sync of a commit, of an index, of the header of a new segment.
    for after in 0..40 {
        let disk = TestDisk::new();
        let (mut store, _) = Store::open_with(disk.boxed(), 400).unwrap();
        disk.fail_at(disk.operations() + after, Fault::Forgets);
        let mut n = 0;
        while n < 20 && store.commit(&[(key(n), write(90, 0, &[n; 90]))]).is_ok() {
            n += 1;
        }
        let show = || {
            let (mut store, _) = Store::open_with(disk.boxed(), 400).unwrap();
            (0..=n).map(|n| store.load(&key(n)).unwrap()).collect::<Vec<_>>()
        };
        let seen = show();
        disk.restart(|| false);
        assert_eq!(show(), seen, "operation {after}");
    }
}

#[test]
fn what_could_not_be_read_back_is_refused() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    let long = ObjectKey { namespace: "n".repeat(1025).into(), id: ObjectId([1; 32]) };
    for change in
        [(long, write(4, 0, b"seen")), (key(1), write(4, 2, b"seen")), (key(1), write(4, u64::MAX, b"s"))]
    {
        let error = store.commit(&[(key(2), write(1, 0, b"x")), change]).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Guest, "{error}");
    }
    assert_eq!(store.load(&key(2)), Ok(None), "nothing of such a batch is stored");
    let most = ObjectKey { namespace: "n".repeat(1024).into(), id: ObjectId([1; 32]) };
    store.commit(&[(most.clone(), write(4, 0, b"seen"))]).unwrap();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    assert_eq!(store.load(&most).unwrap().unwrap().bytes, "seen");
}

#[test]
fn a_wrong_answer_while_the_store_is_opened_cuts_nothing_off() {
    for (segment, read) in [400, 100_000].into_iter().flat_map(|segment| (0..12).map(move |n| (segment, n))) {
        let disk = TestDisk::new();
        let (mut store, _) = Store::open_with(disk.boxed(), segment).unwrap();
        for n in 0..7u8 {
            store.commit(&[(key(n), write(90, 0, &[n; 90]))]).unwrap();
        }
        disk.misread_after(read);
        let (mut store, _) = Store::open_with(disk.boxed(), segment).unwrap();
        for n in 0..7u8 {
            let found = store.load(&key(n)).unwrap().map(|image| image.bytes);
            assert_eq!(
                found.as_deref(),
                Some(&[n; 90][..]),
                "segments of {segment}, read {read}, object {n}"
            );
        }
    }
}

#[test]
fn a_bad_sector_where_segments_meet_hurts_only_the_objects_whose_records_it_hit() {
    let filled = || {
        let disk = TestDisk::new();
        let (mut store, _) = Store::open_with(disk.boxed(), 1000).unwrap();
        for n in 0..30u8 {
            store.commit(&[(key(n), write(20, 0, &[n; 20]))]).unwrap();
        }
        disk
    };
    let count = files(&filled()).len();
    assert!(count > 3);
    for (name, len) in files(&filled()).drain(..count - 1) {
        // The last records of a segment and its index are on the same sectors.
        for start in (0..len).step_by(512) {
            let disk = filled();
            let hurt = start..len.min(start + 512);
            disk.edit(|files| files.get_mut(&name).unwrap()[hurt].fill(0));
            for _ in 0..2 {
                let (mut store, _) = Store::open_with(disk.boxed(), 1000).unwrap();
                let told = (0..30).filter(|n| store.load(&key(*n)).is_err()).count();
                assert!(told <= 6, "{name} byte {start}: {told} objects");
                for n in 0..30 {
                    assert_ne!(store.load(&key(n)), Ok(None), "{name} byte {start}: object {n}");
                }
                assert_eq!(store.load(&key(200)), Ok(None), "a new object can begin");
                for n in 0..40u8 {
                    store.commit(&[(key(201), write(90, 0, &[n; 90]))]).unwrap();
                }
            }
        }
    }
}

#[test]
fn damage_before_a_batch_that_was_under_way_is_remembered() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    for n in 0..3u8 {
        store.commit(&[(key(n), write(4, 0, b"kept"))]).unwrap();
    }
    let at = files(&disk)[0].1;
    store.commit(&[(key(3), write(4, 0, b"lost"))]).unwrap();
    // This one is torn: only its first record came to the disk.
    let two = [(key(4), write(4, 0, b"torn")), (key(5), write(900, 0, &[1; 900]))];
    store.commit(&two).unwrap();
    disk.edit(|files| {
        let log = files.get_mut("00000001.log").unwrap();
        log.truncate(log.len() - 512);
        log[at + 20] ^= 1;
    });
    for n in 0..3u8 {
        let (mut store, _) = Store::open(disk.boxed()).unwrap();
        let found: Vec<_> = (0..7).map(|n| store.load(&key(n))).collect();
        assert!(found[..3].iter().all(Result::is_ok), "{found:?}");
        assert_eq!(found[3].as_ref().unwrap_err().kind, StorageErrorKind::Corrupt);
        assert_eq!(found[4..], [Ok(None), Ok(None), Ok(None)]);
        store.commit(&[(key(0), write(1, 0, &[n]))]).unwrap();
    }
}

#[test]
fn a_file_of_which_nothing_is_left_is_missed_for_good() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open(disk.boxed()).unwrap();
    store.commit(&[(key(1), write(4, 0, b"lost"))]).unwrap();
    disk.edit(|files| files.get_mut("00000001.log").unwrap().fill(0));
    for _ in 0..3 {
        let (mut store, _) = Store::open(disk.boxed()).unwrap();
        assert_eq!(store.load(&key(1)).unwrap_err().kind, StorageErrorKind::Corrupt);
        assert!(!store.check().unwrap().is_empty());
    }
}

#[test]
fn a_file_that_was_cut_short_is_missed_for_good() {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open_with(disk.boxed(), 300).unwrap();
    for n in 0..6u8 {
        store.commit(&[(key(n), write(90, 0, &[n; 90]))]).unwrap();
    }
    // One record of the first file is left, whole.
    disk.edit(|files| files.get_mut("00000001.log").unwrap().truncate(32 + 92 + 111));
    for _ in 0..3 {
        let (mut store, _) = Store::open_with(disk.boxed(), 300).unwrap();
        assert_eq!(store.load(&key(1)).unwrap_err().kind, StorageErrorKind::Corrupt);
        for n in [0, 2, 3, 4, 5] {
            assert_eq!(store.load(&key(n)).unwrap().unwrap().bytes, [n; 90][..]);
        }
        for n in 0..50 {
            store.commit(&[(key(20), write(90, 0, &[n; 90]))]).unwrap();
        }
    }
}
