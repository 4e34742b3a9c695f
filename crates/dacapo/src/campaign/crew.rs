//! Who makes the attempts: this process, one after the other, or workers, each a process of its own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use dacapo_lab::{Attempt, Experiment, Explorer, Run, RunOptions, Stop, Strategy};

use super::record::{Finished, Name};

/// An attempt to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Task {
    /// The number at which its range begins.
    pub(crate) range: u64,
    pub(crate) stop: Stop,
}

impl Task {
    pub(crate) fn name(&self) -> Name {
        Name { strategy: self.stop.strategy, number: self.stop.number }
    }
}

/// What has become of a task.
pub(crate) enum Ended {
    Finished(Task, Box<Finished>),
    /// Its worker has died over it.
    Lost(Task, String),
    /// It was not begun; somebody else is to make it.
    Back(Task),
}

/// Makes attempts.
pub(crate) trait Crew {
    /// How many tasks should wait for it, so that it can choose.
    fn choice(&self) -> usize;
    /// Takes what it is ready for.
    fn take(&mut self, waiting: &mut VecDeque<Task>) -> miette::Result<()>;
    /// Waits until a task has ended, or for so long.
    fn wait(&mut self, most: Duration) -> miette::Result<Option<Ended>>;
}

/// This process.
pub(crate) struct Alone<'a> {
    experiment: &'a Experiment,
    explorer: Explorer,
    /// The one attempt that there is, if it is of no strategy.
    only: Option<Attempt>,
    next: Option<Task>,
}

impl<'a> Alone<'a> {
    pub(crate) fn new(experiment: &'a Experiment, only: Option<Attempt>) -> Alone<'a> {
        Alone { experiment, explorer: Explorer::new(Strategy::Swarm, 0), only, next: None }
    }
}

impl Crew for Alone<'_> {
    fn choice(&self) -> usize {
        1
    }

    fn take(&mut self, waiting: &mut VecDeque<Task>) -> miette::Result<()> {
        self.next = self.next.take().or_else(|| waiting.pop_front());
        Ok(())
    }

    fn wait(&mut self, _: Duration) -> miette::Result<Option<Ended>> {
        let Some(task) = self.next.take() else { return Ok(None) };
        let finished = match &self.only {
            Some(attempt) => run(self.experiment, attempt, Instant::now()).0,
            None => make(self.experiment, &mut self.explorer, task.name()),
        };
        Ok(Some(Ended::Finished(task, Box::new(finished))))
    }
}

/// Makes the attempt of this name.
pub(crate) fn make(experiment: &Experiment, explorer: &mut Explorer, name: Name) -> Finished {
    let begun = Instant::now();
    let attempt = explorer.attempt(experiment, name.strategy, name.number);
    let (finished, run) = run(experiment, &attempt, begun);
    explorer.learn(experiment, &attempt, run);
    finished
}

fn run(experiment: &Experiment, attempt: &Attempt, begun: Instant) -> (Finished, Run) {
    let run = experiment.run_attempt(attempt, RunOptions { coverage: true, ..RunOptions::default() });
    let ms = begun.elapsed().as_millis();
    (Finished::of(attempt, &run, u64::try_from(ms).unwrap_or(u64::MAX)), run)
}
