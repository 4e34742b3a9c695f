//! What the storage of an object promises.

mod attacks;
mod chance;
mod costs;
mod hidden;
mod history;
mod keys;
mod law;
mod model;
mod sql;
mod undone;

use dacapo_core::{Changes, Entropy, Image, SqlRows, SqlValue, Storage, StorageEngine, Time, Turn, WallTime};
use dacapo_store::Sqlite;

/// An object with nothing stored.
fn empty() -> Box<dyn Storage> {
    open(None)
}

fn open(image: Option<&Image>) -> Box<dyn Storage> {
    let mut storage = Sqlite.open(image, Entropy([3; 32])).unwrap();
    storage.begin_turn(&Turn { now: Time(0), wall: WallTime::SIM_START });
    storage
}

/// Makes changes in an image.
fn apply(image: &mut Image, changes: &Changes) {
    let mut bytes = image.bytes.to_vec();
    changes.apply(&mut bytes);
    image.bytes = bytes.into();
    image.alarm = changes.alarm.unwrap_or(image.alarm);
}

/// Runs SQL without bindings.
fn run(storage: &mut dyn Storage, query: &str) -> SqlRows {
    storage.sql(query, &[]).unwrap()
}

/// The text of the error that SQL ends with.
fn refused(storage: &mut dyn Storage, query: &str) -> String {
    match storage.sql(query, &[]) {
        Ok(rows) => panic!("{query}: {rows:?}"),
        Err(error) => error.message.to_string(),
    }
}

/// The only value of the only row.
fn one(storage: &mut dyn Storage, query: &str) -> SqlValue {
    let rows = run(storage, query);
    assert_eq!((rows.rows.len(), rows.columns.len()), (1, 1), "{query}: {rows:?}");
    rows.rows[0][0].clone()
}
