//! The rolling digest over every delivery and effect.
//!
//! Each field is written down here by hand: a digest in a file must not change because the
//! standard library or the `http` crate hashes its types in another way than last year. What
//! counts as the same run therefore changes here, with the version of the format, and nowhere else.

use dacapo_core::{
    Address, Body, Changes, Check, Chunk, DecisionKey, Delivery, Digest, Drawn, Effect, Event, Fault,
    Headers, Inputs, LeaseRecord, LeaseSwap, Location, Message, NetError, ObjectKey, RequestHead,
    ResponseHead, ServiceId, StorageError, Target,
};
use twox_hash::xxhash3_128::Hasher;

/// Small fields are gathered up to this many bytes, because the hash is fast on long pieces only.
const GATHERED_MAX: usize = 4096;

/// A digest that grows with the run.
#[derive(Clone)]
pub(crate) struct Rolling {
    /// The hash of [`dacapo_core::DigestHasher`], by a crate that takes the widest registers that the processor has.
    hasher: Hasher,
    gathered: Box<[u8; GATHERED_MAX]>,
    len: usize,
}

impl Default for Rolling {
    fn default() -> Rolling {
        Rolling { hasher: Hasher::new(), gathered: Box::new([0; GATHERED_MAX]), len: 0 }
    }
}

impl Rolling {
    /// The digest of everything so far.
    pub(crate) fn digest(&self) -> Digest {
        let mut hasher = self.hasher.clone();
        hasher.write(&self.gathered[..self.len]);
        Digest(hasher.finish_128())
    }

    /// Takes in a delivery.
    pub(crate) fn delivery(&mut self, delivery: &Delivery) {
        // What there is most of is written in one go.
        match &delivery.event {
            Event::Request { exchange, service, from, object: None, head, body } => {
                let fields =
                    self.first(|first| first.delivery(delivery).tag(4).u64(exchange.0).u32(service.0));
                fields.caller(*from).request(head).body(body);
            }
            Event::Response { call, head, body } => {
                let fields = self.first(|first| first.delivery(delivery).tag(9).u64(call.0).status(head));
                fields.headers(&head.headers).body(body);
            }
            _ => {
                self.first(|first| first.delivery(delivery));
                self.event(&delivery.event);
            }
        }
    }

    /// Takes in an effect.
    pub(crate) fn effect(&mut self, from: Address, effect: &Effect) {
        match effect {
            Effect::Fetch { call, target: Target::Service(node, service, by), head, body } => {
                let fields = self
                    .first(|first| first.effect(from).tag(0).u64(call.0).tag(2).u32(node.0).u32(service.0));
                fields.caller(*by).request(head).body(body);
            }
            Effect::Respond { exchange, head, body } => {
                let fields = self.first(|first| first.effect(from).tag(4).u64(exchange.0).status(head));
                fields.headers(&head.headers).body(body);
            }
            _ => {
                self.first(|first| first.effect(from));
                self.effect_alone(effect);
            }
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Boot { entropy, incarnation } => {
                self.tag(0);
                self.fields().piece(entropy.0);
                self.u32(*incarnation);
            }
            Event::Crash => self.tag(1),
            Event::Stop => self.tag(2),
            Event::Phase(phase) => {
                self.tag(3);
                self.tag(*phase as u8);
            }
            Event::Request { exchange, service, from, object, head, body } => {
                match object {
                    None => self.tag(4),
                    Some(key) => {
                        self.tag(18);
                        self.object(key);
                    }
                }
                self.fields().u64(exchange.0).u32(service.0).caller(*from).request(head).body(body);
            }
            Event::RequestChunk(exchange, chunk) => self.chunk(5, exchange.0, chunk),
            Event::ResponseCredit(exchange, bytes) => self.count(6, exchange.0, *bytes),
            Event::Cancelled(exchange) => self.id(7, exchange.0),
            Event::Scheduled { service, cron, scheduled } => {
                self.tag(8);
                self.u32(service.0);
                self.text(cron);
                self.u64(scheduled.0 as u64);
            }
            Event::Begin(inputs) => {
                self.tag(24);
                let Inputs { given, rounds, narrows, at_once, tells } = &**inputs;
                self.u64(given.len() as u64);
                for (key, value) in given {
                    self.decision(key);
                    self.u64(*value);
                }
                self.fields().tag(*rounds as u8).tag(u8::from(*tells)).tag(u8::from(*at_once));
                self.option(narrows.as_ref(), |me, number| me.u64(*number));
            }
            Event::Deploy(version) => self.id(21, u64::from(*version)),
            Event::Misfire(timer, times) => self.count(19, timer.0, *times),
            Event::Evict { exchange, kind } => {
                self.tag(20);
                self.option(exchange.as_ref(), |me, exchange| me.u64(exchange.0));
                self.tag(*kind as u8);
            }
            Event::Response { call, head, body } => {
                self.fields().tag(9).u64(call.0).response(head).body(body);
            }
            Event::ResponseChunk(call, chunk) => self.chunk(10, call.0, chunk),
            Event::RequestCredit(call, bytes) => self.count(11, call.0, *bytes),
            Event::Failed(call, error) => {
                self.id(12, call.0);
                self.error(error);
            }
            Event::Timer(timer) => self.id(13, timer.0),
            Event::StoreOpened(result) => {
                self.tag(14);
                self.result(result, |me, alarms| {
                    me.u64(alarms.len() as u64);
                    for (key, at) in alarms {
                        me.object(key);
                        me.u64(at.0 as u64);
                    }
                });
            }
            Event::Loaded(result) => {
                self.tag(15);
                self.result(result, |me, image| {
                    me.option(image.as_ref(), |me, image| {
                        me.bytes(&image.bytes);
                        me.option(image.alarm.as_ref(), |me, at| me.u64(at.0 as u64));
                    });
                });
            }
            Event::Committed(number, result) => {
                self.id(16, *number);
                self.result(result, |_, ()| {});
            }
            Event::Alarm { scheduled, retry } => {
                self.id(17, scheduled.0 as u64);
                self.u32(*retry);
            }
            Event::Message(from, message) => {
                self.fields().tag(22).u32(from.0);
                self.message(message);
            }
            Event::Leased(number, result) => {
                self.id(23, *number);
                match result {
                    Ok(records) => {
                        self.tag(1);
                        self.u64(records.len() as u64);
                        for LeaseRecord { key, version, value, is_held } in records {
                            self.fields().u32(*key).u64(*version).tag(u8::from(*is_held));
                            self.text(value);
                        }
                    }
                    Err(error) => {
                        self.tag(0);
                        self.error(error);
                    }
                }
            }
        }
    }

    fn effect_alone(&mut self, effect: &Effect) {
        match effect {
            Effect::Fetch { call, target, head, body } => {
                self.id(0, call.0);
                self.target(target);
                self.fields().request(head).body(body);
            }
            Effect::RequestChunk(call, chunk) => self.chunk(1, call.0, chunk),
            Effect::ResponsePull(call, bytes) => self.count(2, call.0, *bytes),
            Effect::Cancel(call) => self.id(3, call.0),
            Effect::Respond { exchange, head, body } => {
                self.fields().tag(4).u64(exchange.0).response(head).body(body);
            }
            Effect::ResponseChunk(exchange, chunk) => self.chunk(5, exchange.0, chunk),
            Effect::RequestPull(exchange, bytes) => self.count(6, exchange.0, *bytes),
            Effect::SetTimer(timer, after) => {
                self.fields().tag(7).u64(timer.0).u64(after.as_secs()).u32(after.subsec_nanos());
            }
            Effect::ClearTimer(timer) => self.id(8, timer.0),
            Effect::Log(level, text) => {
                self.tag(9);
                self.tag(*level as u8);
                self.text(text);
            }
            Effect::Check(check) => {
                self.tag(10);
                self.check(check);
            }
            Effect::Drawn(drawn) => {
                let Drawn { key, chosen, range, says } = &**drawn;
                self.tag(22);
                self.decision(key);
                self.fields().u64(*chosen).u64(*range);
                self.option(says.as_ref(), |me, says| me.text(says));
            }
            Effect::PhaseDone => self.tag(11),
            Effect::Ended(instance, fault) => {
                self.tag(12);
                self.u32(instance.0);
                self.fault(fault);
            }
            Effect::Stopped => self.tag(13),
            Effect::Load(key) => {
                self.tag(14);
                self.object(key);
            }
            Effect::Commit(number, key, changes) => {
                self.id(15, *number);
                self.object(key);
                self.changes(changes);
            }
            Effect::AlarmDone(is_ok) => self.id(16, u64::from(*is_ok)),
            Effect::Exclusive(is_on) => self.id(17, u64::from(*is_on)),
            Effect::Sync(timer) => self.id(18, timer.0),
            Effect::SetTrigger(timer, trigger, after) => {
                self.tag(19);
                self.tag(*trigger as u8);
                self.fields().u64(timer.0).u64(after.as_secs()).u32(after.subsec_nanos());
            }
            Effect::Send(to, message) => {
                self.fields().tag(20).u32(to.0);
                self.message(message);
            }
            Effect::Lease(call) => {
                self.id(21, call.number);
                self.text(&call.group);
                self.u64(call.swaps.len() as u64);
                for LeaseSwap { key, expected, value, ttl } in &call.swaps {
                    self.fields().u32(*key).u64(*expected).u64(ttl.as_secs()).u32(ttl.subsec_nanos());
                    self.text(value);
                }
            }
        }
    }

    fn decision(&mut self, key: &DecisionKey) {
        let DecisionKey { lane, what, cause, nth } = key;
        self.text(lane);
        self.text(what);
        self.text(cause);
        self.u32(*nth);
    }

    fn message(&mut self, message: &Message) {
        self.text(&message.name);
        self.bytes(&message.body);
    }

    fn target(&mut self, target: &Target) {
        match target {
            Target::Url => self.tag(0),
            Target::Binding(name) => {
                self.tag(1);
                self.text(name);
            }
            Target::Service(node, service, by) => {
                self.fields().tag(2).u32(node.0).u32(service.0).caller(*by);
            }
            Target::Outside(host) => {
                self.tag(3);
                self.text(host);
            }
            Target::Object(name, id) => {
                self.tag(5);
                self.text(name);
                self.bytes(&id.0);
            }
            Target::Owner(node, service, by, key) => {
                self.tag(6);
                self.u32(node.0);
                self.u32(service.0);
                self.option(by.as_ref(), |digest, by| digest.u32(by.0));
                self.object(key);
            }
            Target::Refused(error) => {
                self.tag(4);
                self.error(error);
            }
        }
    }

    fn object(&mut self, key: &ObjectKey) {
        self.text(&key.namespace);
        self.bytes(&key.id.0);
    }

    fn changes(&mut self, changes: &Changes) {
        let Changes { len, writes, alarm } = changes;
        self.u64(*len);
        self.u64(writes.len() as u64);
        for (at, bytes) in writes {
            self.u64(*at);
            self.bytes(bytes);
        }
        self.option(alarm.as_ref(), |me, alarm| {
            me.option(alarm.as_ref(), |me, at| me.u64(at.0 as u64));
        });
    }

    fn result<T>(&mut self, result: &Result<T, StorageError>, write: impl FnOnce(&mut Self, &T)) {
        match result {
            Ok(value) => {
                self.tag(0);
                write(self, value);
            }
            Err(error) => {
                self.tag(1);
                self.tag(error.kind as u8);
                self.text(&error.message);
            }
        }
    }

    fn error(&mut self, error: &NetError) {
        let (tag, why) = match error {
            NetError::Denied(why) => (0, Some(why)),
            NetError::Unknown(why) => (1, Some(why)),
            NetError::Refused => (2, None),
            NetError::Reset => (3, None),
            NetError::TimedOut => (4, None),
            NetError::Broken(why) => (5, Some(why)),
        };
        self.tag(tag);
        self.option(why, |me, why| me.text(why));
    }

    fn chunk(&mut self, tag: u8, id: u64, chunk: &Chunk) {
        self.id(tag, id);
        match chunk {
            Chunk::Data(bytes) => drop(self.fields().tag(0).bytes(bytes)),
            Chunk::End => self.tag(1),
            Chunk::Abort(why) => {
                self.tag(2);
                self.text(why);
            }
        }
    }

    fn check(&mut self, check: &Check) {
        let Check { kind, holds, message, details, location } = check;
        self.fields().tag(*kind as u8).tag(u8::from(*holds)).bytes(message.as_bytes());
        self.option(details.as_ref(), |me, details| me.text(details));
        self.option(location.as_ref(), Self::location);
    }

    fn fault(&mut self, fault: &Fault) {
        let Fault { kind, message, location } = fault;
        self.tag(*kind as u8);
        self.text(message);
        self.option(location.as_ref(), Self::location);
    }

    fn location(&mut self, location: &Location) {
        self.text(&location.file);
        self.fields().u32(location.line).u32(location.column);
    }

    fn count(&mut self, tag: u8, id: u64, count: u32) {
        self.fields().tag(tag).u64(id).u32(count);
    }

    #[inline]
    fn id(&mut self, tag: u8, id: u64) {
        self.fields().tag(tag).u64(id);
    }

    fn option<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.tag(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    #[inline]
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.fields().bytes(bytes);
    }

    #[inline]
    fn u64(&mut self, n: u64) {
        self.fields().u64(n);
    }

    #[inline]
    fn u32(&mut self, n: u32) {
        self.fields().u32(n);
    }

    #[inline]
    fn tag(&mut self, tag: u8) {
        self.fields().tag(tag);
    }

    #[inline(always)]
    fn fields(&mut self) -> Fields<'_> {
        Fields { at: self.len, rolling: self }
    }

    /// Begins with these fields.
    #[inline(always)]
    fn first(&mut self, write: impl FnOnce(First<'_>) -> First<'_>) -> Fields<'_> {
        if self.len > GATHERED_MAX - FIRST_MAX {
            self.settle(self.len);
        }
        let room = self.gathered[self.len..].first_chunk_mut().expect("there is room now");
        let len = write(First { room, len: 0 }).len;
        Fields { at: self.len + len, rolling: self }
    }

    #[cold]
    #[inline(never)]
    fn settle(&mut self, len: usize) {
        self.hasher.write(&self.gathered[..len]);
        self.len = 0;
    }
}

/// Numbers as the digest has them: least significant byte first.
trait Pieces: Sized {
    fn piece<const N: usize>(self, piece: [u8; N]) -> Self;

    #[inline(always)]
    fn tag(self, tag: u8) -> Self {
        self.piece([tag])
    }

    #[inline(always)]
    fn u32(self, n: u32) -> Self {
        self.piece(n.to_le_bytes())
    }

    #[inline(always)]
    fn u64(self, n: u64) -> Self {
        self.piece(n.to_le_bytes())
    }
}

/// Fields, one after the other. How far they have come is known here while they are written, and to the
/// digest when this is dropped.
struct Fields<'a> {
    rolling: &'a mut Rolling,
    at: usize,
}

impl Drop for Fields<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.rolling.len = self.at;
    }
}

impl Pieces for Fields<'_> {
    #[inline(always)]
    fn piece<const N: usize>(mut self, piece: [u8; N]) -> Self {
        if self.at > GATHERED_MAX - N {
            self.rolling.settle(self.at);
            self.at = 0;
        }
        self.rolling.gathered[self.at..self.at + N].copy_from_slice(&piece);
        self.at += N;
        self
    }
}

impl Fields<'_> {
    /// Bytes behind their length.
    #[inline(always)]
    fn bytes(mut self, bytes: &[u8]) -> Self {
        let end = self.at + 8 + bytes.len();
        match self.rolling.gathered.get_mut(self.at..end) {
            Some(room) => {
                room[..8].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
                copy(&mut room[8..], bytes);
            }
            None => return self.long(bytes),
        }
        self.at = end;
        self
    }

    /// Bytes for which there is no room beside what is gathered.
    #[cold]
    #[inline(never)]
    fn long(self, bytes: &[u8]) -> Self {
        let mut me = self.u64(bytes.len() as u64);
        me.rolling.settle(me.at);
        me.at = 0;
        match me.rolling.gathered.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                me.at = bytes.len();
            }
            None => me.rolling.hasher.write(bytes),
        }
        me
    }

    #[inline(always)]
    fn request(self, head: &RequestHead) -> Self {
        self.bytes(head.method.as_str().as_bytes()).bytes(head.url.as_bytes()).headers(&head.headers)
    }

    #[inline]
    fn response(self, head: &ResponseHead) -> Self {
        self.u32(u32::from(head.status.as_u16())).headers(&head.headers)
    }

    #[inline(always)]
    fn headers(self, headers: &Headers) -> Self {
        let fields = self.u32(headers.0.len() as u32);
        if headers.0.is_empty() { fields } else { fields.each_header(headers) }
    }

    #[inline(never)]
    fn each_header(mut self, headers: &Headers) -> Self {
        for (name, value) in &headers.0 {
            self = self.bytes(name.as_str().as_bytes()).bytes(value.as_bytes());
        }
        self
    }

    #[inline(always)]
    fn body(self, body: &Body) -> Self {
        match body {
            Body::Empty => self.tag(0),
            Body::Full(bytes) => self.tag(1).bytes(bytes),
            Body::Stream => self.tag(2),
        }
    }

    #[inline(always)]
    fn caller(self, service: Option<ServiceId>) -> Self {
        match service {
            Some(ServiceId(id)) => self.tag(1).u32(id),
            None => self.tag(0),
        }
    }
}

/// Copies all of these to a place of the same length. Most are short, and a call for each would cost more
/// than its bytes: two pieces of one length, which may overlap, cover them.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        4..=8 => copy_ends::<4>(to, from),
        9..=16 => copy_ends::<8>(to, from),
        17..=32 => copy_ends::<16>(to, from),
        _ => to.copy_from_slice(from),
    }
}

#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) {
        if let Some(place) = to.first_chunk_mut() {
            *place = *first;
        }
        if let Some(place) = to.last_chunk_mut() {
            *place = *last;
        }
    }
}

/// Room for what a delivery or an effect begins with.
const FIRST_MAX: usize = 64;

/// Fields whose places are known beforehand, so that nothing has to be asked while they are written.
struct First<'a> {
    room: &'a mut [u8; FIRST_MAX],
    len: usize,
}

impl Pieces for First<'_> {
    #[inline(always)]
    fn piece<const N: usize>(mut self, piece: [u8; N]) -> Self {
        self.room[self.len..self.len + N].copy_from_slice(&piece);
        self.len += N;
        self
    }
}

impl First<'_> {
    /// A delivery, but for its event.
    #[inline(always)]
    fn delivery(self, delivery: &Delivery) -> Self {
        let Delivery { at, now, wall, to, event: _ } = delivery;
        self.tag(1).u64(at.0).u64(now.0).u64(wall.0 as u64).address(*to)
    }

    /// The sender of an effect.
    #[inline(always)]
    fn effect(self, from: Address) -> Self {
        self.tag(2).address(from)
    }

    #[inline(always)]
    fn address(self, address: Address) -> Self {
        self.u32(address.node.0).u32(address.instance.0)
    }

    #[inline(always)]
    fn status(self, head: &ResponseHead) -> Self {
        self.u32(u32::from(head.status.as_u16()))
    }
}
