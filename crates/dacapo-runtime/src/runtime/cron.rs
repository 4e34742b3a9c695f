//! The cron lines of a node: when each is due, and what happens then.

use std::collections::BTreeMap;
use std::time::Duration;

use bytestring::ByteString;
use dacapo_core::plan::Cron;
use dacapo_core::{Effect, Event, Outbox, ServiceId, TimerId, Trigger, Turn, WallTime};

use super::Runtime;
use crate::cluster::runtime_of;
use crate::cron::next_after;

/// When each cron line of a node is due next. (Timers of the runtime are numbered by the place of the line
/// in the node's list.)
pub(super) type Crons = BTreeMap<TimerId, WallTime>;

impl Runtime {
    /// The cron lines that this node is responsible for: those of services of which it is the
    /// first host.
    fn cron_lines(&self) -> impl Iterator<Item = (ServiceId, &Cron)> {
        let is_mine = |id: &usize| self.system.hosts[*id].first() == Some(&self.node);
        let services = self.system.plan.services.iter().enumerate().filter(move |(id, _)| is_mine(id));
        services.flat_map(|(id, s)| s.cron.iter().map(move |cron| (ServiceId(id as u32), cron)))
    }

    /// After a boot. What was due while the node was down is missed.
    pub(super) fn arm_crons(&mut self, turn: &Turn, out: &mut Outbox) {
        let crons: Vec<Cron> = self.cron_lines().map(|(_, cron)| cron.clone()).collect();
        for (index, cron) in crons.iter().enumerate() {
            self.arm_next(TimerId(index as u64), cron, turn.wall, turn, out);
        }
    }

    fn arm_next(&mut self, timer: TimerId, cron: &Cron, after: WallTime, turn: &Turn, out: &mut Outbox) {
        // A line that is never due was refused by the configuration; here it is just never armed.
        if let Ok(due) = next_after(cron, after) {
            self.arm_cron(timer, due, turn, out);
        }
    }

    fn arm_cron(&mut self, timer: TimerId, due: WallTime, turn: &Turn, out: &mut Outbox) {
        self.crons.insert(timer, due);
        let wait = Duration::from_nanos(due.0.saturating_sub(turn.wall.0).max(0) as u64);
        out.push((runtime_of(self.node), Effect::SetTrigger(timer, Trigger::Cron, wait)));
    }

    /// The timer of a cron line has gone off: its service runs so many times.
    pub(super) fn fire_cron(&mut self, timer: TimerId, times: u32, turn: &Turn, out: &mut Outbox) {
        let Some(due) = self.crons.remove(&timer) else { return };
        if due > turn.wall {
            // The clock was set back since.
            return self.arm_cron(timer, due, turn, out);
        }
        let Some((service, cron)) = self.cron_lines().nth(timer.0 as usize) else { return };
        let cron = cron.clone();
        self.arm_next(timer, &cron, turn.wall, turn, out);
        if self.is_stopping {
            return;
        }
        let cron = ByteString::from(cron.line);
        for _ in 0..times {
            // Looked up each time: a turn may end its instance.
            let id = self.instance_of(service);
            let event = Event::Scheduled { service, cron: cron.clone(), scheduled: due };
            self.turn(id, turn, event, out);
        }
    }
}
