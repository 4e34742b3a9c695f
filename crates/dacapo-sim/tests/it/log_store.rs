//! The smallest store that survives what a disk does to it: a log of whole states, with checksums.

use std::collections::BTreeMap;

use dacapo_core::{
    Alarms, Changes, Disk, DiskError, DiskErrorKind, Image, ObjectId, ObjectKey, ObjectStore, StorageError,
    StorageErrorKind, WallTime, digest_of,
};

const LOG: &str = "log";
const HEAD: usize = 12;

type State = (Vec<u8>, Option<WallTime>);

pub(crate) struct LogStore {
    disk: Box<dyn Disk>,
    /// Where in the log the state of each object stands, and its alarm.
    objects: BTreeMap<ObjectKey, (u64, usize, Option<WallTime>)>,
    end: u64,
    is_broken: bool,
}

fn failed(error: &DiskError) -> StorageError {
    let kind = match error.kind {
        DiskErrorKind::Full => StorageErrorKind::Full,
        DiskErrorKind::Io | DiskErrorKind::Missing | DiskErrorKind::Gone => StorageErrorKind::Disk,
    };
    StorageError::new(kind, error.to_string())
}

fn read_all(disk: &mut dyn Disk, at: u64, bytes: &mut [u8]) -> Result<usize, StorageError> {
    let mut done = 0;
    while done < bytes.len() {
        let n = disk.read_at(LOG, at + done as u64, &mut bytes[done..]).map_err(|e| failed(&e))?;
        if n == 0 {
            break;
        }
        done += n;
    }
    Ok(done)
}

fn check(at: u64, payload: &[u8]) -> u64 {
    // The place is part of it, so that a record read from elsewhere is noticed.
    digest_of(&(at, payload)).low()
}

/// Opens the store on this disk.
pub(crate) fn open(mut disk: Box<dyn Disk>) -> Result<(Box<dyn ObjectStore>, Alarms), StorageError> {
    let mut objects = BTreeMap::new();
    let len = disk.len(LOG).map_err(|e| failed(&e))?.unwrap_or(0);
    let mut end = 0;
    while end < len {
        let mut head = [0; HEAD];
        if read_all(disk.as_mut(), end, &mut head)? < HEAD {
            break;
        }
        let size = u64::from(u32::from_le_bytes(head[..4].try_into().unwrap()));
        let at = end + HEAD as u64;
        if size == 0 || at + size > len {
            break;
        }
        let mut payload = vec![0; size as usize];
        let read = read_all(disk.as_mut(), at, &mut payload)?;
        if read < payload.len() || check(at, &payload) != u64::from_le_bytes(head[4..].try_into().unwrap()) {
            break;
        }
        for (key, from, state) in decode(at, &payload) {
            objects.insert(key, (from, state.0.len(), state.1));
        }
        end = at + size;
    }
    if len > 0 {
        if len > end {
            disk.truncate(LOG, end).map_err(|e| failed(&e))?;
        }
        // What was read may stand in a cache only, and is told to the world from now on.
        disk.sync(LOG).map_err(|e| failed(&e))?;
    }
    let alarms = objects.iter().filter_map(|(key, (_, _, alarm))| Some((key.clone(), (*alarm)?))).collect();
    Ok((Box::new(LogStore { disk, objects, end, is_broken: false }), alarms))
}

/// One state: the id of the object, its alarm, its length, its bytes. Every object here is of the
/// namespace `n`.
fn encode(key: &ObjectKey, state: &State, out: &mut Vec<u8>) {
    out.extend(key.id.0);
    out.extend(state.1.map_or(i64::MIN, |at| at.0).to_le_bytes());
    out.extend((state.0.len() as u32).to_le_bytes());
    out.extend(&state.0);
}

fn decode(start: u64, payload: &[u8]) -> Vec<(ObjectKey, u64, State)> {
    let mut states = Vec::new();
    let mut at = 0;
    while at < payload.len() {
        let id = ObjectId(payload[at..at + 32].try_into().unwrap());
        let alarm = i64::from_le_bytes(payload[at + 32..at + 40].try_into().unwrap());
        let len = u32::from_le_bytes(payload[at + 40..at + 44].try_into().unwrap()) as usize;
        let bytes = payload[at + 44..at + 44 + len].to_vec();
        let key = ObjectKey { namespace: "n".into(), id };
        states.push((key, start + at as u64, (bytes, (alarm != i64::MIN).then_some(WallTime(alarm)))));
        at += 44 + len;
    }
    states
}

impl LogStore {
    fn state(&mut self, key: &ObjectKey) -> Result<Option<State>, StorageError> {
        let Some((at, len, alarm)) = self.objects.get(key).copied() else { return Ok(None) };
        let mut entry = vec![0; 44 + len];
        read_all(self.disk.as_mut(), at, &mut entry)?;
        let mut wanted = Vec::new();
        encode(key, &(entry[44..].to_vec(), alarm), &mut wanted);
        // A counter carries its own check: see `counter.rs`.
        if entry != wanted || !super::counter::is_valid(&entry[44..]) {
            return Err(StorageError::new(
                StorageErrorKind::Corrupt,
                format!("{LOG} at {at}: not what was written"),
            ));
        }
        Ok(Some((entry[44..].to_vec(), alarm)))
    }

    fn append(&mut self, changes: &[(ObjectKey, Changes)]) -> Result<(), StorageError> {
        let mut states: BTreeMap<ObjectKey, State> = BTreeMap::new();
        for (key, change) in changes {
            let (mut bytes, mut alarm) = match states.remove(key) {
                Some(state) => state,
                None => self.state(key)?.unwrap_or_default(),
            };
            change.apply(&mut bytes);
            alarm = change.alarm.unwrap_or(alarm);
            states.insert(key.clone(), (bytes, alarm));
        }
        let mut payload = Vec::new();
        let at = self.end + HEAD as u64;
        let mut places = Vec::new();
        for (key, state) in &states {
            places.push((key.clone(), (at + payload.len() as u64, state.0.len(), state.1)));
            encode(key, state, &mut payload);
        }
        let mut record = (payload.len() as u32).to_le_bytes().to_vec();
        record.extend(check(at, &payload).to_le_bytes());
        record.extend(&payload);
        self.disk.write_at(LOG, self.end, &record).map_err(|e| failed(&e))?;
        self.disk.sync(LOG).map_err(|e| failed(&e))?;
        self.end += record.len() as u64;
        self.objects.extend(places);
        Ok(())
    }
}

impl ObjectStore for LogStore {
    fn load(&mut self, key: &ObjectKey) -> Result<Option<Image>, StorageError> {
        let state = self.state(key)?;
        Ok(state.map(|(bytes, alarm)| Image { bytes: bytes.into(), alarm }))
    }

    fn commit(&mut self, changes: &[(ObjectKey, Changes)]) -> Result<(), StorageError> {
        if self.is_broken {
            return Err(StorageError::new(StorageErrorKind::Disk, "a sync has failed"));
        }
        let result = self.append(changes);
        self.is_broken = result.as_ref().is_err_and(|e| e.kind == StorageErrorKind::Disk);
        result
    }
}
