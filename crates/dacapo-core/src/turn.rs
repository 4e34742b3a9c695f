//! One run of guest code to quiescence.

use std::fmt;

use bytestring::ByteString;

use crate::plan::Workflow;
use crate::{Address, Entropy, ObjectKey, ServiceId, SharedStorage, Time, WallTime};

/// All that a guest may read without waiting. It does not change within a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The node's monotonic clock.
    pub now: Time,
    /// The node's wall clock.
    pub wall: WallTime,
}

/// What a new instance is told about itself.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Where it lives.
    pub address: Address,
    /// Which service it runs.
    pub service: ServiceId,
    /// The name of that service.
    pub name: ByteString,
    /// The durable object that it is; `None`: it is the service itself.
    pub object: Option<ObjectBoot>,
    /// Where its random numbers come from.
    pub entropy: Entropy,
    /// Variables and secrets, by name; values are JSON texts.
    pub vars: Vec<(ByteString, ByteString)>,
    /// What it may call.
    pub bindings: Vec<Binding>,
    /// How much work one turn may do before it counts as endless. The unit is the engine's own
    /// (for JavaScript: function entries and loop rounds), and the same on every run.
    pub turn_budget: u64,
    /// Upper bound of the guest's memory, in bytes.
    pub memory_max: u64,
}

/// A right to call, by the name that it has in `env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The name in `env`.
    pub name: ByteString,
    /// What it leads to.
    pub to: BindingTo,
}

/// What a binding leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindingTo {
    /// A service.
    Service,
    /// Durable objects: the namespace of their class.
    Objects(ByteString),
    /// Workflows: the namespace of their class.
    Workflows(ByteString),
    /// The queue of this name.
    Queue(ByteString),
    /// The KV namespace of this name.
    Kv(ByteString),
}

/// What the instance of a durable object is told about itself.
#[derive(Clone, Debug)]
pub struct ObjectBoot {
    /// The name of its class, as the module exports it.
    pub class: ByteString,
    /// Which object it is.
    pub key: ObjectKey,
    /// By which name it was reached, if by one.
    pub name: Option<ByteString>,
    /// Its storage.
    pub storage: SharedStorage,
    /// `Some`: it is an instance of a workflow.
    pub workflow: Option<Workflow>,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnEnd {
    /// The guest waits for the next event.
    Quiet {
        /// Whether work is under way that a graceful stop must wait for (an unanswered request,
        /// a promise given to `waitUntil`).
        busy: bool,
    },
    /// The guest broke and the instance must not be used again. The runtime drops the effects of
    /// this turn; logs and checks stay if [`FaultKind::is_exact`].
    Fault(Fault),
}

/// A guest's own failure: data, not a panic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// What happened, for people: `TypeError: x is not a function`.
    pub message: ByteString,
    /// Where in the guest's source.
    pub location: Option<Location>,
}

/// The ways in which a guest can end its own instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// A turn used up its budget.
    Budget,
    /// The guest reached its memory limit. All instances of its node go down with it.
    Memory,
    /// The call stack overflowed.
    Stack,
    /// The module threw while it was loading.
    Load,
    /// The guest panicked or trapped.
    Panic,
    /// The guest gave itself up (`ctx.abort`), or a section that nobody may interrupt failed.
    Abort,
    /// Storage failed: what the instance knew may never have become durable.
    Storage,
    /// The platform ended it, because it needed the room or thought that its work was done.
    Evicted,
    /// Its object lives on another node from now on.
    Moved,
}

impl FaultKind {
    /// Whether the turn stops at the same place on every run. How deep a stack gets and when a
    /// heap is full depend on the engine's build, so nothing of such a turn may be seen.
    pub fn is_exact(self) -> bool {
        !matches!(self, FaultKind::Memory | FaultKind::Stack)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FaultKind::Budget => "turn budget exhausted",
            FaultKind::Memory => "memory limit reached",
            FaultKind::Stack => "stack overflow",
            FaultKind::Load => "the module failed to load",
            FaultKind::Panic => "the guest panicked",
            FaultKind::Abort => "the object was aborted",
            FaultKind::Storage => "the storage failed",
            FaultKind::Evicted => "the instance was evicted",
            FaultKind::Moved => "the object has moved",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        if let Some(location) = &self.location {
            write!(f, " ({location})")?;
        }
        Ok(())
    }
}

/// A place in a guest's source, as its author wrote it (before types were stripped).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Path of the file, relative to the project.
    pub file: ByteString,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in UTF-16 units.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
