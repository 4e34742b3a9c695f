//! Campaigns: many attempts, made by many, for hours if need be, and their results.

pub(crate) mod crew;
pub(crate) mod identity;
mod intervals;
pub(crate) mod pool;
pub(crate) mod queue;
pub(crate) mod record;
pub(crate) mod results;
pub(crate) mod summary;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use dacapo_lab::{Itinerary, Strategy};

use crew::{Crew, Ended, Task};
use identity::Identity;
use queue::{Claim, Queue};
use record::{Finished, Lost, Name, Steps};
use results::{Batch, Folder};
use summary::Summary;

/// What has ended is written this often, or as soon as there are so many.
const WRITE_EVERY: Duration = Duration::from_secs(1);
const WRITE_MAX: usize = 256;
/// The longest that nobody looks at the clock.
const TICK: Duration = Duration::from_millis(200);
/// A queue that has nothing to give is asked again after this.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What has happened, for whoever tells people of it.
pub(crate) enum Happening<'a> {
    /// An attempt has ended, and is counted in the summary.
    Finished(&'a Finished),
    /// An attempt is lost.
    Lost(&'a Lost),
    /// Time has passed.
    Tick,
    /// All ranges of the queue are taken, and some by others: they may still come back.
    Waits,
}

/// Why a campaign is over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// All attempts were made.
    Done,
    /// This one failed, and nobody wanted to go on. However many worked, it is the first one.
    Failed(Box<Finished>),
    /// Its time is over.
    TimeOver,
    /// Somebody wants it to stop.
    Stopped,
}

/// How a campaign is to go.
pub(crate) struct Orders<'a> {
    pub(crate) strategy: Strategy,
    pub(crate) seeds: Range<u64>,
    /// Go on after a failure.
    pub(crate) keep_going: bool,
    pub(crate) until: Option<Instant>,
    pub(crate) stopped: &'a dyn Fn() -> bool,
}

/// What is known from before, and where new results go.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) summary: Summary,
    /// What attempts have shown that was new, of the portfolio that begins where this one does.
    known: BTreeMap<Name, Vec<u64>>,
    folder: Option<Folder>,
    /// Where ranges come from, if not from the orders.
    pub(crate) queue: Option<Queue>,
    /// One of the attempts, and its digest: made again, it shows whether the simulator is still the same.
    pub(crate) sample: Option<(Name, String)>,
    /// What people should know of the files.
    pub(crate) notes: Vec<String>,
}

impl Book {
    /// The results in a directory, to go on with them. Refuses those of another program.
    pub(crate) fn open(path: &Path, identity: &Identity, first: u64) -> miette::Result<Book> {
        let mut book = Book { folder: Some(Folder::new(path, identity)), ..Book::default() };
        let first = first_of(&identity.strategy, first);
        for file in results::files(path)? {
            let mut wanted = |then: Identity| {
                if let Some(difference) = then.difference(identity).filter(|_| then.is_of(identity)) {
                    return Err(results::other_program(&path.display().to_string(), &then, &difference));
                }
                Ok(then.is_same(identity))
            };
            let mut batches = |batch: Batch| {
                batch.add_to(&mut book.summary);
                let sample = batch.attempts.first().map(|it| (it.name, it.digest.clone()));
                book.sample = book.sample.take().or(sample);
                let new = batch.attempts.into_iter().filter(|_| batch.first == first);
                book.known.extend(new.map(|it| (it.name, it.seen.0)).filter(|(_, seen)| !seen.is_empty()));
            };
            book.notes.extend(results::read(&file, &mut wanted, &mut batches)?);
        }
        Ok(book)
    }

    /// Writes what was found of the range that begins here.
    fn append(&mut self, range: u64, batch: &Batch) -> miette::Result<()> {
        if let Some(folder) = &mut self.folder {
            folder.append(batch)?;
        }
        self.queue.as_mut().map_or(Ok(()), |queue| queue.append(range, batch))
    }

    /// Adds what others have found of a range.
    fn learn(&mut self, batches: Vec<Batch>) {
        for batch in batches {
            batch.add_to(&mut self.summary);
            let new = batch.attempts.into_iter().map(|it| (it.name, it.seen.0));
            self.known.extend(new.filter(|(_, seen)| !seen.is_empty()));
        }
    }
}

fn first_of(strategy: &str, first: u64) -> u64 {
    if strategy == Strategy::Portfolio.to_string() { first } else { 0 }
}

/// A range of attempts that are being made.
struct Stretch {
    range: Range<u64>,
    itinerary: Itinerary,
    /// What has ended and is not written yet.
    batch: Batch,
}

/// Makes attempts until there are no more, or something ends it.
pub(crate) fn drive(
    orders: &Orders<'_>,
    book: &mut Book,
    crew: &mut dyn Crew,
    tell: &mut dyn FnMut(&Summary, Happening<'_>),
) -> miette::Result<End> {
    let mut campaign = Drive {
        orders,
        book,
        stretches: Vec::new(),
        waiting: VecDeque::new(),
        at_work: 0,
        has_ended: false,
        failed: None,
        asked: None,
        is_over: false,
        written: Instant::now(),
    };
    let end = campaign.run(crew, tell);
    // Whatever ended it, what was found is written.
    let written = campaign.write(true);
    let left = campaign.book.queue.as_mut().map_or(Ok(()), Queue::leave);
    let end = end?;
    written?;
    left?;
    if let Some(folder) = &campaign.book.folder {
        folder.sync()?;
    }
    Ok(end)
}

struct Drive<'a, 'b> {
    orders: &'a Orders<'b>,
    book: &'a mut Book,
    stretches: Vec<Stretch>,
    waiting: VecDeque<Task>,
    at_work: usize,
    has_ended: bool,
    /// The first attempt that failed and its place, if that ends the campaign.
    failed: Option<(u64, Box<Finished>)>,
    /// When the queue had nothing to give.
    asked: Option<Instant>,
    /// Whether no range is to come.
    is_over: bool,
    written: Instant,
}

impl Drive<'_, '_> {
    fn run(
        &mut self,
        crew: &mut dyn Crew,
        tell: &mut dyn FnMut(&Summary, Happening<'_>),
    ) -> miette::Result<End> {
        if self.book.queue.is_none() {
            self.begin(self.orders.seeds.clone());
            self.is_over = true;
        }
        loop {
            if (self.orders.stopped)() {
                return Ok(End::Stopped);
            }
            // One attempt is made however short the time is.
            if self.has_ended && self.orders.until.is_some_and(|until| Instant::now() >= until) {
                return Ok(End::TimeOver);
            }
            let waits = self.plan(crew.choice())?;
            if waits && self.at_work == 0 {
                tell(&self.book.summary, Happening::Waits);
            }
            let before = self.waiting.len();
            crew.take(&mut self.waiting)?;
            self.at_work += before - self.waiting.len();
            if self.at_work == 0 && self.waiting.is_empty() && self.is_over {
                return Ok(self.failed.take().map_or(End::Done, |(_, finished)| End::Failed(finished)));
            }
            if let Some(ended) = crew.wait(TICK)? {
                self.ended(ended, tell);
            }
            if let Some(queue) = &mut self.book.queue {
                queue.renew()?;
            }
            self.settle()?;
            if self.written.elapsed() >= WRITE_EVERY {
                self.write(true)?;
            } else {
                self.write(false)?;
            }
            tell(&self.book.summary, Happening::Tick);
        }
    }

    fn begin(&mut self, seeds: Range<u64>) {
        let strategy = self.orders.strategy;
        let batch = Batch::new(first_of(&strategy.to_string(), seeds.start));
        self.stretches.push(Stretch {
            itinerary: Itinerary::new(strategy, seeds.clone()),
            range: seeds,
            batch,
        });
    }

    /// Lets so many tasks wait, if there are so many, and takes another range if not. True: there is none now, but there may
    /// be.
    fn plan(&mut self, choice: usize) -> miette::Result<bool> {
        loop {
            self.plan_stretches(choice);
            let is_early = self.asked.is_some_and(|asked| asked.elapsed() < ASK_EVERY);
            let Some(queue) = &mut self.book.queue else { return Ok(false) };
            if self.waiting.len() >= choice || is_early || self.failed.is_some() {
                return Ok(false);
            }
            match queue.claim()? {
                Claim::Range(range, batches) => {
                    self.asked = None;
                    self.book.learn(batches);
                    self.begin(range);
                }
                claim => {
                    self.asked = Some(Instant::now());
                    self.is_over = matches!(claim, Claim::Over);
                    return Ok(!self.is_over);
                }
            }
        }
    }

    /// What is known already need not be made.
    fn plan_stretches(&mut self, choice: usize) {
        for stretch in &mut self.stretches {
            while self.waiting.len() < choice && self.failed.is_none() {
                let Some(stop) = stretch.itinerary.give() else { break };
                let task = Task { range: stretch.range.start, stop };
                if self.book.summary.has(task.name()) {
                    let known = self.book.known.remove(&task.name()).unwrap_or_default();
                    stretch.itinerary.ended(stop.place, known);
                } else {
                    self.waiting.push_back(task);
                }
            }
        }
    }

    fn ended(&mut self, ended: Ended, tell: &mut dyn FnMut(&Summary, Happening<'_>)) {
        let stretch_of = |stretches: &mut Vec<Stretch>, task: &Task| {
            stretches.iter().position(|stretch| stretch.range.start == task.range)
        };
        self.at_work -= 1;
        self.has_ended = true;
        match ended {
            Ended::Back(task) => self.waiting.push_front(task),
            Ended::Lost(task, lost) => {
                let lost = Lost { name: task.name(), lost };
                self.book.summary.lose(&lost);
                tell(&self.book.summary, Happening::Lost(&lost));
                if let Some(at) = stretch_of(&mut self.stretches, &task) {
                    self.stretches[at].itinerary.ended(task.stop.place, []);
                    self.stretches[at].batch.lost.push(lost);
                }
            }
            Ended::Finished(task, mut finished) => {
                self.book.summary.add(&finished);
                tell(&self.book.summary, Happening::Finished(&finished));
                if finished.failure.is_some() && !self.orders.keep_going {
                    // Those that stand before it are made to their end, so that the first failure is the same
                    // however many work.
                    let place = task.stop.place;
                    if self.failed.as_ref().is_none_or(|(first, _)| place < *first) {
                        self.failed = Some((place, finished.clone()));
                        self.waiting.retain(|task| task.stop.place < place);
                    }
                }
                if let Some(at) = stretch_of(&mut self.stretches, &task) {
                    let stretch = &mut self.stretches[at];
                    let seen = std::mem::take(&mut finished.seen.0);
                    finished.seen = Steps(stretch.itinerary.ended(task.stop.place, seen));
                    stretch.batch.attempts.push(*finished);
                }
            }
        }
    }

    /// Tells the queue of ranges that are made to their end.
    fn settle(&mut self) -> miette::Result<()> {
        let Some(queue) = &mut self.book.queue else { return Ok(()) };
        let mut index = 0;
        while index < self.stretches.len() {
            if !self.stretches[index].itinerary.is_over() {
                index += 1;
                continue;
            }
            let stretch = self.stretches.remove(index);
            if !stretch.batch.is_empty() {
                queue.append(stretch.range.start, &stretch.batch)?;
                if let Some(folder) = &mut self.book.folder {
                    folder.append(&stretch.batch)?;
                }
            }
            queue.finish(&stretch.range)?;
        }
        Ok(())
    }

    /// Writes what has ended; not yet, if it is little and need not be.
    fn write(&mut self, all: bool) -> miette::Result<()> {
        for stretch in &mut self.stretches {
            let is_due = all || stretch.batch.attempts.len() >= WRITE_MAX;
            if is_due && !stretch.batch.is_empty() {
                self.book.append(stretch.range.start, &stretch.batch)?;
                stretch.batch = Batch::new(stretch.batch.first);
            }
        }
        if all {
            self.written = Instant::now();
        }
        Ok(())
    }
}
