//! The lines of a guest's source around a place.

use dacapo_core::Location;

use crate::print::clean;

/// So many lines are shown before the place, and as many after it.
const AROUND: u32 = 4;
/// A line that is longer is cut.
const COLUMNS_MAX: usize = 160;

/// The lines around this place, each with its number and whether it is the one. Empty if the text has
/// no such line.
pub fn source_lines(text: &str, location: &Location) -> Vec<(u32, bool, String)> {
    let first = location.line.saturating_sub(AROUND).max(1);
    let last = location.line.saturating_add(AROUND);
    let lines = text.lines().zip(1u32..).skip(first as usize - 1).take_while(|(_, number)| *number <= last);
    let cut = |line: &str| clean(&line.replace('\t', "    ").chars().take(COLUMNS_MAX).collect::<String>());
    let lines: Vec<_> = lines.map(|(line, number)| (number, number == location.line, cut(line))).collect();
    if lines.iter().any(|(_, is_it, _)| *is_it) { lines } else { Vec::new() }
}
