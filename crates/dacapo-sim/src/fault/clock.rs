//! `clock.skew`, `clock.drift`, `clock.jump`.

use std::time::Duration;

use dacapo_core::{NodeId, NoteKind};

use crate::fault::Spell;
use crate::options::NodeKind;
use crate::sim::Sim;

impl Sim {
    /// A number from -1 to 1.
    fn swing(&mut self, lane: dacapo_core::Lane) -> f64 {
        2.0 * self.decisions.unit(lane, "off") - 1.0
    }

    /// Sets the clocks wrong from the start. (They are as wrong before the drivers run: a clock
    /// does not wait for a test.)
    pub(crate) fn skew_clocks(&mut self) {
        let skew = self.faults.find("clock.skew").cloned();
        let drift = self.faults.find("clock.drift").cloned();
        for index in 0..self.nodes.len() {
            let id = NodeId(index as u32);
            let name = &self.nodes[index].name;
            self.decisions.about(|text| text.push_str(name));
            if self.nodes[index].kind != NodeKind::Cluster {
                continue;
            }
            if let Some(skew) = skew.as_ref().filter(|a| !a.spares(id)) {
                let off = self.swing(skew.lane) * skew.span_max("max").as_secs_f64();
                self.nodes[index].clock.offset_ns = (off * 1e9) as i64;
            }
            if let Some(drift) = drift.as_ref().filter(|a| !a.spares(id)) {
                let off = self.swing(drift.lane) * drift.rate("max").clamp(0.0, 0.5);
                self.nodes[index].clock.drift_ppb = (off * 1e9) as i64;
            }
        }
    }

    pub(crate) fn jump_clock(&mut self) {
        let Some(node) = self.pick_victim(Spell::Jump) else { return };
        let Some((lane, max)) = self.faults.find(Spell::Jump.name()).map(|a| (a.lane, a.span_max("max")))
        else {
            return;
        };
        let jump = self.swing(lane) * max.as_secs_f64();
        self.node(node).clock.offset_ns += (jump * 1e9) as i64;
        let length = Duration::from_secs_f64(jump.abs());
        let sign = if jump < 0.0 { "-" } else { "+" };
        let text = format!("clock.jump {} {sign}{length:?}", self.name(node));
        self.note(NoteKind::Fault, || text.into());
    }
}
