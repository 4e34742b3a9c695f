//! Campaigns as a person meets them: many workers, results that outlive them, several machines.

#![cfg(feature = "js")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use common::{
    BROKEN, NO_VERDICT, PASSED, STOPPED, UNUSABLE, broken_project, change, command, dacapo, project, run,
};
use serde_json::Value;

/// The lines of JSON that it prints, by attempt.
fn json(folder: &Path, args: &[&str]) -> Vec<Value> {
    let output = dacapo(folder, args);
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.sort_by_key(|line| (line["strategy"].to_string(), line["attempt"].as_u64()));
    lines
}

/// What all results in a directory come to.
fn shown(folder: &Path, results: &str) -> Value {
    let output = dacapo(folder, &["campaign", "show", results, "--json"]);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// A campaign that goes on, and its lines of JSON so far.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(folder: &Path, args: &[&str]) -> Running {
        let mut command = command(folder, args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, lines }
    }

    fn next(&mut self) -> Value {
        let line = self.lines.next().expect("it goes on").unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Waits until it has written something.
    fn has_written(&mut self, results: &Path) {
        while batches(results) == 0 {
            self.next();
        }
    }

    fn signal(&self, name: &str, pid: u32) {
        assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
    }
}

fn files(results: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(results) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).collect()
}

/// So many batches were written in full.
fn batches(results: &Path) -> usize {
    let lines = |path: &PathBuf| fs::read_to_string(path).unwrap().matches('\n').count().saturating_sub(1);
    files(results).iter().map(lines).sum()
}

#[test]
fn the_same_attempts_fail_whatever_the_number_of_jobs() {
    let home = broken_project();
    let attempts = |jobs| {
        let args =
            ["sim", "hello", "--seeds", "130", "--keep-going", "--json", "--shrink", "0", "--jobs", jobs];
        json(home.path(), &args)
    };
    let alone = attempts("1");
    assert_eq!(alone.len(), 130);
    assert!(
        alone.iter().any(|line| line["passed"] == false) && alone.iter().any(|line| line["passed"] == true)
    );
    assert_eq!(alone, attempts("3"));

    // The first failure that is told is the same too.
    let first = |jobs| {
        let text = run(home.path(), &["sim", "hello", "--shrink", "0", "--jobs", jobs], BROKEN);
        text.lines().find(|line| line.starts_with("repeat")).unwrap().to_owned()
    };
    assert_eq!(first("1"), first("4"));
}

#[test]
fn a_campaign_that_is_killed_goes_on_where_it_stopped() {
    let home = broken_project();
    let campaign =
        |results| ["sim", "hello", "--seeds", "200", "--jobs", "2", "--json", "--results", results];
    let mut running = Running::start(home.path(), &campaign("killed"));
    running.has_written(&home.path().join("killed"));
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    // The machine stopped while a line was written.
    let file = files(&home.path().join("killed")).swap_remove(0);
    let mut text = fs::read_to_string(&file).unwrap();
    let known = shown(home.path(), "killed")["attempts"].as_u64().unwrap();
    text.push_str("{\"first\":0,\"attempts\":[{\"strat");
    fs::write(&file, text).unwrap();

    let told = dacapo(home.path(), &["campaign", "show", "killed"]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("ends in the middle of line"), "{told}");
    let made = json(home.path(), &campaign("killed"));
    assert_eq!(made.len() as u64, 200 - known);
    assert!(known > 0);
    json(home.path(), &campaign("whole"));
    assert_eq!(shown(home.path(), "killed"), shown(home.path(), "whole"));
    // There is nothing left to do.
    assert!(json(home.path(), &campaign("killed")).is_empty());
}

#[test]
fn the_results_of_two_machines_merge_to_what_one_would_have_found() {
    let home = broken_project();
    for (seeds, results) in [("0..40", "a"), ("40..80", "b"), ("0..80", "one")] {
        let args = ["sim", "hello", "--strategy", "swarm", "--seeds", seeds, "--results", results];
        run(home.path(), &args, BROKEN);
    }
    run(home.path(), &["campaign", "merge", "--into", "all", "a", "b"], PASSED);
    let one = shown(home.path(), "one");
    assert_eq!(shown(home.path(), "all"), one);
    assert!(one["failures"].as_u64().unwrap() > 0 && one["attempts"] == 80);
    // Who merges twice has no more than once, and who shows both directories need not merge.
    run(home.path(), &["campaign", "merge", "--into", "all", "a", "b"], PASSED);
    let output = dacapo(home.path(), &["campaign", "show", "a", "b", "all", "--json", "--junit", "all.xml"]);
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), one);
    let report = fs::read_to_string(home.path().join("all.xml")).unwrap();
    assert!(report.contains("every visit counts once") && report.contains("<failure"), "{report}");
    // The failing run was recorded, and the recording came along.
    let traces = fs::read_dir(home.path().join("all")).unwrap().map(|entry| entry.unwrap().path());
    let traces: Vec<PathBuf> = traces.filter(|path| path.extension().is_some_and(|e| e == "trace")).collect();
    assert!(!traces.is_empty());
    run(home.path(), &["replay", traces[0].to_str().unwrap()], PASSED);
}

#[test]
fn results_of_another_program_are_not_gone_on_with() {
    let home = project();
    let campaign = ["sim", "hello", "--seeds", "4", "--results", "results"];
    run(home.path(), &campaign, PASSED);
    change(&home, "counter.ts", "export", "// changed\nexport");
    let refusal = run(home.path(), &campaign, UNUSABLE);
    assert!(refusal.contains("DC0080") && refusal.contains("the code of counter has changed"), "{refusal}");
    assert!(refusal.contains("give another directory"), "{refusal}");
    assert!(run(home.path(), &["campaign", "show", "results"], PASSED).contains("4 attempts"));
    run(home.path(), &["sim", "hello", "--seeds", "4", "--results", "others"], PASSED);
    assert!(run(home.path(), &["campaign", "show", "results", "others"], UNUSABLE).contains("DC0080"));
    assert!(
        run(home.path(), &["campaign", "merge", "--into", "x", "results", "others"], UNUSABLE)
            .contains("DC0080")
    );
    assert!(!home.path().join("x").exists());
}

#[test]
fn results_of_another_simulator_are_not_gone_on_with() {
    let home = project();
    let campaign = ["sim", "hello", "--seeds", "4", "--results", "results"];
    run(home.path(), &campaign, PASSED);
    let file = files(&home.path().join("results")).swap_remove(0);
    let text = fs::read_to_string(&file).unwrap();
    let at = text.find("\"digest\":\"").unwrap() + 10;
    fs::write(&file, format!("{}{:032}{}", &text[..at], 7, &text[at + 32..])).unwrap();
    assert!(run(home.path(), &campaign, UNUSABLE).contains("DC0084"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_dies_loses_one_attempt_and_says_which() {
    let home = project();
    // Not a portfolio: what it chooses later depends on what the lost attempt would have shown.
    let strategy = ["--strategy", "swarm"];
    let campaign = ["sim", "hello", "--seeds", "120", "--jobs", "2", "--json", "--results", "results"];
    let campaign = [&campaign[..], &strategy].concat();
    let mut running = Running::start(home.path(), &campaign);
    let mut lines = vec![running.next()];
    let parent = running.child.id();
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    let worker = children.split_whitespace().next().unwrap().parse().unwrap();
    running.signal("-KILL", worker);
    for line in running.lines.by_ref() {
        lines.push(serde_json::from_str(&line.unwrap()).unwrap());
    }
    assert_eq!(running.child.wait().unwrap().code(), Some(NO_VERDICT));
    let lost: Vec<&Value> = lines.iter().filter(|line| line["lost"].is_string()).collect();
    assert_eq!((lines.len(), lost.len()), (120, 1), "{lost:?}");
    assert!(lost[0]["lost"].as_str().unwrap().contains("killed (signal 9)"), "{lost:?}");
    let text = run(home.path(), &["campaign", "show", "results"], NO_VERDICT);
    let name = format!("{} {}", lost[0]["strategy"].as_str().unwrap(), lost[0]["attempt"]);
    assert!(text.contains(&format!("lost {}", name.replace("swarm", "seed"))), "{text}");
    // Whoever goes on makes it after all.
    let made = json(home.path(), &campaign);
    assert_eq!(made.len(), 1);
    assert_eq!((&made[0]["strategy"], &made[0]["attempt"]), (&lost[0]["strategy"], &lost[0]["attempt"]));
    run(home.path(), &["campaign", "show", "results"], PASSED);
}

#[test]
fn a_campaign_ends_when_its_time_is_over() {
    let home = project();
    run(home.path(), &["sim", "hello", "--for", "2s", "--jobs", "2", "--results", "results"], PASSED);
    let attempts = shown(home.path(), "results")["attempts"].as_u64().unwrap();
    assert!(attempts > 0);
    // The next one goes on behind it.
    run(home.path(), &["sim", "hello", "--for", "2s", "--jobs", "1", "--results", "results"], PASSED);
    let summary = shown(home.path(), "results");
    assert!(summary["attempts"].as_u64().unwrap() > attempts && summary["again"] == 0);
    assert!(run(home.path(), &["sim", "hello", "--for", "soon"], UNUSABLE).contains("--for"));
}

#[cfg(unix)]
#[test]
fn whoever_stops_a_campaign_keeps_what_it_has_found() {
    let home = project();
    let campaign = ["sim", "hello", "--for", "10m", "--jobs", "2", "--json", "--results", "results"];
    let mut running = Running::start(home.path(), &campaign);
    let mut told = Vec::new();
    while told.len() < 30 {
        told.push(running.next());
    }
    running.signal("-INT", running.child.id());
    told.extend(running.lines.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()));
    assert_eq!(running.child.wait().unwrap().code(), Some(STOPPED));
    assert_eq!(shown(home.path(), "results")["attempts"].as_u64().unwrap(), told.len() as u64);
}

#[test]
fn a_campaign_reports_each_bug_once_to_a_ci_server() {
    let home = broken_project();
    let campaign =
        ["sim", "hello", "--seeds", "100", "--jobs", "2", "--results", "results", "--junit", "report.xml"];
    let text = run(home.path(), &campaign, BROKEN);
    assert!(text.contains("1 bug in") && text.contains("repeat  dacapo sim hello"), "{text}");
    let report = fs::read_to_string(home.path().join("report.xml")).unwrap();
    assert_eq!(report.matches("<failure").count(), 1, "{report}");
    assert!(report.contains("of its runs failed so"), "{report}");
}

/// The script of a step of a workflow: the lines below its `run: |`, which stand further in.
fn script(workflow: &str, step: &str) -> String {
    let lines = workflow.lines().skip_while(|line| line.trim() != format!("- name: {step}"));
    let mut lines = lines.skip_while(|line| line.trim() != "run: |");
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines.next().expect("it has a script"));
    let script: Vec<&str> =
        lines.take_while(|line| line.is_empty() || indent(line) > own).map(str::trim).collect();
    script.join("\n")
}

#[cfg(unix)]
#[test]
fn the_workflow_for_github_merges_what_its_shards_find_and_fails_with_them() {
    let home = tempfile::tempdir().unwrap();
    run(home.path(), &["new", "hello", "--github"], PASSED);
    change(&home, "greeter.ts", "headers: { visit },", "headers: { visit: crypto.randomUUID() },");
    let project = home.path().join("hello");
    let workflow = fs::read_to_string(project.join(".github/workflows/campaign.yml")).unwrap();
    let step = |folder: &Path, name: &str, shard: &str| {
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_dacapo"), folder.join("bin/dacapo")).unwrap();
        let mut command = Command::new("bash");
        command.current_dir(folder).args(["-e", "-c", &script(&workflow, name)]);
        command.env("PROJECT", &project).env("LASTS", "8s").env("GITHUB_RUN_NUMBER", "3");
        command.env("SHARD", shard).env("SHARDS", "2").env("GITHUB_STEP_SUMMARY", folder.join("step.md"));
        command.output().unwrap()
    };
    for shard in ["0", "1"] {
        let folder = home.path().join(format!("shard-{shard}"));
        let output = step(&folder, "campaign", shard);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::create_dir_all(home.path().join("judge/shards")).unwrap();
        fs::rename(folder.join("results"), home.path().join(format!("judge/shards/results-{shard}")))
            .unwrap();
    }
    let judge = home.path().join("judge");
    let output = step(&judge, "judge", "");
    assert_eq!(output.status.code(), Some(BROKEN), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::read_to_string(judge.join("step.md")).unwrap().contains("1 bug in"));
    assert!(fs::read_to_string(judge.join("report.xml")).unwrap().contains("every visit counts once"));
    let summary = shown(&judge, "results");
    assert!(summary["bugs"][0]["attempt"].as_u64().unwrap() >= 6_000_000, "{summary}");
    assert_eq!(files(&judge.join("results")).len(), 2);
}
