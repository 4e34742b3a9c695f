//! The command line as a person meets it: what it makes, finds, repeats and refuses.

#![cfg(feature = "js")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{BROKEN, PASSED, UNUSABLE, broken_project, dacapo, project, run};

fn recording_of(home: &Path) -> PathBuf {
    recordings_in(home).swap_remove(0)
}

/// The recording of the run, and that of the shrunk one.
fn recordings_in(home: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(home.join(".dacapo")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|e| e == "trace")).collect();
    files.sort_by_key(|path| path.as_os_str().len());
    files
}

#[test]
fn a_new_project_is_valid_and_survives() {
    let home = project();
    assert!(run(home.path(), &["validate", "hello"], PASSED).contains("2 services, 1 scenarios"));
    let text = run(home.path(), &["sim", "hello", "--seeds", "20", "--verify"], PASSED);
    assert!(text.contains("20 seeds"), "{text}");
    assert!(!text.contains("this never held"), "{text}");
    // A folder with something in it is left alone.
    run(home.path(), &["new", "hello"], UNUSABLE);
}

#[test]
fn a_failing_seed_is_explained_repeated_and_replayed() {
    let home = broken_project();
    let text = run(home.path(), &["sim", "hello"], BROKEN);
    assert!(text.contains("every visit counts once"), "{text}");
    assert!(text.contains("how it came to that"), "{text}");

    let repeat =
        text.lines().find_map(|line| line.strip_prefix("repeat  dacapo ")).expect("a line to repeat it");
    let again = run(home.path(), &repeat.split(' ').collect::<Vec<_>>(), BROKEN);
    assert!(again.contains("every visit counts once"), "{again}");

    let recordings = recordings_in(home.path());
    assert_eq!(recordings.len(), 2, "{recordings:?}");
    for recording in &recordings {
        assert!(run(home.path(), &["replay", recording.to_str().unwrap()], PASSED).contains("same"));
    }
    let recording = recording_of(home.path());
    let recording = recording.to_str().unwrap();
    assert!(run(home.path(), &["trace", recording], PASSED).contains("https://greeter.example/?name=Ada"));
    // Drawn: the check, and the line of the workload that has it.
    let diagram = run(home.path(), &["trace", recording, "--diagram"], PASSED);
    assert!(diagram.contains("BROKEN") && diagram.contains("every visit counts once"), "{diagram}");
    assert!(diagram.contains("▶"), "{diagram}");
    run(home.path(), &["trace", recording, "--html", "run.html"], PASSED);
    let page = fs::read_to_string(home.path().join("run.html")).unwrap();
    assert!(
        page.contains("<h1>judgment every visit counts once") && page.contains("table class=\"source\""),
        "{page}"
    );
    run(home.path(), &["trace", recording, "--diagram", "--json"], UNUSABLE);

    // Another program is another run, and is told so.
    let file = home.path().join("hello/counter.ts");
    fs::write(&file, fs::read_to_string(&file).unwrap() + "// changed\n").unwrap();
    assert!(run(home.path(), &["replay", recording], UNUSABLE).contains("DC0068"));
}

#[test]
fn a_saved_seed_runs_again() {
    let home = broken_project();
    run(home.path(), &["sim", "hello", "--save", "visits"], BROKEN);
    let text = run(home.path(), &["sim", "sim-scenarios/regressions/visits.hcl"], BROKEN);
    assert!(text.contains("every visit counts once"), "{text}");

    // Mended, it passes, and what it still tests is told.
    let file = home.path().join("hello/counter.ts");
    fs::write(&file, fs::read_to_string(&file).unwrap() + "// changed\n").unwrap();
    let saved = home.path().join("sim-scenarios/regressions/visits.hcl");
    let renamed = fs::read_to_string(&saved).unwrap().replace(" asks GET ", " asks PUT ");
    assert!(renamed.contains(" asks PUT "), "{renamed}");
    fs::write(&saved, renamed).unwrap();
    let text = run(home.path(), &["sim", "sim-scenarios/regressions/visits.hcl"], PASSED);
    assert!(text.contains("did not come up, so it may test nothing"), "{text}");
    assert!(text.contains("the program is not the one in which it failed"), "{text}");
}

#[test]
fn programs_get_a_line_of_json_for_each_attempt() {
    let home = project();
    let output = dacapo(home.path(), &["sim", "hello", "--seeds", "4", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // A portfolio begins with three uniform attempts, and goes on with another strategy's.
    let attempts: Vec<_> = lines.iter().map(|line| (&line["strategy"], &line["attempt"])).collect();
    assert_eq!(
        format!("{attempts:?}"),
        "[(String(\"uniform\"), Number(0)), (String(\"uniform\"), Number(1)), (String(\"uniform\"), Number(2)), (String(\"guided\"), Number(0))]"
    );
    assert!(lines.iter().all(|line| line["passed"] == true));
}

#[test]
fn an_attempt_is_repeated_by_its_strategy_and_number() {
    let home = project();
    let digest = |args: &[&str]| {
        let output = dacapo(home.path(), &[&["sim", "hello", "--json"], args].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        last["digest"].as_str().unwrap().to_owned()
    };
    let third = digest(&["--strategy", "sparse", "--seeds", "3"]);
    assert_eq!(third, digest(&["--strategy", "sparse", "--seed", "2"]));
    assert_ne!(third, digest(&["--strategy", "pos", "--seed", "2"]));
    assert!(run(home.path(), &["sim", "hello", "--strategy", "luck"], UNUSABLE).contains("portfolio"));
    let text = run(home.path(), &["sim", "hello", "--strategy", "portfolio", "--seed", "2"], UNUSABLE);
    assert!(text.contains("name the strategy"), "{text}");
}

#[test]
fn what_is_no_project_is_refused_with_a_next_step() {
    let home = tempfile::tempdir().unwrap();
    assert!(run(home.path(), &["sim", "nowhere"], UNUSABLE).contains("nowhere"));
    assert!(run(home.path(), &["serve", "."], UNUSABLE).contains("dacapo new"));
    fs::write(home.path().join("dacapo.hcl"), "service \"a\" {\n  modul = \"a.ts\"\n}\n").unwrap();
    assert!(run(home.path(), &["validate", "."], UNUSABLE).contains("modul"));
}
