//! What the keepers of a slice say to each other, and how that is written.

use bytes::{BufMut, Bytes, BytesMut};
use dacapo_core::{Changes, Image, Message, ObjectId, ObjectKey, ServiceId, WallTime};

use super::slice::SliceId;
use super::version::Version;

/// About a slice, in an epoch: the speaker's own, or the one that it answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Words {
    pub(super) slice: SliceId,
    pub(super) epoch: u64,
    pub(super) what: What,
}

/// Of an owner to the replicas, and what they answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// Take nothing from earlier owners any more; which alarms are there?
    Seal,
    Sealed(Vec<(ObjectKey, WallTime)>),
    /// Am I still the owner? By a number.
    Confirm(u64),
    Confirmed(u64),
    /// What is stored of an object? By a number.
    Read(ObjectKey, u64),
    State(ObjectKey, u64, Option<Image>),
    /// Make these changes, of what is stored, to the state of the first version: that makes the second.
    Append(ObjectKey, Version, Version, Changes),
    /// This is the state, as it is stored.
    Put(ObjectKey, Image),
    /// This version is on my disk.
    Has(ObjectKey, Version),
    /// I have another version than the one before; mine is this.
    Behind(ObjectKey, Version),
    /// I have promised a later epoch, this one.
    Refused(u64),
    /// Nobody owns this slice any more: look at the leases.
    Free,
    /// How many requests for objects of the service I have had lately; no matter which slice.
    Load(u64),
}

impl What {
    fn name(&self) -> &'static str {
        match self {
            What::Seal => "seal",
            What::Sealed(_) => "sealed",
            What::Confirm(_) => "confirm",
            What::Confirmed(_) => "confirmed",
            What::Read(..) => "read",
            What::State(..) => "state",
            What::Append(..) => "append",
            What::Put(..) => "put",
            What::Has(..) => "has",
            What::Behind(..) => "behind",
            What::Refused(_) => "refused",
            What::Free => "free",
            What::Load(_) => "load",
        }
    }

    fn tag(&self) -> u8 {
        match self {
            What::Seal => 0,
            What::Sealed(_) => 1,
            What::Confirm(_) => 2,
            What::Confirmed(_) => 3,
            What::Read(..) => 4,
            What::State(..) => 5,
            What::Append(..) => 6,
            What::Put(..) => 7,
            What::Has(..) => 8,
            What::Behind(..) => 9,
            What::Refused(_) => 10,
            What::Free => 11,
            What::Load(_) => 12,
        }
    }
}

impl Words {
    pub(super) fn encode(&self) -> Message {
        let mut out = BytesMut::new();
        out.put_u8(self.what.tag());
        out.put_u32_le(self.slice.service.0);
        out.put_u32_le(self.slice.index);
        out.put_u64_le(self.epoch);
        match &self.what {
            What::Seal | What::Free => {}
            What::Sealed(alarms) => {
                for (key, at) in alarms {
                    put_key(&mut out, key);
                    out.put_i64_le(at.0);
                }
            }
            What::Confirm(number) | What::Confirmed(number) | What::Refused(number) | What::Load(number) => {
                out.put_u64_le(*number);
            }
            What::Read(key, number) => {
                put_key(&mut out, key);
                out.put_u64_le(*number);
            }
            What::State(key, number, image) => {
                put_key(&mut out, key);
                out.put_u64_le(*number);
                out.put_u8(u8::from(image.is_some()));
                if let Some(image) = image {
                    put_image(&mut out, image);
                }
            }
            What::Append(key, before, after, changes) => {
                put_key(&mut out, key);
                put_version(&mut out, *before);
                put_version(&mut out, *after);
                put_changes(&mut out, changes);
            }
            What::Put(key, image) => {
                put_key(&mut out, key);
                put_image(&mut out, image);
            }
            What::Has(key, version) | What::Behind(key, version) => {
                put_key(&mut out, key);
                put_version(&mut out, *version);
            }
        }
        Message { name: self.what.name().into(), body: out.freeze() }
    }

    /// `None`: that is not written as this version writes.
    pub(super) fn decode(message: &Message) -> Option<Words> {
        let mut rest = Rest(message.body.clone());
        let tag = rest.u8()?;
        let slice = SliceId { service: ServiceId(rest.u32()?), index: rest.u32()? };
        let epoch = rest.u64()?;
        let what = match tag {
            0 => What::Seal,
            1 => {
                let mut alarms = Vec::new();
                while !rest.0.is_empty() {
                    alarms.push((rest.key()?, WallTime(rest.u64()? as i64)));
                }
                What::Sealed(alarms)
            }
            2 => What::Confirm(rest.u64()?),
            3 => What::Confirmed(rest.u64()?),
            4 => What::Read(rest.key()?, rest.u64()?),
            5 => {
                let (key, number) = (rest.key()?, rest.u64()?);
                let image = if rest.u8()? == 1 { Some(rest.image()?) } else { None };
                What::State(key, number, image)
            }
            6 => What::Append(rest.key()?, rest.version()?, rest.version()?, rest.changes()?),
            7 => What::Put(rest.key()?, rest.image()?),
            8 => What::Has(rest.key()?, rest.version()?),
            9 => What::Behind(rest.key()?, rest.version()?),
            10 => What::Refused(rest.u64()?),
            11 => What::Free,
            12 => What::Load(rest.u64()?),
            _ => return None,
        };
        rest.0.is_empty().then_some(Words { slice, epoch, what })
    }
}

fn put_key(out: &mut BytesMut, key: &ObjectKey) {
    put_bytes(out, key.namespace.as_bytes());
    out.put_slice(&key.id.0);
}

fn put_version(out: &mut BytesMut, version: Version) {
    out.put_u64_le(version.epoch);
    out.put_u64_le(version.count);
}

fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u32_le(bytes.len() as u32);
    out.put_slice(bytes);
}

fn put_alarm(out: &mut BytesMut, alarm: Option<WallTime>) {
    out.put_u8(u8::from(alarm.is_some()));
    out.put_i64_le(alarm.map_or(0, |at| at.0));
}

fn put_image(out: &mut BytesMut, image: &Image) {
    put_alarm(out, image.alarm);
    put_bytes(out, &image.bytes);
}

fn put_changes(out: &mut BytesMut, changes: &Changes) {
    out.put_u64_le(changes.len);
    out.put_u8(u8::from(changes.alarm.is_some()));
    put_alarm(out, changes.alarm.flatten());
    for (at, bytes) in &changes.writes {
        out.put_u64_le(*at);
        put_bytes(out, bytes);
    }
}

/// What is not read yet.
struct Rest(Bytes);

impl Rest {
    fn take(&mut self, count: usize) -> Option<Bytes> {
        (self.0.len() >= count).then(|| self.0.split_to(count))
    }

    fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?[..].try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?[..].try_into().ok()?))
    }

    fn bytes(&mut self) -> Option<Bytes> {
        let count = self.u32()?;
        self.take(count as usize)
    }

    fn key(&mut self) -> Option<ObjectKey> {
        let namespace = std::str::from_utf8(&self.bytes()?).ok()?.into();
        Some(ObjectKey { namespace, id: ObjectId(self.take(32)?[..].try_into().ok()?) })
    }

    fn version(&mut self) -> Option<Version> {
        Some(Version { epoch: self.u64()?, count: self.u64()? })
    }

    fn alarm(&mut self) -> Option<Option<WallTime>> {
        let is_set = self.u8()? == 1;
        let at = WallTime(self.u64()? as i64);
        Some(is_set.then_some(at))
    }

    fn image(&mut self) -> Option<Image> {
        Some(Image { alarm: self.alarm()?, bytes: self.bytes()? })
    }

    fn changes(&mut self) -> Option<Changes> {
        let len = self.u64()?;
        let is_changed = self.u8()? == 1;
        let alarm = self.alarm()?;
        let mut writes = Vec::new();
        while !self.0.is_empty() {
            writes.push((self.u64()?, self.bytes()?));
        }
        Some(Changes { len, writes, alarm: is_changed.then_some(alarm) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_were_written_and_half_of_them_not_at_all() {
        let key = ObjectKey { namespace: "shop.Basket".into(), id: ObjectId([7; 32]) };
        let (one, two) = (Version { epoch: 1, count: 2 }, Version { epoch: 3, count: 4 });
        let image = Image { bytes: "state".into(), alarm: Some(WallTime(-5)) };
        let changes =
            Changes { len: 99, writes: vec![(0, "a".into()), (50, "bc".into())], alarm: Some(None) };
        let all = vec![
            What::Seal,
            What::Sealed(vec![(key.clone(), WallTime(9)), (key.clone(), WallTime(-9))]),
            What::Confirm(4),
            What::Confirmed(4),
            What::Read(key.clone(), 8),
            What::State(key.clone(), 8, None),
            What::State(key.clone(), 8, Some(image.clone())),
            What::Append(key.clone(), one, two, changes),
            What::Put(key.clone(), image),
            What::Has(key.clone(), one),
            What::Behind(key, two),
            What::Refused(17),
            What::Free,
            What::Load(1 << 40),
        ];
        for what in all {
            let words = Words { slice: SliceId { service: ServiceId(2), index: 11 }, epoch: 5, what };
            let message = words.encode();
            assert_eq!(Words::decode(&message), Some(words));
            for cut in 0..17 {
                let body = message.body.slice(..cut);
                assert_eq!(Words::decode(&Message { body, ..message.clone() }), None);
            }
        }
    }
}
