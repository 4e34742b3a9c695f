//! Head to head: the same planted bugs on each simulator, and how many executions it takes to find them.
//!
//! `protocol` is what runs, once for all peers: servers as state machines, clients as `async fn` over [`Network`]. What
//! a peer brings is its network, its clock, its randomness and its faults: the programs in `bin/hunt-*.rs`.

pub mod protocol;

use std::process::Command;

use cpu_time::ProcessTime;

pub use protocol::{Answer, Ask, Broken, Network, Server, client, judge};

/// A planted bug. Dacapo's scoreboard has the same under the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Two clients read a number, add one and write it back.
    LostUpdate,
    /// A payment whose answer was lost is sent again, and charged twice.
    Retry,
    /// A cache is filled with what was read before the value was changed and the cache emptied.
    StaleFill,
    /// A register on three replicas, whose reader does not write back what it has read.
    ReadWithoutWriteBack,
}

impl Bug {
    const ALL: [Bug; 4] = [Bug::LostUpdate, Bug::Retry, Bug::StaleFill, Bug::ReadWithoutWriteBack];

    fn named(name: &str) -> Option<Bug> {
        Bug::ALL.into_iter().find(|bug| bug.name() == name)
    }

    /// As the scoreboard calls it.
    pub fn name(self) -> &'static str {
        match self {
            Bug::LostUpdate => "lost-update",
            Bug::Retry => "retry-without-idempotency",
            Bug::StaleFill => "stale-fill",
            Bug::ReadWithoutWriteBack => "read-without-write-back",
        }
    }

    /// The mean time between two rounds of a client. Times are in *units*: a message takes one on average.
    pub fn pause(self) -> u64 {
        match self {
            Bug::LostUpdate => 20,
            Bug::Retry => 40,
            Bug::StaleFill => 50,
            Bug::ReadWithoutWriteBack => 2,
        }
    }

    /// How long clients begin rounds and things go wrong.
    pub fn lasts(self) -> u64 {
        match self {
            Bug::LostUpdate => 100,
            Bug::Retry => 1000,
            Bug::StaleFill => 240,
            Bug::ReadWithoutWriteBack => 40,
        }
    }

    /// The share of messages that are lost.
    pub fn loss(self) -> f64 {
        match self {
            Bug::Retry => 0.2,
            Bug::LostUpdate | Bug::StaleFill | Bug::ReadWithoutWriteBack => 0.0,
        }
    }

    /// The servers, each on a node of its own.
    pub fn servers(self, is_buggy: bool) -> Vec<Server> {
        match self {
            Bug::LostUpdate => vec![Server::counter(is_buggy)],
            Bug::Retry => vec![Server::ledger(is_buggy)],
            Bug::StaleFill => vec![Server::database(), Server::cache(is_buggy)],
            Bug::ReadWithoutWriteBack => (0..3).map(|_| Server::database()).collect(),
        }
    }
}

/// So many executions at most in one campaign.
pub const MOST: u64 = 10_000;
/// Seeds of two campaigns are so far apart that they have none in common.
const APART: u64 = 1 << 32;

/// What the command line asks for: `BUG NUMBER [WORD]`.
enum Order {
    /// So many campaigns (no word).
    Campaigns(u64),
    /// The campaign of this number, for a process that makes all of them (`campaign`).
    Campaign(u64),
    /// So many executions of the twin without the bug, which must survive (`twin`).
    Twin(u64),
}

/// Panics with what is missing.
fn command_line() -> (Bug, Order) {
    let mut words = std::env::args().skip(1);
    let mut next =
        |what: &str| words.next().unwrap_or_else(|| panic!("{what} is missing: BUG CAMPAIGNS [twin]"));
    let bug = next("BUG");
    let bug = Bug::named(&bug).unwrap_or_else(|| panic!("{bug} is no bug of this comparison"));
    let number = next("CAMPAIGNS").parse().expect("CAMPAIGNS is a number");
    let order = match words.next().as_deref() {
        None => Order::Campaigns(number),
        Some("campaign") => Order::Campaign(number),
        Some("twin") => Order::Twin(number),
        Some(other) => panic!("{other:?} is not understood: BUG CAMPAIGNS [twin]"),
    };
    (bug, order)
}

/// Runs what the command line asks for, where `breaks` runs a bug or its twin under a seed and says whether its check
/// was broken. Prints the median and the 95th percentile of executions to find the bug, and the milliseconds of
/// processor time that one takes.
pub fn main(breaks: impl Fn(Bug, bool, u64) -> bool) {
    let (bug, order) = command_line();
    match order {
        Order::Campaigns(count) => {
            let ended: Vec<(Option<u64>, f64)> = (0..count).map(|number| campaign(bug, number)).collect();
            let (executions, seconds): (Vec<Option<u64>>, Vec<f64>) = ended.into_iter().unzip();
            let all: u64 = executions.iter().map(|found| found.unwrap_or(MOST)).sum();
            print(executions, seconds.iter().sum::<f64>() * 1000.0 / all as f64);
        }
        Order::Campaign(number) => {
            let begin = ProcessTime::now();
            let found = (1..=MOST).find(|nth| breaks(bug, true, number * APART + nth));
            println!("{} {}", found.unwrap_or(0), begin.elapsed().as_secs_f64());
        }
        Order::Twin(count) => {
            let accused: Vec<u64> = (0..count).filter(|seed| breaks(bug, false, *seed)).collect();
            assert!(accused.is_empty(), "the twin of {} is accused by the seeds {accused:?}", bug.name());
            println!("the twin of {} survives {count} executions", bug.name());
        }
    }
}

/// Makes a campaign in a process of its own, since not every simulator gives back the memory of a run: gives the execution that
/// found the bug, and processor time in seconds.
fn campaign(bug: Bug, number: u64) -> (Option<u64>, f64) {
    let me = std::env::current_exe().expect("a program has a file");
    let made = Command::new(me)
        .args([bug.name(), &number.to_string(), "campaign"])
        .output()
        .expect("it starts again");
    let text = String::from_utf8_lossy(&made.stdout);
    let words: Vec<&str> = text.split_whitespace().collect();
    let [found, seconds] = words[..] else {
        panic!("campaign {number} ended early: {}, {}", made.status, String::from_utf8_lossy(&made.stderr))
    };
    let found = found.parse().expect("a number of executions");
    ((found > 0).then_some(found), seconds.parse().expect("a number of seconds"))
}

/// Prints a line of the table: `MEDIAN P95 MS_EACH`.
pub fn print(mut executions: Vec<Option<u64>>, ms_each: f64) {
    executions.sort_by_key(|found| found.unwrap_or(u64::MAX));
    let percentile = |percent: usize| {
        let at = (executions.len() * percent).div_ceil(100).max(1) - 1;
        executions[at].map_or_else(|| format!(">{MOST}"), |found| found.to_string())
    };
    println!("{} {} {ms_each:.2}", percentile(50), percentile(95));
}
