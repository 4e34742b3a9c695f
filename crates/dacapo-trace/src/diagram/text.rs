//! The diagram for a terminal: lanes as narrow columns, what happens in words to the right of them.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::build::ONCE_MORE;
use super::model::{Arrow, ArrowKind, Diagram, Fate, Point, PointKind, Row, Tone, What};
use super::source::source_lines;
use crate::print::{Line, Style};

/// The columns of the event's number and of the time, with the blank behind each.
const EVENT: usize = 7;
const TIME: usize = 12;
/// How wide a lane is at least and at most, unless there is no room.
const LANE: std::ops::RangeInclusive<usize> = 6..=14;
const LANE_MIN: usize = 4;
/// The words to the right have at least so many columns.
const WORDS_MIN: usize = 44;

/// Of the details of the broken check so many lines are shown.
const DETAILS_MAX: usize = 10;

/// One cell of the lanes' columns.
type Cell = (char, Style);

struct Page<'a> {
    diagram: &'a Diagram,
    lane: usize,
    words: usize,
    out: Vec<Line>,
    /// The time that the last line showed.
    shown: Option<(u64, String)>,
}

impl Diagram {
    /// How many lanes fit into so many columns.
    pub fn lanes_in(width: usize) -> usize {
        (width.saturating_sub(EVENT + TIME + WORDS_MIN) / *LANE.start()).max(2)
    }

    /// The diagram in lines of at most so many columns (but not fewer than 60).
    pub fn text(&self, width: usize) -> Vec<Line> {
        let width = width.max(60);
        let count = self.lanes.len().max(1);
        let widest = self.lanes.iter().map(|lane| lane.name.width()).max().unwrap_or(0) + 2;
        let room = width.saturating_sub(EVENT + TIME + WORDS_MIN) / count;
        let lane = widest.clamp(*LANE.start(), *LANE.end()).min(room).max(LANE_MIN);
        let words = width.saturating_sub(EVENT + TIME + lane * count + 1);
        let mut page = Page { diagram: self, lane, words, out: Vec::new(), shown: None };
        page.head();
        page.rows();
        page.foot();
        page.out
    }

    /// The lines of the source around each place that the diagram names: the broken check's first.
    pub fn source(&self, text_of: &dyn Fn(&str) -> Option<String>) -> Vec<Line> {
        let mut out = Vec::new();
        for location in self.locations() {
            let Some(text) = text_of(&location.file) else { continue };
            let lines = source_lines(&text, location);
            if lines.is_empty() {
                continue;
            }
            let mut head = Line::default();
            head.push(Style::Faint, crate::print::clean(&location.to_string()));
            out.push(head);
            for (number, is_it, text) in lines {
                let mut line = Line::default();
                let (mark, style) = if is_it { ("▶", Style::Bad) } else { (" ", Style::Plain) };
                line.push(style, format!("{mark} "));
                line.push(Style::Faint, format!("{number:>5} │ "));
                line.push(style, text);
                out.push(line);
            }
        }
        out
    }

    /// The places in the source that the diagram names, the broken check's first.
    pub fn locations(&self) -> Vec<&dacapo_core::Location> {
        let mut places: Vec<&dacapo_core::Location> = Vec::new();
        let broken = self.broken.as_ref().and_then(|broken| broken.location.as_ref());
        let points = self.rows.iter().filter_map(|row| match &row.what {
            What::Point(point) if point.tone == Tone::Bad => point.location.as_ref(),
            _ => None,
        });
        for place in broken.into_iter().chain(points) {
            if !places.iter().any(|it| it.file == place.file && it.line == place.line) {
                places.push(place);
            }
        }
        places
    }
}

impl Page<'_> {
    fn lane_line(&self, texts: impl Iterator<Item = (String, Style)>) -> Line {
        let mut line = Line::default();
        line.push(Style::Plain, " ".repeat(EVENT + TIME));
        for (text, style) in texts {
            let text = cut(&text, self.lane - 1);
            let left = (self.lane - text.width()) / 2;
            let right = self.lane - text.width() - left;
            line.push(style, format!("{}{text}{}", " ".repeat(left), " ".repeat(right)));
        }
        line
    }

    fn head(&mut self) {
        let lanes = &self.diagram.lanes;
        let names = lanes.iter().map(|lane| (lane.name.clone(), Style::Node));
        let line = self.lane_line(names);
        self.out.push(line);
        let rows = lanes.iter().map(|lane| lane.details.len()).max().unwrap_or(0);
        for row in 0..rows {
            let details = lanes.iter().map(|lane| (lane.details.get(row).cloned(), Style::Service));
            let line = self.lane_line(details.map(|(text, style)| (text.unwrap_or_default(), style)));
            self.out.push(line);
        }
    }

    fn rows(&mut self) {
        let rows = &self.diagram.rows;
        let mut index = 0;
        while index < rows.len() {
            let row = &rows[index];
            match &row.what {
                What::Departs(arrow) => {
                    let next = rows.get(index + 1).map(|next| &next.what);
                    let is_whole = next == Some(&What::Arrives(*arrow));
                    self.departs(row, &self.diagram.arrows[*arrow], is_whole);
                    index += usize::from(is_whole);
                }
                What::Arrives(arrow) => self.arrives(row, &self.diagram.arrows[*arrow]),
                What::Point(point) => self.point(row, point),
                What::Phase(name) => {
                    let mut words = Line::default();
                    words.push(Style::Word, format!("── {name} ──"));
                    let cells = self.cells(row);
                    self.line(row, cells, words);
                }
                What::Gap { events, lasts } => self.gap(row, *events, *lasts),
            }
            index += 1;
        }
    }

    fn foot(&mut self) {
        let diagram = self.diagram;
        if diagram.left_out > 0 {
            let mut line = Line::default();
            let text = format!(
                "{}… {} of {} events left out",
                " ".repeat(EVENT + TIME),
                diagram.left_out,
                diagram.events
            );
            line.push(Style::Faint, text);
            self.out.push(line);
        }
    }

    /// The column of a lane's line, within the lanes' columns.
    fn column(&self, lane: usize) -> usize {
        lane * self.lane + self.lane / 2
    }

    /// The lanes as they are at that time, with nothing on them.
    fn cells(&self, row: &Row) -> Vec<Cell> {
        let mut cells = vec![(' ', Style::Plain); self.lane * self.diagram.lanes.len()];
        for lane in 0..self.diagram.lanes.len() {
            let cell = if self.diagram.is_down(lane, row.at) {
                ('┊', Style::Faint)
            } else if self.diagram.span_at(lane, row.at).is_some() {
                ('┃', Style::Fault)
            } else {
                ('│', Style::Faint)
            };
            cells[self.column(lane)] = cell;
        }
        cells
    }

    /// Draws a line between two lanes; `head` is what it ends in.
    fn draw(&self, cells: &mut [Cell], arrow: &Arrow, dash: char, head: char, style: Style) {
        let (from, to) = (self.column(arrow.from), self.column(arrow.to));
        let is_right = from < to;
        let (low, high) = (from.min(to), from.max(to));
        for cell in &mut cells[low + 1..high] {
            let is_lane = cell.0 != ' ';
            *cell = (if is_lane && dash == '─' { '┼' } else { dash }, style);
        }
        cells[from] = (if is_right { '├' } else { '┤' }, style);
        let tip = if is_right { to - 1 } else { to + 1 };
        cells[tip] = (head, style);
    }

    fn departs(&mut self, row: &Row, arrow: &Arrow, is_whole: bool) {
        let mut cells = self.cells(row);
        let style = style_of(arrow);
        let is_right = arrow.from < arrow.to;
        let pick = |right: char, left: char| if is_right { right } else { left };
        if arrow.from == arrow.to {
            cells[self.column(arrow.from)] = ('↻', style);
        } else {
            match (&arrow.fate, is_whole) {
                (Fate::Lost(_), _) => {
                    self.draw(&mut cells, arrow, '─', '─', style);
                    self.cross(&mut cells, arrow);
                }
                // Beyond the system nobody sees it arrive.
                (Fate::Arrived, false) if arrow.arrived.is_none() => {
                    self.draw(&mut cells, arrow, '─', pick('▶', '◀'), style);
                }
                (_, true) => self.draw(&mut cells, arrow, '─', pick('▶', '◀'), style),
                (_, false) => self.draw(&mut cells, arrow, '╌', pick('▷', '◁'), style),
            }
        }
        let mut words = words_of(arrow);
        match &arrow.fate {
            Fate::Lost(why) => words.word(Style::Fault, format!("LOST: {why}")),
            Fate::UnderWay => words.word(Style::Faint, "(under way at the end)"),
            Fate::Arrived if !arrow.remark.is_empty() => {
                words.word(Style::Fault, arrow.remark.clone());
            }
            Fate::Arrived => {}
        }
        if !arrow.body.is_empty() {
            words.word(Style::Excerpt, arrow.body.clone());
        }
        self.line(row, cells, words);
    }

    /// Cuts an arrow off before it arrives.
    fn cross(&self, cells: &mut [Cell], arrow: &Arrow) {
        let (from, to) = (self.column(arrow.from), self.column(arrow.to));
        let reach = (from.abs_diff(to) * 2 / 3).max(2);
        let at = if from < to { from + reach } else { from - reach };
        let blank = if from < to { at + 1..to } else { to + 1..at };
        let lines: Vec<usize> = (0..self.diagram.lanes.len()).map(|lane| self.column(lane)).collect();
        for column in blank {
            cells[column] = (if lines.contains(&column) { '│' } else { ' ' }, Style::Faint);
        }
        cells[at] = ('✕', Style::Fault);
    }

    fn arrives(&mut self, row: &Row, arrow: &Arrow) {
        let mut cells = self.cells(row);
        let style = style_of(arrow);
        if arrow.from == arrow.to {
            cells[self.column(arrow.from)] = ('↻', style);
        } else {
            let dash = if arrow.sent.is_some() { '╌' } else { '─' };
            self.draw(&mut cells, arrow, dash, if arrow.from < arrow.to { '▶' } else { '◀' }, style);
        }
        let mut words = if arrow.sent.is_some() { said_of(arrow) } else { words_of(arrow) };
        if let Some(sent) = arrow.sent {
            words.word(Style::Faint, format!("(sent {} before)", span(row.at.since(sent))));
        }
        // What was said where it left need not be said again.
        if !arrow.remark.is_empty() && (arrow.sent.is_none() || arrow.remark.ends_with(ONCE_MORE)) {
            words.word(Style::Fault, arrow.remark.clone());
        }
        if arrow.sent.is_none() && !arrow.body.is_empty() {
            words.word(Style::Excerpt, arrow.body.clone());
        }
        self.line(row, cells, words);
    }

    fn point(&mut self, row: &Row, point: &Point) {
        let mut cells = self.cells(row);
        let style = style_of_tone(point.tone);
        let mark = match point.kind {
            PointKind::Log => '·',
            PointKind::Check => '✓',
            PointKind::Broken => '✗',
            PointKind::Crash => '╳',
            PointKind::Boot => '┬',
            PointKind::Disk => '■',
            PointKind::Clock => '○',
            PointKind::Failure => '!',
            PointKind::Fault => '▪',
            PointKind::Other => '•',
        };
        for lane in &point.lanes {
            cells[self.column(*lane)] = (mark, style);
        }
        let mut words = Line::default();
        let style =
            if point.kind == PointKind::Log && point.tone != Tone::Bad { Style::Excerpt } else { style };
        words.push(style, point.text.clone());
        let is_broken = point.kind == PointKind::Broken;
        if !is_broken {
            return self.line(row, cells, words);
        }
        // The end of the story is told in full.
        for (number, text) in wrap(&point.text, self.words).into_iter().enumerate() {
            let mut words = Line::default();
            words.push(Style::Bad, text);
            let cells = if number == 0 { cells.clone() } else { self.blank() };
            self.line(row, cells, words);
        }
        let broken = self.diagram.broken.as_ref().filter(|broken| broken.event == row.event);
        let location = point.location.as_ref().or(broken.and_then(|broken| broken.location.as_ref()));
        let location = location.map(|location| crate::print::clean(&location.to_string()));
        let details = broken.map(|broken| broken.details.clone()).unwrap_or_default();
        let mut details: Vec<String> = details.iter().flat_map(|text| wrap(text, self.words)).collect();
        if details.len() > DETAILS_MAX {
            details.truncate(DETAILS_MAX - 1);
            details.push("…".to_owned());
        }
        for text in details {
            let mut words = Line::default();
            words.push(Style::Plain, text);
            let cells = self.blank();
            self.line(row, cells, words);
        }
        if let Some(location) = location {
            let mut words = Line::default();
            words.push(Style::Faint, location);
            let cells = self.blank();
            self.line(row, cells, words);
        }
    }

    fn blank(&self) -> Vec<Cell> {
        vec![(' ', Style::Plain); self.lane * self.diagram.lanes.len()]
    }

    fn gap(&mut self, row: &Row, events: u64, lasts: Duration) {
        let mut cells = self.cells(row);
        for cell in cells.iter_mut().filter(|cell| cell.0 == '│') {
            cell.0 = '⋮';
        }
        let text = match events {
            0 => format!("… {}", span(lasts)),
            1 => format!("… {}, 1 event left out", span(lasts)),
            _ => format!("… {}, {events} events left out", span(lasts)),
        };
        let mut words = Line::default();
        words.push(Style::Faint, text);
        self.push(String::new(), String::new(), cells, words);
    }

    fn line(&mut self, row: &Row, cells: Vec<Cell>, words: Line) {
        let (event, time) = (format!("#{}", row.event), row.at.to_string());
        let is_same = self.shown.as_ref().is_some_and(|(event, _)| *event == row.event);
        let same_time = self.shown.as_ref().is_some_and(|(_, shown)| *shown == time);
        let event = if is_same { String::new() } else { event };
        self.shown = Some((row.event, time.clone()));
        self.push(event, if same_time { String::new() } else { time }, cells, words);
    }

    fn push(&mut self, event: String, time: String, cells: Vec<Cell>, words: Line) {
        let mut line = Line::default();
        line.push(Style::Event, format!("{event:<width$}", width = EVENT));
        line.push(Style::Time, format!("{time:>width$} ", width = TIME - 1));
        let mut run = String::new();
        let mut style = Style::Plain;
        for (c, its) in cells {
            if its != style && !run.is_empty() {
                line.push(style, std::mem::take(&mut run));
            }
            style = its;
            run.push(c);
        }
        line.push(style, run);
        line.push(Style::Plain, " ");
        let mut room = self.words;
        for segment in words.segments {
            let text = cut(&segment.text, room);
            room -= text.width();
            let is_cut = text != segment.text;
            line.push(segment.style, text);
            if is_cut {
                break;
            }
        }
        self.out.push(line);
    }
}

/// What it is, and for whom.
fn words_of(arrow: &Arrow) -> Line {
    let mut words = said_of(arrow);
    if !arrow.whom.is_empty() {
        words.word(Style::Faint, format!("to {}", arrow.whom));
    }
    words
}

/// What it is.
fn said_of(arrow: &Arrow) -> Line {
    let mut words = Line::default();
    let style = match (arrow.kind, arrow.tone) {
        (ArrowKind::Request, _) => Style::Word,
        (_, Tone::Good) => Style::Good,
        (_, Tone::Bad) => Style::Bad,
        _ => Style::Plain,
    };
    words.push(style, arrow.text.clone());
    words
}

fn style_of(arrow: &Arrow) -> Style {
    match arrow.fate {
        Fate::Lost(_) => Style::Fault,
        _ if arrow.kind == ArrowKind::Request => Style::Plain,
        _ => style_of_tone(arrow.tone),
    }
}

fn style_of_tone(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::Plain,
        Tone::Good => Style::Good,
        Tone::Bad => Style::Bad,
        Tone::Fault => Style::Fault,
        Tone::Faint => Style::Faint,
    }
}

/// A length of time in three digits: `1.50 s`, `230 ms`.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    match seconds {
        s if s >= 3600.0 => format!("{:.1} h", s / 3600.0),
        s if s >= 100.0 => format!("{:.1} min", s / 60.0),
        s if s >= 10.0 => format!("{s:.1} s"),
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 0.001 => format!("{:.1} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

/// The text, cut to so many columns.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used + 1 > columns {
            break;
        }
        out.push(c);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

/// The text in lines of so many columns, broken between words where that is possible.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let gap = usize::from(!line.is_empty());
        if !line.is_empty() && line.width() + gap + word.width() > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            if line.width() + c.width().unwrap_or(0) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::{cut, span, wrap};
    use std::time::Duration;

    #[test]
    fn a_text_is_cut_by_columns_and_not_by_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn a_text_is_broken_between_words_and_within_those_that_are_too_long() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("aaaaaaaaaa b", 4), ["aaaa", "aaaa", "aa b"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn a_span_has_three_digits() {
        let text = |micros| span(Duration::from_micros(micros));
        assert_eq!(
            [text(42), text(1_500), text(1_230_000), text(12_340_000)],
            ["42 µs", "1.5 ms", "1.23 s", "12.3 s"]
        );
        assert_eq!([text(180_000_000), text(7_200_000_000)], ["3.0 min", "2.0 h"]);
    }
}
