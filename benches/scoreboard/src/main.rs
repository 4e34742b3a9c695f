//! `just scoreboard`: measures how many executions each strategy takes to find each planted bug, or runs the twins.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use dacapo_lab::{Bounds, Strategy};
use dacapo_scoreboard::{
    BUGS, Bug, Row, STRATEGIES, Shrinkage, on_all_cores, percentile, row, shrinkage, twin,
};

const HELP: &str = "\
Usage: just scoreboard [--bug NAME].. [--strategy NAME].. [--campaigns 30] [--max 10000]
       just scoreboard --twins [--bug NAME].. [--seeds 10000]
       just scoreboard --exhaust [--bug NAME].. [--faults 1] [--lasts MILLISECONDS] [--max 10000]
       just scoreboard --shrink [--bug NAME].. [--campaigns 30] [--max 10000]
       just scoreboard --list

Measures executions and processor time until a planted bug is found. Results go to target/scoreboard.json,
where those of other bugs and strategies stay, and all of them as a table to standard output.
--twins runs the correct twins, under every strategy; each must survive all seeds.
--shrink says how small what the portfolio finds gets within a minute.
--exhaust tries all orders of the planted bug and of its twin within these bounds; --lasts says how long drivers run, and
without it each client does one round.
";

/// Where results are kept from one call to the next.
const RESULTS: &str = "target/scoreboard.json";

struct Options {
    bugs: Vec<&'static Bug>,
    strategies: Vec<Strategy>,
    campaigns: u64,
    max: u64,
    seeds: u64,
    twins: bool,
    shrink: bool,
    exhaust: Option<Bounds>,
}

fn main() -> ExitCode {
    let result = match options() {
        Ok(Some(options)) if options.twins => twins(&options),
        Ok(Some(options)) if options.shrink => shrink(&options),
        Ok(Some(Options { exhaust: Some(bounds), bugs, max, .. })) => {
            exhaust(&bugs, &Bounds { executions: max, ..bounds })
        }
        Ok(Some(options)) => measure(&options),
        Ok(None) => Ok(()),
        Err(error) => Err(format!("{error}\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        bugs: Vec::new(),
        strategies: Vec::new(),
        campaigns: 30,
        max: 10_000,
        seeds: 10_000,
        twins: false,
        shrink: false,
        exhaust: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("bug") => {
                let name = parser.value()?.string()?;
                options.bugs.push(Bug::named(&name).ok_or(format!("there is no bug {name}: see --list"))?);
            }
            Long("strategy") => {
                options.strategies.push(parser.value()?.parse()?);
            }
            Long("campaigns") => options.campaigns = parser.value()?.parse::<u64>()?.max(1),
            Long("max") => options.max = parser.value()?.parse::<u64>()?.max(1),
            Long("seeds") => options.seeds = parser.value()?.parse()?,
            Long("twins") => options.twins = true,
            Long("shrink") => options.shrink = true,
            Long("exhaust") => drop(options.exhaust.get_or_insert_default()),
            Long("faults") => options.exhaust.get_or_insert_default().faults = parser.value()?.parse()?,
            Long("lasts") => {
                let lasts = Duration::from_millis(parser.value()?.parse()?);
                options.exhaust.get_or_insert_default().lasts = lasts;
            }
            Long("list") => {
                for bug in BUGS {
                    println!("{:28} {}", bug.name, bug.needs);
                }
                return Ok(None);
            }
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(None);
            }
            _ => return Err(arg.unexpected()),
        }
    }
    if options.bugs.is_empty() {
        options.bugs = BUGS.iter().collect();
    }
    if options.strategies.is_empty() {
        options.strategies = STRATEGIES.to_vec();
    }
    Ok(Some(options))
}

/// Each twin under each strategy.
fn twins(options: &Options) -> Result<(), String> {
    const AT_ONCE: u64 = 2 * Strategy::EXPEDITION;
    let mut failed = Vec::new();
    for bug in &options.bugs {
        // A portfolio has no attempts of its own: it makes those of the others.
        for strategy in options.strategies.iter().filter(|strategy| **strategy != Strategy::Portfolio) {
            let failures = on_all_cores(options.seeds.div_ceil(AT_ONCE), |part| {
                let first = part * AT_ONCE;
                twin(bug, *strategy, first..options.seeds.min(first + AT_ONCE))
            });
            let failure = failures.into_iter().flatten().next();
            let verdict = failure.as_deref().unwrap_or("survives");
            println!("{:28} {:10} {} seeds: {verdict}", bug.name, strategy.to_string(), options.seeds);
            failed.extend(failure.map(|_| bug.name));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("twins that fail: {}", failed.join(", "))) }
}

/// How small each bug gets, over some campaigns.
fn shrink(options: &Options) -> Result<(), String> {
    const PATIENCE: Duration = Duration::from_secs(60);
    println!(
        "| bug | found | decisions, median | most | of them go wrong, median | with a pivot | runs, median | seconds, median | most |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for bug in &options.bugs {
        let made = on_all_cores(options.campaigns, |number| {
            shrinkage(bug, Strategy::Portfolio, number, options.max, |_, time| time < PATIENCE)
        });
        let made: Vec<Shrinkage> = made.into_iter().flatten().collect();
        if made.is_empty() {
            println!("| {} | 0 | | | | | | | |", bug.name);
            continue;
        }
        let of = |what: fn(&Shrinkage) -> f64, percent| {
            let mut all: Vec<f64> = made.iter().map(what).collect();
            all.sort_by(f64::total_cmp);
            *percentile(&all, percent)
        };
        let decisions: fn(&Shrinkage) -> f64 = |it| it.decisions as f64;
        let seconds: fn(&Shrinkage) -> f64 = |it| it.time.as_secs_f64();
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.1} | {:.1} |",
            bug.name,
            made.len(),
            of(decisions, 50),
            of(decisions, 100),
            of(|it| it.wrong as f64, 50),
            made.iter().filter(|it| it.has_pivot).count(),
            of(|it| it.runs as f64, 50),
            of(seconds, 50),
            of(seconds, 100),
        );
    }
    Ok(())
}

/// All orders of each bug, and of its twin.
fn exhaust(bugs: &[&'static Bug], bounds: &Bounds) -> Result<(), String> {
    let mut failed = Vec::new();
    for bug in bugs {
        for (who, make) in [("bug", bug.broken), ("twin", bug.correct)] {
            let begin = Instant::now();
            let exhausted = make().exhaust(bounds, &mut |_| true);
            let seconds = begin.elapsed().as_secs_f64();
            println!("{:28} {who:4} {exhausted} [{} runs, {seconds:.1} s]", bug.name, exhausted.executions);
            failed.extend(exhausted.found.filter(|_| who == "twin").map(|_| bug.name));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("twins that fail: {}", failed.join(", "))) }
}

fn measure(options: &Options) -> Result<(), String> {
    let mut rows = read()?;
    for bug in &options.bugs {
        for strategy in &options.strategies {
            let row = row(bug, *strategy, options.campaigns, options.max);
            eprintln!("{}", line(&row));
            rows.insert((row.bug.clone(), row.strategy.clone()), row);
            write(&rows)?;
        }
    }
    print!("{}", table(&rows));
    Ok(())
}

type Rows = BTreeMap<(String, String), Row>;

fn read() -> Result<Rows, String> {
    let Ok(text) = std::fs::read_to_string(RESULTS) else { return Ok(Rows::new()) };
    let rows: Option<Vec<Row>> = serde_json::from_str::<Vec<serde_json::Value>>(&text)
        .ok()
        .and_then(|rows| rows.iter().map(Row::from_json).collect());
    let rows = rows.ok_or_else(|| format!("{RESULTS} holds no results: delete it to begin anew"))?;
    Ok(rows.into_iter().map(|row| ((row.bug.clone(), row.strategy.clone()), row)).collect())
}

fn write(rows: &Rows) -> Result<(), String> {
    let rows: Vec<serde_json::Value> = rows.values().map(Row::to_json).collect();
    let text = serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())?;
    std::fs::create_dir_all("target")
        .and_then(|()| std::fs::write(RESULTS, text + "\n"))
        .map_err(|error| format!("{RESULTS} cannot be written: {error}"))
}

fn count(executions: Option<u64>, max: u64) -> String {
    executions.map_or_else(|| format!("> {max}"), |n| n.to_string())
}

fn line(row: &Row) -> String {
    let (median, p95) = (count(row.median, row.max), count(row.p95, row.max));
    format!(
        "| {} | {} | {median} | {p95} | {:.1} | {:.1} | {:.2} |",
        row.bug, row.strategy, row.cpu_ms_median, row.cpu_ms_p95, row.cpu_ms_each
    )
}

fn table(rows: &Rows) -> String {
    let mut text = "| bug | strategy | executions, median | p95 | ms, median | p95 | ms each |\n|---|---|---:|---:|---:|---:|---:|\n".to_owned();
    for bug in BUGS {
        for row in rows.values().filter(|row| row.bug == bug.name) {
            text += &line(row);
            text.push('\n');
        }
    }
    text
}
