//! Crashes at a chosen point: at each operation of a disk, or at each message, in turn.

use dacapo_core::{Delivery, Event, ExchangeId, Message, NodeId, NoteKind};

use crate::options::CrashPoint;
use crate::sim::{Item, Sim};

impl Sim {
    /// How many requests, responses and messages of runtimes to or from this node have come to where they were going so
    /// far: what [`CrashPoint::Message`] counts. (A node that is down or cut off by then counts.)
    pub fn messages(&self, node: NodeId) -> u64 {
        self.messages.get(node.0 as usize).copied().unwrap_or(0)
    }

    /// Counts a message, and gives the crash that is to happen instead of it, which then comes a
    /// little later.
    #[inline(always)]
    pub(crate) fn crash_at_message(
        &mut self,
        id: ExchangeId,
        event: &Event,
        to_server: bool,
    ) -> Option<Delivery> {
        if !matches!(event, Event::Request { .. } | Event::Response { .. }) {
            return None;
        }
        let exchange = self.book.peek(id)?;
        let (one, two) = (exchange.caller.node, exchange.server);
        let (node, number) = self.count_message(one, two)?;
        let event = event.clone();
        let item = if to_server { Item::ToServer(id, event) } else { Item::ToCaller(id, event) };
        Some(self.crash_before_message(node, number, item))
    }

    /// The same for what runtimes say to each other.
    pub(crate) fn crash_at_words(&mut self, from: NodeId, to: NodeId, words: &Message) -> Option<Delivery> {
        let (node, number) = self.count_message(from, to)?;
        Some(self.crash_before_message(node, number, Item::Message(from, to, Box::new(words.clone()))))
    }

    /// Counts a message; says who crashes now, at which number, if somebody does.
    #[inline(always)]
    fn count_message(&mut self, one: NodeId, two: NodeId) -> Option<(NodeId, u64)> {
        self.messages[one.0 as usize] += 1;
        if two != one {
            self.messages[two.0 as usize] += 1;
        }
        let Some(CrashPoint::Message(node, number)) = self.options.crash_at else { return None };
        let is_due = (node == one || node == two) && self.messages(node) == number;
        (is_due && self.nodes[node.0 as usize].is_up).then_some((node, number))
    }

    #[cold]
    fn crash_before_message(&mut self, node: NodeId, number: u64, item: Item) -> Delivery {
        // Once only: the message itself comes by here again.
        self.options.crash_at = None;
        self.queue.push(self.now + std::time::Duration::from_nanos(1), item);
        let text = format!("crash of {} before message {number} to or from it", self.name(node));
        self.note(NoteKind::Fault, || text.into());
        self.crash(node)
    }
}
