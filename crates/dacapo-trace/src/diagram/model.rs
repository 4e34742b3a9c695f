//! What a sequence diagram consists of: lanes, rows, arrows, spans. Nothing here knows how it is drawn.

use dacapo_core::{ExchangeId, Location, Time};

use crate::Identity;

/// A recording, or the part of it that matters, as a sequence diagram.
#[derive(Clone, Debug)]
pub struct Diagram {
    /// Whose run it is.
    pub identity: Identity,
    /// How the run ended, in words.
    pub ending: String,
    /// The check that broke, if one did.
    pub broken: Option<Broken>,
    /// From left to right.
    pub lanes: Vec<Lane>,
    /// From top to bottom, in the order of the run.
    pub rows: Vec<Row>,
    /// What goes from one lane to another.
    pub arrows: Vec<Arrow>,
    /// Faults that last.
    pub spans: Vec<Span>,
    /// Every fault of the run, also those that are not drawn.
    pub faults: Vec<Fault>,
    /// How many events the run has.
    pub events: u64,
    /// How many of them are not drawn.
    pub left_out: u64,
}

/// The check that broke the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// `always` or `unreachable`.
    pub kind: &'static str,
    /// The message, as its author wrote it, free of control characters.
    pub message: String,
    /// More about it, line by line.
    pub details: Vec<String>,
    /// Where it stands.
    pub location: Option<Location>,
    /// The event in whose turn it broke.
    pub event: u64,
    /// When.
    pub at: Time,
    /// On which node.
    pub node: String,
}

/// A node, or the outside of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// The services and objects on it that the diagram speaks of.
    pub details: Vec<String>,
    /// When it was not up, as pairs of crash and next boot.
    pub down: Vec<(Time, Time)>,
}

/// Something at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When, on the world's clock.
    pub at: Time,
    /// In which event.
    pub event: u64,
    /// What.
    pub what: What,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// This arrow leaves its sender.
    Departs(usize),
    /// This arrow reaches its receiver.
    Arrives(usize),
    /// Something on one lane, or on several.
    Point(Point),
    /// The scenario enters a phase.
    Phase(String),
    /// Events that are left out here, and the time that they took.
    Gap {
        /// How many.
        events: u64,
        /// How long.
        lasts: std::time::Duration,
    },
}

/// What an arrow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrowKind {
    /// A request.
    Request,
    /// Its response.
    Response,
    /// A message between the runtimes of two nodes.
    Message,
}

/// What became of an arrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Arrived,
    /// It never did, for this reason.
    Lost(String),
    /// It was still under way when the recording ends.
    UnderWay,
}

/// A request, a response or a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// What it is.
    pub kind: ArrowKind,
    /// The lane that it leaves.
    pub from: usize,
    /// The lane that it is for.
    pub to: usize,
    /// What it says, in short: `POST /transfer`, `200`.
    pub text: String,
    /// The service or object that it is for.
    pub whom: String,
    /// The beginning of its body.
    pub body: String,
    /// Whether it is good or bad news.
    pub tone: Tone,
    /// What became of it.
    pub fate: Fate,
    /// What the network did to it otherwise: late, doubled.
    pub remark: String,
    /// The request that it is or answers.
    pub exchange: Option<ExchangeId>,
    /// When it left, if that is in the recording.
    pub sent: Option<Time>,
    /// When it arrived.
    pub arrived: Option<Time>,
}

/// How something is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it comes.
    Plain,
    /// Good news.
    Good,
    /// Bad news.
    Bad,
    /// The world's doing.
    Fault,
    /// Of less interest.
    Faint,
}

/// What a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// A line that a guest wrote.
    Log,
    /// A check that says nothing bad.
    Check,
    /// A check that broke.
    Broken,
    /// A node went down.
    Crash,
    /// A node came up.
    Boot,
    /// Something became durable, or did not.
    Disk,
    /// A timer, an alarm, a trigger.
    Clock,
    /// A call failed, an instance ended.
    Failure,
    /// The world did something.
    Fault,
    /// Anything else.
    Other,
}

/// Something that happens at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Where: one lane, or all that a fault concerns. Empty: none in particular.
    pub lanes: Vec<usize>,
    /// What it is.
    pub kind: PointKind,
    /// Whether it is good or bad news.
    pub tone: Tone,
    /// What happens.
    pub text: String,
    /// Where it stands in the source, if it does.
    pub location: Option<Location>,
}

/// A fault that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The lanes that it concerns.
    pub lanes: Vec<usize>,
    /// What.
    pub text: String,
    /// From when on.
    pub begins: Time,
    /// Until when; `None`: to the end.
    pub ends: Option<Time>,
}

/// A line of the table of faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it struck or began.
    pub at: Time,
    /// When it ended, of one that lasts.
    pub until: Option<Time>,
    /// Its name: `net.loss`.
    pub name: String,
    /// What it did to whom.
    pub text: String,
}

impl Diagram {
    /// The time at which the diagram ends.
    pub fn end(&self) -> Time {
        self.rows.iter().map(|row| row.at).max().unwrap_or(Time::ZERO)
    }

    /// Whether this lane was down at that time. It is up in the moments of its crash and of its boot.
    pub(crate) fn is_down(&self, lane: usize, at: Time) -> bool {
        self.lanes[lane].down.iter().any(|(from, until)| *from < at && at < *until)
    }

    /// The fault that lasts on this lane at that time.
    pub(crate) fn span_at(&self, lane: usize, at: Time) -> Option<&Span> {
        let lasts = |span: &&Span| span.begins <= at && span.ends.is_none_or(|ends| at < ends);
        self.spans.iter().filter(lasts).find(|span| span.lanes.contains(&lane))
    }
}
