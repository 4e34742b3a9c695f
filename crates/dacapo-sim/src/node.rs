//! A simulated process: up or down, paused, slow.

use std::time::Duration;

use dacapo_core::Time;

use crate::clock::Clock;
use crate::options::{NodeKind, SimNode};

/// The simulator's view of one node.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) kind: NodeKind,
    pub(crate) is_up: bool,
    /// Counts boots. What was meant for an earlier life of the node is not delivered.
    pub(crate) life: u32,
    pub(crate) clock: Clock,
    /// It stands still until then.
    pub(crate) paused_until: Time,
    /// What each turn costs at present.
    pub(crate) turn_cost: Duration,
    /// It is at work until then.
    busy_until: Time,
    /// Whether it was asked to stop.
    pub(crate) is_stopping: bool,
    /// Which version of the services it runs.
    pub(crate) version: u32,
}

impl Node {
    pub(crate) fn new(spec: &SimNode) -> Node {
        Node {
            name: spec.name.clone(),
            kind: spec.kind,
            is_up: false,
            life: 0,
            clock: Clock::RIGHT,
            paused_until: Time::ZERO,
            turn_cost: Duration::ZERO,
            busy_until: Time::ZERO,
            is_stopping: false,
            version: 0,
        }
    }

    /// When the node can take its next turn.
    pub(crate) fn ready_at(&self) -> Time {
        self.paused_until.max(self.busy_until)
    }

    /// Takes a turn at `at`.
    pub(crate) fn work(&mut self, at: Time) {
        if self.turn_cost > Duration::ZERO {
            self.busy_until = at + self.turn_cost;
        }
    }

    /// Forgets what the process was in the middle of.
    pub(crate) fn go_down(&mut self) {
        self.is_up = false;
        self.is_stopping = false;
        self.paused_until = Time::ZERO;
        self.busy_until = Time::ZERO;
    }
}
