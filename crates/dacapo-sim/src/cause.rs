//! What decisions are about: the message, the timer or the operation that they are drawn for, by a
//! name that survives small changes of a run and of the program.

use std::fmt::Write;

use dacapo_core::{Effect, Event, RequestHead};

use crate::book::Book;
use crate::node::Node;
use crate::sim::Item;
use crate::store::Step;

/// What a request is called: its method and its path, without the query.
pub(crate) fn label(head: &RequestHead) -> String {
    let url: &str = &head.url;
    let path = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    format!("{} {}", head.method, path.split(['?', '#']).next().unwrap_or_default())
}

/// Names what happens when this item is taken out of the queue.
pub(crate) fn of_item(text: &mut String, item: &Item, nodes: &[Node], book: &Book) {
    let name = |node: dacapo_core::NodeId| nodes[node.0 as usize].name.as_str();
    let exchange = |id| book.peek(id).map(|e| (name(e.caller.node), name(e.server), e.label()));
    // A text takes whatever is written into it.
    let _ = match item {
        Item::Boot(node) => write!(text, "{} boots", name(*node)),
        Item::Exit(node, _) => write!(text, "{} exits", name(*node)),
        Item::Timer(to, ..) => write!(text, "a timer of {}", name(to.node)),
        Item::ToServer(id, event) => exchange(*id).map_or(Ok(()), |(caller, server, label)| {
            let part = if matches!(event, Event::Request { .. }) { "" } else { "more of " };
            write!(text, "{server} gets {part}{label} of {caller}")
        }),
        Item::ToCaller(id, _) | Item::Break(id, _) => exchange(*id)
            .map_or(Ok(()), |(caller, server, label)| {
                write!(text, "{caller} gets the answer of {server} to {label}")
            }),
        Item::Fail(to, ..) => write!(text, "a call of {} fails", name(to.node)),
        Item::Evict(to, ..) => write!(text, "{} evicts", name(to.node)),
        Item::Store(Step::Answer(to, ..)) => write!(text, "the disk of {} answers", name(to.node)),
        Item::Store(Step::Done(node, _)) => write!(text, "the disk of {}", name(*node)),
        Item::Message(from, to, _) => write!(text, "{} hears of {}", name(*to), name(*from)),
        Item::Lease(from, ..) => write!(text, "the leases for {}", name(from.node)),
        _ => Ok(()),
    };
}

/// Names an effect of a node.
pub(crate) fn of_effect(text: &mut String, from: &Node, effect: &Effect, nodes: &[Node], book: &Book) {
    let name = &from.name;
    let answer = |id| book.peek(id).map(|e| (nodes[e.caller.node.0 as usize].name.as_str(), e.label()));
    let _ = match effect {
        Effect::Fetch { head, .. } => write!(text, "{name} asks {}", label(head)),
        Effect::Respond { exchange, .. }
        | Effect::ResponseChunk(exchange, _)
        | Effect::RequestPull(exchange, _) => answer(*exchange)
            .map_or(Ok(()), |(caller, label)| write!(text, "{name} answers {label} of {caller}")),
        Effect::RequestChunk(..) | Effect::ResponsePull(..) | Effect::Cancel(..) => {
            write!(text, "{name} sends more")
        }
        Effect::Send(to, message) => {
            write!(text, "{name} tells {} {}", nodes[to.0 as usize].name, message.name)
        }
        Effect::Lease(_) => write!(text, "{name} asks for a lease"),
        Effect::Load(_) => write!(text, "{name} loads"),
        Effect::Commit(..) => write!(text, "{name} commits"),
        _ => Ok(()),
    };
}
