//! Keys and values.

use bytes::Bytes;
use bytestring::ByteString;
use dacapo_core::{ListOptions, Storage};

use crate::{empty, open};

fn keys(storage: &mut dyn Storage, options: ListOptions) -> Vec<String> {
    storage.list(&options).unwrap().into_iter().map(|(key, _)| key.to_string()).collect()
}

#[test]
fn a_new_object_has_nothing_and_reading_it_changes_nothing() {
    let mut storage = empty();
    assert_eq!(storage.get("a"), Ok(None));
    assert_eq!(storage.delete("a"), Ok(false));
    assert_eq!(storage.list(&ListOptions::default()), Ok(vec![]));
    assert_eq!(storage.size(), 0);
    assert_eq!(storage.take_changes(), None);
}

#[test]
fn a_list_has_the_keys_between_its_bounds_in_the_order_of_their_bytes() {
    let mut storage = empty();
    for key in ["b", "a/2", "a/10", "ä", "a", "Z", "a/\u{10ffff}", "a0"] {
        storage.put(key, b"x").unwrap();
    }
    let all = ListOptions::default();
    let text = |text: &'static str| Some(ByteString::from_static(text));
    assert_eq!(keys(&mut *storage, all.clone()), ["Z", "a", "a/10", "a/2", "a/\u{10ffff}", "a0", "b", "ä"]);
    let prefix = ListOptions { prefix: text("a/"), ..all.clone() };
    assert_eq!(keys(&mut *storage, prefix.clone()), ["a/10", "a/2", "a/\u{10ffff}"]);
    assert_eq!(
        keys(&mut *storage, ListOptions { reverse: true, limit: Some(1), ..prefix }),
        ["a/\u{10ffff}"]
    );
    assert_eq!(keys(&mut *storage, ListOptions { start: text("a"), end: text("a0"), ..all.clone() })[0], "a");
    let between = ListOptions { start_after: text("a"), end: text("a0"), ..all.clone() };
    assert_eq!(keys(&mut *storage, between), ["a/10", "a/2", "a/\u{10ffff}"]);
    assert_eq!(keys(&mut *storage, ListOptions { limit: Some(2), reverse: true, ..all }), ["ä", "b"]);
}

#[test]
fn keys_and_values_have_bounds_that_errors_name() {
    let mut storage = empty();
    let text = |result: Result<(), dacapo_core::StorageError>| result.unwrap_err().message.to_string();
    storage.put("", b"nothing is a name, too").unwrap();
    assert_eq!(text(storage.put(&"k".repeat(2049), b"")), "a key can have 2048 bytes, and this one has 2049");
    storage.put(&"k".repeat(2048), &vec![0; (2 << 20) - 2048]).unwrap();
    let error = text(storage.put("k", &vec![0; 2 << 20]));
    assert_eq!(error, "a key and its value can have 2097152 bytes together, and these have 2097153");
    assert_eq!(storage.get("k"), Ok(None));
}

#[test]
fn a_small_write_is_a_small_change() {
    let mut storage = empty();
    storage.put("count", &[0; 8]).unwrap();
    let mut image = dacapo_core::Image::default();
    crate::apply(&mut image, &storage.take_changes().unwrap());
    let mut storage = open(Some(&image));
    for n in 1..100u64 {
        storage.put("count", &n.to_be_bytes()).unwrap();
        let changes = storage.take_changes().unwrap();
        let bytes: usize = changes.writes.iter().map(|(_, bytes)| bytes.len()).sum();
        // The header and the undo are most of it.
        assert!(bytes < 160 && changes.writes.len() < 7, "{changes:?}");
        crate::apply(&mut image, &changes);
    }
    assert_eq!(open(Some(&image)).get("count"), Ok(Some(Bytes::copy_from_slice(&99u64.to_be_bytes()))));
    assert_eq!(storage.take_changes(), None);
}
