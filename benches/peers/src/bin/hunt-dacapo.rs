//! The planted bugs on Dacapo: those of its scoreboard, hunted by the default portfolio or by another strategy
//! (`BUG CAMPAIGNS STRATEGY`). Runs that strategies make to learn of the system are counted.

#![forbid(unsafe_code)]

use dacapo_lab::Strategy;
use dacapo_peers::hunt;
use dacapo_scoreboard::{Bug, campaign, twin};

fn main() {
    let mut words = std::env::args().skip(1);
    let mut next =
        |what: &str| words.next().unwrap_or_else(|| panic!("{what} is missing: BUG CAMPAIGNS STRATEGY"));
    let bug = next("BUG");
    let bug = Bug::named(&bug).unwrap_or_else(|| panic!("{bug} is no bug of the scoreboard"));
    let campaigns: u64 = next("CAMPAIGNS").parse().expect("CAMPAIGNS is a number");
    let strategy = next("STRATEGY");
    if strategy == "twin" {
        let accused = twin(bug, Strategy::Uniform, 0..campaigns);
        assert_eq!(accused, None);
        println!("the twin of {} survives {campaigns} executions", bug.name);
        return;
    }
    let strategy: Strategy = strategy.parse().unwrap_or_else(|error| panic!("{error}"));
    let outcomes: Vec<_> = (0..campaigns).map(|number| campaign(bug, strategy, number, hunt::MOST)).collect();
    let ms: f64 = outcomes.iter().map(|outcome| outcome.cpu.as_secs_f64() * 1000.0).sum();
    let all: u64 = outcomes.iter().map(|outcome| outcome.tried).sum();
    hunt::print(outcomes.iter().map(|outcome| outcome.executions).collect(), ms / all as f64);
}
