//! Which entries are of interest.

use dacapo_core::{NodeId, Time};

use crate::names::Names;
use crate::{Part, Record};

/// Leaves out what it does not name. Empty, it leaves out nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Nodes, by name or as `n2`. Notes stay, as they concern several nodes.
    pub nodes: Vec<String>,
    /// Services, by name; also `workload`.
    pub services: Vec<String>,
    /// From this time on.
    pub from: Option<Time>,
    /// Until this time, inclusive.
    pub until: Option<Time>,
    /// From this event on.
    pub first_event: Option<u64>,
    /// Until this event, inclusive.
    pub last_event: Option<u64>,
    /// Only lines with this text in what happened (not in the columns to the left).
    pub text: Option<String>,
    /// Without notes about the world.
    pub no_notes: bool,
}

impl Filter {
    pub(super) fn keeps(&self, record: &Record, names: &Names, text: impl FnOnce() -> String) -> bool {
        let address = match &record.part {
            Part::Delivery(delivery) => Some(delivery.to),
            Part::Effect(from, _) => Some(*from),
            Part::Note(_) => None,
        };
        let has_node = |node: NodeId| {
            self.nodes.iter().any(|wanted| *wanted == names.node(node) || *wanted == node.to_string())
        };
        self.from.is_none_or(|from| record.at >= from)
            && self.until.is_none_or(|until| record.at <= until)
            && self.first_event.is_none_or(|first| record.event >= first)
            && self.last_event.is_none_or(|last| record.event <= last)
            && !(self.no_notes && address.is_none())
            && (self.nodes.is_empty() || address.is_none_or(|a| has_node(a.node)))
            && (self.services.is_empty() || address.is_none_or(|a| self.services.contains(&names.at(a))))
            && self.text.as_ref().is_none_or(|wanted| text().contains(wanted))
    }
}
