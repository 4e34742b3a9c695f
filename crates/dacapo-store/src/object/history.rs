//! The earlier states of an object, for those who want to go back to one of them (`getCurrentBookmark` and its
//! kin): why they stand in the object's own state is told in `docs/decisions/0006-bookmarks.md`.
//!
//! A state with a history is a header, room for pages, and undos from the oldest to the newest. Each state has a
//! number; the first is 0, of an object that has nothing. Numbers grow, and may have gaps.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use dacapo_core::WallTime;

use super::file::{File, PAGE};
use super::undo::{Before, NUMBER_MAX, Undo};

/// How long earlier states are kept, as at Cloudflare.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// What undos may take besides twice the size of the largest state that they lead to. (One of a turn that changes
/// everything takes that size once.)
const SPARE: usize = 64 << 10;

/// What part of their age the gaps between states may be if room is short, and if it still is.
const GAPS: [i64; 3] = [16, 4, 1];

/// The header takes as much. The length of a database is a multiple of `PAGE`, and that of a state with a history
/// is so much longer: that is how the two are told from each other.
pub(super) const HEADER: usize = 512;
const MAGIC: &[u8; 8] = b"dcpundo1";
const HEADER_USED: usize = 72;

/// Pages that there is room for at least.
const ROOM_MIN: usize = 4;

/// How far ahead the number is that stands for "just before the object goes back", which is not known yet when it
/// is given out: more than an object can commit before that.
const AHEAD: u64 = 1 << 32;

const NONE: u64 = u64::MAX;

/// A state, by its number and by when it began to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) number: u64,
    pub(super) time: WallTime,
}

/// Where to go back to when the object is opened the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Restore {
    to: u64,
    /// The number that stands for the state just before.
    from: u64,
}

/// See the module.
#[derive(Default)]
pub(super) struct History {
    /// Nobody will want to go back.
    pub(super) is_off: bool,
    /// The header stands on the disk.
    is_there: bool,
    /// How long everything is on the disk.
    len: usize,
    /// For how many pages there is room before the undos.
    room: usize,
    /// Where the first undo begins, behind the room.
    start: usize,
    undos: VecDeque<Undo>,
    /// How long all of them are.
    used: usize,
    /// So many of them stand on the disk.
    written: usize,
    /// The state before the first undo.
    oldest: State,
    newest: State,
    restore: Option<Restore>,
    /// See [`History::is_back`].
    is_back: bool,
    is_touched: bool,
}

/// Why there is no such state to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoState {
    /// The object never had it.
    Unknown,
    /// It is too long ago, or was left out to save room. The oldest that is kept.
    Gone(State),
}

impl History {
    /// Takes apart what a disk has. `None`: it was never put together so.
    pub(super) fn load(bytes: &Bytes) -> Option<(History, File)> {
        if bytes.len() % PAGE != HEADER {
            let history = History { len: bytes.len(), ..History::default() };
            return Some((history, File::load(bytes)?));
        }
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four")) as usize;
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight"));
        let state_at = |at| State { number: u64_at(at), time: WallTime(u64_at(at + 8) as i64) };
        let (pages, room, start, used) = (u32_at(8), u32_at(12), u32_at(16), u32_at(20));
        let undos_at = HEADER + room * PAGE;
        let (newest, oldest) = (state_at(24), state_at(40));
        let is_numbered = newest.number <= NUMBER_MAX && oldest.number <= newest.number;
        if &bytes[..8] != MAGIC || !is_numbered || pages > room || undos_at + start + used > bytes.len() {
            return None;
        }
        let file = File::load_into_room(&bytes.slice(HEADER..undos_at), pages)?;
        let mut rest = bytes.slice(undos_at + start..undos_at + start + used);
        let mut undos = VecDeque::new();
        while !rest.is_empty() {
            let undo = Undo::decode(&rest)?;
            rest = rest.slice(undo.len()..);
            undos.push_back(undo);
        }
        let (to, from) = (u64_at(56), u64_at(64));
        let restore = (to != NONE).then_some(Restore { to, from });
        if restore.is_some_and(|restore| restore.from > NUMBER_MAX + AHEAD || restore.to > NUMBER_MAX) {
            return None;
        }
        let history = History {
            is_off: false,
            is_there: true,
            len: bytes.len(),
            room,
            start,
            written: undos.len(),
            undos,
            used,
            newest,
            oldest,
            restore,
            is_back: false,
            is_touched: false,
        };
        Some((history, file))
    }

    /// Goes back, if that was asked for. False: what should lead there cannot be read.
    pub(super) fn go_back(&mut self, file: &mut File, alarm: &mut Option<WallTime>) -> bool {
        let Some(restore) = self.restore else { return true };
        for undo in self.undos.iter().rev().take_while(|undo| undo.number > restore.to) {
            let Some(before) = undo.before() else { return false };
            file.apply(&before);
            *alarm = before.alarm.unwrap_or(*alarm);
        }
        self.is_back = true;
        true
    }

    /// Whether it has gone back, and that is no state of its own yet.
    pub(super) fn is_back(&self) -> bool {
        self.is_back
    }

    /// What has changed since the last state becomes a state of its own. `alarm`: the one before, if it was another.
    pub(super) fn seal(&mut self, file: &mut File, alarm: Option<Option<WallTime>>, now: WallTime) {
        if self.is_off {
            return;
        }
        let restore = if std::mem::take(&mut self.is_back) { self.restore.take() } else { None };
        let undone = file.undo();
        // An alarm alone makes no history of an object that has none.
        let is_new = undone.is_some() || alarm.is_some() && self.is_there;
        if !is_new && restore.is_none() {
            return;
        }
        let pages = file.pages();
        let before = undone.unwrap_or(Before { low: pages, pages, ..Before::default() });
        let number = restore.map_or(self.newest.number, |restore| restore.from) + 1;
        let mut undo = Undo::new(number, now, &Before { alarm, ..before });
        if restore.is_some() {
            undo.set_restored();
        }
        self.newest = State { number, time: now };
        self.used += undo.len();
        self.undos.push_back(undo);
        self.is_touched = true;
    }

    /// How long everything is on the disk.
    pub(super) fn len(&self) -> u64 {
        self.len as u64
    }

    /// Nobody can go back any more to what was before.
    pub(super) fn forget(&mut self, file: &mut File, now: WallTime) {
        file.forget_undo();
        self.undos.clear();
        (self.used, self.start, self.written) = (0, 0, 0);
        self.newest = State { number: self.newest.number + 1, time: now };
        self.oldest = self.newest;
        self.restore = None;
        self.is_touched = true;
    }

    /// What has to be written for the disk to have this, and how long it is then. `None`: it has it already.
    pub(super) fn take(&mut self, file: &mut File, now: WallTime) -> Option<(u64, Vec<(u64, Bytes)>)> {
        if self.is_off {
            self.undos.clear();
        }
        let pages = file.pages();
        if self.undos.is_empty() && (self.is_off || pages == 0 || !self.is_there) {
            return self.take_plain(file);
        }
        self.tidy(pages, now);
        let room = match pages <= self.room && self.room <= 4 * pages.max(ROOM_MIN) && self.is_there {
            true => self.room,
            false => pages.next_power_of_two().max(ROOM_MIN),
        };
        // What stands where pages were not before: nobody has looked.
        let slots_on_disk = self.len.saturating_sub(HEADER).div_ceil(PAGE);
        let unknown = match self.is_there {
            true => self.room..slots_on_disk.min(room).max(self.room),
            false => 0..self.len.div_ceil(PAGE).min(room),
        };
        let ranges = file.take(unknown.clone(), room);
        if ranges.is_none() && !self.is_touched {
            return None;
        }
        if room != self.room || !self.is_there {
            (self.room, self.start, self.written) = (room, 0, 0);
        }
        self.is_there = true;
        self.is_touched = false;
        let undos_at = HEADER + self.room * PAGE;
        let mut writes = vec![(0, self.header(pages))];
        let shifted = ranges.into_iter().flatten().map(|(at, bytes)| (at + HEADER as u64, bytes));
        writes.extend(shifted);
        if unknown.end > pages.max(unknown.start) {
            let from = pages.max(unknown.start);
            let zeros = Bytes::from(vec![0; (unknown.end - from) * PAGE]);
            writes.push(((HEADER + from * PAGE) as u64, zeros));
        }
        let at: usize = self.undos.iter().take(self.written).map(Undo::len).sum();
        let mut bytes = BytesMut::with_capacity(self.used - at);
        self.undos.iter().skip(self.written).for_each(|undo| bytes.put_slice(undo.raw()));
        if !bytes.is_empty() {
            writes.push(((undos_at + self.start + at) as u64, bytes.freeze()));
        }
        self.written = self.undos.len();
        self.len = undos_at + (self.start + self.used).next_multiple_of(PAGE);
        Some((self.len as u64, writes))
    }

    /// Without a header.
    fn take_plain(&mut self, file: &mut File) -> Option<(u64, Vec<(u64, Bytes)>)> {
        let unknown = if self.is_there { 0..self.len.div_ceil(PAGE) } else { 0..0 };
        let was_there = std::mem::take(&mut self.is_there);
        self.is_touched = false;
        let ranges = file.take(unknown, 0);
        if ranges.is_none() && !was_there {
            return None;
        }
        self.len = file.size() as usize;
        Some((self.len as u64, ranges.unwrap_or_default()))
    }

    fn header(&self, pages: usize) -> Bytes {
        let mut header = BytesMut::with_capacity(HEADER_USED);
        header.put_slice(MAGIC);
        for number in [pages, self.room, self.start, self.used] {
            header.put_u32_le(number as u32);
        }
        for State { number, time } in [self.newest, self.oldest] {
            header.put_u64_le(number);
            header.put_i64_le(time.0);
        }
        let Restore { to, from } = self.restore.unwrap_or(Restore { to: NONE, from: NONE });
        header.put_u64_le(to);
        header.put_u64_le(from);
        header.freeze()
    }

    /// Keeps the undos within their bounds: of age, and of size. To save room states are left out, so that the
    /// gaps between them are the longer the older they are; after that the oldest go.
    fn tidy(&mut self, pages: usize, now: WallTime) {
        let horizon = WallTime(now.0.saturating_sub(KEPT_FOR.as_nanos() as i64));
        while self.undos.front().is_some_and(|undo| undo.time < horizon) {
            self.drop_oldest();
        }
        let most = |history: &History| {
            let largest = history.undos.iter().map(|undo| undo.pages).max().unwrap_or(0).max(pages);
            SPARE + 2 * largest * PAGE
        };
        // To look for the largest takes time: mostly the present one will do.
        if self.used > SPARE + 2 * pages * PAGE {
            let bound = most(self);
            if self.used > bound {
                for part in GAPS {
                    if self.used > bound / 2 {
                        self.thin(now, part);
                    }
                }
                while self.used > most(self) / 4 * 3 {
                    self.drop_oldest();
                }
                (self.start, self.written) = (0, 0);
            }
        }
        if self.start > SPARE + self.used {
            (self.start, self.written) = (0, 0);
        }
    }

    fn drop_oldest(&mut self) {
        let Some(undo) = self.undos.pop_front() else { return };
        self.oldest = State { number: undo.number, time: undo.time };
        self.used -= undo.len();
        self.start += undo.len();
        self.written = self.written.saturating_sub(1);
        self.is_touched = true;
    }

    /// Leaves out states as long as the gaps are a `part` of their age.
    fn thin(&mut self, now: WallTime, part: i64) {
        let mut thinned: VecDeque<Undo> = VecDeque::with_capacity(self.undos.len());
        // When the state began to be that the last one in `thinned` leads to.
        let mut start = self.oldest.time;
        for undo in std::mem::take(&mut self.undos) {
            let gap = undo.time.0.saturating_sub(start.0);
            let age = now.0.saturating_sub(undo.time.0);
            let older = thinned.back().filter(|older| {
                gap <= age / part && !older.is_pinned() && !older.is_restored() && !undo.is_restored()
            });
            if let Some(both) = older.and_then(|older| undo.after(older)) {
                *thinned.back_mut().expect("it was looked at") = both;
                continue;
            }
            start = thinned.back().map_or(start, |last| last.time);
            thinned.push_back(undo);
        }
        self.undos = thinned;
        self.used = self.undos.iter().map(Undo::len).sum();
    }

    /// The state that is now. It is kept as long as that can be, because somebody will be told of it.
    pub(super) fn pin_newest(&mut self) -> State {
        if let Some(undo) = self.undos.back_mut().filter(|undo| !undo.is_pinned()) {
            undo.pin();
            self.written = self.written.min(self.undos.len() - 1);
            self.is_touched = true;
        }
        self.newest
    }

    /// The state that was at that time.
    pub(super) fn pin_at(&mut self, time: WallTime, now: WallTime) -> Result<State, NoState> {
        if time.0 < now.0.saturating_sub(KEPT_FOR.as_nanos() as i64) {
            return Err(NoState::Gone(self.oldest));
        }
        // (In memory only: whoever asks for it uses it soon.)
        if let Some(undo) = self.undos.iter_mut().rev().find(|undo| undo.time <= time) {
            undo.pin();
            return Ok(State { number: undo.number, time: undo.time });
        }
        let is_oldest = self.oldest.time <= time || self.oldest.number == 0;
        if is_oldest { Ok(self.oldest) } else { Err(NoState::Gone(self.oldest)) }
    }

    /// Goes back to this state when the object is opened the next time. Gives the state just before that.
    pub(super) fn restore(&mut self, state: State) -> Result<State, NoState> {
        let is_start_of_restore =
            |undo: &Undo| undo.is_restored() && undo.number.checked_sub(1) == Some(state.number);
        let is_kept = |it: State| it == state;
        let is_known = is_kept(self.oldest)
            || is_kept(self.newest)
            || self.undos.iter().any(|undo| is_kept(State { number: undo.number, time: undo.time }))
            || self.undos.iter().any(is_start_of_restore);
        let to = match self.restore {
            Some(restore) if restore.from == state.number => self.newest.number,
            _ if is_known => state.number,
            _ if state.number < self.newest.number => return Err(NoState::Gone(self.oldest)),
            _ => return Err(NoState::Unknown),
        };
        let from = self.newest.number + AHEAD;
        self.restore = Some(Restore { to, from });
        self.is_touched = true;
        Ok(State { number: from, time: self.newest.time })
    }
}
