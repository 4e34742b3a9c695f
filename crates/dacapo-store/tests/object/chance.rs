//! Nothing of the process, the machine or the clock outside is seen.

use dacapo_core::{SqlRows, SqlValue};

use crate::{empty, one, run};

/// SQLite draws where nobody asked it to: a row after the last possible one, and columns that have
/// one name. All of it is written down.
fn draw() -> Vec<SqlRows> {
    let mut storage = empty();
    let queries = [
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n); INSERT INTO t VALUES (9223372036854775807, 0)",
        "INSERT INTO t (n) VALUES (1), (2)",
        "SELECT * FROM t",
        "CREATE TABLE c AS SELECT 1 AS a, 2 AS a, 3 AS a, 4 AS a, 5 AS a, 6 AS a, 7 AS a",
        "SELECT sql FROM sqlite_master",
        "SELECT random(), hex(randomblob(100))",
        "SELECT hex(fts5_locale('en', 'x'))",
        "SELECT random() FROM t ORDER BY random()",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 2000) \
         SELECT hex(randomblob(200)) FROM r",
    ];
    queries.iter().map(|query| run(&mut *storage, query)).collect()
}

#[test]
fn chance_is_the_objects_own_on_every_thread() {
    let expected = draw();
    assert_ne!(
        expected[5],
        run(&mut *empty(), "SELECT random(), hex(randomblob(100))"),
        "each call draws anew"
    );
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..20).map(|_| draw()).collect::<Vec<_>>())).collect();
        for thread in threads {
            for drawn in thread.join().unwrap() {
                assert_eq!(drawn, expected);
            }
        }
    });
}

#[test]
fn the_time_zone_of_the_machine_is_not_seen() {
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "chance::local_time_is_utc"])
        .env("TZ", "FAR-9")
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    assert!(String::from_utf8_lossy(&status.stdout).contains("1 passed"));
}

#[test]
fn local_time_is_utc() {
    let mut storage = empty();
    let local = one(&mut *storage, "SELECT datetime('now', 'localtime')");
    assert_eq!(local, SqlValue::Text("2025-01-01 00:00:00".into()));
    let utc = one(&mut *storage, "SELECT datetime('2025-07-01 12:00:00', 'utc')");
    assert_eq!(utc, SqlValue::Text("2025-07-01 12:00:00".into()));
}
