//! What a disk holds after its node went down.

use dacapo_core::{Decisions, Time};

use super::drive::Drive;
use super::pending::{Op, What};
use super::volume::{Change, FileId, Volume};

/// How much a crash takes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The process died and the machine lives: all that was done stays in the cache, un-synced.
    Kept,
    /// The power failed: what was not synced is gone.
    Nothing,
    /// The power failed: of what was not synced some is there.
    Torn(Tear),
}

/// Which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tear {
    /// All that was complete.
    Whole,
    /// Everything up to some moment, and a part of what was then being written.
    Prefix,
    /// Any subset, by sector.
    Any,
}

/// So many sectors share one decision.
const SECTORS_A_DECISION: usize = 32;

impl Drive {
    /// The node goes down at `now`. Gives a line about it, if the disk lost or kept something that
    /// was not synced.
    pub(crate) fn crash(
        &mut self,
        decisions: &mut Decisions,
        now: Time,
        may_lose_power: bool,
    ) -> Option<String> {
        self.handles += 1;
        self.pending.settle(now, &mut self.platter);
        let ops = self.pending.take_begun(now);
        if ops.is_empty() {
            self.cache = self.platter.clone();
            return None;
        }
        let outcome = if may_lose_power { self.choose_outcome(decisions) } else { Outcome::Kept };
        let count = ops.len();
        match outcome {
            Outcome::Nothing => {}
            Outcome::Kept => self.keep(ops),
            Outcome::Torn(tear) => self.tear(decisions, tear, ops),
        }
        self.cache = self.platter.clone();
        for op in &self.pending.ops {
            if let What::Change(change) = &op.what {
                self.cache.apply(change);
            }
        }
        self.cache.forget_nameless();
        let name = &self.name;
        Some(match outcome {
            Outcome::Kept => format!("disk {name} keeps {count} un-synced operations in its cache"),
            Outcome::Nothing => format!("disk {name} loses {count} un-synced operations"),
            Outcome::Torn(Tear::Whole) => format!("disk {name} keeps {count} un-synced operations"),
            Outcome::Torn(Tear::Prefix) => {
                format!("disk.torn {name} keeps the first of {count} un-synced operations")
            }
            Outcome::Torn(Tear::Any) => {
                format!("disk.torn {name} keeps parts of {count} un-synced operations")
            }
        })
    }

    fn choose_outcome(&mut self, decisions: &mut Decisions) -> Outcome {
        if let Some(torn) = &self.faults.torn
            && decisions.chance(torn.lane, "hit", torn.rate)
        {
            let tears = [Tear::Whole, Tear::Prefix, Tear::Any];
            return Outcome::Torn(tears[decisions.choose(torn.lane, "tear", 3) as usize]);
        }
        let damages = [&self.faults.bitrot, &self.faults.misdirected];
        if damages.into_iter().flatten().next().is_some()
            && decisions.choose(self.lanes.crash, "power", 2) == 1
        {
            return Outcome::Torn(Tear::Whole);
        }
        if decisions.choose(self.lanes.crash, "power", 2) == 1 { Outcome::Nothing } else { Outcome::Kept }
    }

    fn keep(&mut self, ops: Vec<(Op, bool)>) {
        let kept = ops.into_iter().filter(|(op, is_complete)| *is_complete && !op.is_orphan);
        self.pending.ops = kept.map(|(op, _)| op).collect();
    }

    fn tear(&mut self, decisions: &mut Decisions, tear: Tear, ops: Vec<(Op, bool)>) {
        let lane = self.faults.torn.as_ref().map_or(self.lanes.crash, |torn| torn.lane);
        let whole = match tear {
            // The lowest choice keeps the most, so that a shrinker that lowers numbers removes damage.
            Tear::Prefix => ops.len() - decisions.choose(lane, "lost", ops.len() as u64 + 1) as usize,
            Tear::Whole => ops.len(),
            Tear::Any => 0,
        };
        let may_tear = self.faults.torn.is_some();
        let before = self.platter.clone();
        let mut written = Vec::new();
        let mut lost_names: Vec<String> = Vec::new();
        for (index, (op, is_complete)) in ops.iter().enumerate() {
            let What::Change(change) = &op.what else { continue };
            if tear == Tear::Prefix && index > whole {
                break;
            }
            if !*is_complete && !may_tear {
                continue;
            }
            let is_whole = index < whole && *is_complete && !op.is_orphan;
            match change {
                Change::Write { file, first, sectors, len } => {
                    let kept = |n: usize, decisions: &mut Decisions| match is_whole {
                        true => vec![true; n],
                        false => mask(decisions, lane, n),
                    };
                    let keeps = kept(sectors.len(), decisions);
                    for ((number, sector), _) in (*first..).zip(sectors).zip(keeps).filter(|(_, keep)| *keep)
                    {
                        self.platter.put(*file, number, sector.clone());
                        written.push((*file, number));
                    }
                    if kept(1, decisions)[0] {
                        self.platter.grow(*file, *len);
                    }
                }
                Change::Truncate { .. } => {
                    if is_whole || mask(decisions, lane, 1)[0] {
                        self.platter.apply(change);
                    }
                }
                Change::Create(..) | Change::Rename(..) | Change::Remove(..) => {
                    // A folder is kept by a journal: what builds on a lost operation is lost, too.
                    let builds_on_lost =
                        change.names().any(|name| lost_names.iter().any(|lost| lost == name));
                    if !builds_on_lost && (is_whole || mask(decisions, lane, 1)[0]) {
                        self.platter.apply(change);
                    } else {
                        lost_names.extend(change.names().map(str::to_owned));
                    }
                }
            }
        }
        self.platter.forget_nameless();
        self.platter.cut_tails();
        let fresh = self.never_synced(&before, written);
        self.damage_after_crash(decisions, &fresh);
    }

    /// Those of these sectors in which no sync has ever put a byte.
    fn never_synced(&self, before: &Volume, written: Vec<(FileId, u64)>) -> Vec<(FileId, u64)> {
        let size = u64::from(self.options.sector);
        let is_fresh = |(file, number): &(FileId, u64)| {
            let start = number * size;
            start >= before.len(*file) && start < self.platter.len(*file)
        };
        let mut fresh: Vec<_> = written.into_iter().filter(is_fresh).collect();
        fresh.sort_unstable();
        fresh.dedup();
        fresh
    }
}

/// For each of `n` sectors, whether it is kept.
fn mask(decisions: &mut Decisions, lane: dacapo_core::Lane, n: usize) -> Vec<bool> {
    let mut kept = Vec::with_capacity(n);
    while kept.len() < n {
        let part = (n - kept.len()).min(SECTORS_A_DECISION);
        let lost = decisions.choose(lane, "sectors", 1 << part);
        kept.extend((0..part).map(|bit| lost >> bit & 1 == 0));
    }
    kept
}
