//! Drawings in text: a lane for each process, time from left to right.

use std::collections::BTreeMap;
use std::fmt;

/// One operation in a drawing.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// Whose it is.
    pub(crate) lane: u64,
    pub(crate) label: String,
    /// Its place in the order of moments.
    pub(crate) from: u32,
    /// None if it has not ended.
    pub(crate) to: Option<u32>,
    pub(crate) is_marked: bool,
}

/// A drawing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes {
    bars: Vec<Bar>,
}

/// A drawing that would be wider has numbers for labels, and one that would still be has no bars.
const WIDTH_MAX: usize = 160;

impl Lanes {
    pub(crate) fn add(&mut self, bar: Bar) {
        self.bars.push(bar);
    }

    /// Where each moment is, so that every label fits between the ends of its bar.
    fn columns(&self, labels: &[String]) -> (BTreeMap<u32, usize>, usize) {
        let mut columns: BTreeMap<u32, usize> = BTreeMap::new();
        for bar in &self.bars {
            columns.insert(bar.from, 0);
            columns.extend(bar.to.map(|to| (to, 0)));
        }
        let begin: BTreeMap<u32, usize> =
            self.bars.iter().enumerate().filter_map(|(index, bar)| Some((bar.to?, index))).collect();
        let moments: Vec<u32> = columns.keys().copied().collect();
        let mut column = 0;
        for moment in moments {
            if let Some(index) = begin.get(&moment) {
                let from = columns[&self.bars[*index].from];
                column = column.max(from + labels[*index].chars().count() + 3);
            }
            columns.insert(moment, column);
            column += 2;
        }
        let open = self.bars.iter().zip(labels).filter(|(bar, _)| bar.to.is_none());
        let width = open.map(|(bar, label)| columns[&bar.from] + label.chars().count() + 4).max();
        (columns, column.max(width.unwrap_or(0)))
    }

    fn draw(
        &self,
        f: &mut fmt::Formatter<'_>,
        labels: &[String],
        columns: &BTreeMap<u32, usize>,
        width: usize,
    ) -> fmt::Result {
        let mut lanes: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (index, bar) in self.bars.iter().enumerate() {
            lanes.entry(bar.lane).or_default().push(index);
        }
        let name_width = lanes.keys().map(|lane| lane.to_string().len()).max().unwrap_or(1);
        for (lane, mut bars) in lanes {
            bars.sort_by_key(|index| self.bars[*index].from);
            // What a process never heard of may go on under its next operations, which get a line of
            // their own then.
            let mut lines: Vec<Vec<char>> = Vec::new();
            for index in bars {
                let bar = &self.bars[index];
                let from = columns[&bar.from];
                let drawn = drawn(bar, &labels[index], from, columns, width);
                let fits = |line: &Vec<char>| line.len() <= from;
                let at = lines.iter().position(fits).unwrap_or_else(|| {
                    lines.push(Vec::new());
                    lines.len() - 1
                });
                lines[at].resize(from, ' ');
                lines[at].extend(drawn);
            }
            for (number, line) in lines.iter().enumerate() {
                let line: String = line.iter().collect();
                let name = if number == 0 { lane.to_string() } else { String::new() };
                writeln!(f, "  {name:>name_width$}  {}", line.trim_end())?;
            }
        }
        Ok(())
    }
}

fn drawn(bar: &Bar, label: &str, from: usize, columns: &BTreeMap<u32, usize>, width: usize) -> Vec<char> {
    let to = bar.to.map_or(width, |to| columns[&to]);
    let mut text: Vec<char> = format!("├ {label} ").chars().collect();
    text.resize(text.len().max(to.saturating_sub(from)), if bar.to.is_some() { '─' } else { '╌' });
    if bar.to.is_some() {
        text.push('┤');
    }
    if bar.is_marked {
        text.extend([' ', '✗']);
    }
    text
}

impl fmt::Display for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<String> = self.bars.iter().map(|bar| bar.label.clone()).collect();
        let (columns, width) = self.columns(&labels);
        if width <= WIDTH_MAX {
            return self.draw(f, &labels, &columns, width);
        }
        let numbers: Vec<String> = (1..=self.bars.len()).map(|number| number.to_string()).collect();
        let (columns, width) = self.columns(&numbers);
        if width <= WIDTH_MAX {
            self.draw(f, &numbers, &columns, width)?;
            f.write_str("\n")?;
        }
        for (bar, number) in self.bars.iter().zip(&numbers) {
            let mark = if bar.is_marked { " ✗" } else { "" };
            writeln!(f, "  {number:>4}: process {} {}{mark}", bar.lane, bar.label)?;
        }
        Ok(())
    }
}
