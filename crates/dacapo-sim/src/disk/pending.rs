//! What was done to a disk and is not certain to survive: the list between its cache and its
//! platter, and how a sync shortens it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use dacapo_core::Time;

use super::volume::{Change, FileId, Volume};

/// Without a sync, a cache is written back after so long.
const WRITEBACK: Duration = Duration::from_secs(30);

/// Something that was done.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    /// The disk began with it.
    pub(crate) begun: Time,
    /// It took effect.
    pub(crate) at: Time,
    pub(crate) what: What,
    /// A sync that should have made it durable failed: none will any more.
    pub(crate) is_orphan: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Change(Change),
    /// Everything done to the file of this name becomes durable.
    Sync(String, Option<FileId>),
}

/// The list, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    pub(crate) ops: VecDeque<Op>,
}

impl Pending {
    pub(crate) fn push(&mut self, begun: Time, at: Time, what: What) {
        self.ops.push_back(Op { begun, at, what, is_orphan: false });
    }

    /// Lets every sync up to `now` take effect on the platter.
    pub(crate) fn settle(&mut self, now: Time, platter: &mut Volume) {
        while let Some(index) =
            self.ops.iter().position(|op| op.at <= now && matches!(op.what, What::Sync(..)))
        {
            let Some(Op { what: What::Sync(name, file), .. }) = self.ops.remove(index) else { return };
            let covered = self.covered(index, &name, file);
            self.make_durable(&covered, platter);
        }
        let old = self.ops.iter().take_while(|op| op.at + WRITEBACK <= now);
        let due: Vec<usize> =
            old.enumerate().filter(|(_, op)| !op.is_orphan).map(|(index, _)| index).collect();
        self.make_durable(&due, platter);
    }

    /// Which of the first `count` a sync of this file covers, in order.
    fn covered(&self, count: usize, name: &str, file: Option<FileId>) -> Vec<usize> {
        // A name that came about through others is durable only together with how it did.
        let mut names: BTreeSet<&str> = [name].into();
        let mut covered = Vec::new();
        for (index, op) in self.ops.iter().enumerate().take(count).rev() {
            let What::Change(change) = &op.what else { continue };
            let is_covered = match change.content_of() {
                Some(of) => Some(of) == file && !op.is_orphan,
                None => change.names().any(|name| names.contains(name)),
            };
            if is_covered {
                names.extend(change.names());
                covered.push(index);
            }
        }
        covered.reverse();
        covered
    }

    fn make_durable(&mut self, indices: &[usize], platter: &mut Volume) {
        let mut frees = false;
        for index in indices {
            if let What::Change(change) = &self.ops[*index].what {
                platter.apply(change);
                frees |= change.content_of().is_none();
            }
        }
        let mut index = 0;
        let mut indices = indices.iter().copied().peekable();
        self.ops.retain(|_| {
            let is_durable = indices.next_if_eq(&index).is_some();
            index += 1;
            !is_durable
        });
        if frees {
            platter.forget_nameless();
        }
    }

    /// Those changes of the content of `file` that a sync would have to write.
    pub(crate) fn dirty(&mut self, file: FileId) -> impl Iterator<Item = &mut Op> {
        let first = self.first_dirty(file);
        self.ops.iter_mut().skip(first).filter(move |op| match &op.what {
            What::Change(change) => change.content_of() == Some(file) && !op.is_orphan,
            What::Sync(..) => false,
        })
    }

    /// A sync that has not taken effect yet will have written what stands before it.
    fn first_dirty(&self, file: FileId) -> usize {
        let is_sync = |op: &Op| matches!(&op.what, What::Sync(_, of) if *of == Some(file));
        self.ops.iter().rposition(is_sync).map_or(0, |index| index + 1)
    }

    /// How many bytes a sync of `file` has to write.
    pub(crate) fn dirty_bytes(&self, file: FileId, sector: u64) -> u64 {
        let writes = self.ops.iter().skip(self.first_dirty(file)).map(|op| match &op.what {
            What::Change(Change::Write { file: of, sectors, .. }) if *of == file => sectors.len() as u64,
            _ => 0,
        });
        writes.sum::<u64>() * sector
    }

    /// The changes that had begun before `now`, each with whether it was complete; the list is
    /// empty then.
    pub(crate) fn take_begun(&mut self, now: Time) -> Vec<(Op, bool)> {
        let ops = std::mem::take(&mut self.ops).into_iter();
        ops.filter(|op| op.begun < now && matches!(op.what, What::Change(_)))
            .map(|op| (op.at <= now, op))
            .map(|(is_complete, op)| (op, is_complete))
            .collect()
    }
}
