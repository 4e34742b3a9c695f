//! Alarms of durable objects: one for each, rung at least once, and again if its handler fails.
//!
//! The disk knows when an alarm is due; the runtime only keeps timers, which it makes anew after a
//! boot out of what the disk says.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_core::{Changes, Effect, Event, InstanceId, ObjectKey, ServiceId, TimerId, Turn, WallTime};

use super::object::{ObjectTimer, Ringing};
use super::{Runtime, Sent};
use crate::cluster::runtime_of;

/// How often the handler of an alarm is tried again, and the first wait before that; it doubles each
/// time. Both as at Cloudflare ("retried up to 6 times, with an exponential backoff from 2 seconds").
const RETRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// The alarms that are set on a node.
pub(super) type Alarms = BTreeMap<ObjectKey, Alarm>;

pub(super) struct Alarm {
    /// For when it was set.
    scheduled: WallTime,
    /// When it rings: later than that if it is tried again.
    due: WallTime,
    retry: u32,
    timer: TimerId,
}

impl Runtime {
    /// The disk says which alarms are set.
    pub(super) fn set_alarms(&mut self, alarms: Vec<(ObjectKey, WallTime)>, turn: &Turn, out: &mut Sent) {
        for (key, at) in alarms {
            self.set_alarm(key, Some(at), turn, out);
        }
    }

    /// The alarm of an object is set anew, or removed.
    pub(super) fn set_alarm(&mut self, key: ObjectKey, at: Option<WallTime>, turn: &Turn, out: &mut Sent) {
        match at {
            Some(at) => self.arm_alarm(key, at, at, 0, turn, out),
            None => self.drop_alarm(&key, out),
        }
    }

    fn drop_alarm(&mut self, key: &ObjectKey, out: &mut Sent) {
        if let Some(alarm) = self.objects.alarms.remove(key)
            && self.objects.take_timer(alarm.timer).is_some()
        {
            out.push((runtime_of(self.node), Effect::ClearTimer(alarm.timer)));
        }
    }

    fn arm_alarm(
        &mut self,
        key: ObjectKey,
        scheduled: WallTime,
        due: WallTime,
        retry: u32,
        turn: &Turn,
        out: &mut Sent,
    ) {
        self.drop_alarm(&key, out);
        let timer = self.objects.new_timer(ObjectTimer::Alarm(key.clone()));
        let wait = Duration::from_nanos(due.0.saturating_sub(turn.wall.0).max(0) as u64);
        out.push((runtime_of(self.node), Effect::SetTimer(timer, wait)));
        self.objects.alarms.insert(key, Alarm { scheduled, due, retry, timer });
    }

    /// The timer of an alarm has fired.
    pub(super) fn ring(&mut self, key: ObjectKey, turn: &Turn, out: &mut Sent) {
        let Some(&Alarm { scheduled, due, retry, .. }) = self.objects.alarms.get(&key) else { return };
        if due > turn.wall {
            // The clock was set back since.
            return self.arm_alarm(key, scheduled, due, retry, turn, out);
        }
        self.objects.alarms.remove(&key);
        let Some(service) = self.service_of(&key) else { return };
        let id = self.instance_of_object(key, service, out);
        self.enter(id, turn, Event::Alarm { scheduled, retry }, out);
    }

    /// The service that has the class of an object now.
    fn service_of(&self, key: &ObjectKey) -> Option<ServiceId> {
        let has = |s: &dacapo_core::plan::Service| s.objects.iter().any(|c| c.namespace == *key.namespace);
        self.system.plan.services.iter().position(has).map(|index| ServiceId(index as u32))
    }

    /// Before the handler of an alarm runs. False if the alarm was set for another time meanwhile.
    pub(super) fn begin_alarm(&mut self, id: InstanceId, scheduled: WallTime, retry: u32) -> bool {
        let Some(active) = self.slot(id).object.as_mut() else { return false };
        let mut storage = active.storage.0.borrow_mut();
        if storage.alarm() != Ok(Some(scheduled)) || storage.set_alarm(None).is_err() {
            return false;
        }
        drop(storage);
        active.alarm = Some(Ringing { scheduled, retry });
        true
    }

    /// The handler is done.
    pub(super) fn alarm_done(&mut self, id: InstanceId, is_ok: bool, turn: &Turn, out: &mut Sent) {
        let Some(active) = self.slot(id).object.as_mut() else { return };
        let Some(ringing) = active.alarm.take() else { return };
        let key = active.key.clone();
        let mut storage = active.storage.0.borrow_mut();
        if storage.alarm() != Ok(None) {
            // The handler has set the next one, which has replaced this one on the disk.
            return;
        }
        let will_ring_again = !is_ok && ringing.retry < RETRIES;
        if will_ring_again && storage.set_alarm(Some(ringing.scheduled)).is_ok() {
            // On the disk it is as it was; this only tells the guest.
            let _ = storage.take_changes();
            drop(storage);
            return self.ring_again(key, ringing, turn, out);
        }
        let changes = Changes { len: storage.size(), writes: Vec::new(), alarm: Some(None) };
        drop(storage);
        let commit = active.commit(changes);
        out.push((dacapo_core::Address { node: self.node, instance: id }, commit));
    }

    /// Rings an alarm again whose handler failed, or did not come to its end.
    pub(super) fn ring_again(&mut self, key: ObjectKey, ringing: Ringing, turn: &Turn, out: &mut Sent) {
        if ringing.retry >= RETRIES {
            // It stays on the disk, and rings after the next boot.
            return;
        }
        let wait = FIRST_WAIT * 2u32.pow(ringing.retry);
        let due = turn.wall.later(wait);
        self.arm_alarm(key, ringing.scheduled, due, ringing.retry + 1, turn, out);
    }
}
