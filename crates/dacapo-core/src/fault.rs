//! The catalogue of faults: what can be switched on by name, and with which parameters.
//!
//! The Sim world makes them happen, the configuration checks names against this list, the docs
//! are written from it.

use std::fmt;
use std::time::Duration;

/// The value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Param {
    /// A length of virtual time.
    Duration(Duration),
    /// A share from 0 to 1, a factor, or a count.
    Number(f64),
    /// Whether or not.
    Flag(bool),
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Param::Duration(d) => write!(f, "{d:?}"),
            Param::Number(n) => write!(f, "{n}"),
            Param::Flag(is_set) => write!(f, "{is_set}"),
        }
    }
}

/// A parameter of a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec {
    /// Its name.
    pub name: &'static str,
    /// Its value unless a scenario says otherwise. A seed draws its own strength up to this value.
    pub default: Param,
    /// What it means.
    pub doc: &'static str,
}

/// A fault that the Sim world can make happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultKind {
    /// Its name: `group.what`, where `network` is shortened to `net`.
    pub name: &'static str,
    /// The word that switches on the whole group: `network`, `process`, `clock`, `lease`, `disk`,
    /// `platform`.
    pub group: &'static str,
    /// What it does and what a guest sees of it.
    pub doc: &'static str,
    /// Its parameters.
    pub params: &'static [ParamSpec],
}

const fn span(name: &'static str, millis: u64, doc: &'static str) -> ParamSpec {
    ParamSpec { name, default: Param::Duration(Duration::from_millis(millis)), doc }
}

const fn number(name: &'static str, default: f64, doc: &'static str) -> ParamSpec {
    ParamSpec { name, default: Param::Number(default), doc }
}

const fn flag(name: &'static str, doc: &'static str) -> ParamSpec {
    ParamSpec { name, default: Param::Flag(false), doc }
}

const fn kind(
    name: &'static str,
    group: &'static str,
    doc: &'static str,
    params: &'static [ParamSpec],
) -> FaultKind {
    FaultKind { name, group, doc, params }
}

/// Every fault, in the order of the docs.
pub const CATALOGUE: &[FaultKind] = &[
    kind(
        "net.delay",
        "network",
        "Some messages take much longer than others (a long tail), so they overtake each other.",
        &[number("rate", 0.1, "share of messages that are late"), span("max", 2_000, "how late at most")],
    ),
    kind(
        "net.loss",
        "network",
        "A request or its response is lost: the caller sees a failed request, or hangs until its own timeout.",
        &[
            number("rate", 0.05, "share of messages that are lost"),
            number("hangs", 0.5, "share of losses that the caller is not told of"),
        ],
    ),
    kind(
        "net.duplicate",
        "network",
        "A request with an idempotent method (RFC 9110, section 9.2.2) arrives twice, as proxies that retry make it.",
        &[number("rate", 0.05, "share of such requests that arrive twice")],
    ),
    kind(
        "net.partition",
        "network",
        "The nodes fall into two sides that cannot reach each other, or only in one direction.",
        &[
            span("every", 10_000, "mean time between two partitions"),
            span("lasts", 5_000, "how long at most"),
            number("oneway", 0.3, "share of partitions that cut one direction only"),
        ],
    ),
    kind(
        "net.clog",
        "network",
        "One link holds everything back, then lets it through at once.",
        &[span("every", 5_000, "mean time between two clogs"), span("lasts", 3_000, "how long at most")],
    ),
    kind(
        "net.reset",
        "network",
        "The connection breaks in the middle of a response: the head has come, the body fails.",
        &[number("rate", 0.02, "share of responses that break")],
    ),
    kind(
        "net.bandwidth",
        "network",
        "Links carry few bytes a second, so long bodies take long.",
        &[number("bytes_per_second", 1_000_000.0, "what a link carries; a seed draws up to ten times less")],
    ),
    kind(
        "process.crash",
        "process",
        "A node dies with all of its memory and boots again.",
        &[
            span("every", 15_000, "mean time between two crashes, over all nodes"),
            number("after_turn", 0.0, "how many of all turns on a node it crashes right after, from 0 to 1"),
            span("down", 3_000, "how long it stays down at most"),
        ],
    ),
    kind(
        "process.pause",
        "process",
        "A node stands still (a long collection, a frozen machine), then goes on as if nothing had been.",
        &[
            span("every", 10_000, "mean time between two pauses, over all nodes"),
            span("lasts", 2_000, "how long at most"),
        ],
    ),
    kind(
        "process.stop",
        "process",
        "A node is asked to stop, finishes what is under way, and boots again (a deploy).",
        &[
            span("every", 20_000, "mean time between two stops, over all nodes"),
            span("grace", 5_000, "how long it may take before it is killed"),
            span("down", 1_000, "how long it stays down at most"),
        ],
    ),
    kind(
        "process.slow",
        "process",
        "A node takes long for everything.",
        &[
            span("every", 10_000, "mean time between two slow spells, over all nodes"),
            span("lasts", 5_000, "how long at most"),
            span("delay", 200, "what each of its turns costs at most"),
        ],
    ),
    kind(
        "clock.skew",
        "clock",
        "The wall clocks of the nodes differ by a constant.",
        &[span("max", 5_000, "how far off a clock is at most")],
    ),
    kind(
        "clock.drift",
        "clock",
        "The clocks of the nodes run at different speeds; timers too.",
        &[number("max", 0.01, "how much faster or slower at most, as a share")],
    ),
    kind(
        "clock.jump",
        "clock",
        "The wall clock of a node jumps forwards or backwards.",
        &[
            span("every", 10_000, "mean time between two jumps, over all nodes"),
            span("max", 60_000, "how far at most"),
        ],
    ),
    kind(
        "lease.slow",
        "lease",
        "The coordination service takes long for some calls: what it was asked for is done late, or its answer is late.",
        &[number("rate", 0.2, "share of calls that are slow"), span("max", 5_000, "how slow at most")],
    ),
    kind(
        "lease.unavailable",
        "lease",
        "A node, or every node, gets no answer from the coordination service. What it asked for may be done all the same.",
        &[
            span("every", 15_000, "mean time between two spells"),
            span("lasts", 8_000, "how long at most"),
            number("all", 0.3, "share of spells that hit every node"),
        ],
    ),
    kind(
        "lease.early",
        "lease",
        "A lease ends before its time, so its holder and the next one both take themselves for the owner.",
        &[span("every", 5_000, "mean time between two strikes")],
    ),
    kind(
        "disk.torn",
        "disk",
        "The power fails in the middle of writing: of what was not synced any part survives, by sector.",
        &[number("rate", 0.8, "share of crashes that are such")],
    ),
    kind(
        "disk.eio",
        "disk",
        "The device fails an operation. After a failed sync nobody knows what is durable.",
        &[
            number("rate", 0.001, "share of reads and writes that fail"),
            number("sync", 0.001, "share of syncs that fail"),
        ],
    ),
    kind(
        "disk.full",
        "disk",
        "No space is left: what would make a file longer fails, until space returns.",
        &[
            span("every", 20_000, "mean time between two spells, over all nodes"),
            span("lasts", 5_000, "how long at most"),
        ],
    ),
    kind(
        "disk.short_read",
        "disk",
        "A read gives fewer bytes than there are.",
        &[number("rate", 0.05, "share of reads that are short")],
    ),
    kind(
        "disk.latency",
        "disk",
        "A disk is slow for a while.",
        &[
            span("every", 10_000, "mean time between two slow spells, over all nodes"),
            span("lasts", 5_000, "how long at most"),
            number("factor", 50.0, "how many times slower at most"),
        ],
    ),
    kind(
        "disk.stall",
        "disk",
        "An operation takes very long, and everything behind it waits.",
        &[number("rate", 0.001, "share of operations that stall"), span("lasts", 3_000, "how long at most")],
    ),
    kind(
        "disk.bitrot",
        "damage",
        "A bit flips: in what a read gives, or in a sector that was being written when the power failed.",
        &[
            number("rate", 0.001, "share of reads that are hit"),
            number("at_crash", 0.3, "share of power failures that leave such a sector"),
            flag("beyond", "bits that were read flip for good, wherever they are"),
        ],
    ),
    kind(
        "disk.misdirected",
        "damage",
        "A read gives what stands elsewhere, or a sector that was being written when the power failed went elsewhere.",
        &[
            number("rate", 0.001, "share of reads (beyond: and of writes) that are hit"),
            number("at_crash", 0.3, "share of power failures that leave such a sector"),
            flag("beyond", "writes are hit, too, wherever they go"),
        ],
    ),
    kind(
        "disk.lying_sync",
        "damage",
        "A sync says that it is done before it is.",
        &[
            number("rate", 0.1, "share of syncs that lie"),
            flag("beyond", "what it lied about can be lost when the power fails"),
        ],
    ),
    kind(
        "disk.lost",
        "damage",
        "A disk is gone, and an empty one is there at the next boot.",
        &[
            span("every", 60_000, "mean time between two losses, over all nodes"),
            flag("beyond", "a disk can be lost on which something is durable that somebody relies on"),
        ],
    ),
    kind(
        "cron.skipped",
        "platform",
        "A cron line is due, and nothing runs.",
        &[number("rate", 0.1, "share of firings that are skipped")],
    ),
    kind(
        "cron.doubled",
        "platform",
        "A cron line is due once, and `scheduled` runs twice for the same moment.",
        &[number("rate", 0.1, "share of firings that are doubled")],
    ),
    kind(
        "alarm.late",
        "platform",
        "The alarm of a durable object rings later than it was set for.",
        &[number("rate", 0.1, "share of alarms that are late"), span("max", 60_000, "how late at most")],
    ),
    kind(
        "alarm.duplicated",
        "platform",
        "The alarm of a durable object rings twice for the same moment.",
        &[number("rate", 0.1, "share of alarms that ring twice")],
    ),
    kind(
        "queue.redelivered",
        "platform",
        "A batch was handled, the queue does not hear of it, and hands its messages over again.",
        &[number("rate", 0.1, "share of batches that come again")],
    ),
    kind(
        "queue.split",
        "platform",
        "A batch comes in parts.",
        &[number("rate", 0.2, "share of batches that are split")],
    ),
    kind(
        "object.evicted",
        "platform",
        "A durable object leaves memory in the middle of a request: its caller gets an error, and the next call finds what is on the disk.",
        &[
            number("rate", 0.05, "share of requests to objects that this may hit"),
            span("max", 100, "how long after the request at most; one that was answered by then is not hit"),
        ],
    ),
    kind(
        "object.moved",
        "platform",
        "A durable object with replicas goes to another node in the middle of a request: its caller gets an error, and the next call finds it there.",
        &[
            number("rate", 0.02, "share of requests to objects that this may hit"),
            span("max", 100, "how long after the request at most; one that was answered by then is not hit"),
        ],
    ),
    kind(
        "object.doubled",
        "platform",
        "A request for a durable object reaches a node that it does not live on, as if it should become active a second time.",
        &[number("rate", 0.02, "share of requests to objects that go astray")],
    ),
    kind(
        "wait_until.cut",
        "platform",
        "An instance ends while it still works on what was given to `waitUntil`.",
        &[
            number("rate", 0.1, "share of answers after which this may happen"),
            span("max", 1_000, "how long after the answer at most"),
        ],
    ),
    kind(
        "deploy.rolling",
        "platform",
        "A node changes to the other version of the services that have one (`next`), while other nodes run the first; requests under way are finished by the version that began them, and objects begin anew.",
        &[span("every", 15_000, "mean time between two changes, over all nodes")],
    ),
    kind(
        "cpu.killed",
        "platform",
        "An instance ends in the middle of a request, as if a turn of it had used up its budget.",
        &[
            number("rate", 0.02, "share of requests that this may hit"),
            span("max", 100, "how long after the request at most; one that was answered by then is not hit"),
        ],
    ),
];

/// The fault of this name.
pub fn find(name: &str) -> Option<&'static FaultKind> {
    CATALOGUE.iter().find(|kind| kind.name == name)
}

/// The faults of this group.
pub fn group(name: &str) -> impl Iterator<Item = &'static FaultKind> {
    CATALOGUE.iter().filter(move |kind| kind.group == name)
}
