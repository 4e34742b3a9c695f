//! What a store promises, on disks that break theirs.

mod crash;
mod damage;
mod disk;
mod law;
mod loss;
mod model;
mod upkeep;

use bytes::Bytes;
use dacapo_core::{Changes, ObjectId, ObjectKey, WallTime};

/// The object of this number.
fn key(n: u8) -> ObjectKey {
    ObjectKey { namespace: "bank.Account".into(), id: ObjectId([n; 32]) }
}

/// A change that writes `text` at `at` in a state of `len` bytes.
fn write(len: u64, at: u64, text: &[u8]) -> Changes {
    Changes { len, writes: vec![(at, Bytes::copy_from_slice(text))], alarm: None }
}

fn alarm(at: Option<i64>) -> Changes {
    Changes { len: 0, writes: Vec::new(), alarm: Some(at.map(WallTime)) }
}

/// The names and sizes of all files.
fn files(disk: &disk::TestDisk) -> Vec<(String, usize)> {
    let mut files = Vec::new();
    disk.edit(|content| files = content.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect());
    files
}
