//! Workers: processes of this same program, each of which makes one attempt after the other.
//!
//! A worker reads the names of attempts, a line of JSON each, and prints what came of them. It shares nothing with the
//! others, so one that dies (of its memory, of a bug in an engine, by somebody's hand) takes one attempt with it, and
//! another takes its place.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dacapo_lab::{Stop, Strategy};
use miette::{IntoDiagnostic, WrapErr, miette};

use super::crew::{Crew, Ended, Task};
use super::record::Finished;

/// What a worker prints once it has loaded the project.
pub(crate) const READY: &str = "ready";
/// A worker gets a second task before it has ended the first, if those take no longer than this.
const QUICK_MS: u64 = 50;
/// So many workers may die one after the other, without one attempt that ends, before the campaign does.
const DEATHS_MAX: u32 = 10;
/// So many lines of what a worker said last are kept.
const LAST_WORDS: usize = 5;

/// The workers.
pub(crate) struct Pool {
    path: PathBuf,
    scenario: String,
    /// Whether they find out what is reached in services.
    explores: bool,
    workers: Vec<Worker>,
    /// How many were started; each has its number, since what one said may arrive after its death.
    started: usize,
    said: Receiver<(usize, Said)>,
    tell: Sender<(usize, Said)>,
    deaths: u32,
    /// What is to be told before anything else.
    ended: VecDeque<Ended>,
}

struct Worker {
    number: usize,
    child: Child,
    tasks: Option<ChildStdin>,
    at_work: VecDeque<Task>,
    is_ready: bool,
    is_quick: bool,
    /// What the latest of its attempts builds on, of those that do.
    has_made: Option<(Strategy, u64)>,
    last_words: Arc<Mutex<VecDeque<String>>>,
    /// Hears its last words to the end.
    witness: Option<JoinHandle<()>>,
}

enum Said {
    Line(String),
    Nothing,
}

impl Pool {
    /// Starts so many workers for a scenario of a project.
    pub(crate) fn start(path: &Path, scenario: &str, explores: bool, jobs: usize) -> miette::Result<Pool> {
        let (tell, said) = channel();
        let mut pool = Pool {
            path: path.to_owned(),
            scenario: scenario.to_owned(),
            explores,
            workers: Vec::new(),
            started: 0,
            said,
            tell,
            deaths: 0,
            ended: VecDeque::new(),
        };
        for _ in 0..jobs {
            let worker = pool.spawn()?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    fn spawn(&mut self) -> miette::Result<Worker> {
        let me = std::env::current_exe().into_diagnostic()?;
        let mut command = Command::new(me);
        command.arg("worker").arg(&self.path).args(["--scenario", &self.scenario]);
        command.args(self.explores.then_some("--explore"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // What a terminal sends to the group (Ctrl-C) is for this process, which then ends the workers.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().into_diagnostic().wrap_err("cannot start a worker")?;
        let number = self.started;
        self.started += 1;
        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        if let Some(out) = child.stdout.take() {
            let tell = self.tell.clone();
            listen(out, move |line| tell.send((number, line)).is_ok());
        }
        let witness = child.stderr.take().map(|err| {
            let last_words = Arc::clone(&last_words);
            listen(err, move |line| {
                remember(&last_words, line);
                true
            })
        });
        Ok(Worker {
            number,
            tasks: child.stdin.take(),
            child,
            at_work: VecDeque::new(),
            is_ready: false,
            is_quick: false,
            has_made: None,
            last_words,
            witness,
        })
    }

    fn heard(&mut self, number: usize, said: Said) -> miette::Result<()> {
        let Some(at) = self.workers.iter().position(|worker| worker.number == number) else { return Ok(()) };
        match said {
            Said::Nothing => self.bury(at),
            Said::Line(line) if line == READY => {
                self.workers[at].is_ready = true;
                Ok(())
            }
            Said::Line(line) => {
                let worker = &mut self.workers[at];
                let finished = serde_json::from_str::<Finished>(&line).ok();
                let is_due =
                    |it: &Finished| worker.at_work.front().is_some_and(|task| task.name() == it.name);
                match finished.filter(is_due) {
                    Some(finished) => {
                        worker.is_quick = finished.ms <= QUICK_MS;
                        self.deaths = 0;
                        let task = worker.at_work.pop_front().expect("it is due");
                        self.ended.push_back(Ended::Finished(task, Box::new(finished)));
                    }
                    // Engines print their last words where they like.
                    None => remember(&worker.last_words, Said::Line(line)),
                }
                Ok(())
            }
        }
    }

    /// A worker has died: its attempt is lost, what it had not begun comes back, and another takes its place.
    fn bury(&mut self, at: usize) -> miette::Result<()> {
        let status = self.workers[at].child.wait().into_diagnostic()?;
        let successor = self.spawn()?;
        let mut worker = std::mem::replace(&mut self.workers[at], successor);
        if let Some(witness) = worker.witness.take() {
            let _ = witness.join();
        }
        let why = worker.why(status);
        if !worker.is_ready {
            return Err(miette!("a worker could not start: {why}"));
        }
        self.deaths += 1;
        if self.deaths > DEATHS_MAX {
            return Err(miette!(
                help = "make one of the attempts in this process:  dacapo sim PATH --strategy STRATEGY --seed NUMBER",
                "DC0083: {DEATHS_MAX} workers died one after the other, and no attempt ended in between; the last one: {why}"
            ));
        }
        self.ended.extend(abandoned(std::mem::take(&mut worker.at_work), why));
        Ok(())
    }
}

impl Crew for Pool {
    fn choice(&self) -> usize {
        // Enough for each to find an attempt that builds on runs that it has made, or on some that nobody has made.
        self.workers.len() * 2 + 2 * Strategy::EXPEDITION as usize
    }

    fn take(&mut self, waiting: &mut VecDeque<Task>) -> miette::Result<()> {
        // Nobody gets a second task while somebody has none.
        for depth in 1..=2 {
            for at in 0..self.workers.len() {
                let worker = &self.workers[at];
                if worker.at_work.len() >= depth || depth == 2 && !worker.is_quick {
                    continue;
                }
                let rank = |task: &Task| match builds_on(task) {
                    Some(other) if worker.has_made == Some(other) => 0,
                    None => 1,
                    Some(other) if self.workers.iter().all(|it| it.has_made != Some(other)) => 2,
                    Some(_) => 3,
                };
                let best = (0..waiting.len()).min_by_key(|index| (rank(&waiting[*index]), waiting[*index]));
                let Some(task) = best.and_then(|index| waiting.remove(index)) else { return Ok(()) };
                self.workers[at].give(task);
            }
        }
        Ok(())
    }

    fn wait(&mut self, most: Duration) -> miette::Result<Option<Ended>> {
        if self.ended.is_empty() {
            match self.said.recv_timeout(most) {
                Ok((number, said)) => self.heard(number, said)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        Ok(self.ended.pop_front())
    }
}

/// What becomes of the tasks of a worker that has died: it was at work on the first.
fn abandoned(tasks: VecDeque<Task>, why: String) -> impl Iterator<Item = Ended> {
    let mut tasks = tasks.into_iter();
    let lost = tasks.next().map(|task| Ended::Lost(task, why));
    lost.into_iter().chain(tasks.map(Ended::Back))
}

/// What an attempt builds on: attempts with the same pair here build on the same runs.
fn builds_on(task: &Task) -> Option<(Strategy, u64)> {
    let Stop { strategy, number, .. } = task.stop;
    strategy.builds_on(number).map(|runs| (strategy, runs))
}

impl Worker {
    fn give(&mut self, task: Task) {
        self.has_made = builds_on(&task).or(self.has_made);
        self.at_work.push_back(task);
        let line = serde_json::to_string(&task.name()).unwrap_or_default() + "\n";
        // One that has died is heard of soon.
        let _ = self.tasks.as_mut().map(|tasks| tasks.write_all(line.as_bytes()));
    }

    /// Why it has died, in a sentence.
    fn why(&self, status: ExitStatus) -> String {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal: Option<i32> = None;
        let end = match (signal, status.code()) {
            (Some(9), _) => {
                "its process was killed (signal 9): by somebody, or because memory was short".to_owned()
            }
            (Some(signal), _) => format!("its process was ended by signal {signal}"),
            (None, Some(code)) => format!("its process ended with exit code {code}"),
            (None, None) => "its process ended".to_owned(),
        };
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<&str> = words.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
        if words.is_empty() { end } else { format!("{end}: {}", words.join(" ")) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It keeps nothing that is not told already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn remember(last_words: &Mutex<VecDeque<String>>, said: Said) {
    let Said::Line(line) = said else { return };
    let mut words = last_words.lock().unwrap_or_else(PoisonError::into_inner);
    if words.len() == LAST_WORDS {
        words.pop_front();
    }
    words.push_back(line);
}

/// Hears lines on a thread of its own until there are no more, or nobody wants them.
fn listen(
    from: impl Read + Send + 'static,
    mut hear: impl FnMut(Said) -> bool + Send + 'static,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut lines = BufReader::new(from);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            match lines.read_until(b'\n', &mut bytes) {
                Ok(n) if n > 0 => {}
                _ => break,
            }
            let line = String::from_utf8_lossy(&bytes);
            if !hear(Said::Line(line.trim_end().to_owned())) {
                return;
            }
        }
        hear(Said::Nothing);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_worker_had_not_begun_comes_back() {
        let task =
            |number| Task { range: 0, stop: Stop { place: number, strategy: Strategy::Swarm, number } };
        let mut ended = abandoned(VecDeque::from([task(7), task(8)]), "it was killed".to_owned());
        assert!(
            matches!(ended.next(), Some(Ended::Lost(it, why)) if it == task(7) && why == "it was killed")
        );
        assert!(matches!(ended.next(), Some(Ended::Back(it)) if it == task(8)));
        assert!(ended.next().is_none());
    }
}
