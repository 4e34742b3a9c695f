//! Campaigns over several machines, with a real PostgreSQL server, which each test starts for itself.

#![cfg(all(feature = "js", unix))]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use common::{PASSED, UNUSABLE, broken_project, command, project, run, told};
use postgres::{Client, NoTls};
use serde_json::Value;
use tempfile::TempDir;

/// A server of its own, on a port of its own, that ends with the test.
struct Server {
    bin: PathBuf,
    data: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Server {
    fn start() -> Server {
        let bin = programs();
        let data = tempfile::tempdir().unwrap();
        // It runs as another user than root, who has to get there.
        let mut mine = Command::new("chown");
        if let Some((user, _)) = unprivileged() {
            assert!(mine.arg(user.to_string()).arg(data.path()).status().unwrap().success());
        }
        let mut init = as_user(&bin.join("initdb"));
        init.args(["-A", "trust", "-U", "dacapo", "--no-sync", "-E", "UTF8", "--locale=C", "-D"]);
        let output = init.arg(data.path().join("db")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Server { bin, data, port, process: None };
        server.run(&[]);
        server
    }

    /// Starts the process, and waits until it takes connections.
    fn run(&mut self, settings: &[&str]) {
        let mut command = as_user(&self.bin.join("postgres"));
        command.arg("-D").arg(self.data.path().join("db")).args(["-p", &self.port.to_string()]);
        command.args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=off",
        ]);
        command.args(settings.iter().flat_map(|setting| ["-c", setting]));
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        self.process = Some(process);
        while !said.contains("ready to accept connections") {
            assert!(log.read_line(&mut said).unwrap() > 0, "the server did not start: {said}");
        }
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    }

    fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // To a server, SIGINT means: now, and in order.
        let _ = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
        let _ = process.wait();
    }

    fn url(&self) -> String {
        format!("postgres://dacapo@127.0.0.1:{}/postgres", self.port)
    }

    fn count(&self, select: &str) -> i64 {
        let mut client = Client::connect(&self.url(), NoTls).unwrap();
        client.query_one(select, &[]).unwrap().get(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the programs of PostgreSQL are.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    folders.extend(versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))));
    let is_it = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    let found = folders.into_iter().find(is_it);
    found.expect("this test starts a PostgreSQL server, and there is none: install it, as in `apt-get install postgresql`")
}

/// Whom the server runs as, if this is root, as whom it refuses to run.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |args: &[&str]| {
        let output = Command::new("id").args(args).output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let of = |name| Some((id(&["-u", name])?, id(&["-g", name])?));
    Some(of("postgres").or_else(|| of("nobody")).expect("a user who is not root: postgres or nobody"))
}

fn as_user(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some((user, group)) = unprivileged() {
        command.uid(user).gid(group);
    }
    command
}

fn finish(child: Child, code: i32) -> String {
    told("dacapo", &child.wait_with_output().unwrap(), code)
}

fn start(folder: &Path, args: &[&str]) -> Child {
    command(folder, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn summary(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}

/// What a queue has, without what only queues have.
fn shown(folder: &Path, url: &str) -> (Value, Value) {
    let mut summary =
        summary(&command(folder, &["campaign", "show", "--queue", url, "--json"]).output().unwrap());
    summary.as_object_mut().unwrap().remove("begun");
    let ranges = summary.as_object_mut().unwrap().remove("ranges").unwrap();
    (summary, ranges)
}

/// The names of the attempts in lines of JSON.
fn names(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.map(|line| format!("{} {}", line["strategy"], line["attempt"])).collect()
}

#[test]
fn two_machines_that_share_a_queue_find_what_one_would_have_found() {
    let (server, home) = (Server::start(), broken_project());
    let url = server.url();
    let args =
        ["sim", "hello", "--queue", &url, "--range", "20", "--strategy", "uniform", "--seeds", "0..110"];
    let machine = || start(home.path(), &[&args[..], &["--jobs", "1", "--json"]].concat());
    let (one, other) = (machine(), machine());
    let (one, other) = (names(&finish(one, 1)), names(&finish(other, 1)));
    let all: BTreeSet<&String> = one.iter().chain(&other).collect();
    assert_eq!((all.len(), one.len() + other.len()), (110, 110), "each attempt is made once");

    let alone = ["sim", "hello", "--strategy", "uniform", "--seeds", "110", "--results", "alone"];
    run(home.path(), &alone, 1);
    let alone = summary(&command(home.path(), &["campaign", "show", "alone", "--json"]).output().unwrap());
    let (together, ranges) = shown(home.path(), &url);
    assert_eq!(together, alone);
    assert!(alone["failures"].as_u64().unwrap() > 0);
    assert_eq!(ranges, serde_json::json!({ "all": 6, "done": 6, "held": 0, "abandoned": 0 }));
    // Whoever asks in SQL gets the same answer.
    let failures = "SELECT count(*) FROM dacapo_failures WHERE strategy = 'uniform' AND signature LIKE '%every visit counts once%'";
    assert_eq!(server.count(failures), i64::try_from(alone["failures"].as_u64().unwrap()).unwrap());

    // There is nothing left, until somebody adds something.
    assert!(names(&run(home.path(), &[&args[..], &["--json"]].concat(), PASSED)).is_empty());
    let more: Vec<&str> = args.iter().map(|arg| if *arg == "0..110" { "0..130" } else { *arg }).collect();
    let made = command(home.path(), &[&more[..], &["--json"]].concat()).output().unwrap();
    assert_eq!(names(&String::from_utf8_lossy(&made.stdout)).len(), 20);
}

#[test]
fn a_range_whose_worker_died_is_taken_over() {
    let (server, home) = (Server::start(), project());
    let url = server.url();
    let args = [
        "sim", "hello", "--queue", &url, "--range", "60", "--lease", "3s", "--seeds", "60", "--json",
        "--jobs", "2",
    ];
    let mut first = start(home.path(), &args);
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    let mut told = 0;
    while told == 0 || server.count("SELECT count(*) FROM dacapo_batches") == 0 {
        lines.next().expect("it goes on").unwrap();
        told += 1;
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(server.count("SELECT count(*) FROM dacapo_ranges WHERE done"), 0);
    let (before, _) = shown(home.path(), &url);
    let before = before["attempts"].as_u64().unwrap() as usize;
    assert!((1..60).contains(&before), "{before}");

    let text = run(home.path(), &args, PASSED);
    assert_eq!(names(&text).len(), 60 - before, "what was found before is not made again");
    let (after, ranges) = shown(home.path(), &url);
    assert!(after["attempts"] == 60 && after["again"] == 0, "{after}");
    assert_eq!(ranges["done"], 1);
}

#[test]
fn a_machine_that_is_stopped_gives_its_range_back_at_once() {
    let (server, home) = (Server::start(), project());
    let url = server.url();
    let args = ["sim", "hello", "--queue", &url, "--seeds", "5000", "--json", "--jobs", "2", "--lease", "1h"];
    let mut first = start(home.path(), &args);
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    lines.next().expect("it goes on").unwrap();
    assert_eq!(server.count("SELECT count(*) FROM dacapo_ranges WHERE held_until > now()"), 1);
    assert!(Command::new("kill").args(["-INT", &first.id().to_string()]).status().unwrap().success());
    lines.for_each(drop);
    assert_eq!(first.wait().unwrap().code(), Some(130));
    assert_eq!(server.count("SELECT count(*) FROM dacapo_ranges WHERE held_until IS NOT NULL"), 0);
}

#[test]
fn a_server_that_restarts_loses_nothing() {
    let (mut server, home) = (Server::start(), project());
    let url = server.url();
    let args = ["sim", "hello", "--queue", &url, "--range", "40", "--seeds", "120", "--json", "--jobs", "2"];
    let mut child = start(home.path(), &args);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..10 {
        lines.next().expect("it goes on").unwrap();
    }
    server.stop();
    server.run(&[]);
    assert_eq!(10 + lines.count(), 120);
    finish(child, PASSED);
    let (summary, ranges) = shown(home.path(), &url);
    assert!(summary["attempts"] == 120 && ranges["done"] == 3, "{summary} {ranges}");
}

#[test]
fn a_queue_is_reached_by_tls_if_its_certificate_is_trusted() {
    let (mut server, home) = (Server::start(), project());
    server.stop();
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (home.path().join("root.pem"), server.data.path().join("db/server.key"));
    fs::write(&certificate, issued.cert.pem()).unwrap();
    fs::write(server.data.path().join("db/server.crt"), issued.cert.pem()).unwrap();
    fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    let mut own = Command::new("chmod");
    assert!(own.arg("600").arg(&key).status().unwrap().success());
    if let Some((user, _)) = unprivileged() {
        assert!(Command::new("chown").arg(user.to_string()).arg(&key).status().unwrap().success());
    }
    // Nobody gets in without TLS.
    let rules = server.data.path().join("db/pg_hba.conf");
    fs::write(rules, "hostssl all all 127.0.0.1/32 trust\n").unwrap();
    server.run(&["ssl=on"]);
    let url = |query: &str| format!("postgres://dacapo@localhost:{}/postgres?{query}", server.port);
    let args = |url: &str| ["sim", "hello", "--seeds", "4", "--queue", url].map(str::to_owned);
    let sim = |url: &str, code| {
        let args = args(url);
        run(home.path(), &args.each_ref().map(String::as_str), code)
    };
    let trusted = url(&format!("sslmode=verify-full&sslrootcert={}", certificate.display()));
    sim(&trusted, PASSED);
    let refusal = sim(&url("sslmode=require"), UNUSABLE);
    assert!(refusal.contains("DC0085") && refusal.contains("certificate"), "{refusal}");
    assert!(sim(&url("sslmode=disable"), UNUSABLE).contains("no encryption"));
}
