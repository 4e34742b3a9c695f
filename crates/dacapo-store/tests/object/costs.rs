//! What a turn costs on disk.

use dacapo_core::{Changes, Image, SqlValue, Storage};

use crate::{apply, empty, one, open, run};

fn bytes(changes: &Changes) -> usize {
    changes.writes.iter().map(|(_, bytes)| bytes.len()).sum()
}

fn sum(storage: &mut dyn Storage) -> SqlValue {
    one(storage, "SELECT count(*) || ' ' || sum(length(b)) FROM t")
}

#[test]
fn an_increment_in_sql_is_a_small_change() {
    let mut storage = empty();
    run(&mut *storage, "CREATE TABLE t (id INTEGER PRIMARY KEY, n); INSERT INTO t VALUES (1, 0)");
    run(&mut *storage, "INSERT INTO t (n) SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9]')");
    storage.take_changes().unwrap();
    for _ in 0..300 {
        run(&mut *storage, "UPDATE t SET n = n + 1 WHERE id = 1");
        let changes = storage.take_changes().unwrap();
        // Half of it is for those who want to go back.
        assert!(bytes(&changes) < 800 && changes.writes.len() < 10, "{changes:?}");
    }
}

#[test]
fn a_turn_that_changes_nothing_in_the_end_costs_nothing() {
    let mut storage = empty();
    storage.put("k", b"value").unwrap();
    storage.take_changes().unwrap();
    storage.put("k", b"other").unwrap();
    storage.put("k", b"value").unwrap();
    assert_eq!(storage.take_changes(), None);
    storage.begin().unwrap();
    storage.put("k", b"other").unwrap();
    storage.rollback().unwrap();
    assert_eq!(storage.take_changes(), None);
    assert!(storage.sql("CREATE TABLE t (a); SELECT * FROM nowhere", &[]).is_err());
    assert_eq!(storage.take_changes(), None);
}

#[test]
fn reading_by_sql_or_a_failed_write_makes_no_state_of_an_empty_object() {
    let mut storage = empty();
    run(&mut *storage, "SELECT * FROM sqlite_master; SELECT random()");
    storage.begin().unwrap();
    storage.commit().unwrap();
    assert!(storage.sql("INSERT INTO nowhere VALUES (1)", &[]).is_err());
    assert_eq!((storage.size(), storage.take_changes()), (0, None));
}

#[test]
fn the_space_of_what_is_deleted_comes_back() {
    let mut storage = empty();
    storage.keep_no_history();
    let mut image = Image::default();
    run(&mut *storage, "CREATE TABLE t (id INTEGER PRIMARY KEY, b)");
    for n in 0..20 {
        storage.put(&format!("k{n}"), &[n; 3000]).unwrap();
        storage.sql("INSERT INTO t (b) VALUES (zeroblob(?))", &[SqlValue::Integer(100_000)]).unwrap();
    }
    apply(&mut image, &storage.take_changes().unwrap());
    assert!(image.bytes.len() > 2_000_000);
    run(&mut *storage, "DELETE FROM t WHERE id % 5 <> 0");
    apply(&mut image, &storage.take_changes().unwrap());
    assert!(image.bytes.len() < 700_000, "{}", image.bytes.len());
    assert_eq!(storage.size(), image.bytes.len() as u64);
    let mut again = open(Some(&image));
    for storage in [&mut storage, &mut again] {
        assert_eq!(sum(&mut **storage), SqlValue::Text("4 400000".into()));
        assert_eq!(storage.get("k7").unwrap().unwrap(), vec![7; 3000]);
        let check = one(&mut **storage, "PRAGMA quick_check");
        assert_eq!(check, SqlValue::Text("ok".into()));
    }
    storage.delete_all().unwrap();
    apply(&mut image, &storage.take_changes().unwrap());
    assert_eq!(image.bytes.len(), 0);
    storage.put("k", b"v").unwrap();
    apply(&mut image, &storage.take_changes().unwrap());
    assert_eq!(open(Some(&image)).get("k").unwrap().unwrap(), "v");
}

#[test]
fn what_a_query_sorts_has_a_bound() {
    let mut storage = empty();
    let sorted = |rows: u32| {
        format!(
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT {rows}) \
             SELECT count(*) FROM (SELECT DISTINCT n, randomblob(100000) AS b FROM t ORDER BY b)"
        )
    };
    assert_eq!(one(&mut *storage, &sorted(100)), SqlValue::Integer(100));
    for _ in 0..3 {
        let error = storage.sql(&sorted(2000), &[]).unwrap_err();
        assert_eq!(error.message, "database or disk is full: SQLITE_FULL");
    }
    assert_eq!(one(&mut *storage, &sorted(100)), SqlValue::Integer(100), "the space was given back");
    let error = storage.sql(
        "SELECT zeroblob(1000000) FROM json_each(?)",
        &[SqlValue::Text(format!("[{}1]", "1,".repeat(99)).into())],
    );
    assert_eq!(
        error.unwrap_err().message,
        "the query gives more than 64 MiB: read the rows in parts, with LIMIT: SQLITE_TOOBIG"
    );
    assert_eq!(storage.take_changes(), None);
}
