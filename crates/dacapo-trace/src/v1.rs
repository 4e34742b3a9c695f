//! Format 1: the types of the file, apart from those of core, so that core can change while old
//! recordings stay readable. Whoever changes what is written here makes a `v2.rs` and leaves this
//! file alone.
//!
//! Everything borrows: from core values when a recording is written, from the chunk when it is read.

mod from_core;
mod head;
mod inputs;
mod placement;
mod store;
mod to_core;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use head::{ChunkHead, Footer, Header};

/// The number of this format.
pub(crate) const VERSION: u32 = 1;

/// Bytes, written in one piece (serde would write a slice byte by byte).
#[derive(Clone, Copy)]
pub(crate) struct Bin<'a>(pub(crate) &'a [u8]);

impl Serialize for Bin<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bin<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(Bin)
    }
}

/// One record of a data chunk.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Record<'a> {
    Delivery(Delivery<'a>),
    Effect(Address, Effect<'a>),
    Note(Note<'a>),
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Delivery<'a> {
    /// Nanoseconds since the delivery before it in this chunk; for the first, since the start.
    pub(crate) after: u64,
    /// The node's clocks, as distances from the world's clock: these repeat, so they compress.
    pub(crate) now_ahead: i64,
    pub(crate) wall_ahead: i64,
    pub(crate) to: Address,
    pub(crate) event: Event<'a>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) node: u32,
    pub(crate) instance: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Event<'a> {
    Boot {
        entropy: [u8; 32],
        incarnation: u32,
    },
    Crash,
    Stop,
    Phase(Phase),
    Request {
        exchange: u64,
        service: u32,
        from: Option<u32>,
        object: Option<ObjectKey<'a>>,
        head: RequestHead<'a>,
        body: Body<'a>,
    },
    RequestChunk(u64, Chunk<'a>),
    ResponseCredit(u64, u32),
    Cancelled(u64),
    Scheduled {
        service: u32,
        cron: &'a str,
    },
    Response {
        call: u64,
        head: ResponseHead<'a>,
        body: Body<'a>,
    },
    ResponseChunk(u64, Chunk<'a>),
    RequestCredit(u64, u32),
    Failed(u64, NetError<'a>),
    Timer(u64),
    StoreOpened(Result<Vec<(ObjectKey<'a>, i64)>, StorageError<'a>>),
    Loaded(Result<Option<Image<'a>>, StorageError<'a>>),
    Committed(u64, Result<(), StorageError<'a>>),
    Alarm {
        scheduled: i64,
        retry: u32,
    },
    // As `Scheduled`, which is read only.
    CronDue {
        service: u32,
        cron: &'a str,
        scheduled: i64,
    },
    Misfire(u64, u32),
    Evict {
        exchange: Option<u64>,
        kind: FaultKind,
    },
    Deploy(u32),
    Message(u32, Message<'a>),
    Leased(u64, Result<Vec<LeaseRecord<'a>>, NetError<'a>>),
    Begin(Inputs<'a>),
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Inputs<'a> {
    pub(crate) given: Vec<(DecisionKey<'a>, u64)>,
    pub(crate) only_given_rounds: bool,
    pub(crate) narrows: Option<u64>,
    pub(crate) at_once: bool,
    pub(crate) tells: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Drawn<'a> {
    pub(crate) key: DecisionKey<'a>,
    pub(crate) chosen: u64,
    pub(crate) range: u64,
    pub(crate) says: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct DecisionKey<'a> {
    pub(crate) lane: &'a str,
    pub(crate) what: &'a str,
    pub(crate) cause: &'a str,
    pub(crate) nth: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Effect<'a> {
    Fetch { call: u64, target: Target<'a>, head: RequestHead<'a>, body: Body<'a> },
    RequestChunk(u64, Chunk<'a>),
    ResponsePull(u64, u32),
    Cancel(u64),
    Respond { exchange: u64, head: ResponseHead<'a>, body: Body<'a> },
    ResponseChunk(u64, Chunk<'a>),
    RequestPull(u64, u32),
    SetTimer { timer: u64, seconds: u64, nanos: u32 },
    ClearTimer(u64),
    Log(Level, &'a str),
    Check(Check<'a>),
    PhaseDone,
    Ended(u32, Fault<'a>),
    Stopped,
    Load(ObjectKey<'a>),
    Commit(u64, ObjectKey<'a>, Changes<'a>),
    // The runtime keeps these three to itself, so only a recording of something else holds them.
    AlarmDone(bool),
    Exclusive(bool),
    Sync(u64),
    SetTrigger { timer: u64, trigger: Trigger, seconds: u64, nanos: u32 },
    Send(u32, Message<'a>),
    Lease(LeaseCall<'a>),
    Drawn(Drawn<'a>),
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Message<'a> {
    pub(crate) name: &'a str,
    pub(crate) body: Bin<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct LeaseCall<'a> {
    pub(crate) number: u64,
    pub(crate) group: &'a str,
    pub(crate) swaps: Vec<LeaseSwap<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct LeaseSwap<'a> {
    pub(crate) key: u32,
    pub(crate) expected: u64,
    pub(crate) value: &'a str,
    pub(crate) ttl_nanos: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct LeaseRecord<'a> {
    pub(crate) key: u32,
    pub(crate) version: u64,
    pub(crate) value: &'a str,
    pub(crate) is_held: bool,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Trigger {
    Cron,
    Alarm,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct ObjectKey<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) id: [u8; 32],
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Image<'a> {
    pub(crate) bytes: Bin<'a>,
    pub(crate) alarm: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Changes<'a> {
    pub(crate) len: u64,
    pub(crate) writes: Vec<(u64, Bin<'a>)>,
    pub(crate) alarm: Option<Option<i64>>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct StorageError<'a> {
    pub(crate) kind: StorageErrorKind,
    pub(crate) message: &'a str,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum StorageErrorKind {
    Guest,
    Disk,
    Full,
    Corrupt,
    Newer,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Note<'a> {
    pub(crate) at: u64,
    pub(crate) kind: NoteKind,
    pub(crate) text: &'a str,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum NoteKind {
    FaultBegins,
    FaultEnds,
    Fault,
    Carries { exchange: u64, caller: Address, call: u64 },
    Info,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Phase {
    Setup,
    Drive,
    Heal,
    Judge,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct RequestHead<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: Vec<(&'a str, Bin<'a>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct ResponseHead<'a> {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'a str, Bin<'a>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Body<'a> {
    Empty,
    Full(Bin<'a>),
    Stream,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Chunk<'a> {
    Data(Bin<'a>),
    End,
    Abort(&'a str),
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum NetError<'a> {
    Denied(&'a str),
    Unknown(&'a str),
    Refused,
    Reset,
    TimedOut,
    Broken(&'a str),
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Target<'a> {
    Url,
    Binding(&'a str),
    Service(u32, u32, Option<u32>),
    Outside(&'a str),
    Refused(NetError<'a>),
    Object(&'a str, [u8; 32]),
    Owner(u32, u32, Option<u32>, ObjectKey<'a>),
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum CheckKind {
    Always,
    Sometimes,
    Reachable,
    Unreachable,
    Coverage,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Check<'a> {
    pub(crate) kind: CheckKind,
    pub(crate) holds: bool,
    pub(crate) message: &'a str,
    pub(crate) details: Option<&'a str>,
    pub(crate) location: Option<Location<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Fault<'a> {
    pub(crate) kind: FaultKind,
    pub(crate) message: &'a str,
    pub(crate) location: Option<Location<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum FaultKind {
    Budget,
    Memory,
    Stack,
    Load,
    Panic,
    Abort,
    Storage,
    Evicted,
    Moved,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Location<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}
