//! What the runtime keeps of an active durable object: what waits before it, what it holds back, and
//! what of its state is on the way to the disk. Whom that concerns is decided in `object.rs`.

use std::collections::{BTreeSet, VecDeque};

use dacapo_core::{
    Body, CallId, Changes, Chunk, Effect, Event, ExchangeId, Image, ObjectKey, SharedStorage, Time, TimerId,
    Turn, WallTime,
};

/// What the runtime keeps of an active object.
pub(super) struct Active {
    pub(super) key: ObjectKey,
    pub(super) storage: SharedStorage,
    /// Events that may not enter yet.
    pub(super) waiting: VecDeque<Event>,
    alone: Option<Alone>,
    next_call: u64,
    next_timer: u64,
    pub(super) timers: BTreeSet<TimerId>,
    /// Calls that have not ended.
    pub(super) calls: BTreeSet<CallId>,
    pub(super) commits: u64,
    /// The last commit that is durable. At most one is on its way: were there two and the first
    /// failed, the second would change a state that never was.
    pub(super) durable: u64,
    /// How long the state will be on the disk when all commits are durable, and its alarm.
    len: u64,
    pub(super) alarm_on_disk: Option<WallTime>,
    /// What may not leave before the commit of this number is durable.
    pub(super) held: VecDeque<(u64, Effect)>,
    pub(super) alarm: Option<Ringing>,
    /// The alarm for this moment rings once more, although it was handled.
    pub(super) rings_again: Option<WallTime>,
    pub(super) last_used: Time,
}

/// An object asked that nothing else may enter it.
struct Alone {
    /// How often: sections may be nested.
    depth: u32,
    /// The first call and the first timer that belong to what it does meanwhile.
    first_call: u64,
    first_timer: u64,
}

/// An alarm that is being handled.
#[derive(Clone, Copy)]
pub(super) struct Ringing {
    pub(super) scheduled: WallTime,
    pub(super) retry: u32,
}

impl Active {
    pub(super) fn new(key: ObjectKey, storage: SharedStorage, image: Option<&Image>, now: Time) -> Active {
        Active {
            key,
            storage,
            waiting: VecDeque::new(),
            alone: None,
            next_call: 0,
            next_timer: 0,
            timers: BTreeSet::new(),
            calls: BTreeSet::new(),
            commits: 0,
            durable: 0,
            len: image.map_or(0, |image| image.bytes.len() as u64),
            alarm_on_disk: image.and_then(|image| image.alarm),
            held: VecDeque::new(),
            alarm: None,
            rings_again: None,
            last_used: now,
        }
    }

    /// Whether this event has to wait. What belongs to calls and timers that the object began while
    /// alone must pass, or it would wait for itself; so must the parts of bodies, which it may read.
    pub(super) fn must_wait(&self, event: &Event) -> bool {
        if matches!(event, Event::Alarm { .. }) && self.alarm.is_some() {
            // The handler has set the next one, and is not done yet.
            return true;
        }
        let Some(Alone { first_call, first_timer, .. }) = self.alone else { return false };
        match event {
            Event::Response { call, .. }
            | Event::ResponseChunk(call, _)
            | Event::RequestCredit(call, _)
            | Event::Failed(call, _) => call.0 < first_call,
            Event::Timer(timer) => timer.0 < first_timer,
            Event::RequestChunk(exchange, _) => has_request(&self.waiting, *exchange),
            Event::ResponseCredit(..) | Event::Cancelled(_) => false,
            _ => true,
        }
    }

    pub(super) fn set_alone(&mut self, begins: bool) {
        match (&mut self.alone, begins) {
            (Some(alone), true) => alone.depth += 1,
            (Some(alone), false) if alone.depth > 1 => alone.depth -= 1,
            (_, false) => self.alone = None,
            (None, true) => {
                self.alone =
                    Some(Alone { depth: 1, first_call: self.next_call, first_timer: self.next_timer });
            }
        }
    }

    /// Whether nothing is under way that must be finished before the object may leave memory.
    pub(super) fn is_settled(&self) -> bool {
        self.waiting.is_empty()
            && self.held.is_empty()
            && self.alone.is_none()
            && !self.is_saving()
            && self.alarm.is_none()
    }

    pub(super) fn is_saving(&self) -> bool {
        self.durable < self.commits
    }

    /// Before a guest's turn.
    pub(super) fn begin_turn(&mut self, turn: &Turn, event: &Event) {
        self.last_used = turn.now;
        match event {
            Event::Timer(timer) => {
                self.timers.remove(timer);
            }
            Event::Response { call, body: Body::Empty | Body::Full(_), .. }
            | Event::ResponseChunk(call, Chunk::End | Chunk::Abort(_))
            | Event::Failed(call, _) => {
                self.calls.remove(call);
            }
            _ => {}
        }
        self.storage.0.borrow_mut().begin_turn(turn);
    }

    /// What was changed and is not on its way to the disk, as a commit.
    pub(super) fn take_commit(&mut self) -> Option<Effect> {
        let mut storage = self.storage.0.borrow_mut();
        if storage.depth() > 0 {
            return None;
        }
        let changes = storage.take_changes();
        let alarm = match storage.alarm() {
            // An alarm that rings stays on the disk until its handler is done, so that a crash
            // before that rings it again.
            Ok(None) if self.alarm.is_some() => self.alarm_on_disk,
            Ok(alarm) => alarm,
            Err(_) => self.alarm_on_disk,
        };
        let (len, writes) = changes.map_or((self.len, Vec::new()), |changes| (changes.len, changes.writes));
        let alarm = (alarm != self.alarm_on_disk).then_some(alarm);
        if writes.is_empty() && len == self.len && alarm.is_none() {
            return None;
        }
        self.len = len;
        self.alarm_on_disk = alarm.unwrap_or(self.alarm_on_disk);
        self.commits += 1;
        Some(Effect::Commit(
            self.commits,
            Box::new(self.key.clone()),
            Box::new(Changes { len, writes, alarm }),
        ))
    }

    pub(super) fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::Fetch { call, .. } => {
                self.next_call = self.next_call.max(call.0 + 1);
                self.calls.insert(*call);
            }
            Effect::Cancel(call) => {
                self.calls.remove(call);
            }
            Effect::SetTimer(timer, _) => {
                self.next_timer = self.next_timer.max(timer.0 + 1);
                self.timers.insert(*timer);
            }
            Effect::ClearTimer(timer) => {
                self.timers.remove(timer);
            }
            _ => {}
        }
    }
}

/// Whether the world could learn from this effect what the object knows. (A cancelled call tells
/// nothing, but it must not overtake the call.)
pub(super) fn tells(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Fetch { .. }
            | Effect::RequestChunk(..)
            | Effect::Respond { .. }
            | Effect::ResponseChunk(..)
            | Effect::Cancel(_)
    )
}

/// Whether this request has not entered yet.
fn has_request(waiting: &VecDeque<Event>, id: ExchangeId) -> bool {
    waiting.iter().any(|event| matches!(event, Event::Request { exchange, .. } if *exchange == id))
}

/// Takes a request out that nobody waits for any more. False if it has entered.
pub(super) fn forget_request(waiting: &mut VecDeque<Event>, id: ExchangeId) -> bool {
    let before = waiting.len();
    waiting.retain(|event| match event {
        Event::Request { exchange, .. } | Event::RequestChunk(exchange, _) => *exchange != id,
        _ => true,
    });
    waiting.len() < before
}
