//! How probable the failure was at each moment of the run, as far as continuations from there tell, and
//! the moment from which on it was inevitable.

use dacapo_core::Time;

use crate::print::{Line, Style};

/// From this share on a failure counts as inevitable.
const INEVITABLE: f64 = 0.9;
/// How many lines the graph is high.
const HEIGHT: usize = 5;
/// The columns of the scale to the left.
const SCALE: usize = 7;
/// The widest column of a single moment.
const COLUMN_MAX: usize = 6;
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Continuations of a run from one moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The event behind which they begin.
    pub event: u64,
    /// Its time.
    pub at: Time,
    /// How many of them failed.
    pub failed: u32,
    /// How many there were.
    pub runs: u32,
}

impl Branch {
    /// The share that failed.
    pub fn share(&self) -> f64 {
        if self.runs == 0 { 0.0 } else { f64::from(self.failed) / f64::from(self.runs) }
    }

    /// Between which shares the true one lies, with a confidence of 95 % (Wilson's interval).
    pub fn interval(&self) -> (f64, f64) {
        if self.runs == 0 {
            return (0.0, 1.0);
        }
        let (n, p, z) = (f64::from(self.runs), self.share(), 1.96);
        let middle = p + z * z / (2.0 * n);
        let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z * z / n;
        (((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0))
    }
}

/// Where the run turned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// The number of the branch, from 0, from which on it was so.
    pub branch: usize,
    /// The share before.
    pub before: f64,
    /// The share from then on.
    pub after: f64,
    /// Whether the failure is inevitable from there on, or only much more probable.
    pub is_inevitable: bool,
}

/// The moments of a run, each with its continuations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inevitability {
    branches: Vec<Branch>,
}

impl Inevitability {
    /// Of these branches, in whatever order.
    pub fn new(mut branches: Vec<Branch>) -> Inevitability {
        branches.sort_by_key(|branch| (branch.event, branch.at));
        Inevitability { branches }
    }

    /// The branches, in the order of the run.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// The first moment from which on the failure stays inevitable; without one, the largest rise.
    /// `None`: it never rises.
    pub fn turn(&self) -> Option<Turn> {
        let share = |branch: usize| self.branches[branch].share();
        let tail = self.branches.iter().rev().take_while(|branch| branch.share() >= INEVITABLE).count();
        let first = self.branches.len() - tail;
        let before = |branch: usize| if branch == 0 { 0.0 } else { share(branch - 1) };
        if tail > 0 {
            let (before, after) = (before(first), share(first));
            return Some(Turn { branch: first, before, after, is_inevitable: true });
        }
        let rise = |branch: usize| share(branch) - share(branch - 1);
        let largest = (1..self.branches.len()).filter(|branch| rise(*branch) > 0.0);
        // Of equal rises the first.
        let branch = largest.rev().max_by(|a, b| rise(*a).total_cmp(&rise(*b)))?;
        Some(Turn { branch, before: before(branch), after: share(branch), is_inevitable: false })
    }

    /// In words.
    pub fn sentence(&self) -> String {
        let Some(turn) = self.turn() else {
            return "at no moment does the failure become more probable".to_owned();
        };
        let branch = &self.branches[turn.branch];
        let (low, high) = branch.interval();
        let verdict =
            if turn.is_inevitable { "from here on the failure is inevitable" } else { "the largest rise" };
        format!(
            "#{} {}: {} → {} ({} of {} continuations fail; {} to {} with 95 % confidence): {verdict}",
            branch.event,
            branch.at,
            percent(turn.before),
            percent(turn.after),
            branch.failed,
            branch.runs,
            percent(low),
            percent(high),
        )
    }

    /// The graph in lines of so many columns.
    pub fn text(&self, width: usize) -> Vec<Line> {
        if self.branches.is_empty() {
            return Vec::new();
        }
        let room = width.saturating_sub(SCALE + 2).max(10);
        let column = (room / self.branches.len()).clamp(1, COLUMN_MAX);
        let columns = (self.branches.len() * column).min(room);
        // Which branch a column shows: with more branches than columns, some are passed over.
        let shown = |at: usize| match column {
            1 => at * self.branches.len() / columns,
            _ => at / column,
        };
        let turn = self.turn();
        let mut out = Vec::new();
        for row in (0..HEIGHT).rev() {
            let mut line = Line::default();
            let label = match row {
                _ if row + 1 == HEIGHT => "100 %",
                0 => "0 %",
                _ if row == HEIGHT / 2 => "50 %",
                _ => "",
            };
            line.push(Style::Faint, format!("{label:>width$} │", width = SCALE - 1));
            let is_late = |at: usize| turn.is_some_and(|turn| turn.is_inevitable && shown(at) >= turn.branch);
            for is_wanted in [false, true] {
                let cells = (0..columns).filter(|at| is_late(*at) == is_wanted);
                let text: String = cells.map(|at| block(self.branches[shown(at)].share(), row)).collect();
                line.push(if is_wanted { Style::Bad } else { Style::Plain }, text);
            }
            out.push(line);
        }
        let mut axis = Line::default();
        axis.push(Style::Faint, format!("{:width$}└{}", "", "─".repeat(columns), width = SCALE));
        out.push(axis);
        let (first, last) = (&self.branches[0], &self.branches[self.branches.len() - 1]);
        let (first, last) = (format!("#{}", first.event), format!("#{}", last.event));
        let gap = columns.saturating_sub(first.len() + last.len()).max(1);
        let mut marks = Line::default();
        marks.push(Style::Faint, format!("{:width$}{first}{}{last}", "", " ".repeat(gap), width = SCALE + 1));
        out.push(marks);
        if let Some(turn) = turn {
            let at = (0..columns).find(|at| shown(*at) >= turn.branch).unwrap_or(0);
            let mut line = Line::default();
            line.push(Style::Bad, format!("{:width$}▲", "", width = SCALE + 1 + at));
            out.push(line);
        }
        let mut line = Line::default();
        line.push(Style::Plain, self.sentence());
        out.push(line);
        out
    }
}

/// The part of a bar in this row, counted from the bottom. What is not nothing can be seen.
fn block(share: f64, row: usize) -> char {
    let eighths = (share * (HEIGHT * 8) as f64).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { eighths };
    BLOCKS[eighths.saturating_sub(row * 8).min(8)]
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(failed: &[u32]) -> Inevitability {
        let branch = |(number, failed): (usize, &u32)| {
            let number = number as u64 + 1;
            Branch { event: number * 10, at: Time(number * 1_000_000), failed: *failed, runs: 20 }
        };
        Inevitability::new(failed.iter().enumerate().map(branch).collect())
    }

    #[test]
    fn a_failure_is_inevitable_from_where_it_stays_so() {
        let turn = of(&[0, 20, 1, 2, 19, 20, 18]).turn().expect("it turns");
        assert_eq!((turn.branch, turn.is_inevitable), (4, true));
        assert_eq!((turn.before, turn.after), (0.1, 0.95));
    }

    #[test]
    fn a_failure_that_stays_uncertain_has_a_largest_rise() {
        let turn = of(&[1, 2, 9, 8, 15, 12]).turn().expect("it rises");
        assert_eq!((turn.branch, turn.is_inevitable), (2, false), "of equal rises the first");
        assert_eq!(of(&[5, 5, 3]).turn(), None);
        assert_eq!(of(&[]).turn(), None);
    }

    #[test]
    fn a_failure_can_be_inevitable_from_the_start() {
        let turn = of(&[20, 20]).turn().expect("it is");
        assert_eq!((turn.branch, turn.before), (0, 0.0));
    }

    #[test]
    fn few_continuations_leave_a_wide_interval() {
        let branch = |failed, runs| Branch { event: 1, at: Time::ZERO, failed, runs };
        let rounded = |branch: Branch| {
            let (low, high) = branch.interval();
            ((low * 1000.0).round(), (high * 1000.0).round())
        };
        // As in the tables of the textbooks.
        assert_eq!(rounded(branch(0, 20)), (0.0, 161.0));
        assert_eq!(rounded(branch(10, 20)), (299.0, 701.0));
        assert_eq!(rounded(branch(20, 20)), (839.0, 1000.0));
        assert_eq!(rounded(branch(0, 0)), (0.0, 1000.0));
    }

    #[test]
    fn the_graph_points_at_the_moment() {
        let text: Vec<String> =
            of(&[0, 1, 0, 4, 6, 5, 10, 19, 20, 20]).text(60).iter().map(Line::to_string).collect();
        insta::assert_snapshot!(text.join("\n"), @"
         100 % │                                   ▆▆▆▆▆██████████
               │                                   ███████████████
          50 % │                              ▄▄▄▄▄███████████████
               │                    ▄▄▄▄▄▂▂▂▂▂████████████████████
           0 % │     ▂▂▂▂▂     ███████████████████████████████████
               └──────────────────────────────────────────────────
                #10                                           #100
                                                   ▲
        #80 0.008000s: 50 % → 95 % (19 of 20 continuations fail; 76 % to 99 % with 95 % confidence): from here on the failure is inevitable
        ");
    }

    #[test]
    fn more_moments_than_columns_still_fit() {
        let many: Vec<u32> = (0..400).map(|n| if n > 250 { 20 } else { 0 }).collect();
        let lines = of(&many).text(60);
        let graph = lines[..HEIGHT].iter().map(|line| line.to_string().chars().count());
        assert!(graph.max().is_some_and(|widest| widest <= 60));
        assert!(lines.last().is_some_and(|line| line.to_string().starts_with("#2520 ")));
    }
}
