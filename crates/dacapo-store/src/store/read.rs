//! Reading states back.

use dacapo_core::{ObjectKey, StorageError};

use super::record::{Place, Record};
use super::{Damage, Store, corrupt, file};

/// Records with less than this between them are read at once, up to so many bytes.
const GAP: u64 = 4096;
const READ_MAX: u64 = 1 << 20;

/// How often bytes that are wrong are read again: a disk may answer wrongly once.
pub(super) const RETRIES: usize = 2;

impl Store {
    /// What the records at these places make of an empty state.
    pub(super) fn read_state(&mut self, key: &ObjectKey, places: &[Place]) -> Result<Vec<u8>, StorageError> {
        let mut state = Vec::new();
        let mut rest = places;
        while let Some(first) = rest.first() {
            let mut count = 1;
            let mut end = first.offset + first.size();
            for place in &rest[1..] {
                let is_near = place.segment == first.segment
                    && (end..=end + GAP).contains(&place.offset)
                    && place.offset + place.size() - first.offset <= READ_MAX;
                if !is_near {
                    break;
                }
                end = place.offset + place.size();
                count += 1;
            }
            let (near, more) = rest.split_at(count);
            self.read_near(key, near, end, &mut state)?;
            rest = more;
        }
        Ok(state)
    }

    /// Reads records that stand close to each other, and applies them.
    fn read_near(
        &mut self,
        key: &ObjectKey,
        places: &[Place],
        end: u64,
        state: &mut Vec<u8>,
    ) -> Result<(), StorageError> {
        let Place { segment, offset: start, .. } = places[0];
        let name = file::name(segment);
        let mut bytes = file::read_exact(&mut *self.disk, &name, start, (end - start) as usize)?;
        for place in places {
            let mut tries = 0;
            let record = loop {
                let part = bytes.as_deref().and_then(|bytes| bytes.get((place.offset - start) as usize..));
                let found = part.and_then(|part| Record::decode(segment, place.offset, part));
                match found {
                    Some((record, _)) if record.key == *key => break record,
                    _ if tries == RETRIES => {
                        let object = Some(key.clone());
                        return Err(corrupt(&Damage { file: name, offset: place.offset, object }));
                    }
                    _ => tries += 1,
                }
                bytes = file::read_exact(&mut *self.disk, &name, start, (end - start) as usize)?;
            };
            record.apply(state);
        }
        Ok(())
    }
}
