//! What enters a turn.

use std::fmt;

use bytestring::ByteString;

use crate::{
    Body, CallId, Chunk, Entropy, ExchangeId, FaultKind, Image, Inputs, LeaseRecord, Message, NodeId,
    ObjectKey, RequestHead, ResponseHead, ServiceId, StorageError, TimerId, WallTime,
};

/// Everything that can happen to a node or to an instance on it.
///
/// The first group is for the runtime of the node, the rest for one instance. `Request` and
/// `Scheduled` are addressed to a service; the runtime finds or starts its instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The process starts, with nothing in memory.
    Boot {
        /// Where every random number of this process comes from.
        entropy: Entropy,
        /// How many times this node has booted before.
        incarnation: u32,
    },
    /// The process is gone, with all of its memory. No turn runs.
    Crash,
    /// The process is asked to end: finish what is under way, take nothing new.
    Stop,
    /// From now on the node runs this version of the services that have several: 0 is the first.
    Deploy(u32),
    /// A scenario enters a new phase. Delivered to the workload only.
    Phase(Phase),
    /// As `Phase(Phase::Setup)`, where something is decided for the workload beforehand.
    Begin(Box<Inputs>),

    /// A request arrived for a service.
    Request {
        /// Names this request in everything that follows.
        exchange: ExchangeId,
        /// Whom it is for.
        service: ServiceId,
        /// The service that sent it; `None` from outside.
        from: Option<ServiceId>,
        /// The durable object of that service that it is for; `None`: for the service itself.
        object: Option<Box<ObjectKey>>,
        /// Method, URL, headers. (In a box, because an event is moved many times.)
        head: Box<RequestHead>,
        /// The body, or the promise of one.
        body: Body,
    },
    /// More of the body of a request.
    RequestChunk(ExchangeId, Chunk),
    /// The reader of a response is ready for so many more bytes.
    ResponseCredit(ExchangeId, u32),
    /// Whoever made this request no longer waits for it.
    Cancelled(ExchangeId),
    /// A cron trigger fired.
    Scheduled {
        /// The service to run.
        service: ServiceId,
        /// The line of the configuration.
        cron: ByteString,
        /// For when it was due.
        scheduled: WallTime,
    },
    /// A trigger goes off another number of times than once: not at all, or twice.
    Misfire(TimerId, u32),
    /// The platform ends an instance in the middle of its work: for the runtime, the one that is
    /// answering this request; for an instance (without a request), that one, if all that it still
    /// does comes after its answers.
    Evict {
        /// The request.
        exchange: Option<ExchangeId>,
        /// Why.
        kind: FaultKind,
    },

    /// The head of a response to a call that this instance made.
    Response {
        /// The call.
        call: CallId,
        /// Status and headers.
        head: ResponseHead,
        /// The body, or the promise of one.
        body: Body,
    },
    /// More of the body of a response.
    ResponseChunk(CallId, Chunk),
    /// The reader of a request's body is ready for so many more bytes.
    RequestCredit(CallId, u32),
    /// A call that this instance made has failed: no response will come.
    Failed(CallId, NetError),
    /// A timer is due.
    Timer(TimerId),

    /// The node's store is open, after a boot: every alarm that is set, and for when. Or why it
    /// cannot be opened: then no object of this node can be active.
    StoreOpened(Result<Vec<(ObjectKey, WallTime)>, StorageError>),
    /// What the store has of the object that this instance is; `None`: nothing.
    Loaded(Result<Option<Image>, StorageError>),
    /// The commit of this number, of this instance, is durable, or has failed.
    Committed(u64, Result<(), StorageError>),
    /// The alarm of this object is due. For the instance, which answers with
    /// [`crate::Effect::AlarmDone`].
    Alarm {
        /// For when it was set.
        scheduled: WallTime,
        /// How often it was tried before.
        retry: u32,
    },

    /// The runtime of that node says something to this one.
    Message(NodeId, Box<Message>),
    /// The coordination service has answered the call of this number, with the whole group, or did
    /// not answer in time: then nobody knows whether it did what it was asked for.
    Leased(u64, Result<Vec<LeaseRecord>, NetError>),
}

impl Event {
    /// Takes it out of its place, and leaves one that holds nothing.
    #[inline(always)]
    pub fn take(&mut self) -> Event {
        std::mem::replace(self, Event::Crash)
    }
}

/// The parts of a scenario, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The workload prepares; nothing fails.
    Setup,
    /// The drivers run; faults happen.
    Drive,
    /// Faults have stopped, the network has healed, every node is up. The drivers finish.
    Heal,
    /// All is quiet; the workload judges what it sees.
    Judge,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Setup => "setup",
            Phase::Drive => "drive",
            Phase::Heal => "heal",
            Phase::Judge => "judge",
        })
    }
}

/// Why a call got no response. A guest sees it as a rejected `fetch()`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NetError {
    /// The configuration does not grant this call; the text names the missing line.
    Denied(ByteString),
    /// The name does not resolve: no such service, host or stub. The text says what to add.
    Unknown(ByteString),
    /// Nobody listens there: the node is down.
    Refused,
    /// The connection broke before the response was complete.
    Reset,
    /// The transport gave up waiting.
    TimedOut,
    /// Something else went wrong with the transport (TLS, protocol); the text says what.
    Broken(ByteString),
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetError::Denied(why) | NetError::Unknown(why) | NetError::Broken(why) => f.write_str(why),
            NetError::Refused => f.write_str("connection refused"),
            NetError::Reset => f.write_str("connection reset"),
            NetError::TimedOut => f.write_str("connection timed out"),
        }
    }
}

impl std::error::Error for NetError {}
