//! Chooses what is drawn: what can have led to the failure, nearest first, as much as there is room for.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_core::{Effect, ExchangeId, FaultKind, Location, Time};

use super::build::{Built, Item, ItemKind, OUTSIDE, build};
use super::model::{Broken, Diagram, Fate, Lane, Point, PointKind, Row, Span, Tone, What};
use super::past::Past;
use crate::print::clean;
use crate::{Causes, Part, Record, Trace};

/// How much is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// At most so many rows; `None`: all that there is.
    pub rows: Option<usize>,
    /// At most so many lanes: those on which most happens.
    pub lanes: usize,
}

impl Default for Options {
    /// What fits a screen.
    fn default() -> Options {
        Options { rows: Some(40), lanes: 8 }
    }
}

/// How far away a failure is that the broken check cannot depend on.
const UNRELATED: u32 = 14;
/// How much further away a request is whose receiver nobody heard of again.
const UNHEARD: u32 = 3;
/// What has more weight than this (the first boots, checks that hold) is drawn only with everything else.
const WEIGHT_MAX: u32 = 15;
/// What happens so soon behind a fault that strikes once may come of it.
const AFTERMATH: std::time::Duration = std::time::Duration::from_millis(500);
/// Between rows that are so far apart in time, what is left out is said.
const GAP: std::time::Duration = std::time::Duration::from_millis(100);
/// As between rows with so many events between them.
const GAP_EVENTS: u64 = 5;
/// So many services and objects of a lane are named.
const DETAILS_MAX: usize = 4;

impl Diagram {
    /// The diagram of a recording.
    pub fn of(trace: &Trace, options: &Options) -> Diagram {
        let records = &trace.records;
        let causes = Causes::of(records);
        let built = build(&trace.identity, records, &causes);
        let end = failing(records);
        let broken = end.and_then(|end| broken(trace, end));
        let words = broken.as_ref().map(|it| format!("{} {}", it.message, it.details.join(" ")));
        let past = Past::of(records, &causes, end, &words.unwrap_or_default());
        let chosen = match options.rows {
            None => (0..built.items.len()).collect(),
            Some(rows) => choose(&built, &past, end, rows),
        };
        let chosen = bound_lanes(&built, chosen, end, options.lanes);
        assemble(trace, built, chosen, broken)
    }
}

/// The entry that broke the run.
fn failing(records: &[Record]) -> Option<usize> {
    let effect = |record: &Record, wanted: fn(&Effect) -> bool| match &record.part {
        Part::Effect(_, effect) => wanted(effect),
        _ => false,
    };
    let broke = |it: &Effect| matches!(it, Effect::Check(check) if check.is_violation());
    let load = |it: &Effect| matches!(it, Effect::Ended(_, fault) if fault.kind == FaultKind::Load);
    let find = |wanted| records.iter().position(|record| effect(record, wanted));
    find(broke).or_else(|| find(load))
}

fn broken(trace: &Trace, end: usize) -> Option<Broken> {
    let record = &trace.records[end];
    let Part::Effect(from, Effect::Check(check)) = &record.part else { return None };
    let details = check.details.as_deref().unwrap_or_default();
    Some(Broken {
        kind: check.kind.name(),
        message: clean(&check.message),
        details: details.lines().map(clean).collect(),
        location: check.location.clone().or_else(|| place_in(details)),
        event: record.event,
        at: record.at,
        node: clean(&trace.identity.node_name(from.node)),
    })
}

/// The first place in a text that has one, as stacks do: `at judge (bank.sim.ts:83:5)`.
fn place_in(text: &str) -> Option<Location> {
    let words = text.split(|c: char| c.is_whitespace() || "()".contains(c));
    words
        .filter_map(|word| {
            let mut parts = word.rsplitn(3, ':');
            let column = parts.next()?.parse().ok()?;
            let line = parts.next()?.parse().ok()?;
            let file = parts.next().filter(|file| file.contains('.') && !file.contains(':'))?;
            Some(Location { file: file.into(), line, column })
        })
        .next()
}

/// Items that are drawn together, or not at all.
struct Unit {
    items: Vec<usize>,
    distance: u32,
}

fn choose(built: &Built, past: &Past, end: Option<usize>, rows: usize) -> BTreeSet<usize> {
    let is_before = |item: &Item| end.is_none_or(|end| item.index <= end);
    let mut units = units(built, past, &is_before);
    // Of two that are equally far, the later one is nearer to the end.
    units.sort_by_key(|unit| (unit.distance, std::cmp::Reverse(unit.items[0])));
    let mut chosen = BTreeSet::new();
    let mut units = units.into_iter();
    take(&mut units, &mut chosen, rows - rows / 4);
    chosen.extend(faults(built, &chosen, &is_before).into_iter().take(rows / 4));
    take(&mut units, &mut chosen, rows);
    let first = chosen.iter().next().copied().unwrap_or(0);
    let is_phase = |item: &&usize| matches!(built.items[**item].kind, ItemKind::Phase(_));
    let all: Vec<usize> = (first..built.items.len()).collect();
    chosen.extend(all.iter().filter(is_phase).filter(|item| is_before(&built.items[**item])));
    chosen
}

/// The faults at whose time something that was chosen happens on a lane of theirs; the gravest first,
/// and among those the latest.
fn faults(built: &Built, chosen: &BTreeSet<usize>, is_before: &impl Fn(&Item) -> bool) -> Vec<usize> {
    let mut busy: BTreeMap<usize, BTreeSet<Time>> = BTreeMap::new();
    for item in chosen {
        for lane in lanes_of(built, *item) {
            busy.entry(lane).or_default().insert(built.items[*item].at);
        }
    }
    let hits = |number: usize| {
        let item = &built.items[number];
        let from = item.at;
        let until = match built.faults.ends_of(item.index) {
            Some(ends) => ends,
            None => from + AFTERMATH,
        };
        let on = lanes_of(built, number);
        let is_hit = |times: &BTreeSet<Time>| times.range(from..=until).next().is_some();
        if on.is_empty() {
            busy.values().any(is_hit)
        } else {
            on.iter().any(|lane| busy.get(lane).is_some_and(is_hit))
        }
    };
    let mut faults: Vec<usize> = (0..built.items.len())
        .filter(|item| is_before(&built.items[*item]) && !chosen.contains(item))
        .filter(|item| is_fault(&built.items[*item]) && hits(*item))
        .collect();
    faults.sort_by_key(|item| (built.items[*item].weight, std::cmp::Reverse(*item)));
    faults
}

fn take(units: &mut impl Iterator<Item = Unit>, chosen: &mut BTreeSet<usize>, rows: usize) {
    while chosen.len() < rows {
        let Some(unit) = units.next() else { return };
        chosen.extend(unit.items);
    }
}

fn is_fault(item: &Item) -> bool {
    match &item.kind {
        ItemKind::Point(PointKind::Fault | PointKind::Crash, ..) => true,
        ItemKind::Point(PointKind::Boot, ..) => item.weight == 0,
        _ => false,
    }
}

fn units(built: &Built, past: &Past, is_before: &impl Fn(&Item) -> bool) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut ways: BTreeMap<usize, (Option<usize>, Option<usize>)> = BTreeMap::new();
    for (number, item) in built.items.iter().enumerate() {
        let distance = past.distance(item.index);
        match &item.kind {
            _ if !is_before(item) || item.weight > WEIGHT_MAX => {}
            ItemKind::Departs(arrow) => ways.entry(*arrow).or_default().0 = Some(number),
            ItemKind::Arrives(arrow) => ways.entry(*arrow).or_default().1 = Some(number),
            ItemKind::Phase(_) => {}
            // Faults that the world notes are no turns: whether they are near, others decide.
            ItemKind::Point(PointKind::Fault, ..) => {}
            ItemKind::Point(_, tone, ..) => {
                let far = (*tone == Tone::Bad).then_some(UNRELATED);
                let distance = distance.or(far).map(|distance| distance + item.weight);
                units.extend(distance.map(|distance| Unit { items: vec![number], distance }));
            }
        }
    }
    // A request and its response are drawn together: one without the other raises questions.
    let mut exchanges: BTreeMap<ExchangeId, Unit> = BTreeMap::new();
    for (arrow, (departs, arrives)) in ways {
        let far = |item: Option<usize>| item.and_then(|item| past.distance(built.items[item].index));
        let weight = departs.or(arrives).map_or(0, |item| built.items[item].weight);
        let distance = match (far(departs), far(arrives)) {
            (_, Some(arrives)) => Some(arrives + 1),
            (Some(departs), None) if built.arrows[arrow].fate != Fate::Arrived => Some(departs + 1),
            (Some(departs), None) => Some(departs + UNHEARD),
            (None, None) => None,
        };
        // Where something was lost or came twice is where bugs live.
        let is_odd =
            matches!(built.arrows[arrow].fate, Fate::Lost(_)) || !built.arrows[arrow].remark.is_empty();
        let nearer = |distance: u32| if is_odd { distance / 2 } else { distance };
        let distance = distance.map_or(u32::MAX, |distance| nearer(distance) + weight);
        let mut unit = Unit { items: departs.into_iter().chain(arrives).collect(), distance };
        let Some(exchange) = built.arrows[arrow].exchange else {
            units.push(unit);
            continue;
        };
        let whole = exchanges.entry(exchange).or_insert(Unit { items: Vec::new(), distance: u32::MAX });
        whole.items.append(&mut unit.items);
        whole.distance = whole.distance.min(distance);
    }
    // What is said again is drawn with what it repeats.
    for (again, first) in &built.again {
        let exchange = |arrow: &usize| built.arrows[*arrow].exchange;
        let Some((again, first)) = exchange(again).zip(exchange(first)) else { continue };
        let Some(distance) = exchanges.get(&again).map(|unit| unit.distance) else { continue };
        if let Some(first) = exchanges.get_mut(&first) {
            first.distance = first.distance.min(distance);
        }
    }
    for mut unit in exchanges.into_values() {
        unit.items.sort_unstable();
        units.push(unit);
    }
    units.retain(|unit| unit.distance < u32::MAX && !unit.items.is_empty());
    units
}

/// The lanes that an item touches, numbered as when it was built.
fn lanes_of(built: &Built, item: usize) -> Vec<usize> {
    match &built.items[item].kind {
        ItemKind::Departs(arrow) | ItemKind::Arrives(arrow) => {
            vec![built.arrows[*arrow].from, built.arrows[*arrow].to]
        }
        ItemKind::Point(_, _, lanes, ..) => lanes.clone(),
        ItemKind::Phase(_) => Vec::new(),
    }
}

/// Leaves out what is on the lanes that there is no room for.
fn bound_lanes(built: &Built, chosen: BTreeSet<usize>, end: Option<usize>, most: usize) -> BTreeSet<usize> {
    let mut busy: BTreeMap<usize, usize> = BTreeMap::new();
    for item in &chosen {
        // A fault that concerns many lanes makes none of them busy.
        if !is_fault(&built.items[*item]) {
            lanes_of(built, *item).into_iter().for_each(|lane| *busy.entry(lane).or_default() += 1);
        }
        if Some(built.items[*item].index) == end {
            lanes_of(built, *item).into_iter().for_each(|lane| *busy.entry(lane).or_default() += 1_000_000);
        }
    }
    let mut lanes: Vec<(usize, usize)> = busy.into_iter().map(|(lane, n)| (n, lane)).collect();
    lanes.sort_by_key(|(n, lane)| (std::cmp::Reverse(*n), *lane));
    let kept: BTreeSet<usize> = lanes.into_iter().take(most.max(2)).map(|(_, lane)| lane).collect();
    let fits = |item: &usize| {
        let on = lanes_of(built, *item);
        on.is_empty() || on.iter().all(|lane| kept.contains(lane)) || {
            is_fault(&built.items[*item]) && on.iter().any(|lane| kept.contains(lane))
        }
    };
    chosen.into_iter().filter(fits).collect()
}

fn assemble(trace: &Trace, built: Built, chosen: BTreeSet<usize>, broken: Option<Broken>) -> Diagram {
    let mut used: BTreeSet<usize> = BTreeSet::new();
    for item in chosen.iter().filter(|item| !is_fault(&built.items[**item])) {
        used.extend(lanes_of(&built, *item));
    }
    if used.is_empty() {
        used.extend(chosen.iter().flat_map(|item| lanes_of(&built, *item)));
    }
    // Who asks stands to the left of who answers.
    let mut order: Vec<usize> = used.into_iter().collect();
    order.sort_by_key(|lane| (*lane != OUTSIDE, Some(*lane) != built.workload, *lane));
    let place: BTreeMap<usize, usize> =
        order.iter().enumerate().map(|(place, lane)| (*lane, place)).collect();
    let places = |lanes: &[usize]| lanes.iter().filter_map(|lane| place.get(lane).copied()).collect();
    let events: BTreeSet<u64> = chosen.iter().map(|item| built.items[*item].event).collect();
    let lanes = order.iter().map(|lane| lane_of(trace, &built, *lane, &events)).collect();
    let mut rows: Vec<Row> = Vec::new();
    for number in &chosen {
        let item = &built.items[*number];
        let what = match &item.kind {
            ItemKind::Departs(arrow) => What::Departs(*arrow),
            ItemKind::Arrives(arrow) => What::Arrives(*arrow),
            ItemKind::Phase(name) => What::Phase(name.clone()),
            ItemKind::Point(kind, tone, lanes, text, location) => {
                let (text, location) = (text.clone(), location.clone());
                What::Point(Point { lanes: places(lanes), kind: *kind, tone: *tone, text, location })
            }
        };
        rows.extend(rows.last().and_then(|last| gap(last, item)));
        rows.push(Row { at: item.at, event: item.event, what });
    }
    let total = trace.records.last().map_or(0, |record| record.event);
    let shown = events.iter().filter(|event| **event > 0).count() as u64;
    let (from, until) = (rows.first().map(|row| row.at), rows.last().map(|row| row.at));
    let is_seen = |span: &Span| {
        until.is_some_and(|until| span.begins <= until)
            && span.ends.is_none_or(|ends| from.is_some_and(|from| from <= ends))
    };
    let spans = built.faults.spans.iter().filter(|span| is_seen(span));
    let spans = spans.map(|span| Span { lanes: places(&span.lanes), ..span.clone() });
    let (arrows, numbers) = arrows(&built, &chosen, &place);
    for row in &mut rows {
        if let What::Departs(arrow) | What::Arrives(arrow) = &mut row.what {
            *arrow = numbers[arrow];
        }
    }
    Diagram {
        identity: trace.identity.clone(),
        ending: clean(&trace.ending.to_string()),
        broken,
        lanes,
        rows,
        arrows,
        spans: spans.collect(),
        faults: built.faults.table,
        events: total,
        left_out: total.saturating_sub(shown),
    }
}

/// The arrows that are drawn, with the number that each has among them.
fn arrows(
    built: &Built,
    chosen: &BTreeSet<usize>,
    place: &BTreeMap<usize, usize>,
) -> (Vec<super::Arrow>, BTreeMap<usize, usize>) {
    let mut arrows = Vec::new();
    let mut numbers = BTreeMap::new();
    for item in chosen {
        if let ItemKind::Departs(number) | ItemKind::Arrives(number) = built.items[*item].kind
            && !numbers.contains_key(&number)
        {
            let arrow = &built.arrows[number];
            numbers.insert(number, arrows.len());
            arrows.push(super::Arrow { from: place[&arrow.from], to: place[&arrow.to], ..arrow.clone() });
        }
    }
    (arrows, numbers)
}

fn lane_of(trace: &Trace, built: &Built, lane: usize, events: &BTreeSet<u64>) -> Lane {
    let name = match lane {
        OUTSIDE => "outside".to_owned(),
        _ => clean(&trace.identity.node_name(dacapo_core::NodeId(lane as u32 - 1))),
    };
    let mut details: Vec<String> = Vec::new();
    for (index, on, text) in &built.details {
        let is_drawn = *on == lane && events.contains(&trace.records[*index].event);
        if is_drawn && *text != name && !details.contains(text) {
            details.push(text.clone());
        }
    }
    if details.len() > DETAILS_MAX {
        details.truncate(DETAILS_MAX - 1);
        details.push("…".to_owned());
    }
    Lane { name, details, down: built.down.get(&lane).cloned().unwrap_or_default() }
}

/// What is said between two rows that are far apart.
fn gap(last: &Row, next: &Item) -> Option<Row> {
    let events = next.event.saturating_sub(last.event).saturating_sub(1);
    let lasts = next.at.since(last.at);
    let is_far = lasts >= GAP || events >= GAP_EVENTS;
    let at = Time(last.at.0);
    is_far.then_some(Row { at, event: last.event, what: What::Gap { events, lasts } })
}
