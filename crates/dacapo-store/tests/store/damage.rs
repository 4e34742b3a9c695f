//! Bytes that are not what was written.

use dacapo_core::StorageErrorKind;
use dacapo_store::Store;

use crate::disk::TestDisk;
use crate::model::{Model, apply};
use crate::{files, key, write};

/// A store of three objects, some of whose segments are closed.
fn filled() -> (TestDisk, Model) {
    let disk = TestDisk::new();
    let (mut store, _) = Store::open_with(disk.boxed(), 1200).unwrap();
    let mut model = Model::new();
    for n in 0..24u8 {
        let batch = [(key(n % 3), write(120, u64::from(n), &[n; 60]))];
        store.commit(&batch).unwrap();
        apply(&mut model, &batch);
    }
    (disk, model)
}

#[test]
fn a_flipped_bit_is_never_taken_for_a_state() {
    let (_, model) = filled();
    let (mut told, mut harmless) = (0, 0);
    for (name, len) in files(&filled().0) {
        for at in 0..len {
            let (disk, _) = filled();
            disk.edit(|files| files.get_mut(&name).unwrap()[at] ^= 1 << (at % 8));
            let (mut store, _) = Store::open_with(disk.boxed(), 1200).unwrap();
            let is_last = name == files(&disk).last().unwrap().0;
            for n in 0..3 {
                match store.load(&key(n)) {
                    Err(error) => {
                        assert_eq!(error.kind, StorageErrorKind::Corrupt, "{error}");
                        assert!(error.message.contains(".log is damaged at byte "), "{error}");
                        told += 1;
                    }
                    Ok(found) if found.as_ref() == model.get(&key(n)) => harmless += 1,
                    // The last batch that the disk has, if it is not whole, cannot be told from one that
                    // was never acknowledged.
                    Ok(_) => {
                        assert!(is_last && n == 23 % 3, "{name} byte {at}: object {n} has a wrong state")
                    }
                }
            }
        }
    }
    assert!(told > 100 && harmless > 100, "{told} {harmless}");
}

#[test]
fn damage_to_one_object_leaves_the_others_as_they_were() {
    let (disk, model) = filled();
    let (first, _) = files(&disk).remove(0);
    // The first byte of the body of the second record: 32 of the header, two heads of 80 and 12, one
    // body of 81, and 4 for the trail of the second.
    disk.edit(|files| files.get_mut(&first).unwrap()[32 + 2 * 92 + 81 + 4] ^= 1);
    let (mut store, _) = Store::open_with(disk.boxed(), 1200).unwrap();
    let results: Vec<bool> =
        (0..3).map(|n| store.load(&key(n)).as_ref().ok() == Some(&model.get(&key(n)).cloned())).collect();
    assert_eq!(results, [true, false, true]);
    let found = store.check().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].object, Some(key(1)));
    assert_eq!(
        found[0].to_string(),
        "00000001.log is damaged at byte 205: part of the state of bank.Account/01010101"
    );
    // What can be read can be written.
    store.commit(&[(key(0), write(1, 0, b"x"))]).unwrap();
    assert_eq!(store.load(&key(0)).unwrap().unwrap().bytes, "x");
}

#[test]
fn a_record_in_the_wrong_place_is_no_record() {
    let (disk, _) = filled();
    let (first, _) = files(&disk).remove(0);
    disk.edit(|files| {
        // A write that went to the place of another, of the same size.
        let bytes = files.get_mut(&first).unwrap();
        let record: Vec<u8> = bytes[205..382].to_vec();
        bytes[382..559].copy_from_slice(&record);
    });
    let (mut store, _) = Store::open_with(disk.boxed(), 1200).unwrap();
    assert_eq!(store.load(&key(2)).unwrap_err().kind, StorageErrorKind::Corrupt);
}

#[test]
fn a_segment_that_is_gone_is_missed() {
    let (disk, _) = filled();
    let (first, _) = files(&disk).remove(0);
    disk.edit(|files| drop(files.remove(&first)));
    let (mut store, _) = Store::open_with(disk.boxed(), 1200).unwrap();
    for n in 0..3 {
        assert_eq!(store.load(&key(n)).unwrap_err().kind, StorageErrorKind::Corrupt);
    }
}

#[test]
fn a_store_from_a_newer_version_is_refused_with_what_to_do() {
    for number in [1, 3] {
        newer(number);
    }
}

/// A store of which one segment is newer; an older one has what a failed process has left there.
fn newer(number: u32) {
    let (disk, _) = filled();
    disk.edit(|files| drop(files.insert("00000002.new".into(), vec![1; 40])));
    let before = files(&disk);
    disk.edit(|files| {
        use xxhash_rust::xxh3::Xxh3;
        let header = files.get_mut(&format!("{number:08}.log")).unwrap();
        header[8] = 2;
        let mut sum = Xxh3::new();
        sum.update(&number.to_le_bytes());
        sum.update(&0u64.to_le_bytes());
        sum.update(&header[..24]);
        let sum = sum.digest().to_le_bytes();
        header[24..32].copy_from_slice(&sum);
    });
    let error = Store::open(disk.boxed()).err().unwrap();
    assert_eq!(error.kind, StorageErrorKind::Newer);
    assert_eq!(
        error.message,
        format!(
            "0000000{number}.log was written in format 2 by a newer version, and this one reads up to 1: use that \
             version, or a newer one"
        )
    );
    assert_eq!(files(&disk), before, "nothing was touched");
}

#[test]
fn files_that_are_no_segments_are_left_alone() {
    let (disk, model) = filled();
    disk.edit(|files| {
        files.insert("notes.txt".into(), b"mine".to_vec());
    });
    let (mut store, _) = Store::open_with(disk.boxed(), 1200).unwrap();
    assert_eq!(crate::model::contents(&mut store), model);
}
