//! The states of objects: from a commit to the folder, and back after a restart.

use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};

use bytes::Bytes;
use dacapo_core::{
    Address, Alarms, Changes, Delivery, Disk, Effect, Event, Image, InstanceId, NodeId, ObjectId, ObjectKey,
    ObjectStore, StorageError, StorageErrorKind, WallTime, World,
};
use dacapo_host::{Host, HostCluster, HostError, HostOptions, StoreOptions};

use crate::lab::{Running, SOON, guest, options};

/// The smallest store: a file for each object, with its alarm in front.
struct Shelf(Box<dyn Disk>);

fn failed(error: dacapo_core::DiskError) -> StorageError {
    StorageError::new(StorageErrorKind::Disk, error.to_string())
}

fn name(key: &ObjectKey) -> String {
    key.id.to_string()
}

fn read(disk: &mut dyn Disk, name: &str) -> Result<Option<Image>, StorageError> {
    let Some(len) = disk.len(name).map_err(failed)? else { return Ok(None) };
    let mut bytes = vec![0; len as usize];
    disk.read_at(name, 0, &mut bytes).map_err(failed)?;
    let alarm = i64::from_le_bytes(bytes[..8].try_into().unwrap());
    Ok(Some(Image { bytes: Bytes::from(bytes).slice(8..), alarm: (alarm != 0).then_some(WallTime(alarm)) }))
}

fn open(mut disk: Box<dyn Disk>) -> Result<(Box<dyn ObjectStore>, Alarms), StorageError> {
    let mut alarms = Vec::new();
    for name in disk.list().map_err(failed)? {
        let id = ObjectId::parse("n", &name).expect("the name of an object");
        let image = read(disk.as_mut(), &name)?.expect("a file that is listed");
        alarms.extend(image.alarm.map(|at| (ObjectKey { namespace: "n".into(), id }, at)));
    }
    Ok((Box::new(Shelf(disk)), alarms))
}

impl ObjectStore for Shelf {
    fn load(&mut self, key: &ObjectKey) -> Result<Option<Image>, StorageError> {
        read(self.0.as_mut(), &name(key))
    }

    fn commit(&mut self, changes: &[(ObjectKey, Changes)]) -> Result<(), StorageError> {
        for (key, change) in changes {
            let image = self.load(key)?.unwrap_or_default();
            let mut bytes = image.bytes.to_vec();
            change.apply(&mut bytes);
            let alarm = change.alarm.unwrap_or(image.alarm).map_or(0, |at| at.0);
            let file = [&alarm.to_le_bytes()[..], &bytes].concat();
            self.0.write_at(&name(key), 0, &file).map_err(failed)?;
            self.0.sync(&name(key)).map_err(failed)?;
        }
        Ok(())
    }
}

fn key(name: &str) -> ObjectKey {
    ObjectKey { namespace: "n".into(), id: ObjectId::from_name("n", name) }
}

fn change(text: &'static str, alarm: i64) -> Changes {
    let alarm = Some(Some(WallTime(alarm)));
    Changes { len: text.len() as u64, writes: vec![(0, Bytes::from(text))], alarm }
}

/// Two loops; the object `there` is on node 1, all others on node 0.
fn with_store(folder: &Path, open: dacapo_core::OpenStore) -> HostOptions {
    let owner = Arc::new(|k: &ObjectKey| Some(NodeId(u32::from(*k == key("there")))));
    let store = Some(StoreOptions { folder: folder.to_owned(), open, owner, on_failure: Arc::new(|_| ()) });
    HostOptions { listens: Vec::new(), loops: 2, store, ..options() }
}

/// Waits for this many events, of any order, with such a text.
fn wait(running: &Running, texts: &[&str]) {
    let mut missing: Vec<&str> = texts.to_vec();
    while !missing.is_empty() {
        let seen = running.wait_for("");
        missing.retain(|text| !seen.contains(text));
    }
}

#[test]
fn what_was_committed_is_loaded_by_the_next_process_and_each_node_hears_of_its_alarms() {
    let dir = tempfile::tempdir().unwrap();
    let of = |node: NodeId| key(if node == NodeId(1) { "there" } else { "here" });
    for first in [true, false] {
        let (tell, told) = channel();
        let running = Running::start(with_store(dir.path(), open), move |host, delivery| {
            let (node, from) = (host.node(), guest(host));
            if let Event::Boot { .. } = delivery.event {
                host.submit(from, Effect::Load(of(node)));
                if first {
                    host.submit(from, Effect::Commit(1, of(node), change("old", 5)));
                    host.submit(from, Effect::Commit(2, of(node), change("newer", 7 + i64::from(node.0))));
                    host.submit(from, Effect::Load(of(node)));
                }
            }
            let _ = tell.send((node, delivery.event));
        });
        let mut missing: Vec<(NodeId, Event)> = Vec::new();
        for node in [NodeId(0), NodeId(1)] {
            let alarm = WallTime(7 + i64::from(node.0));
            let alarms = if first { vec![] } else { vec![(of(node), alarm)] };
            missing.push((node, Event::StoreOpened(Ok(alarms))));
            missing
                .push((node, Event::Loaded(Ok(Some(Image { bytes: "newer".into(), alarm: Some(alarm) })))));
            if first {
                missing.push((node, Event::Committed(1, Ok(()))));
                missing.push((node, Event::Committed(2, Ok(()))));
            }
        }
        let mut others = Vec::new();
        while !missing.is_empty() {
            let seen =
                told.recv_timeout(SOON).unwrap_or_else(|_| panic!("{missing:?} missing in {others:?}"));
            match missing.iter().position(|wanted| *wanted == seen) {
                Some(at) => drop(missing.swap_remove(at)),
                None => others.push(seen),
            }
        }
        running.handle.stop();
        running.join();
    }
}

static GATE: Barrier = Barrier::new(2);
static GROUPS: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// A store whose first commit waits until the test lets it go.
struct Slow;

impl ObjectStore for Slow {
    fn load(&mut self, _: &ObjectKey) -> Result<Option<Image>, StorageError> {
        Ok(None)
    }

    fn commit(&mut self, changes: &[(ObjectKey, Changes)]) -> Result<(), StorageError> {
        let mut groups = GROUPS.lock().unwrap();
        groups.push(changes.len());
        let is_first = groups.len() == 1;
        drop(groups);
        if is_first {
            GATE.wait();
        }
        Ok(())
    }
}

#[test]
fn commits_that_wait_for_one_on_its_way_go_together() {
    let dir = tempfile::tempdir().unwrap();
    let options = with_store(dir.path(), |_| Ok((Box::new(Slow), Vec::new())));
    let options = HostOptions { loops: 1, ..options };
    let running = Running::start(options, |host, delivery| {
        if let Event::StoreOpened(_) = delivery.event {
            let from = guest(host);
            host.submit(from, Effect::Commit(0, key("a"), change("x", 1)));
            // Not before the first one is on its way.
            while GROUPS.lock().unwrap().is_empty() {
                std::thread::yield_now();
            }
            for number in 1..=100 {
                host.submit(from, Effect::Commit(number, key("a"), change("x", 1)));
            }
            GATE.wait();
        }
    });
    let mut numbers = Vec::new();
    while numbers.len() < 101 {
        let seen = running.wait_for("Committed");
        numbers.push(
            seen.split("Committed(").nth(1).unwrap().split(',').next().unwrap().parse::<u64>().unwrap(),
        );
    }
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert_eq!(*GROUPS.lock().unwrap(), [1, 100]);
}

#[test]
fn without_a_store_or_with_one_that_does_not_open_every_question_is_answered() {
    let ask = |host: &mut Host, delivery: Delivery| {
        if let Event::Boot { .. } = delivery.event {
            let from = Address { node: host.node(), instance: InstanceId(3) };
            host.submit(from, Effect::Load(key("a")));
            host.submit(from, Effect::Commit(1, key("a"), change("x", 1)));
        }
    };
    let running = Running::start(HostOptions { listens: Vec::new(), ..options() }, ask);
    wait(&running, &["Loaded(Err", "Committed(1, Err"]);
    let dir = tempfile::tempdir().unwrap();
    let newer = |_| Err(StorageError::new(StorageErrorKind::Newer, "made by a newer version"));
    let running = Running::start(HostOptions { loops: 1, ..with_store(dir.path(), newer) }, ask);
    wait(&running, &["StoreOpened(Err", "Loaded(Err", "Committed(1, Err"]);
}

#[test]
fn a_folder_in_use_or_out_of_reach_is_told_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let _first = HostCluster::bind(with_store(dir.path(), open)).unwrap();
    let error = HostCluster::bind(with_store(dir.path(), open)).err().unwrap();
    assert!(matches!(error, HostError::StoreInUse { .. }), "{error}");
    assert!(error.help().unwrap().contains("two cannot share one"));
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = HostCluster::bind(with_store(&file, open)).err().unwrap();
    assert!(matches!(error, HostError::Store { .. }), "{error}");
}
