//! What passes between the loops of one process.

use bytestring::ByteString;
use dacapo_core::{
    Address, Body, CallId, Chunk, Event, NetError, NodeId, ObjectKey, Phase, RequestHead, ResponseHead,
    ServiceId,
};
use tokio::sync::mpsc::UnboundedSender;

/// Whoever waits for a response. Unique within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caller {
    /// An instance, by the number it gave to its call.
    Guest(Address, CallId),
    /// A client on a socket of this node, by the number that the loop gave to its request.
    Client(NodeId, u64),
}

impl Caller {
    /// The loop that it belongs to.
    pub(crate) fn node(self) -> NodeId {
        match self {
            Caller::Guest(address, _) => address.node,
            Caller::Client(node, _) => node,
        }
    }
}

/// From a caller to the node that serves its request.
#[derive(Debug)]
pub(crate) enum ToServer {
    Request {
        service: ServiceId,
        by: Option<ServiceId>,
        object: Option<Box<ObjectKey>>,
        head: Box<RequestHead>,
        body: Body,
    },
    Chunk(Chunk),
    Credit(u32),
    Cancel,
}

/// From the node that serves a request to its caller.
#[derive(Debug)]
pub(crate) enum ToCaller {
    Response(ResponseHead, Body),
    Chunk(Chunk),
    Credit(u32),
    Failed(NetError),
}

/// One letter to a loop.
#[derive(Debug)]
pub(crate) enum Mail {
    ToServer(Caller, ToServer),
    ToCaller(Caller, ToCaller),
    Phase(Phase),
    /// What something else in this process has to say to an instance.
    Event(Address, Event),
    /// End gracefully.
    Stop,
    /// End at once.
    Abandon,
    /// Another loop has finished; look whether all have.
    Finished,
}

/// The ways to the inboxes of all loops, by node.
pub(crate) type Peers = [UnboundedSender<Mail>];

/// A text in the form of the door.
pub(crate) fn text(text: impl std::fmt::Display) -> ByteString {
    text.to_string().into()
}
