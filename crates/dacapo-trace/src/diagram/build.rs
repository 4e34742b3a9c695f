//! Makes of each entry of a recording what can be drawn of it.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_core::{
    Address, Body, Check, Chunk, Delivery, Drawn, Effect, Event, ExchangeId, Fault as GuestFault, InstanceId,
    Level, Location, NodeId, Note, NoteKind, ObjectKey, Phase, RequestHead, RoundKey, Target, Time,
};

use super::faults::{Cut, Faults};
use super::model::{Arrow, ArrowKind, Fate, PointKind, Tone};
use super::text::span;
use crate::names::Names;
use crate::print::{clean, excerpt_of, length_of};
use crate::{Causes, Identity, Part, Record};

/// The lane of what is outside of the system; the lane of a node is its number and one more.
pub(super) const OUTSIDE: usize = 0;

/// What is said of a message that arrives a second time.
pub(super) const ONCE_MORE: &str = "once more";

/// How much of a body that is no text is searched for words.
const WORDS_BYTES_MAX: usize = 160;

/// What is said of a request that a guest makes as it made one before.
const AGAIN: &str = "the same again";

/// Something to draw, and how much it matters beside others that are as far from the failure: 0 is much.
pub(super) struct Item {
    pub(super) index: usize,
    pub(super) at: Time,
    pub(super) event: u64,
    pub(super) weight: u32,
    pub(super) kind: ItemKind,
}

pub(super) enum ItemKind {
    Departs(usize),
    Arrives(usize),
    Point(PointKind, Tone, Vec<usize>, String, Option<Location>),
    Phase(String),
}

/// Everything of a recording that can be drawn.
pub(super) struct Built {
    pub(super) items: Vec<Item>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) faults: Faults,
    /// What each lane was heard of: services, objects; by the record that it stands in.
    pub(super) details: Vec<(usize, usize, String)>,
    pub(super) down: BTreeMap<usize, Vec<(Time, Time)>>,
    pub(super) workload: Option<usize>,
    /// Requests that say word for word what one said before that got no good answer, with that one.
    pub(super) again: BTreeMap<usize, usize>,
}

struct Builder<'a> {
    out: Built,
    names: Names,
    causes: &'a Causes,
    records: &'a [Record],
    /// The arrow that left with each effect.
    sent: BTreeMap<usize, usize>,
    /// The effects that are known to have arrived where they were sent.
    arrive: BTreeSet<usize>,
    requests: BTreeMap<ExchangeId, usize>,
    responses: BTreeMap<ExchangeId, usize>,
    /// What each node has asked for that is not safe to ask for twice, and the last arrow of it.
    asked: BTreeMap<Question<'a>, usize>,
    /// The effects of commits that the disk has not answered.
    commits: BTreeMap<(Address, u64), usize>,
    /// Which nodes are down, and since when.
    downs: BTreeMap<NodeId, Time>,
    /// The fault that makes the node crash which crashes next.
    announced: Option<(Time, String)>,
    /// The turn in which the workload was last heard of a round, the item that tells of it, and the round.
    round: Option<(u64, usize, RoundKey)>,
}

/// From where, how, what, and the body.
type Question<'a> = (NodeId, &'a str, &'a str, &'a [u8]);

/// Builds all.
pub(super) fn build(identity: &Identity, records: &[Record], causes: &Causes) -> Built {
    let mut builder = Builder {
        out: Built {
            items: Vec::new(),
            arrows: Vec::new(),
            faults: Faults::of(identity, records),
            details: Vec::new(),
            down: BTreeMap::new(),
            workload: None,
            again: BTreeMap::new(),
        },
        names: Names::new(identity),
        causes,
        records,
        sent: BTreeMap::new(),
        arrive: arrivals(records, causes),
        requests: BTreeMap::new(),
        responses: BTreeMap::new(),
        asked: BTreeMap::new(),
        commits: BTreeMap::new(),
        downs: BTreeMap::new(),
        announced: None,
        round: None,
    };
    for (index, record) in records.iter().enumerate() {
        builder.names.learn(&record.part);
        match &record.part {
            Part::Delivery(delivery) => builder.delivery(index, record, delivery),
            Part::Effect(from, effect) => builder.effect(index, record, *from, effect),
            Part::Note(note) => builder.note(index, record, note),
        }
    }
    builder.finish()
}

/// The effects that a delivery brings to where they were sent.
fn arrivals(records: &[Record], causes: &Causes) -> BTreeSet<usize> {
    let mut arrive = BTreeSet::new();
    for (index, record) in records.iter().enumerate() {
        if let Part::Delivery(delivery) = &record.part
            && matches!(delivery.event, Event::Request { .. } | Event::Response { .. } | Event::Message(..))
        {
            arrive.extend(causes.cause(index));
        }
    }
    arrive
}

fn lane(node: NodeId) -> usize {
    node.0 as usize + 1
}

impl<'a> Builder<'a> {
    fn item(&mut self, index: usize, weight: u32, kind: ItemKind) {
        let record = &self.records[index];
        self.out.items.push(Item { index, at: record.at, event: record.event, weight, kind });
    }

    fn point(&mut self, index: usize, weight: u32, node: NodeId, kind: PointKind, tone: Tone, text: String) {
        self.item(index, weight, ItemKind::Point(kind, tone, vec![lane(node)], text, None));
    }

    fn detail(&mut self, index: usize, node: NodeId, text: String) {
        self.out.details.push((index, lane(node), text));
    }

    fn delivery(&mut self, index: usize, record: &Record, delivery: &Delivery) {
        let (to, event) = (delivery.to, &delivery.event);
        let node = to.node;
        match event {
            Event::Boot { incarnation, .. } => {
                if let Some(crashed) = self.downs.remove(&node) {
                    self.out.down.entry(lane(node)).or_default().push((crashed, record.at));
                }
                let text = if *incarnation == 0 { "boots" } else { "boots again" };
                let weight = if *incarnation == 0 { 20 } else { 0 };
                self.point(index, weight, node, PointKind::Boot, Tone::Plain, text.into());
            }
            Event::Crash => {
                self.downs.insert(node, record.at);
                let announced = self.announced.take().filter(|(at, _)| *at == record.at);
                let text =
                    announced.map_or_else(|| "crashes".to_owned(), |(_, text)| format!("crashes ({text})"));
                self.point(index, 0, node, PointKind::Crash, Tone::Fault, text);
            }
            Event::Stop => {
                self.point(index, 1, node, PointKind::Other, Tone::Fault, "is asked to stop".into())
            }
            Event::Deploy(version) => {
                let text = format!("runs version {} from now on", version + 1);
                self.point(index, 1, node, PointKind::Other, Tone::Fault, text);
            }
            Event::Begin(_) => {
                self.out.workload = Some(lane(node));
                self.item(index, 1, ItemKind::Phase(Phase::Setup.to_string()));
            }
            Event::Phase(phase) => {
                self.out.workload = Some(lane(node));
                self.item(index, 1, ItemKind::Phase(phase.to_string()));
            }
            Event::Request { .. } => self.request(index, record, delivery),
            Event::Response { .. } => self.arrives(index, record),
            Event::Message(..) => self.arrives(index, record),
            Event::Failed(_, error) => {
                self.failed(index, record);
                let text = format!("its call failed: {}", clean(&error.to_string()));
                self.point(index, 0, node, PointKind::Failure, Tone::Bad, text);
            }
            Event::ResponseChunk(_, Chunk::Abort(why)) | Event::RequestChunk(_, Chunk::Abort(why)) => {
                let text = format!("the body breaks off: {}", clean(why));
                self.point(index, 1, node, PointKind::Failure, Tone::Bad, text);
            }
            Event::Cancelled(_) => {
                self.point(
                    index,
                    6,
                    node,
                    PointKind::Other,
                    Tone::Faint,
                    "its caller waits no longer".into(),
                );
            }
            Event::Scheduled { cron, .. } => {
                let text = format!("cron {}", clean(cron));
                self.point(index, 1, node, PointKind::Clock, Tone::Plain, text);
            }
            Event::Misfire(_, times) => {
                let text = format!("a timer goes off {times} times");
                self.point(index, 1, node, PointKind::Clock, Tone::Fault, text);
            }
            Event::Alarm { retry, .. } => {
                let text =
                    if *retry == 0 { "alarm".to_owned() } else { format!("alarm (try {})", retry + 1) };
                self.point(index, 1, node, PointKind::Clock, Tone::Plain, text);
            }
            Event::Timer(_) => self.timer(index, record, to),
            Event::Evict { kind, .. } => {
                let text = format!("the platform ends an instance: {kind}");
                self.point(index, 1, node, PointKind::Fault, Tone::Fault, text);
            }
            Event::StoreOpened(Err(error)) => {
                let text = format!("the store cannot be opened: {}", clean(&error.message));
                self.point(index, 0, node, PointKind::Disk, Tone::Bad, text);
            }
            Event::Loaded(Err(error)) => {
                let text = format!("an object cannot be loaded: {}", clean(&error.message));
                self.point(index, 0, node, PointKind::Disk, Tone::Bad, text);
            }
            Event::Committed(number, result) => {
                let Some(effect) = self.commits.remove(&(to, *number)) else { return };
                let what = self.commit(effect);
                let (weight, tone, text) = match result {
                    Ok(()) => (3, Tone::Faint, format!("durable: {what}")),
                    Err(error) => (0, Tone::Bad, format!("NOT durable: {what}: {}", clean(&error.message))),
                };
                self.point(index, weight, node, PointKind::Disk, tone, text);
            }
            Event::Leased(_, Err(error)) => {
                let text = format!("no leases: {}", clean(&error.to_string()));
                self.point(index, 2, node, PointKind::Failure, Tone::Bad, text);
            }
            Event::Leased(_, Ok(records)) => {
                let held = records.iter().filter(|record| record.is_held).count();
                let text = format!("leases: {held} of {} held", records.len());
                self.point(index, 9, node, PointKind::Other, Tone::Faint, text);
            }
            Event::ResponseChunk(..)
            | Event::RequestChunk(..)
            | Event::ResponseCredit(..)
            | Event::RequestCredit(..)
            | Event::StoreOpened(Ok(_))
            | Event::Loaded(Ok(_)) => {}
        }
    }

    fn timer(&mut self, index: usize, record: &Record, to: Address) {
        // A runtime's own timers are housekeeping.
        let weight = if to.instance == InstanceId::RUNTIME { 12 } else { 6 };
        let set = self.causes.cause(index).map(|cause| record.at.since(self.records[cause].at));
        let text = set.map_or_else(|| "timer".to_owned(), |ago| format!("timer, set {} before", span(ago)));
        self.point(index, weight, to.node, PointKind::Clock, Tone::Faint, text);
    }

    fn commit(&self, index: usize) -> String {
        let Part::Effect(_, Effect::Commit(_, key, changes)) = &self.records[index].part else {
            return "a write".to_owned();
        };
        let writes = match (changes.writes.len(), changes.alarm) {
            (0, Some(Some(_))) => "the alarm".to_owned(),
            (0, Some(None)) => "no alarm".to_owned(),
            (1, _) => "1 write".to_owned(),
            (n, _) => format!("{n} writes"),
        };
        format!("{writes} of {}", short_key(key))
    }

    fn request(&mut self, index: usize, record: &Record, delivery: &Delivery) {
        let Event::Request { exchange, service, object, head, body, .. } = &delivery.event else { return };
        self.detail(index, delivery.to.node, clean(&self.names.service(*service)));
        if let Some(key) = object {
            self.detail(index, delivery.to.node, short_key(key));
        }
        let to = lane(delivery.to.node);
        let known = self.causes.cause(index).and_then(|cause| self.sent.get(&cause).copied());
        let whom = object.as_ref().map_or_else(|| clean(&self.names.service(*service)), |key| short_key(key));
        let arrow = match known {
            Some(arrow) if self.out.arrows[arrow].arrived.is_none() => arrow,
            // It comes again.
            Some(first) => {
                let copy = Arrow { remark: ONCE_MORE.into(), ..self.out.arrows[first].clone() };
                self.out.arrows.push(copy);
                self.out.arrows.len() - 1
            }
            None => {
                let arrow = new_arrow(ArrowKind::Request, OUTSIDE, to, request_text(head), None);
                self.out.arrows.push(Arrow { body: body_text(body), ..arrow });
                self.out.arrows.len() - 1
            }
        };
        let it = &mut self.out.arrows[arrow];
        // Where it arrives can be another node than the one that it was sent to.
        it.to = to;
        it.whom = whom;
        it.exchange = Some(*exchange);
        it.arrived = Some(record.at);
        it.fate = Fate::Arrived;
        self.requests.insert(*exchange, arrow);
        self.item(index, 0, ItemKind::Arrives(arrow));
    }

    fn arrives(&mut self, index: usize, record: &Record) {
        let Some(sent) = self.causes.cause(index) else { return };
        let Some(arrow) = self.sent.get(&sent).copied() else { return };
        let is_answer = !matches!(&self.records[sent].part, Part::Effect(_, Effect::Fetch { .. }));
        if !is_answer {
            // A response that nobody in the recording has sent comes from outside.
            let call = &self.out.arrows[arrow];
            let text = match &record.part {
                Part::Delivery(Delivery { event: Event::Response { head, .. }, .. }) => {
                    head.status.to_string()
                }
                _ => return,
            };
            let (from, to) = (call.to, call.from);
            self.out.arrows[arrow].fate = Fate::Arrived;
            let response = new_arrow(ArrowKind::Response, from, to, text, None);
            self.out.arrows.push(Arrow { arrived: Some(record.at), fate: Fate::Arrived, ..response });
            let response = self.out.arrows.len() - 1;
            return self.item(index, 0, ItemKind::Arrives(response));
        }
        let arrow = match self.out.arrows[arrow].arrived {
            None => arrow,
            Some(_) => {
                let copy = Arrow { remark: ONCE_MORE.into(), ..self.out.arrows[arrow].clone() };
                self.out.arrows.push(copy);
                self.out.arrows.len() - 1
            }
        };
        self.out.arrows[arrow].arrived = Some(record.at);
        self.out.arrows[arrow].fate = Fate::Arrived;
        let weight = if self.out.arrows[arrow].kind == ArrowKind::Message { 3 } else { 0 };
        self.item(index, weight, ItemKind::Arrives(arrow));
    }

    /// A call has failed: what of it did not arrive is lost.
    fn failed(&mut self, index: usize, record: &Record) {
        let Some(fetch) = self.causes.cause(index) else { return };
        let Some(request) = self.sent.get(&fetch).copied() else { return };
        let why = |it: &Self, arrow: usize| {
            let arrow = &it.out.arrows[arrow];
            let cut = Cut { from: arrow.from, to: arrow.to, sent: arrow.sent, noticed: record.at };
            it.out.faults.reason(&cut, &it.out.down, &it.downs)
        };
        if self.out.arrows[request].arrived.is_none() {
            self.out.arrows[request].fate = Fate::Lost(why(self, request));
        } else if let Some(exchange) = self.out.arrows[request].exchange
            && let Some(response) = self.responses.get(&exchange).copied()
            && self.out.arrows[response].arrived.is_none()
        {
            self.out.arrows[response].fate = Fate::Lost(why(self, response));
        }
    }

    fn effect(&mut self, index: usize, record: &Record, from: Address, effect: &'a Effect) {
        let node = from.node;
        match effect {
            Effect::Fetch { target, head, body, .. } => {
                let (to, whom) = match target {
                    Target::Service(to, service, _) => (lane(*to), clean(&self.names.service(*service))),
                    Target::Owner(to, _, _, key) => (lane(*to), short_key(key)),
                    Target::Outside(host) => (OUTSIDE, clean(host)),
                    Target::Refused(_) | Target::Url | Target::Binding(_) | Target::Object(..) => return,
                };
                let arrow =
                    new_arrow(ArrowKind::Request, lane(node), to, request_text(head), Some(record.at));
                let repeats = self.repeats(node, head, body);
                let remark = if repeats.is_some() { AGAIN } else { "" };
                self.departs(index, Arrow { whom, body: body_text(body), remark: remark.into(), ..arrow });
                self.out.again.extend(repeats.map(|first| (self.out.arrows.len() - 1, first)));
            }
            Effect::Respond { exchange, head, body } => {
                let to = self.causes.caller(*exchange).map_or(OUTSIDE, |(caller, _)| lane(caller.node));
                let text = head.status.as_str().to_owned();
                let arrow = new_arrow(ArrowKind::Response, lane(node), to, text, Some(record.at));
                let tone = if head.status.as_u16() < 400 { Tone::Good } else { Tone::Bad };
                let body = body_text(body);
                self.responses.insert(*exchange, self.out.arrows.len());
                self.departs(index, Arrow { exchange: Some(*exchange), tone, body, ..arrow });
            }
            Effect::Send(to, message) => {
                let text = clean(&message.name);
                let arrow = new_arrow(ArrowKind::Message, lane(node), lane(*to), text, Some(record.at));
                let body = length_of(message.body.len());
                self.departs(index, Arrow { tone: Tone::Faint, body, ..arrow });
            }
            Effect::Log(level, text) => {
                let (weight, tone) = match level {
                    Level::Debug => (6, Tone::Faint),
                    Level::Info => (1, Tone::Plain),
                    Level::Warn => (0, Tone::Plain),
                    Level::Error => (0, Tone::Bad),
                };
                self.point(index, weight, node, PointKind::Log, tone, clean(text));
            }
            Effect::Check(check) => self.check(index, from, check),
            Effect::Ended(_, fault) => self.ended(index, from, fault),
            Effect::Commit(number, key, _) => {
                self.detail(index, node, short_key(key));
                self.commits.insert((from, *number), index);
            }
            Effect::Load(key) => self.detail(index, node, short_key(key)),
            Effect::Stopped => {
                self.point(index, 2, node, PointKind::Other, Tone::Plain, "has stopped".into());
            }
            Effect::RequestChunk(..)
            | Effect::ResponseChunk(..)
            | Effect::ResponsePull(..)
            | Effect::RequestPull(..)
            | Effect::Cancel(_)
            | Effect::SetTimer(..)
            | Effect::SetTrigger(..)
            | Effect::ClearTimer(_)
            | Effect::AlarmDone(_)
            | Effect::Exclusive(_)
            | Effect::Sync(_)
            | Effect::Lease(_)
            | Effect::PhaseDone => {}
            Effect::Drawn(drawn) => self.drawn(index, record.event, node, drawn),
        }
    }

    /// A round that the workload begins, or what it draws in one: what belongs together is told in one line.
    fn drawn(&mut self, index: usize, event: u64, node: NodeId, drawn: &Drawn) {
        if let Some(RoundKey { driver, client, round }) = RoundKey::of_round(&drawn.key) {
            if drawn.chosen > 0 {
                let text = format!("{driver}: round {round} of client {client}");
                self.round = Some((event, self.out.items.len(), RoundKey { driver, client, round }));
                self.point(index, 0, node, PointKind::Log, Tone::Plain, clean(&text));
            }
            return;
        }
        let Some(key) = RoundKey::of_detail(&drawn.key).filter(|_| !RoundKey::is_pause(&drawn.key)) else {
            return;
        };
        let words = clean(&drawn.words());
        match &self.round {
            Some((turn, item, round)) if *turn == event && *round == key => {
                if let ItemKind::Point(_, _, _, text, _) = &mut self.out.items[*item].kind {
                    text.push_str(&format!(", {words}"));
                }
            }
            _ => {
                let RoundKey { driver, client, round } = &key;
                let text = format!("{driver}: round {round} of client {client}, {words}");
                self.round = Some((event, self.out.items.len(), key));
                self.point(index, 1, node, PointKind::Log, Tone::Plain, clean(&text));
            }
        }
    }

    /// The request that this one, which is about to get its arrow, repeats.
    fn repeats(&mut self, from: NodeId, head: &'a RequestHead, body: &'a Body) -> Option<usize> {
        let Body::Full(bytes) = body else { return None };
        if head.method.is_safe() {
            return None;
        }
        let question = (from, head.method.as_str(), &head.url[..], &bytes[..]);
        let last = self.asked.insert(question, self.out.arrows.len())?;
        // Who has a good answer and asks once more wants something else; who has none tries again.
        let exchange = self.out.arrows[last].exchange;
        let answer = exchange.and_then(|it| self.responses.get(&it)).map(|it| &self.out.arrows[*it]);
        let is_done = answer.is_some_and(|it| it.arrived.is_some() && it.tone == Tone::Good);
        (!is_done).then_some(last)
    }

    fn departs(&mut self, index: usize, arrow: Arrow) {
        let weight = if arrow.kind == ArrowKind::Message { 3 } else { 0 };
        self.out.arrows.push(arrow);
        let arrow = self.out.arrows.len() - 1;
        self.sent.insert(index, arrow);
        self.item(index, weight, ItemKind::Departs(arrow));
    }

    fn check(&mut self, index: usize, from: Address, check: &Check) {
        let name = check.kind.name();
        let (weight, kind, tone, end) = match (check.is_violation(), check.holds) {
            (true, _) => (0, PointKind::Broken, Tone::Bad, "BROKEN"),
            (false, true) => (30, PointKind::Check, Tone::Good, "holds"),
            (false, false) => (40, PointKind::Check, Tone::Faint, "not yet"),
        };
        let text = format!("{name} \"{}\" {end}", clean(&check.message));
        let kind = ItemKind::Point(kind, tone, vec![lane(from.node)], text, check.location.clone());
        self.item(index, weight, kind);
    }

    fn ended(&mut self, index: usize, from: Address, fault: &GuestFault) {
        let who = self.names.at(from);
        let who = if from.instance == InstanceId::RUNTIME { String::new() } else { format!("{who} ") };
        let text = clean(&format!("{who}ends: {}: {}", fault.kind, fault.message));
        let lanes = vec![lane(from.node)];
        let kind = ItemKind::Point(PointKind::Failure, Tone::Bad, lanes, text, fault.location.clone());
        self.item(index, 0, kind);
    }

    fn note(&mut self, index: usize, record: &Record, note: &Note) {
        let text = clean(&note.text);
        let (weight, text) = match note.kind {
            NoteKind::Carries { .. } => return,
            // A phase is told to the workload, and drawn there.
            NoteKind::Info if text.starts_with("phase ") => return,
            NoteKind::Info => (6, text),
            NoteKind::FaultBegins => (2, format!("▼ {text}")),
            NoteKind::FaultEnds => (4, format!("▲ {text} ends")),
            NoteKind::Fault => {
                if text.starts_with("process.crash ") || text.starts_with("crash of ") {
                    self.announced = Some((record.at, text));
                    return;
                }
                if let Some(arrow) = self.hit(index, &text) {
                    // Whether the caller is told of a loss matters; how late it is, its arrival shows.
                    let is_silent = text.starts_with("net.loss (silent)");
                    let name = text.split(' ').next().unwrap_or_default();
                    let name = if is_silent { "net.loss (silent)" } else { name };
                    let remark = &mut self.out.arrows[arrow].remark;
                    *remark = if remark.is_empty() { name.to_owned() } else { format!("{name}, {remark}") };
                    return;
                }
                (1, text)
            }
        };
        let lanes = self.out.faults.lanes_of(index);
        let tone = if note.kind == NoteKind::Info { Tone::Faint } else { Tone::Fault };
        let kind = if note.kind == NoteKind::Info { PointKind::Other } else { PointKind::Fault };
        self.item(index, weight, ItemKind::Point(kind, tone, lanes, text, None));
    }

    /// The message of this turn that a fault of the network hit: a note comes after what left in the turn.
    fn hit(&self, index: usize, text: &str) -> Option<usize> {
        let fault =
            ["net.loss", "net.delay", "net.reset"].into_iter().find(|fault| text.starts_with(fault))?;
        let (from, to) = self.out.faults.way_of(index)?;
        let event = self.records[index].event;
        let sent_now = self.sent.iter().rev().take_while(|(sent, _)| self.records[**sent].event == event);
        let mut candidates: Vec<(usize, usize)> = sent_now
            .map(|(sent, arrow)| (*sent, *arrow))
            .filter(|(_, arrow)| {
                let arrow = &self.out.arrows[*arrow];
                let is_free = !arrow.remark.starts_with("net.") || fault == "net.reset";
                arrow.from == from && arrow.to == to && is_free && arrow.arrived.is_none()
            })
            .collect();
        candidates.reverse();
        // Which of several, the recording does not say; what became of them does.
        let is_loss = fault == "net.loss";
        let fits = candidates.iter().find(|(sent, _)| self.arrive.contains(sent) != is_loss);
        fits.or(candidates.first()).map(|(_, arrow)| *arrow)
    }

    fn finish(mut self) -> Built {
        let end = self.records.last().map_or(Time::ZERO, |record| record.at);
        for (node, crashed) in std::mem::take(&mut self.downs) {
            self.out.down.entry(lane(node)).or_default().push((crashed, Time::MAX));
        }
        for index in 0..self.out.arrows.len() {
            let arrow = &self.out.arrows[index];
            if arrow.arrived.is_some() || arrow.fate != Fate::UnderWay {
                continue;
            }
            let is_lost = arrow.remark.starts_with("net.loss");
            let is_answer = arrow.kind == ArrowKind::Response;
            let answered = arrow.exchange.filter(|_| is_answer).and_then(|it| self.requests.get(&it));
            let is_of_copy =
                answered.is_some_and(|request| self.out.arrows[*request].remark.ends_with(ONCE_MORE));
            let cut = Cut { from: arrow.from, to: arrow.to, sent: arrow.sent, noticed: end };
            if is_lost {
                self.out.arrows[index].fate = Fate::Lost(std::mem::take(&mut self.out.arrows[index].remark));
            } else if is_of_copy {
                self.out.arrows[index].fate = Fate::Lost("nobody waits for the answer to a copy".to_owned());
            } else if arrow.to == OUTSIDE {
                self.out.arrows[index].fate = Fate::Arrived;
            } else if let Some(why) = self.out.faults.known_reason(&cut, &self.out.down) {
                self.out.arrows[index].fate = Fate::Lost(why);
            }
        }
        for arrow in &mut self.out.arrows {
            if let Fate::Lost(why) = &mut arrow.fate
                && arrow.remark.starts_with("net.loss")
            {
                *why = std::mem::take(&mut arrow.remark);
            }
        }
        for ((address, _), index) in std::mem::take(&mut self.commits) {
            let text = format!("the disk never answers: {}", self.commit(index));
            self.point(index, 1, address.node, PointKind::Disk, Tone::Fault, text);
        }
        self.out.items.sort_by_key(|item| item.index);
        self.out
    }
}

fn new_arrow(kind: ArrowKind, from: usize, to: usize, text: String, sent: Option<Time>) -> Arrow {
    Arrow {
        kind,
        from,
        to,
        text,
        whom: String::new(),
        body: String::new(),
        tone: Tone::Plain,
        fate: Fate::UnderWay,
        remark: String::new(),
        exchange: None,
        sent,
        arrived: None,
    }
}

/// The method and the path: which service it is for, the lane says.
fn request_text(head: &RequestHead) -> String {
    let url = clean(&head.url);
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    format!("{} {path}", head.method)
}

fn body_text(body: &Body) -> String {
    match body {
        Body::Empty => String::new(),
        Body::Full(bytes) if std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')) => {
            excerpt_of(bytes)
        }
        Body::Full(bytes) => words_in(bytes),
        Body::Stream => "(stream)".to_owned(),
    }
}

/// Of bytes that are no text, the words in them: they say more than hexadecimal digits would.
fn words_in(bytes: &[u8]) -> String {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:=@".contains(byte);
    let head = &bytes[..bytes.len().min(WORDS_BYTES_MAX)];
    let runs = head.split(|byte| !is_word(byte)).filter(|run| run.len() >= 3);
    let words: Vec<String> = runs.map(|run| String::from_utf8_lossy(run).into_owned()).collect();
    if words.is_empty() {
        format!("({})", length_of(bytes.len()))
    } else {
        format!("… {}", words.join(" "))
    }
}

/// The class and the beginning of the id.
fn short_key(key: &ObjectKey) -> String {
    let text = clean(&key.to_string());
    text.rsplit_once('.').map_or(text.clone(), |(_, rest)| rest.to_owned())
}
