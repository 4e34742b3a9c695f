//! The diagram as SVG, to stand in a page: lanes far apart, arrows that slant with the time they take.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_core::{ExchangeId, Time};
use maud::{Markup, html};

use super::model::{Arrow, ArrowKind, Diagram, Fate, Point, PointKind, Tone, What};
use super::text::{cut, span};

/// The room for numbers and times to the left, and for words to the right of the last lane.
const GUTTER: i64 = 150;
const MARGIN: i64 = 290;
/// The height of a row of each kind.
const ROW: i64 = 30;
const TALL: i64 = 44;
/// How wide a character is on average.
const CHAR: f64 = 6.6;

/// Where everything stands.
struct Layout<'a> {
    diagram: &'a Diagram,
    lane: i64,
    /// The middle of each row.
    ys: Vec<i64>,
    height: i64,
}

impl Diagram {
    /// The names of the lanes, to stand above [`Diagram::svg`].
    pub(super) fn svg_head(&self) -> Markup {
        let layout = Layout::of(self);
        let rows = self.lanes.iter().map(|lane| lane.details.len()).max().unwrap_or(0) as i64;
        let height = 34 + 16 * rows;
        html! {
            svg.head width=(layout.width()) height=(height) role="img" aria-label="lanes" {
                @for (number, lane) in self.lanes.iter().enumerate() {
                    text.lane x=(layout.x(number)) y="22" { (layout.fit(&lane.name, layout.lane - 12)) title { (lane.name) } }
                    @for (row, detail) in lane.details.iter().enumerate() {
                        text.detail x=(layout.x(number)) y=(40 + 16 * row as i64) {
                            (layout.fit(detail, layout.lane - 12)) title { (detail) }
                        }
                    }
                }
            }
        }
    }

    /// The lanes, with all that happens on them and between them.
    pub(super) fn svg(&self) -> Markup {
        let layout = Layout::of(self);
        let mut by_exchange: BTreeMap<Option<ExchangeId>, Vec<usize>> = BTreeMap::new();
        for (number, arrow) in self.arrows.iter().enumerate() {
            by_exchange.entry(arrow.exchange).or_default().push(number);
        }
        let alone = by_exchange.remove(&None).unwrap_or_default();
        let groups: Vec<Vec<usize>> =
            by_exchange.into_values().chain(alone.into_iter().map(|arrow| vec![arrow])).collect();
        html! {
            svg.diagram width=(layout.width()) height=(layout.height) role="img" aria-label="sequence diagram" {
                defs {
                    @for tone in ["plain", "good", "bad", "fault", "faint"] {
                        marker id={ "tip-" (tone) } viewBox="0 0 10 10" refX="10" refY="5"
                            markerWidth="8" markerHeight="8" orient="auto-start-reverse" {
                            path class={ "tip " (tone) } d="M0 1 L10 5 L0 9 z" {}
                        }
                    }
                }
                @for lane in 0..self.lanes.len() { (layout.lifeline(lane)) }
                // Below the arrows, which go on through what is left out.
                @for (number, row) in self.rows.iter().enumerate() {
                    @if let What::Gap { events, lasts } = &row.what { (layout.gap(number, *events, *lasts)) }
                }
                (layout.gutter())
                @for group in &groups {
                    g.x { @for arrow in group { (layout.arrow(*arrow)) } }
                }
                @for (number, row) in self.rows.iter().enumerate() {
                    @match &row.what {
                        What::Point(point) => (layout.point(number, point)),
                        What::Phase(name) => (layout.phase(number, name)),
                        What::Gap { .. } | What::Departs(_) | What::Arrives(_) => {}
                    }
                }
            }
        }
    }
}

impl Layout<'_> {
    fn of(diagram: &Diagram) -> Layout<'_> {
        let lane = match diagram.lanes.len() {
            0..=3 => 270,
            4 => 230,
            5 => 200,
            _ => 176,
        };
        let mut y = 24;
        let mut ys = Vec::new();
        for row in &diagram.rows {
            let height = match &row.what {
                What::Phase(_) | What::Gap { .. } => TALL,
                What::Point(point) if point.kind == PointKind::Broken => TALL,
                _ => ROW,
            };
            ys.push(y + height / 2);
            y += height;
        }
        Layout { diagram, lane, ys, height: y + 24 }
    }

    fn x(&self, lane: usize) -> i64 {
        GUTTER + self.lane / 2 + self.lane * lane as i64
    }

    fn width(&self) -> i64 {
        let last = self.diagram.lanes.len().max(1) - 1;
        let has_words = self.diagram.rows.iter().any(|row| match &row.what {
            What::Point(point) => point.lanes.first().is_none_or(|lane| *lane == last),
            _ => false,
        });
        self.x(last) + if has_words { MARGIN } else { self.lane / 2 }
    }

    fn fit(&self, text: &str, pixels: i64) -> String {
        cut(text, (pixels.max(0) as f64 / CHAR) as usize)
    }

    /// The height at which the diagram shows this time: the first row that is not before it.
    fn y_at(&self, at: Time) -> i64 {
        let row =
            self.diagram.rows.iter().position(|row| row.at >= at && !matches!(row.what, What::Gap { .. }));
        row.map_or(self.height, |row| self.ys[row])
    }

    fn lifeline(&self, lane: usize) -> Markup {
        let x = self.x(lane);
        let first = self.diagram.rows.first().map_or(Time::ZERO, |row| row.at);
        let top = |at: Time| if at <= first { 0 } else { self.y_at(at) };
        html! {
            line.life x1=(x) y1="0" x2=(x) y2=(self.height) {}
            @for (from, until) in &self.diagram.lanes[lane].down {
                @let (from, until) = (top(*from), self.y_at(*until));
                @if until > from {
                    line.gone x1=(x) y1=(from) x2=(x) y2=(until) {}
                    line.down x1=(x) y1=(from) x2=(x) y2=(until) {}
                }
            }
            @for it in self.diagram.spans.iter().filter(|it| it.lanes.contains(&lane)) {
                @let from = top(it.begins);
                @let until = it.ends.map_or(self.height, |ends| self.y_at(ends));
                rect.span x=(x - 7) y=(from) width="14" height=((until - from).max(4)) rx="5" { title { (it.text) } }
            }
        }
    }

    /// The number and the time of each row.
    fn gutter(&self) -> Markup {
        let mut last = (0, String::new());
        let mut marks = Vec::new();
        for (row, y) in self.diagram.rows.iter().zip(&self.ys) {
            if matches!(row.what, What::Gap { .. }) {
                continue;
            }
            let time = row.at.to_string();
            let event = if row.event == last.0 { String::new() } else { format!("#{}", row.event) };
            let shown = if time == last.1 { String::new() } else { time.clone() };
            marks.push((y + 4, event, shown));
            last = (row.event, time);
        }
        html! {
            @for (y, event, time) in marks {
                @if !event.is_empty() { text.event x="6" y=(y) { (event) } }
                @if !time.is_empty() { text.time x=(GUTTER - 8) y=(y) { (time) } }
            }
        }
    }

    fn arrow(&self, number: usize) -> Markup {
        let arrow = &self.diagram.arrows[number];
        let row = |wanted: What| self.diagram.rows.iter().position(|row| row.what == wanted);
        let (departs, arrives) = (row(What::Departs(number)), row(What::Arrives(number)));
        let Some(start) = departs.or(arrives) else { return html! {} };
        let (x1, x2) = (self.x(arrow.from), self.x(arrow.to));
        let (y1, y2) = (self.ys[start], arrives.map_or(self.ys[start] + ROW * 2 / 3, |row| self.ys[row]));
        let tone = match arrow.fate {
            Fate::Lost(_) => "fault",
            _ if arrow.kind == ArrowKind::Request => "plain",
            _ => tone_of(arrow.tone),
        };
        let kind = match arrow.kind {
            ArrowKind::Request => "request",
            ArrowKind::Response => "response",
            ArrowKind::Message => "message",
        };
        let dash = if arrow.fate == Fate::UnderWay { " open" } else { "" };
        let tip = format!("url(#tip-{tone})");
        let is_right = x1 <= x2;
        let (side, anchor) = if is_right { (10, "start") } else { (-10, "end") };
        html! {
            g class={ "arrow " (kind) " " (tone) (dash) } {
                title { (full(arrow)) }
                @if x1 == x2 {
                    path.line d={ "M" (x1) " " (y1) " h26 V" (y2.max(y1 + 8)) " h-24" } marker-end=(tip) {}
                    (self.label(arrow, x1 + 34, y1 + 4, "start", self.lane - 40))
                } @else if let Fate::Lost(_) = arrow.fate {
                    // It goes a part of its way, as far as it would have come down.
                    @let (x, y) = (x1 + (x2 - x1) * 3 / 5, y1 + ROW / 3);
                    path.line d={ "M" (x1) " " (y1) " L" (x) " " (y) } {}
                    path.cross d={ "M" (x - 6) " " (y - 6) " l12 12 m0 -12 l-12 12" } {}
                    (self.label(arrow, x1 + side, y1 - 6, anchor, (x2 - x1).abs() - 20))
                } @else {
                    // The tip ends beside the line of its lane and not on it.
                    @let end = if is_right { x2 - 2 } else { x2 + 2 };
                    path.line d={ "M" (x1) " " (y1) " L" (end) " " (y2) } marker-end=(tip) {}
                    (self.label(arrow, x1 + side, y1 - 6, anchor, (x2 - x1).abs() - 20))
                }
            }
        }
    }

    fn label(&self, arrow: &Arrow, x: i64, y: i64, anchor: &str, room: i64) -> Markup {
        let chars = (room.max(0) as f64 / CHAR) as usize;
        let text = cut(&arrow.text, chars);
        let remark = match &arrow.fate {
            Fate::Lost(why) => format!("lost: {why}"),
            _ => arrow.remark.clone(),
        };
        let left = chars.saturating_sub(text.chars().count() + 1);
        let remark = if remark.is_empty() || left < 4 { String::new() } else { cut(&remark, left) };
        let left = left.saturating_sub(if remark.is_empty() { 0 } else { remark.chars().count() + 1 });
        let body = if arrow.body.is_empty() || left < 6 { String::new() } else { cut(&arrow.body, left) };
        html! {
            text.label x=(x) y=(y) text-anchor=(anchor) {
                tspan { (text) }
                @if !remark.is_empty() { " " tspan.remark { (remark) } }
                @if !body.is_empty() { " " tspan.body { (body) } }
            }
        }
    }

    fn point(&self, row: usize, point: &Point) -> Markup {
        let y = self.ys[row];
        let x = point.lanes.first().map_or(GUTTER - 4, |lane| self.x(*lane));
        let tone = tone_of(point.tone);
        let kind = kind_of(point.kind);
        let is_broken = point.kind == PointKind::Broken;
        let room = self.width() - x - 24;
        // Words may reach over the lanes to the right, but not over everything.
        let room = if is_broken { room - 10 } else { room.min((self.lane * 2 - 30).max(MARGIN - 24)) };
        // In bold letters fewer have room.
        let text = self.fit(&point.text, if is_broken { room * 4 / 5 } else { room });
        let wide = (text.chars().count() as f64 * CHAR * 1.25) as i64 + 22;
        html! {
            g class={ "point " (kind) " " (tone) } {
                title {
                    (point.text)
                    @if let Some(location) = &point.location { "\n" (crate::print::clean(&location.to_string())) }
                }
                @for lane in &point.lanes { (self.mark(self.x(*lane), y, point.kind)) }
                @if is_broken {
                    rect.box x=(x + 13) y=(y - 14) width=(wide) height="28" rx="6" {}
                }
                text.label x=(x + if is_broken { 24 } else { 14 }) y=(y + 4) { (text) }
            }
        }
    }

    fn mark(&self, x: i64, y: i64, kind: PointKind) -> Markup {
        match kind {
            PointKind::Broken | PointKind::Crash => html! {
                path.cross d={ "M" (x - 8) " " (y - 8) " l16 16 m0 -16 l-16 16" } {}
            },
            PointKind::Boot => html! { path.mark d={ "M" (x - 8) " " (y) " h16 M" (x) " " (y) " v10" } {} },
            PointKind::Disk => html! { rect.mark x=(x - 5) y=(y - 5) width="10" height="10" rx="1" {} },
            PointKind::Fault => html! {
                path.mark d={ "M" (x) " " (y - 7) " l7 7 l-7 7 l-7 -7 z" } {}
            },
            PointKind::Clock => html! {
                circle.ring cx=(x) cy=(y) r="6" {}
                path.hand d={ "M" (x) " " (y - 3) " v3 h3" } {}
            },
            PointKind::Log | PointKind::Check | PointKind::Failure | PointKind::Other => html! {
                circle.mark cx=(x) cy=(y) r="4" {}
            },
        }
    }

    fn phase(&self, row: usize, name: &str) -> Markup {
        let y = self.ys[row] + 6;
        html! {
            g.phase {
                line x1=(GUTTER) y1=(y) x2=(self.width()) y2=(y) {}
                text x=(self.width() - 8) y=(y - 6) text-anchor="end" { (name) }
            }
        }
    }

    fn gap(&self, row: usize, events: u64, lasts: std::time::Duration) -> Markup {
        let y = self.ys[row];
        let events = match events {
            0 => String::new(),
            1 => " · 1 event left out".to_owned(),
            n => format!(" · {n} events left out"),
        };
        html! {
            g.gap {
                rect x=(GUTTER) y=(y - 11) width=(self.width() - GUTTER) height="22" {}
                text x=(self.x(0) + 16) y=(y + 4) { (span(lasts)) (events) }
            }
        }
    }
}

/// All that is known of an arrow, for who points at it.
fn full(arrow: &Arrow) -> String {
    let mut lines = vec![arrow.text.clone()];
    let mut add = |name: &str, text: &str| {
        if !text.is_empty() {
            lines.push(format!("{name}{text}"));
        }
    };
    add("to ", &arrow.whom);
    add("", &arrow.body);
    add("", &arrow.remark);
    match &arrow.fate {
        Fate::Lost(why) => add("lost: ", why),
        Fate::UnderWay => add("", "under way at the end"),
        Fate::Arrived => {}
    }
    let took = arrow.sent.zip(arrow.arrived).map(|(sent, arrived)| arrived.since(sent));
    add("took ", &took.map(span).unwrap_or_default());
    lines.join("\n")
}

fn tone_of(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Fault => "fault",
        Tone::Faint => "faint",
    }
}

fn kind_of(kind: PointKind) -> &'static str {
    match kind {
        PointKind::Log => "log",
        PointKind::Check => "check",
        PointKind::Broken => "broken",
        PointKind::Crash => "crash",
        PointKind::Boot => "boot",
        PointKind::Disk => "disk",
        PointKind::Clock => "clock",
        PointKind::Failure => "failure",
        PointKind::Fault => "strike",
        PointKind::Other => "other",
    }
}

/// The kinds of points that the diagram has.
pub(super) fn kinds(diagram: &Diagram) -> BTreeSet<&'static str> {
    let points = diagram.rows.iter().filter_map(|row| match &row.what {
        What::Point(point) => Some(kind_of(point.kind)),
        _ => None,
    });
    points.collect()
}
