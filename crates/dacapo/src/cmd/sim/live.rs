//! What a person sees while a campaign goes on: a table on a terminal, a line now and then elsewhere.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::campaign::record::{Finished, Lost};
use crate::campaign::summary::{Simulated, Summary};
use crate::output::{BAD, FAINT, STRONG, grouped};

/// A terminal is drawn anew this often.
const DRAW_EVERY: Duration = Duration::from_millis(150);
/// Elsewhere there is a line this often, and this seldom once a minute has passed.
const LINE_EVERY: Duration = Duration::from_secs(10);
const LINE_LATER: Duration = Duration::from_secs(60);
/// So many bugs have a line in the table.
const BUGS_MAX: usize = 8;

/// The view of a campaign.
pub(crate) struct Live {
    name: String,
    bar: ProgressBar,
    is_quiet: bool,
    is_terminal: bool,
    /// How many attempts there are in all, if that is known.
    total: Option<u64>,
    lasts: Option<Duration>,
    jobs: usize,
    begun: Instant,
    told: Instant,
    pub(crate) made: u64,
    signatures: BTreeSet<String>,
    /// When something new was seen last, and how much it was then.
    news: (Instant, usize),
    has_waited: bool,
}

impl Live {
    pub(crate) fn new(
        name: &str,
        total: Option<u64>,
        lasts: Option<Duration>,
        jobs: usize,
        is_quiet: bool,
    ) -> Live {
        let is_terminal = std::io::stderr().is_terminal() && !is_quiet;
        let bar = if is_terminal { ProgressBar::new(total.unwrap_or(0)) } else { ProgressBar::hidden() };
        let style = match total {
            Some(_) => "{prefix:.bold} {bar:30.green/dim} {msg}",
            None => "{prefix:.bold} {spinner:.green} {msg}",
        };
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bar.with_style(style).with_prefix(name.to_owned());
        let now = Instant::now();
        Live {
            name: name.to_owned(),
            bar,
            is_quiet,
            is_terminal,
            total,
            lasts,
            jobs,
            begun: now,
            told: now,
            made: 0,
            signatures: BTreeSet::new(),
            news: (now, 0),
            has_waited: false,
        }
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    pub(crate) fn finished(&mut self, finished: &Finished) {
        self.made += 1;
        let Some(failure) = &finished.failure else { return };
        if self.signatures.insert(failure.signature.clone()) && !self.is_quiet && !self.is_terminal {
            anstream::eprintln!("{}: {BAD}a bug{BAD:#}: {}: {}", self.name, finished.name, failure.signature);
        }
    }

    pub(crate) fn lost(&self, lost: &Lost) {
        if self.is_quiet {
            return;
        }
        let line = format!("{BAD}lost{BAD:#} {}: {}", lost.name, lost.lost);
        if self.is_terminal {
            self.bar.println(line);
        } else {
            anstream::eprintln!("{}: {line}", self.name);
        }
    }

    /// Draws, if it is time to.
    pub(crate) fn tick(&mut self, summary: &Summary) {
        if summary.coverage() > self.news.1 {
            self.news = (Instant::now(), summary.coverage());
        }
        let every = match (self.is_terminal, self.begun.elapsed() < LINE_LATER) {
            (true, _) => DRAW_EVERY,
            (false, true) => LINE_EVERY,
            (false, false) => LINE_LATER,
        };
        if self.is_quiet || self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        if self.is_terminal {
            self.draw(summary);
        } else {
            let bugs = if summary.failures == 0 { String::new() } else { format!(", {}", counts(summary)) };
            anstream::eprintln!("{}: {}{bugs}", self.name, self.pace(summary));
        }
    }

    fn pace(&self, summary: &Summary) -> String {
        let seeds = match self.total {
            Some(total) => format!("{} of {} seeds", grouped(summary.attempts), grouped(total)),
            None => format!("{} seeds", grouped(summary.attempts)),
        };
        let rate = self.made as f64 / self.seconds().max(1e-9);
        let digits = usize::from(rate < 10.0);
        let steps = grouped(summary.coverage() as u64);
        format!("{seeds}, {rate:.digits$}/s, {}, {steps} steps seen", Simulated(summary.virtual_ns))
    }

    fn draw(&self, summary: &Summary) {
        let mut text = self.pace(summary);
        let elapsed =
            |time: Duration| humantime::format_duration(Duration::from_secs_f64(time.as_secs_f64().round()));
        let lasts = self.lasts.map_or(String::new(), |lasts| format!(" of {}", elapsed(lasts)));
        let workers = if self.jobs == 1 { String::new() } else { format!(", {} workers", self.jobs) };
        let news = elapsed(self.news.0.elapsed());
        text.push_str(&format!(
            "\n  {FAINT}{}{lasts}{workers}, nothing new seen for {news}{FAINT:#}",
            elapsed(self.begun.elapsed())
        ));
        let bugs = summary.bugs();
        if !bugs.is_empty() {
            text.push_str(&format!("\n  {BAD}{}{BAD:#}", counts(summary)));
        }
        let (_, columns) = console::Term::stderr().size();
        let columns = usize::from(columns).saturating_sub(1);
        for bug in bugs.iter().take(BUGS_MAX) {
            let line = format!(
                "  {:>6} ×  {:<12} {}",
                grouped(bug.count),
                bug.example.name.to_string(),
                bug.signature
            );
            text.push('\n');
            text.extend(line.chars().take(columns));
        }
        if bugs.len() > BUGS_MAX {
            text.push_str(&format!("\n  and {} more", bugs.len() - BUGS_MAX));
        }
        self.bar.set_position(summary.attempts);
        self.bar.set_message(text);
        self.bar.tick();
    }

    /// Says once that there is nothing to do but to wait for others.
    pub(crate) fn waits(&mut self) {
        if !std::mem::replace(&mut self.has_waited, true) {
            self.bar.suspend(|| {
                self.note("other machines have the rest; this one waits, in case one of them dies")
            });
        }
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    pub(crate) fn note(&self, note: &str) {
        if !self.is_quiet {
            anstream::eprintln!("{STRONG}note{STRONG:#}: {note}");
        }
    }
}

fn counts(summary: &Summary) -> String {
    let plural = |n: u64, word: &str| format!("{} {word}{}", grouped(n), if n == 1 { "" } else { "s" });
    format!("{} in {}", plural(summary.bugs().len() as u64, "bug"), plural(summary.failures, "failing run"))
}
