//! What hostile SQL gets: an error.

use dacapo_core::SqlValue;

use crate::{empty, one, refused, run};

#[test]
fn sql_reaches_nothing_but_the_guests_own_tables() {
    let mut storage = empty();
    storage.put("secret", b"x").unwrap();
    for query in [
        "ATTACH '/etc/passwd' AS x",
        "ATTACH ':memory:' AS x",
        "DETACH main",
        "SELECT load_extension('x')",
        "SELECT readfile('/etc/passwd')",
        "SELECT * FROM _cf_KV",
        "INSERT INTO _CF_kv VALUES ('a', 'b')",
        "DROP TABLE _cf_KV",
        "ALTER TABLE _cf_KV RENAME TO mine",
        "CREATE TABLE _cf_mine (a)",
        "CREATE TRIGGER t AFTER INSERT ON _cf_KV BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE d USING dbstat",
        "PRAGMA journal_mode = WAL",
        "PRAGMA writable_schema = ON",
        "PRAGMA max_page_count = 1000000",
        "PRAGMA user_version = 3",
        "PRAGMA mmap_size = 100000",
        "VACUUM INTO 'stolen.db'",
        "VACUUM",
    ] {
        refused(&mut *storage, query);
    }
    assert_eq!(storage.get("secret").unwrap().unwrap(), "x");
    assert!(!std::path::Path::new("stolen.db").exists());
    run(&mut *storage, "CREATE TABLE mine (a)");
    assert_eq!(run(&mut *storage, "PRAGMA table_info(mine)").rows.len(), 1);
}

#[test]
fn transactions_are_not_for_sql_to_begin() {
    let mut storage = empty();
    for query in ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "RELEASE a"] {
        assert!(refused(&mut *storage, query).starts_with("To execute a transaction, please use"), "{query}");
    }
}

#[test]
fn an_endless_query_ends() {
    let mut storage = empty();
    let endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t";
    let text = refused(&mut *storage, endless);
    assert_eq!(text, "the query took more steps than a query may take: it was stopped: SQLITE_INTERRUPT");
    assert_eq!(one(&mut *storage, "SELECT 1"), SqlValue::Integer(1));
}

#[test]
fn a_database_has_a_largest_size() {
    let mut storage = empty();
    run(&mut *storage, "CREATE TABLE t (a)");
    let fill = "INSERT INTO t SELECT zeroblob(1000000) FROM (VALUES (1), (2), (3), (4))";
    let mut text = String::new();
    for _ in 0..100 {
        match storage.sql(fill, &[]) {
            Ok(_) => {}
            Err(error) => {
                text = error.message.to_string();
                break;
            }
        }
    }
    assert_eq!(text, "database or disk is full: SQLITE_FULL");
    assert!(storage.size() <= 128 << 20);
    run(&mut *storage, "DELETE FROM t");
    run(&mut *storage, "INSERT INTO t VALUES (1)");
}
