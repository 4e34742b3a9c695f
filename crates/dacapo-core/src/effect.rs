//! What leaves a turn.

use std::time::Duration;

use bytestring::ByteString;

use crate::{
    Body, CallId, Changes, Chunk, Drawn, ExchangeId, Fault, InstanceId, LeaseCall, Location, Message, NodeId,
    ObjectId, ObjectKey, RequestHead, ResponseHead, ServiceId, TimerId,
};

/// Everything that a guest, or the runtime on its behalf, can ask of the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Make a request.
    Fetch {
        /// Names this call in everything that follows.
        call: CallId,
        /// A guest says by which name; the runtime replaces it by where that is.
        target: Target,
        /// Method, URL, headers. (In a box, because an effect is moved many times.)
        head: Box<RequestHead>,
        /// The body, or the promise of one.
        body: Body,
    },
    /// More of the body of a request.
    RequestChunk(CallId, Chunk),
    /// Ready for so many more bytes of the body of a response.
    ResponsePull(CallId, u32),
    /// No longer interested in this call.
    Cancel(CallId),

    /// Answer a request.
    Respond {
        /// The request.
        exchange: ExchangeId,
        /// Status and headers.
        head: ResponseHead,
        /// The body, or the promise of one.
        body: Body,
    },
    /// More of the body of a response.
    ResponseChunk(ExchangeId, Chunk),
    /// Ready for so many more bytes of the body of a request.
    RequestPull(ExchangeId, u32),

    /// Deliver [`crate::Event::Timer`] after this long on the node's clock.
    SetTimer(TimerId, Duration),
    /// Forget a timer, or a trigger.
    ClearTimer(TimerId),
    /// As `SetTimer`, for a moment of the wall clock at which something is to begin by itself. A world
    /// that simulates faults may let it go off late, or as [`crate::Event::Misfire`].
    SetTrigger(TimerId, Trigger, Duration),

    /// Give the state of this object: answered by [`crate::Event::Loaded`].
    Load(Box<ObjectKey>),
    /// Make a change of an object's state durable: answered by [`crate::Event::Committed`] with
    /// this number, which the instance counts.
    Commit(u64, Box<ObjectKey>, Box<Changes>),
    /// The handler of the alarm is done: whether it succeeded. Never leaves the runtime.
    AlarmDone(bool),
    /// From now on (true) nothing may enter this instance but what belongs to calls and timers of
    /// later; or all may again (false). Never leaves the runtime.
    Exclusive(bool),
    /// Deliver [`crate::Event::Timer`] once all that this instance has written is durable. Never
    /// leaves the runtime as it is.
    Sync(TimerId),

    /// Say something to the runtime of another node: it may get [`crate::Event::Message`]. Only the
    /// runtime says this.
    Send(NodeId, Box<Message>),
    /// Ask the coordination service: answered by [`crate::Event::Leased`]. Only the runtime says this.
    Lease(Box<LeaseCall>),

    /// A line for people.
    Log(Level, ByteString),
    /// A verdict of `always`, `sometimes`, `reachable` or `unreachable`.
    Check(Box<Check>),
    /// What the workload has drawn, if it was asked to tell ([`crate::Inputs`]). Nothing depends on it but what is
    /// remembered and shown.
    Drawn(Box<Drawn>),
    /// The workload has finished what the present phase asks of it.
    PhaseDone,
    /// An instance came to its end by its own fault; the runtime has dropped it.
    Ended(InstanceId, Box<Fault>),
    /// The node has finished its work after [`crate::Event::Stop`].
    Stopped,
}

/// What begins by itself at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// A cron line.
    Cron,
    /// The alarm of a durable object.
    Alarm,
}

/// Whom a call is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Whatever the URL of the request names. Guests use this one or `Binding`.
    Url,
    /// The service behind this binding (`env.LEDGER.fetch`).
    Binding(ByteString),
    /// A service on a node, and the service that calls it (`None`: from outside of the system):
    /// what the runtime makes of a granted call.
    Service(NodeId, ServiceId, Option<ServiceId>),
    /// A durable object behind this binding (`env.ACCOUNTS.get(id)`).
    Object(ByteString, Box<ObjectId>),
    /// A durable object on the node that owns it, of a service, and the service that calls: what
    /// the runtime makes of a granted call.
    Owner(NodeId, ServiceId, Option<ServiceId>, Box<ObjectKey>),
    /// A granted host outside the system.
    Outside(ByteString),
    /// A call that the runtime refuses: the world answers it with this error.
    Refused(crate::NetError),
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// `console.debug`, `console.trace`
    Debug,
    /// `console.log`, `console.info`
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`, uncaught errors
    Error,
}

/// The kinds of assertion, with the words that Antithesis made common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckKind {
    /// Must hold each time it is reached, and must be reached in the campaign.
    Always,
    /// Must hold at least once in the campaign.
    Sometimes,
    /// Must be reached at least once in the campaign.
    Reachable,
    /// Must never be reached.
    Unreachable,
    /// No rule: names a state for the search, which prefers runs that show new ones.
    Coverage,
}

impl CheckKind {
    /// All there are.
    pub const ALL: [CheckKind; 5] = [
        CheckKind::Always,
        CheckKind::Sometimes,
        CheckKind::Reachable,
        CheckKind::Unreachable,
        CheckKind::Coverage,
    ];

    /// The word for it, which is also the name of the function that guests call.
    pub fn name(self) -> &'static str {
        match self {
            CheckKind::Always => "always",
            CheckKind::Sometimes => "sometimes",
            CheckKind::Reachable => "reachable",
            CheckKind::Unreachable => "unreachable",
            CheckKind::Coverage => "coverage",
        }
    }
}

/// One evaluation of an assertion.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// Its kind.
    pub kind: CheckKind,
    /// Whether the condition held. For `Reachable` and `Coverage` true, for `Unreachable` false.
    pub holds: bool,
    /// The message, which is also the name of the assertion.
    pub message: ByteString,
    /// More about this evaluation, for people.
    pub details: Option<ByteString>,
    /// Where it stands in the source.
    pub location: Option<Location>,
}

impl Check {
    /// Whether this evaluation alone breaks the run.
    pub fn is_violation(&self) -> bool {
        !self.holds && matches!(self.kind, CheckKind::Always | CheckKind::Unreachable)
    }
}

/// The effects of one turn, in order.
pub type Effects = Vec<Effect>;
