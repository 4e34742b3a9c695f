//! The atlas of damage: what may be destroyed, so that a run stays one that a store can survive.
//!
//! A store with one copy of its data survives no loss of it. So unless a scenario says `beyond`,
//! damage falls only on
//! - what a *read* gives, while the platter stays whole, and not while a store opens (who reads
//!   its log cannot tell a flipped bit at the end from a torn write);
//! - sectors in which no sync has ever put a byte, when the power fails;
//! - a disk of which nobody was ever told that anything on it is durable.
//!
//! Everything that was acknowledged is still there, and what is wrong can be detected.

use dacapo_core::{Decisions, NoteKind};

use super::drive::Drive;
use super::volume::{FileId, Sector};

impl Drive {
    /// Leaves damage in sectors that were on their way when the power failed.
    pub(crate) fn damage_after_crash(&mut self, decisions: &mut Decisions, fresh: &[(FileId, u64)]) {
        if fresh.is_empty() {
            return;
        }
        let size = u64::from(self.options.sector);
        if let Some(bitrot) = &self.faults.bitrot
            && decisions.chance(bitrot.lane, "at_crash", bitrot.at_crash)
        {
            let (file, number) = fresh[decisions.choose(bitrot.lane, "sector", fresh.len() as u64) as usize];
            let bit = decisions.choose(bitrot.lane, "bit", size * 8);
            let rotten = flip(self.platter.sector(file, number), size, bit);
            self.platter.put(file, number, rotten);
            let text =
                format!("disk.bitrot {} in the sector at {} that was not synced", self.name, number * size);
            self.notes.push((NoteKind::Fault, text));
        }
        if let Some(misdirected) = &self.faults.misdirected
            && fresh.len() > 1
            && decisions.chance(misdirected.lane, "at_crash", misdirected.at_crash)
        {
            let from = decisions.choose(misdirected.lane, "from", fresh.len() as u64) as usize;
            let step = 1 + decisions.choose(misdirected.lane, "to", fresh.len() as u64 - 1) as usize;
            let (from, to) = (fresh[from], fresh[(from + step) % fresh.len()]);
            let sector = self.platter.sector(from.0, from.1);
            self.platter.put(to.0, to.1, sector);
            let (from, to) = (from.1 * size, to.1 * size);
            let text =
                format!("disk.misdirected {} the sector for {from}, not synced, went to {to}", self.name);
            self.notes.push((NoteKind::Fault, text));
        }
    }

    /// Spoils what a read of `file` at `offset` has given.
    pub(crate) fn damage_read(&mut self, name: &str, file: FileId, offset: u64, got: &mut [u8]) {
        if got.is_empty() {
            return;
        }
        self.misdirect_read(name, file, offset, got);
        let Some(bitrot) = self.faults.bitrot.clone() else { return };
        if !self.hits(&bitrot, !bitrot.is_beyond) {
            return;
        }
        let bit = self.choose(bitrot.lane, "bit", got.len() as u64 * 8);
        got[(bit / 8) as usize] ^= 1 << (bit % 8);
        let at = offset + bit / 8;
        let how = if bitrot.is_beyond { "for good" } else { "on its way" };
        self.note(format!("disk.bitrot {} a bit of {name} at {at} flips {how}", self.name));
        if bitrot.is_beyond {
            let size = u64::from(self.options.sector);
            let (number, bit) = (at / size, at % size * 8 + bit % 8);
            for volume in [&mut self.cache, &mut self.platter] {
                if volume.len(file) > at {
                    let rotten = flip(volume.sector(file, number), size, bit);
                    volume.put(file, number, rotten);
                }
            }
        }
    }

    fn misdirect_read(&mut self, name: &str, file: FileId, offset: u64, got: &mut [u8]) {
        let Some(misdirected) = self.faults.misdirected.clone() else { return };
        let size = u64::from(self.options.sector);
        let count = self.cache.len(file).div_ceil(size);
        if count < 2 || !self.hits(&misdirected, !misdirected.is_beyond) {
            return;
        }
        let step = 1 + self.choose(misdirected.lane, "sector", count - 1);
        let wrong = (offset / size + step) % count * size + offset % size;
        got.fill(0);
        self.cache.read(file, wrong, got);
        self.note(format!(
            "disk.misdirected {} a read of {name} at {offset} gives what is at {wrong}",
            self.name
        ));
    }

    /// Where a write of `file` at `offset` really goes.
    pub(crate) fn misdirect_write(&mut self, name: &str, file: FileId, offset: u64) -> u64 {
        let Some(misdirected) = self.faults.misdirected.clone().filter(|fault| fault.is_beyond) else {
            return offset;
        };
        let size = u64::from(self.options.sector);
        let count = self.cache.len(file).div_ceil(size);
        if count < 2 || !self.hits(&misdirected, false) {
            return offset;
        }
        let step = 1 + self.choose(misdirected.lane, "sector", count - 1);
        let wrong = (offset / size + step) % count * size + offset % size;
        self.note(format!("disk.misdirected {} a write of {name} at {offset} goes to {wrong}", self.name));
        wrong
    }
}

fn flip(sector: Sector, size: u64, bit: u64) -> Sector {
    let mut bytes = sector.map_or_else(|| vec![0; size as usize], |sector| sector.to_vec());
    bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
    Some(bytes.into())
}
