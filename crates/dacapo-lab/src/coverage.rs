//! How much of the services' code was reached: functions and branches, for people and as LCOV for tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use dacapo_core::{Point, PointKind};

use crate::experiment::Experiment;
use crate::seen::of_point;

/// The functions and branches of the services of an experiment, and which of them were reached.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// By file, and by where they stand in it.
    files: BTreeMap<String, Vec<Reached>>,
}

#[derive(Clone, Debug)]
struct Reached {
    point: Point,
    is_reached: bool,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Those that were reached.
    pub reached: usize,
    /// All there are.
    pub all: usize,
}

impl Experiment {
    /// What was reached in runs in which this was seen ([`crate::Run::seen`]). `None` if the programs have no probes.
    pub fn coverage(&self, is_seen: impl Fn(u64) -> bool) -> Option<Coverage> {
        let (mut files, mut known): (BTreeMap<String, Vec<Reached>>, _) = (BTreeMap::new(), BTreeSet::new());
        let mut has_probes = false;
        for probes in self.services().filter_map(|program| program.probes()) {
            has_probes = true;
            // Two services may share a module.
            for point in probes.points().iter().filter(|point| known.insert(point.id)) {
                let reached = Reached { point: point.clone(), is_reached: is_seen(of_point(point.id)) };
                files.entry(point.location.file.to_string()).or_default().push(reached);
            }
        }
        for reached in files.values_mut() {
            reached.sort_by_key(|it| (it.point.location.line, it.point.location.column));
        }
        has_probes.then_some(Coverage { files })
    }
}

impl Coverage {
    /// How many of these were reached.
    pub fn share(&self, kind: PointKind) -> Share {
        let of_kind = self.files.values().flatten().filter(|it| it.point.kind == kind);
        let (reached, missed): (Vec<&Reached>, Vec<&Reached>) = of_kind.partition(|it| it.is_reached);
        Share { reached: reached.len(), all: reached.len() + missed.len() }
    }

    /// What was never reached, file by file.
    pub fn missed(&self) -> impl Iterator<Item = &Point> {
        self.files.values().flatten().filter(|it| !it.is_reached).map(|it| &it.point)
    }

    /// A tracefile of LCOV. `path_of` says where a file of the project is found. Lines are those on which a function or a
    /// branch begins; how often one was reached is not known, so it is once or never.
    pub fn lcov(&self, path_of: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for (file, points) in &self.files {
            // Writing to a string cannot fail.
            let _ = write!(text, "TN:\nSF:{}\n{}", path_of(file), Section(points));
        }
        text
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (functions, branches) = (self.share(PointKind::Function), self.share(PointKind::Branch));
        write!(
            f,
            "{} of {} functions, {} of {} branches",
            functions.reached, functions.all, branches.reached, branches.all
        )
    }
}

/// What LCOV says of one file.
struct Section<'a>(&'a [Reached]);

impl fmt::Display for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |kind: PointKind| self.0.iter().filter(move |it| it.point.kind == kind);
        let hits = |it: &Reached| u8::from(it.is_reached);
        let name = |it: &Reached| match it.point.name.is_empty() {
            true => format!("(anonymous at {}:{})", it.point.location.line, it.point.location.column),
            false => it.point.name.to_string(),
        };
        for it in of(PointKind::Function) {
            writeln!(f, "FN:{},{}", it.point.location.line, name(it))?;
        }
        for it in of(PointKind::Function) {
            writeln!(f, "FNDA:{},{}", hits(it), name(it))?;
        }
        self.totals(f, "FNF", "FNH", of(PointKind::Function))?;
        // Those that begin at the same place are branches of one block.
        let (mut block, mut branch, mut place) = (0, 0, None);
        for it in of(PointKind::Branch) {
            let here = Some((it.point.location.line, it.point.location.column));
            if here == place {
                branch += 1;
            } else {
                (block, branch, place) = (block + 1, 0, here);
            }
            writeln!(f, "BRDA:{},{block},{branch},{}", it.point.location.line, hits(it))?;
        }
        self.totals(f, "BRF", "BRH", of(PointKind::Branch))?;
        let mut lines: BTreeMap<u32, u8> = BTreeMap::new();
        for it in self.0 {
            let line = lines.entry(it.point.location.line).or_default();
            *line = (*line).max(hits(it));
        }
        for (line, hits) in &lines {
            writeln!(f, "DA:{line},{hits}")?;
        }
        writeln!(f, "LF:{}\nLH:{}", lines.len(), lines.values().filter(|hits| **hits > 0).count())?;
        writeln!(f, "end_of_record")
    }
}

impl Section<'_> {
    fn totals<'r>(
        &self,
        f: &mut fmt::Formatter<'_>,
        found: &str,
        hit: &str,
        of: impl Iterator<Item = &'r Reached>,
    ) -> fmt::Result {
        let (all, reached) = of.fold((0, 0), |(all, hit), it| (all + 1, hit + usize::from(it.is_reached)));
        writeln!(f, "{found}:{all}\n{hit}:{reached}")
    }
}

#[cfg(test)]
mod tests {
    use dacapo_core::Location;

    use super::*;

    fn reached(name: &str, kind: PointKind, line: u32, column: u32, is_reached: bool) -> Reached {
        let location = Location { file: "src/a.ts".into(), line, column };
        let point = Point { id: u64::from(line * 100 + column), kind, name: name.into(), location };
        Reached { point, is_reached }
    }

    fn coverage() -> Coverage {
        let points = vec![
            reached("take", PointKind::Function, 3, 1, true),
            reached("then", PointKind::Branch, 4, 3, false),
            reached("else", PointKind::Branch, 4, 3, true),
            reached("catch", PointKind::Branch, 7, 3, false),
            reached("", PointKind::Function, 9, 20, false),
        ];
        Coverage { files: BTreeMap::from([("src/a.ts".to_owned(), points)]) }
    }

    #[test]
    fn coverage_is_counted_and_what_was_missed_is_named() {
        let coverage = coverage();
        assert_eq!(coverage.to_string(), "1 of 2 functions, 1 of 3 branches");
        let missed: Vec<String> =
            coverage.missed().map(|point| format!("{} {}", point.location, point.name)).collect();
        assert_eq!(missed, ["src/a.ts:4:3 then", "src/a.ts:7:3 catch", "src/a.ts:9:20 "]);
    }

    #[test]
    fn lcov_has_functions_branches_and_the_lines_on_which_they_begin() {
        insta::assert_snapshot!(coverage().lcov(|file| format!("shop/{file}")), @"
        TN:
        SF:shop/src/a.ts
        FN:3,take
        FN:9,(anonymous at 9:20)
        FNDA:1,take
        FNDA:0,(anonymous at 9:20)
        FNF:2
        FNH:1
        BRDA:4,1,0,0
        BRDA:4,1,1,1
        BRDA:7,2,0,0
        BRF:3
        BRH:1
        DA:3,1
        DA:4,1
        DA:7,0
        DA:9,0
        LF:4
        LH:2
        end_of_record
        ");
    }
}
