//! Faults that strike single messages: `net.delay`, `net.loss`, `net.duplicate`, `net.reset`.

use std::time::Duration;

use dacapo_core::{Lane, NodeId, NoteKind};

use crate::fault::Active;
use crate::sim::Sim;

/// What this seed does to messages.
pub(crate) struct MessageFaults {
    delay: Option<Strike>,
    loss: Option<Strike>,
    duplicate: Option<Strike>,
    reset: Option<Strike>,
}

/// A fault that hits a share of all messages.
#[derive(Clone, Debug)]
struct Strike {
    lane: Lane,
    rate: f64,
    spare: Vec<NodeId>,
    /// For `net.delay`: how late at most.
    max: Duration,
    /// For `net.loss`: the share of losses that nobody is told of.
    hangs: f64,
}

impl MessageFaults {
    pub(crate) fn new(active: &[Active]) -> MessageFaults {
        let strike = |name: &str| {
            let a = active.iter().find(|a| a.spec.name == name)?;
            let max = if name == "net.delay" { a.span_max("max") } else { Duration::ZERO };
            let hangs = if name == "net.loss" { a.number("hangs") } else { 0.0 };
            Some(Strike { lane: a.lane, rate: a.rate("rate"), spare: a.spec.spare.clone(), max, hangs })
        };
        MessageFaults {
            delay: strike("net.delay"),
            loss: strike("net.loss"),
            duplicate: strike("net.duplicate"),
            reset: strike("net.reset"),
        }
    }
}

impl Sim {
    /// Whether a fault hits this message. (Each message asks for each fault, and most runs have few of them.)
    #[inline(always)]
    fn hits(&mut self, fault: fn(&MessageFaults) -> &Option<Strike>, from: NodeId, to: NodeId) -> bool {
        self.faults.is_on && fault(&self.faults.messages).is_some() && self.draws_hit(fault, from, to)
    }

    #[inline(never)]
    fn draws_hit(&mut self, fault: fn(&MessageFaults) -> &Option<Strike>, from: NodeId, to: NodeId) -> bool {
        let Some(strike) = fault(&self.faults.messages) else { return false };
        if from == to || strike.spare.contains(&from) || strike.spare.contains(&to) {
            return false;
        }
        self.decisions.chance(strike.lane, "hit", strike.rate)
    }

    #[cold]
    fn note_message(&mut self, fault: &str, from: NodeId, to: NodeId) {
        let text = format!("{fault} {} → {}", self.name(from), self.name(to));
        self.note(NoteKind::Fault, || text.into());
    }

    /// How late a message may come at most, if it may be later than by itself: while `net.delay` is in use.
    pub(crate) fn lateness_max(&self, from: NodeId, to: NodeId) -> Option<Duration> {
        let delay = self.faults.messages.delay.as_ref()?;
        let is_spared = delay.spare.contains(&from) || delay.spare.contains(&to);
        (self.faults.is_on && !is_spared).then_some(delay.max)
    }

    /// How much later than others this message comes.
    #[inline(always)]
    pub(crate) fn delays(&mut self, from: NodeId, to: NodeId) -> Duration {
        if self.hits(|m| &m.delay, from, to) { self.draw_delay(from, to) } else { Duration::ZERO }
    }

    #[inline(never)]
    fn draw_delay(&mut self, from: NodeId, to: NodeId) -> Duration {
        let Some(Strike { lane, max, .. }) = self.faults.messages.delay else { return Duration::ZERO };
        // Cubed: most are a little late, few very late.
        let unit = self.decisions.unit(lane, "late");
        let late = max.mul_f64(unit * unit * unit);
        self.note_message(&format!("net.delay {late:?}"), from, to);
        late
    }

    /// Whether this message is lost, and if so whether the transport notices at once.
    #[inline(always)]
    pub(crate) fn loses(&mut self, from: NodeId, to: NodeId) -> Option<bool> {
        if self.hits(|m| &m.loss, from, to) { self.draw_loss(from, to) } else { None }
    }

    #[inline(never)]
    fn draw_loss(&mut self, from: NodeId, to: NodeId) -> Option<bool> {
        let Strike { lane, hangs, .. } = *self.faults.messages.loss.as_ref()?;
        let hangs = self.decisions.either(lane, "hangs", hangs);
        self.note_message(if hangs { "net.loss (silent)" } else { "net.loss" }, from, to);
        Some(!hangs)
    }

    /// Whether a proxy on the way sends this request twice.
    pub(crate) fn duplicates(&mut self, from: NodeId, to: NodeId) -> bool {
        let is_hit = self.hits(|m| &m.duplicate, from, to);
        if is_hit {
            self.note_message("net.duplicate", from, to);
        }
        is_hit
    }

    /// Whether the connection breaks in the middle of this response.
    #[inline(always)]
    pub(crate) fn resets(&mut self, from: NodeId, to: NodeId) -> bool {
        let is_hit = self.hits(|m| &m.reset, from, to);
        if is_hit {
            self.note_message("net.reset", from, to);
        }
        is_hit
    }
}
