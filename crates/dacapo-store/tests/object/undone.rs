//! SQLite sometimes rolls back more than the statement that failed. A transaction that lost what
//! it had written must not be committed.

use dacapo_core::{SqlValue, StorageErrorKind, WallTime};

use crate::{empty, one, refused, run};

const ENDLESS: &str = "INSERT INTO t WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) \
    SELECT count(*) FROM r";

#[test]
fn a_transaction_that_sqlite_undid_can_only_be_rolled_back() {
    for failing in ["INSERT OR ROLLBACK INTO t VALUES (1)", ENDLESS] {
        let mut storage = empty();
        run(&mut *storage, "CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)");
        storage.begin().unwrap();
        storage.put("k", b"v").unwrap();
        storage.set_alarm(Some(WallTime(1))).unwrap();
        storage.begin().unwrap();
        refused(&mut *storage, failing);
        assert_eq!(storage.depth(), 2);
        for error in [
            storage.put("k", b"w").unwrap_err(),
            storage.get("k").unwrap_err(),
            storage.begin().unwrap_err(),
            storage.commit().unwrap_err(),
        ] {
            assert_eq!(error.kind, StorageErrorKind::Guest);
            assert!(error.message.starts_with("the transaction was rolled back because"), "{error}");
        }
        storage.rollback().unwrap();
        assert!(storage.commit().is_err(), "what is around it lost its writes too");
        storage.rollback().unwrap();
        assert_eq!((storage.depth(), storage.get("k"), storage.alarm()), (0, Ok(None), Ok(None)));
        assert_eq!(one(&mut *storage, "SELECT count(*) FROM t"), SqlValue::Integer(1));
        storage.put("k", b"v").unwrap();
        assert!(storage.take_changes().is_some());
    }
}

#[test]
fn a_call_holds_whole_or_not_at_all() {
    let mut storage = empty();
    run(&mut *storage, "CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)");
    for failing in [
        "INSERT INTO t VALUES (2); INSERT INTO t VALUES (1)",
        "INSERT OR FAIL INTO t VALUES (2), (1)",
        "INSERT OR ROLLBACK INTO t VALUES (2), (1)",
        "INSERT INTO t VALUES (2); SELEC",
        "INSERT INTO t VALUES (2); SELECT ?",
        "INSERT INTO t VALUES (2); BEGIN",
        ENDLESS,
    ] {
        refused(&mut *storage, failing);
        assert_eq!(one(&mut *storage, "SELECT count(*) FROM t"), SqlValue::Integer(1), "{failing}");
    }
}

#[test]
fn a_foreign_key_is_checked_at_the_latest_when_the_transaction_ends() {
    let mut storage = empty();
    run(&mut *storage, "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p)");
    let missing = "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT";
    assert_eq!(refused(&mut *storage, "INSERT INTO c VALUES (1)"), missing);
    run(&mut *storage, "PRAGMA defer_foreign_keys = ON; INSERT INTO c VALUES (1); INSERT INTO p VALUES (1)");
    storage.begin().unwrap();
    run(&mut *storage, "PRAGMA defer_foreign_keys = ON; INSERT INTO c VALUES (2)");
    assert_eq!(storage.commit().unwrap_err().message, missing);
    assert_eq!(storage.depth(), 1, "it can still be mended, or rolled back");
    run(&mut *storage, "INSERT INTO p VALUES (2)");
    storage.commit().unwrap();
    assert_eq!(one(&mut *storage, "SELECT count(*) FROM c"), SqlValue::Integer(2));
}
