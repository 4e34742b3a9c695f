//! Alarms of durable objects: one for each, rung at least once, and again if its handler fails.
//!
//! The disk knows when an alarm is due. The runtime keeps a copy of what it knows, with a timer for
//! each: made after a boot out of what the disk says, and changed when a change is durable, not
//! earlier. An alarm that has rung stays in the copy until the disk has forgotten it, so that
//! whatever becomes of the object meanwhile, it rings again.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_core::{
    Effect, Event, InstanceId, Level, ObjectKey, Outbox, ServiceId, TimerId, Trigger, Turn, WallTime,
};

use super::Runtime;
use super::active::Ringing;
use super::object::ObjectTimer;
use crate::cluster::runtime_of;
use crate::topology::Topology;

/// How often the handler of an alarm is tried again, and the first wait before that; it doubles each
/// time. Both as at Cloudflare ("retried up to 6 times, with an exponential backoff from 2 seconds").
const RETRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// How long until an alarm rings again that could not be handed to its object.
const LATER: Duration = Duration::from_secs(30);

/// The alarms that are set on a node.
pub(super) type Alarms = BTreeMap<ObjectKey, Alarm>;

pub(super) struct Alarm {
    /// For when it was set.
    scheduled: WallTime,
    /// When it rings: later than that if it is tried again.
    due: WallTime,
    retry: u32,
    /// `None`: it has rung, and what came of it is not known yet.
    timer: Option<TimerId>,
    /// Whether its handler is to be called a second time when it is done.
    again: bool,
}

impl Runtime {
    /// The disk says which alarms are set.
    pub(super) fn set_alarms(&mut self, alarms: Vec<(ObjectKey, WallTime)>, turn: &Turn, out: &mut Outbox) {
        for (key, at) in alarms {
            match self.whose(&key) {
                Ok(_) => self.set_alarm(key, Some(at), turn, out),
                Err(why) => {
                    let text = format!("the alarm of the object {key} does not ring: {why}");
                    out.push((runtime_of(self.node), Effect::Log(Level::Warn, text.into())));
                }
            }
        }
    }

    /// The alarm of an object is set anew, or removed: that is durable now.
    pub(super) fn set_alarm(&mut self, key: ObjectKey, at: Option<WallTime>, turn: &Turn, out: &mut Outbox) {
        match at {
            Some(at) => self.arm_alarm(key, at, at, 0, turn, out),
            None => self.drop_alarm(&key, out),
        }
    }

    /// A state that a majority agrees to says when the alarm is due: what one replica said may be old.
    pub(super) fn learn_alarm(&mut self, id: InstanceId, key: &ObjectKey, turn: &Turn, out: &mut Outbox) {
        let active = self.instances.get(&id).and_then(|slot| slot.object.as_ref());
        let at = active.and_then(|active| active.alarm_on_disk);
        if self.objects.alarms.get(key).map(|alarm| alarm.scheduled) != at {
            self.set_alarm(key.clone(), at, turn, out);
        }
    }

    fn drop_alarm(&mut self, key: &ObjectKey, out: &mut Outbox) {
        if let Some(Alarm { timer: Some(timer), .. }) = self.objects.alarms.remove(key) {
            self.objects.take_timer(timer);
            out.push((runtime_of(self.node), Effect::ClearTimer(timer)));
        }
    }

    fn arm_alarm(
        &mut self,
        key: ObjectKey,
        scheduled: WallTime,
        due: WallTime,
        retry: u32,
        turn: &Turn,
        out: &mut Outbox,
    ) {
        self.drop_alarm(&key, out);
        let timer = self.objects.new_timer(ObjectTimer::Alarm(key.clone()));
        let wait = Duration::from_nanos(due.0.saturating_sub(turn.wall.0).max(0) as u64);
        out.push((runtime_of(self.node), Effect::SetTrigger(timer, Trigger::Alarm, wait)));
        self.objects.alarms.insert(key, Alarm { scheduled, due, retry, timer: Some(timer), again: false });
    }

    /// The timer of an alarm has fired. `again`: its handler is called once more when it is done.
    pub(super) fn ring(&mut self, key: ObjectKey, again: bool, turn: &Turn, out: &mut Outbox) {
        let Some(alarm) = self.objects.alarms.get_mut(&key) else { return };
        alarm.timer = None;
        alarm.again |= again;
        let Alarm { scheduled, due, retry, .. } = *alarm;
        if due > turn.wall {
            // The clock was set back since.
            return self.arm_alarm(key, scheduled, due, retry, turn, out);
        }
        if self.is_stopping {
            // It is on the disk, and rings after the next boot.
            return;
        }
        let Ok(service) = self.whose(&key) else { return };
        let id = self.instance_of_object(key, service, out);
        self.enter(id, turn, &mut Event::Alarm { scheduled, retry }, out);
    }

    /// The service that has the class of an object now, if this node is where the object lives.
    fn whose(&self, key: &ObjectKey) -> Result<ServiceId, String> {
        let found = self.system.service_of(key);
        let service = found.ok_or_else(|| format!("no class is called \"{}\" any more", key.namespace))?;
        if let Some(slice) = self.slice_of(service, key) {
            let why = || "another node owns it".to_owned();
            return self.owns(slice).then_some(service).ok_or_else(why);
        }
        match Topology::owner(&self.system.hosts[service.0 as usize], key) {
            Some(node) if node == self.node => Ok(service),
            Some(node) => {
                Err(format!("it lives on {} now", self.system.topology.nodes[node.0 as usize].name))
            }
            None => Err("its service runs on no node".to_owned()),
        }
    }

    /// Before the handler of an alarm runs. False if it must not: the alarm was set for another time
    /// meanwhile, or the node is about to end.
    pub(super) fn begin_alarm(
        &mut self,
        id: InstanceId,
        scheduled: WallTime,
        retry: u32,
        turn: &Turn,
        out: &mut Outbox,
    ) -> bool {
        let is_stopping = self.is_stopping;
        let slot = self.instances.get_mut(&id);
        let Some(active) = slot.and_then(|slot| slot.object.as_mut()) else { return false };
        let mut storage = active.storage.0.borrow_mut();
        let is_set = storage.alarm() == Ok(Some(scheduled));
        let again = active.rings_again.take_if(|it| !is_set && *it == scheduled).is_some();
        if !is_stopping && (again || is_set && storage.set_alarm(None).is_ok()) {
            drop(storage);
            active.alarm = Some(Ringing { scheduled, retry });
            let alarm = self.objects.alarms.get_mut(&active.key);
            if !again && alarm.is_some_and(|alarm| std::mem::take(&mut alarm.again)) {
                active.rings_again = Some(scheduled);
                active.waiting.push_back(Event::Alarm { scheduled, retry });
            }
            return true;
        }
        drop(storage);
        // The change may never become durable; if it does, it replaces this.
        let key = active.key.clone();
        self.ring_later(&key, turn, out);
        false
    }

    /// The handler is done. What it changed is not on its way to the disk yet: that and the end of
    /// the alarm are one commit.
    pub(super) fn alarm_done(&mut self, id: InstanceId, is_ok: bool, turn: &Turn, out: &mut Outbox) {
        let Some(active) = self.slot(id).object.as_mut() else { return };
        let Some(ringing) = active.alarm.take() else { return };
        let (key, on_disk) = (active.key.clone(), active.alarm_on_disk);
        let mut storage = active.storage.0.borrow_mut();
        match storage.alarm() {
            Ok(None) if !is_ok && ringing.retry < RETRIES => {
                // This only tells the guest: on the disk it is as it was.
                let _ = storage.set_alarm(Some(ringing.scheduled));
                drop(storage);
                self.ring_again(&key, ringing, turn, out);
            }
            Ok(None) if !is_ok => {
                drop(storage);
                self.tell_given_up(&key, "It is removed.", out);
            }
            // The handler has set the next one for the same time: the disk has it already.
            Ok(Some(at)) if Some(at) == on_disk && at == ringing.scheduled => {
                drop(storage);
                self.arm_alarm(key, at, at, 0, turn, out);
            }
            // It is done, or the handler has set the next one: the commit says so.
            _ => {}
        }
    }

    fn tell_given_up(&self, key: &ObjectKey, then: &str, out: &mut Outbox) {
        let text = format!(
            "the alarm of the object {key} has failed {} times, the last of its tries. {then}",
            RETRIES + 1
        );
        out.push((runtime_of(self.node), Effect::Log(Level::Error, text.into())));
    }

    /// Rings an alarm again whose handler failed, or did not come to its end.
    pub(super) fn ring_again(&mut self, key: &ObjectKey, ringing: Ringing, turn: &Turn, out: &mut Outbox) {
        let Some(alarm) = self.objects.alarms.get(key) else { return };
        if alarm.timer.is_some() || alarm.scheduled != ringing.scheduled {
            // The handler has set the next one.
            return self.ring_later(key, turn, out);
        }
        if ringing.retry >= RETRIES && !self.is_workflow(key) {
            self.objects.alarms.remove(key);
            return self.tell_given_up(key, "It stays on the disk, and rings after the next boot.", out);
        }
        let due = turn.wall.later(FIRST_WAIT * 2u32.pow(ringing.retry.min(RETRIES)));
        self.arm_alarm(key.clone(), ringing.scheduled, due, ringing.retry.saturating_add(1), turn, out);
    }

    /// Nobody but its alarm goes on with a workflow, so that is never given up here: the platform
    /// library does, and says so, once the workflow's own code is to blame.
    fn is_workflow(&self, key: &ObjectKey) -> bool {
        let classes = || self.system.plan.services.iter().flat_map(|service| &service.objects);
        classes().any(|class| class.namespace == *key.namespace && class.workflow.is_some())
    }

    /// Rings an alarm again that has rung without reaching its handler.
    pub(super) fn ring_later(&mut self, key: &ObjectKey, turn: &Turn, out: &mut Outbox) {
        if let Some(&Alarm { scheduled, retry, timer: None, .. }) = self.objects.alarms.get(key) {
            self.arm_alarm(key.clone(), scheduled, turn.wall.later(LATER), retry, turn, out);
        }
    }
}
