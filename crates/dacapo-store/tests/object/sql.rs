//! SQL as guests use it.

use bytes::Bytes;
use dacapo_core::{SqlValue, Time, Turn, WallTime};

use crate::{apply, empty, one, open, refused, run};

#[test]
fn values_come_back_as_they_went_in() {
    let mut storage = empty();
    run(&mut *storage, "CREATE TABLE t (a, b INTEGER, c TEXT, d BLOB, e REAL)");
    let row = vec![
        SqlValue::Null,
        SqlValue::Integer(i64::MAX),
        SqlValue::Text("ä\u{1f600}".into()),
        SqlValue::Blob(Bytes::from_static(&[0, 255])),
        SqlValue::Real(0.1),
    ];
    let written = storage.sql("INSERT INTO t VALUES (?, ?, ?, ?, ?)", &row).unwrap();
    assert_eq!((written.rows_written, written.rows), (1, vec![]));
    let read = run(&mut *storage, "SELECT * FROM t");
    assert_eq!(read.columns, ["a", "b", "c", "d", "e"]);
    assert_eq!(read.rows, [row]);
    // A whole number that was bound as REAL becomes one again in a column of integers.
    storage.sql("INSERT INTO t (b) VALUES (?)", &[SqlValue::Real(7.0)]).unwrap();
    assert_eq!(one(&mut *storage, "SELECT b FROM t WHERE a IS NULL AND e IS NULL"), SqlValue::Integer(7));
}

#[test]
fn only_the_last_of_several_statements_has_bindings_and_rows() {
    let mut storage = empty();
    let rows = storage.sql(
        "CREATE TABLE t (n); INSERT INTO t VALUES (1), (2); SELECT n FROM t WHERE n > ?",
        &[SqlValue::Integer(1)],
    );
    assert_eq!(rows.unwrap().rows, [[SqlValue::Integer(2)]]);
    let error = storage.sql("SELECT ?; SELECT 1", &[SqlValue::Null]).unwrap_err().message;
    assert_eq!(
        error,
        "When executing multiple SQL statements in a single call, only the last statement can have parameters."
    );
    for (query, bindings) in
        [("SELECT ?", vec![]), ("SELECT 1", vec![SqlValue::Null]), ("SELECT ?, ?", vec![SqlValue::Null])]
    {
        let error = storage.sql(query, &bindings).unwrap_err().message;
        assert_eq!(error, "Wrong number of parameter bindings for SQL query.", "{query}");
    }
}

#[test]
fn mistakes_are_told_as_sqlite_tells_them() {
    let mut storage = empty();
    assert_eq!(refused(&mut *storage, "SELECT * FROM nowhere"), "no such table: nowhere: SQLITE_ERROR");
    assert_eq!(refused(&mut *storage, "SELEC 1"), "near \"SELEC\": syntax error at offset 0: SQLITE_ERROR");
    run(&mut *storage, "CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)");
    assert_eq!(
        refused(&mut *storage, "INSERT INTO t VALUES (1)"),
        "UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT"
    );
    assert_eq!(one(&mut *storage, "SELECT count(*) FROM t"), SqlValue::Integer(1));
}

#[test]
fn the_time_is_that_of_the_turn() {
    let mut storage = empty();
    assert_eq!(one(&mut *storage, "SELECT datetime('now')"), SqlValue::Text("2025-01-01 00:00:00".into()));
    storage.begin_turn(&Turn { now: Time(0), wall: WallTime(1_000_000_000_123_456_789) });
    assert_eq!(one(&mut *storage, "SELECT unixepoch()"), SqlValue::Integer(1_000_000_000));
    assert_eq!(one(&mut *storage, "SELECT strftime('%f', 'now')"), SqlValue::Text("40.123".into()));
    run(&mut *storage, "CREATE TABLE t (at DEFAULT CURRENT_TIMESTAMP, n); INSERT INTO t (n) VALUES (1)");
    assert_eq!(one(&mut *storage, "SELECT at FROM t"), SqlValue::Text("2001-09-09 01:46:40".into()));
}

#[test]
fn random_numbers_are_the_objects_own() {
    let draw = || {
        let mut storage = empty();
        run(&mut *storage, "SELECT random(), random(), hex(randomblob(5))").rows
    };
    let rows = draw();
    assert_eq!(rows, draw(), "another object with the same entropy draws the same");
    assert_ne!(rows[0][0], rows[0][1]);
}

#[test]
fn full_text_json_and_mathematics_are_there() {
    let mut storage = empty();
    run(
        &mut *storage,
        "CREATE VIRTUAL TABLE notes USING fts5(text); INSERT INTO notes VALUES ('a red fox'), ('a blue cat')",
    );
    assert_eq!(
        one(&mut *storage, "SELECT text FROM notes WHERE notes MATCH 'fox'"),
        SqlValue::Text("a red fox".into())
    );
    assert_eq!(one(&mut *storage, "SELECT json_extract('{\"a\":[1,2]}', '$.a[1]')"), SqlValue::Integer(2));
    assert_eq!(one(&mut *storage, "SELECT round(sqrt(2), 3)"), SqlValue::Real(1.414));
}

#[test]
fn what_is_rolled_back_was_never_there() {
    let mut storage = empty();
    run(&mut *storage, "CREATE TABLE t (n)");
    storage.put("k", b"before").unwrap();
    storage.set_alarm(Some(WallTime(5))).unwrap();
    let mut image = dacapo_core::Image::default();
    apply(&mut image, &storage.take_changes().unwrap());

    storage.begin().unwrap();
    run(&mut *storage, "INSERT INTO t VALUES (1)");
    storage.put("k", b"after").unwrap();
    storage.set_alarm(None).unwrap();
    storage.begin().unwrap();
    run(&mut *storage, "DROP TABLE t");
    assert_eq!(storage.take_changes(), None, "a transaction is not split");
    storage.rollback().unwrap();
    assert_eq!(one(&mut *storage, "SELECT count(*) FROM t"), SqlValue::Integer(1));
    storage.rollback().unwrap();
    assert_eq!((storage.depth(), storage.alarm()), (0, Ok(Some(WallTime(5)))));
    assert_eq!(storage.get("k").unwrap().unwrap(), "before");
    assert_eq!(one(&mut *storage, "SELECT count(*) FROM t"), SqlValue::Integer(0));
    if let Some(changes) = storage.take_changes() {
        apply(&mut image, &changes);
    }
    let mut again = open(Some(&image));
    assert_eq!(again.get("k").unwrap().unwrap(), "before");
    assert_eq!(again.alarm(), Ok(Some(WallTime(5))));
    assert_eq!(storage.rollback().unwrap_err().message, "no transaction is open");
}

#[test]
fn everything_can_be_deleted_but_the_alarm() {
    let mut storage = empty();
    storage.put("k", b"v").unwrap();
    storage.set_alarm(Some(WallTime(9))).unwrap();
    run(
        &mut *storage,
        "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a DEFAULT VALUES; \
         CREATE TABLE b (a REFERENCES a(id)); INSERT INTO b VALUES (1); CREATE INDEX i ON b (a); \
         CREATE VIEW v AS SELECT * FROM a; CREATE VIRTUAL TABLE f USING fts5(x); \
         CREATE TRIGGER g AFTER INSERT ON a BEGIN DELETE FROM b; END",
    );
    storage.delete_all().unwrap();
    assert_eq!(storage.get("k"), Ok(None));
    assert_eq!(
        one(&mut *storage, "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'"),
        SqlValue::Integer(0)
    );
    assert_eq!(storage.alarm(), Ok(Some(WallTime(9))));
    let mut image = dacapo_core::Image::default();
    apply(&mut image, &storage.take_changes().unwrap());
    assert_eq!(open(Some(&image)).get("k"), Ok(None));
}
