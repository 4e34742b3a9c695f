//! Names that begin with `_cf_` are the system's: no way leads to them.

use dacapo_core::{
    Entropy, Image, SqlValue, Storage, StorageEngine as _, StorageErrorKind, Time, Turn, WallTime,
};
use dacapo_store::Sqlite;
use proptest::prelude::*;

use crate::{apply, empty, open, refused, run};

#[test]
fn no_statement_reaches_the_keys() {
    let mut storage = empty();
    storage.put("k", b"secret").unwrap();
    run(&mut *storage, "CREATE TABLE t (a, b); CREATE TABLE u (a)");
    // A view and a foreign key are not looked at before they are used.
    run(&mut *storage, "CREATE VIEW v AS SELECT * FROM _cf_KV");
    run(&mut *storage, "CREATE TABLE f (k REFERENCES _cf_KV (key))");
    for query in [
        "SELECT value FROM _cf_KV WHERE key = ?1",
        "SELECT value FROM \"_CF_kv\"",
        "SELECT * FROM main . [_cf_KV]",
        "SELECT * FROM v",
        "SELECT count(*) FROM _cf_KV",
        "INSERT INTO f VALUES ('k')",
        "UPDATE _cf_KV SET value = 1",
        "DELETE FROM _cf_KV",
        "DROP TABLE _cf_KV",
        "ALTER TABLE _cf_KV RENAME TO mine",
        "ALTER TABLE t RENAME TO _cf_mine",
        "ALTER TABLE t RENAME TO \"_Cf_mine\"; SELECT 1",
        "CREATE TABLE _cf_mine (a)",
        "CREATE VIEW _cf_mine AS SELECT 1",
        "CREATE INDEX _cf_mine ON t (a)",
        "CREATE INDEX mine ON _cf_KV (value)",
        "CREATE TRIGGER mine AFTER INSERT ON _cf_KV BEGIN DELETE FROM t; END",
        "CREATE VIRTUAL TABLE _cf_mine USING fts5(a)",
        "CREATE VIRTUAL TABLE mine USING dbstat",
        "SELECT * FROM dbstat",
        "PRAGMA table_info(_cf_KV)",
        "SELECT * FROM pragma_table_info('_cf_KV')",
        "UPDATE sqlite_master SET sql = '' WHERE name = '_cf_KV'",
        "CREATE TEMP TABLE mine (a)",
        "SELECT load_extension('x')",
        "SELECT fts3_tokenizer('simple')",
        "INSERT INTO t SELECT key, value FROM _cf_KV",
        "CREATE TABLE mine AS SELECT * FROM _cf_KV",
    ] {
        refused(&mut *storage, query);
    }
    // The text of a statement that is already prepared, as our own.
    storage.get("k").unwrap();
    let ours = storage.sql("SELECT value FROM _cf_KV WHERE key = ?1", &[SqlValue::Text("k".into())]);
    assert!(ours.unwrap_err().message.starts_with("not authorized"));
    let error = refused(&mut *storage, "DROP TABLE _cf_KV");
    assert_eq!(error, "not authorized: _cf_KV: names that begin with _cf_ are reserved: SQLITE_AUTH");
    run(&mut *storage, "CREATE TRIGGER g AFTER INSERT ON u BEGIN INSERT INTO _cf_KV VALUES ('k', 'x'); END");
    refused(&mut *storage, "INSERT INTO u VALUES (1)");
    assert_eq!(storage.get("k").unwrap().unwrap(), "secret");
}

#[test]
fn nobody_takes_the_name_of_the_keys_before_they_are_there() {
    let mut storage = empty();
    run(&mut *storage, "CREATE TABLE t (key, value)");
    refused(&mut *storage, "ALTER TABLE t RENAME TO _cf_KV");
    run(&mut *storage, "ALTER TABLE t RENAME TO u; ALTER TABLE u ADD COLUMN c");
    storage.put("k", b"v").unwrap();
    run(&mut *storage, "ALTER TABLE u RENAME TO t");
    assert_eq!(storage.get("k").unwrap().unwrap(), "v");
}

#[test]
fn a_state_that_is_no_database_is_told_apart() {
    let image = |bytes: Vec<u8>| Image { bytes: bytes.into(), alarm: None };
    let error = Sqlite.open(Some(&image(vec![1; 5000])), dacapo_core::Entropy([0; 32])).err().unwrap();
    assert_eq!(error.kind, StorageErrorKind::Corrupt);
    let error = open(Some(&image(vec![1; 8192]))).get("k").unwrap_err();
    assert_eq!(
        (error.kind, &*error.message),
        (StorageErrorKind::Corrupt, "file is not a database: SQLITE_NOTADB")
    );
}

fn grown() -> Image {
    let mut storage = empty();
    run(&mut *storage, "CREATE TABLE t (a UNIQUE, b); CREATE VIRTUAL TABLE f USING fts5(x)");
    for n in 0..40 {
        storage.put(&format!("k{n}"), &[n; 300]).unwrap();
        run(
            &mut *storage,
            &format!("INSERT INTO t VALUES ({n}, hex(zeroblob(200))); INSERT INTO f VALUES ('word{n}')"),
        );
    }
    let mut image = Image::default();
    apply(&mut image, &storage.take_changes().unwrap());
    image
}

fn use_all(storage: &mut dyn Storage) {
    // Whatever comes of it: an error or a wrong answer, never an end of the process.
    let _ = storage.get("k7");
    let _ = storage.list(&Default::default());
    let _ = storage.put("k3", &[9; 9000]);
    let _ = storage.begin();
    let _ = storage.delete("k9");
    let _ = storage.sql("UPDATE t SET b = b || a; SELECT * FROM t ORDER BY a DESC", &[]);
    let _ = storage.sql("SELECT * FROM f WHERE f MATCH 'word*'", &[]);
    let _ = storage.rollback();
    let _ = storage.sql("DELETE FROM t WHERE a > 5", &[]);
    let _ = storage.sql("PRAGMA quick_check", &[]);
    storage.take_changes();
    let _ = storage.delete_all();
    storage.take_changes();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_state_gives_errors_and_no_crash(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
    ) {
        let mut bytes = grown().bytes.to_vec();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        // Damage to the first bytes is refused at once.
        if let Ok(mut storage) = Sqlite.open(Some(&Image { bytes: bytes.into(), alarm: None }), Entropy([3; 32])) {
            storage.begin_turn(&Turn { now: Time(0), wall: WallTime::SIM_START });
            use_all(&mut *storage);
        }
    }
}
